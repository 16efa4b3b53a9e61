// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

const keyExportLong = `Open a SealingKey and print the private half, an age identity, on stdout. Whoever
has it opens every document that is sealed for the key, without KMS and without
a trace in its audit log, for ever.

It lets stock sops open what Signet has sealed for a SealingKey, here a SOPS
Secret (--as sops) and a SealedSecret:

  export SOPS_AGE_KEY_CMD="signet key export"
  sops decrypt secret.sops.yaml
  yq .spec.sealed sealed.yaml | sops decrypt --input-type yaml --output-type yaml /dev/stdin

Without NAME, SOPS_AGE_RECIPIENT, which sops sets, says which SealingKey is
meant; without that there must be only one. A key that is limited to namespaces
is printed only if it is named: other programs do not know of the limit.`

// limitedKeyError says that nobody asked by name for a key whose limits sops
// does not know.
type limitedKeyError struct{ key unseal.Key }

func (e *limitedKeyError) Error() string {
	return fmt.Sprintf("%s may open documents of namespace %s only, which other programs do not check", e.key, strings.Join(e.key.Namespaces, ", "))
}

// keyExportCommand holds the flags of `signet key export`.
type keyExportCommand struct {
	console
	keyFlags
}

func newKeyExport(c console) *cobra.Command {
	k := &keyExportCommand{console: c}
	cmd := &cobra.Command{
		Use:               "export [NAME] [flags]",
		Short:             "Print the private half of a SealingKey",
		Long:              keyExportLong,
		Example:           `  SOPS_AGE_KEY_CMD="signet key export" sops decrypt secret.sops.yaml`,
		ValidArgsFunction: completeKeyNames,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return oneName(cmd, args)
		},
		RunE: k.run,
	}
	k.keyFlags.add(cmd)
	return cmd
}

func (k *keyExportCommand) run(cmd *cobra.Command, args []string) error {
	if os.Getenv(userkeys.KeyCommandVariable) != "" {
		_, err := fmt.Fprintln(k.out, "# signet opens SealingKeys itself")
		return err
	}
	found, err := k.findSealingKeys(k.err, here)
	if err != nil {
		return err
	}
	key, err := k.choose(found, args)
	if err != nil {
		return fmt.Errorf("export SealingKey: %w", err)
	}
	if len(args) == 0 && !slices.Contains(key.Namespaces, sopsdoc.Any) {
		return fmt.Errorf("export SealingKey: %w", &limitedKeyError{key})
	}
	opened, err := k.open(cmd.Context(), key)
	if err != nil {
		return exitcode.Opening(fmt.Errorf("open %w", &unseal.KeyError{Key: key, Err: err}))
	}
	_, err = fmt.Fprintf(k.out, "# %s %s\n# public key: %s\n%s\n", sopsdoc.KeyKind, key.Name, key.Recipient, opened.Identity.Reveal())
	return err
}

// choose returns the SealingKey that is named, or that sops asks for.
func (k *keyExportCommand) choose(found []unseal.Key, args []string) (unseal.Key, error) {
	if len(args) > 0 {
		return named(found, args[0])
	}
	recipient := os.Getenv(agekey.RecipientVariable)
	key, err := pickKey(found, func(k *sopsdoc.SealingKey) bool { return recipient == "" || k.Recipient == recipient })
	switch {
	case !errors.Is(err, errNotFound):
		return key, err
	case len(found) == 0:
		return key, errNoSealingKeys
	}
	return key, &noKeyNamedError{recipient: recipient, names: keyNames(found)}
}

// open opens one SealingKey.
func (k *keyExportCommand) open(ctx context.Context, key unseal.Key) (*unseal.OpenedKey, error) {
	o, err := k.keyOptions(k.err)
	if err != nil {
		return nil, err
	}
	return unseal.OpenKey(ctx, key.Node(), o)
}
