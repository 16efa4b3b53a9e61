// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

const keyLong = `Make and manage the keys that documents are sealed for.

An age key pair (generate) belongs to a person or a machine; its private half
never is in Git. A SealingKey (create, list, rotate, export) is a key pair whose
private half is wrapped by AWS KMS or another key service and lies in Git, in
` + userkeys.SealingKeyDir + `. Whoever may use the KMS key opens every document that is sealed for
the SealingKey, and a single call to KMS is enough for all of them.`

const keyExample = `  signet key generate -o ~/.config/sops/age/keys.txt
  signet key create prod --kms arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
  signet key list`

func newKey(c console) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "key",
		Short:   "Make and manage keys",
		Long:    keyLong,
		Example: keyExample,
		Args:    noCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newKeyGenerate(c), newKeyCreate(c), newKeyList(c), newKeyRotate(c), newKeyExport(c))
	return cmd
}

// here stands for what lies in the working directory, as stdin does.
var here = []input{{name: "-"}}

// noKeyNamedError says that there is no SealingKey of a name or a recipient.
type noKeyNamedError struct {
	name, recipient string
	names           []string // of those that there are
}

func (e *noKeyNamedError) Error() string {
	if e.name == "" {
		return "there is no SealingKey with the recipient " + shortRecipient(e.recipient)
	}
	return fmt.Sprintf("there is no SealingKey %q", e.name)
}

// ambiguousKeyError says that a SealingKey is not clearly named.
type ambiguousKeyError struct {
	files    []string
	sameName bool
}

func (e *ambiguousKeyError) Error() string {
	return "several SealingKeys are meant: " + strings.Join(e.files, ", ")
}

var errNoSealingKeys = errors.New("there are no SealingKeys in " + userkeys.SealingKeyDir + " here or further up in the repository")

// pickKey returns the one SealingKey for which match reports true.
func pickKey(found []unseal.Key, match func(*sopsdoc.SealingKey) bool) (unseal.Key, error) {
	var picked []unseal.Key
	for _, k := range found {
		if match(k.SealingKey) {
			picked = append(picked, k)
		}
	}
	switch len(picked) {
	case 0:
		return unseal.Key{}, errNotFound
	case 1:
		return picked[0], nil
	}
	err := &ambiguousKeyError{files: make([]string, len(picked))}
	names := map[string]bool{}
	for i, k := range picked {
		err.files[i], err.sameName = k.String(), err.sameName || names[k.Name]
		names[k.Name] = true
	}
	return unseal.Key{}, err
}

var errNotFound = errors.New("not found")

// named returns the SealingKey of a name.
func named(found []unseal.Key, name string) (unseal.Key, error) {
	k, err := pickKey(found, func(k *sopsdoc.SealingKey) bool { return k.Name == name })
	if errors.Is(err, errNotFound) {
		return k, &noKeyNamedError{name: name, names: keyNames(found)}
	}
	return k, err
}

func keyNames(found []unseal.Key) []string {
	names := make([]string, len(found))
	for i, k := range found {
		names[i] = k.Name
	}
	slices.Sort(names)
	return names
}

// shortRecipient shows the ends of a recipient that is too long for a line.
func shortRecipient(recipient string) string {
	const head, tail = 20, 8
	if len(recipient) <= 70 {
		return recipient
	}
	return recipient[:head] + "..." + recipient[len(recipient)-tail:]
}

// completeKeyNames offers the names of the SealingKeys at hand.
func completeKeyNames(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	found, err := (&keyFlags{}).findSealingKeys(io.Discard, here)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return keyNames(found), cobra.ShellCompDirectiveNoFileComp
}
