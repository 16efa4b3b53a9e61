// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

const keyCreateLong = `Make a SealingKey: an age key pair whose private half is wrapped by AWS KMS or
another key service. The file goes to ` + userkeys.SealingKeyDir + `/NAME.yaml at the root of the
Git repository and is meant to be committed; the private half is in no other
place. The public half is printed: it goes into .sops.yaml, as an age recipient.

--kms and the like say who opens the SealingKey, and with it every document that
is sealed for it; without them the rules in .sops.yaml for that file do. --age
names a key for emergencies, kept offline. --namespaces limits whose documents
the key may open.

It takes the permission kms:Encrypt, not kms:Decrypt.`

const keyCreateExample = `  signet key create prod --kms arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
  signet key create team-a --kms arn:aws:kms:eu-west-1:111122223333:alias/team-a --namespaces team-a,team-a-test`

// keyCreateCommand holds the flags of `signet key create`.
type keyCreateCommand struct {
	console
	keyFlags
	keyLists
	config     string
	namespaces []string
	classic    bool
	output     string
	sealedFor  keys.Recipients // who opens the SealingKey that was made
}

func newKeyCreate(c console) *cobra.Command {
	k := &keyCreateCommand{console: c}
	cmd := &cobra.Command{
		Use:     "create NAME [flags]",
		Short:   "Make a SealingKey",
		Long:    keyCreateLong,
		Example: keyCreateExample,
		Args:    oneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			return k.create(cmd, args[0], k.namespaces)
		},
	}
	k.add(cmd, "without it, all")
	return cmd
}

// add adds the flags; instead is what goes for --namespaces if it is not given.
func (k *keyCreateCommand) add(cmd *cobra.Command, instead string) {
	k.keyLists.add(cmd, "which then open the SealingKey")
	k.addAllow(cmd)
	flags := cmd.Flags()
	flags.StringVar(&k.config, "config", "", "use this rules `FILE` instead of looking for .sops.yaml")
	flags.StringSliceVar(&k.namespaces, "namespaces", []string{sopsdoc.Any}, "`NAMESPACES` whose documents the key may open, separated by commas; "+instead)
	flags.Lookup("namespaces").DefValue = "[]" // the text says it
	flags.BoolVar(&k.classic, "classic", false, "make an X25519 key pair instead of a hybrid post-quantum one")
	flags.StringVarP(&k.output, "output", "o", "", "write to a new `FILE` instead; - is stdout")
}

// oneName accepts a name and nothing else.
func oneName(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usagef(cmd, "give one name")
	}
	if !sopsdoc.ValidSecretName(args[0]) {
		return usagef(cmd, "%q is not a valid name: lower-case letters, digits, - and .", args[0])
	}
	return nil
}

// checkNamespaces holds what --namespaces says against what a SealingKey may
// have.
func checkNamespaces(names []string) error {
	if len(names) == 0 {
		return fmt.Errorf("name one, or %q for all", sopsdoc.Any)
	}
	for i, name := range names {
		switch {
		case name == sopsdoc.Any && len(names) > 1:
			return fmt.Errorf("%q must stand alone", name)
		case name != sopsdoc.Any && !sopsdoc.ValidNamespace(name):
			return fmt.Errorf("%q is not a valid name of a namespace: lower-case letters, digits and -", name)
		case slices.Contains(names[:i], name):
			return fmt.Errorf("%q is given twice", name)
		}
	}
	return nil
}

// create makes the SealingKey and its file.
func (k *keyCreateCommand) create(cmd *cobra.Command, name string, namespaces []string) error {
	if err := checkNamespaces(namespaces); err != nil {
		return usage(cmd, fmt.Errorf("--namespaces: %w", err))
	}
	path := k.output
	if path == "" {
		var err error
		if path, err = sealingKeyPath(name); err != nil {
			return err
		}
	}
	if _, err := os.Lstat(path); err == nil && path != "-" {
		return fmt.Errorf("create SealingKey: %w", &keyExistsError{path, name}) // before any call
	}
	recipients, err := k.recipients(cmd, path)
	if err != nil {
		return err
	}
	k.sealedFor = recipients
	if weak := weakens(recipients, !k.classic); weak != "" && !k.classic {
		note(k.err, name, "a quantum computer could open the SealingKey, although its key pair is post-quantum, "+weak)
	}
	wrapper, err := k.wrapper(k.err)
	if err != nil {
		return err
	}
	id, err := k.generate()
	if err != nil {
		return fmt.Errorf("create SealingKey: %w", err)
	}
	result, err := seal.NewKey(cmd.Context(), seal.KeyOptions{
		Name: name, Namespaces: namespaces, Identity: id, Recipients: recipients, Wrapper: wrapper, Now: time.Now(),
	})
	if err != nil {
		return fmt.Errorf("create SealingKey %s: %w", name, err)
	}
	text, err := manifest.EncodeYAML(manifest.Root(result.Node))
	if err != nil {
		return fmt.Errorf("create SealingKey %s: %w", name, err)
	}
	return k.print(path, text, id.Recipient(), namespaces)
}

func (k *keyCreateCommand) generate() (agekey.Identity, error) {
	if k.classic {
		return agekey.GenerateClassicIdentity()
	}
	return agekey.GenerateIdentity()
}

// print writes the file and says what to do with it.
func (k *keyCreateCommand) print(path string, text []byte, recipient string, namespaces []string) error {
	if path == "-" {
		if _, err := k.out.Write(text); err != nil {
			return fmt.Errorf("write stdout: %w", report.Cause(err))
		}
		_, err := fmt.Fprintf(k.err, "public key: %s\n", recipient)
		return err
	}
	if err := createNew(path, text, 0o755, 0o644); err != nil {
		return fmt.Errorf("create SealingKey: %w", err)
	}
	opens := theNamespaces(namespaces)
	if slices.Contains(namespaces, sopsdoc.Any) {
		opens += " (--namespaces limits it)"
	}
	note(k.err, report.ShortPath(path), "opens documents of "+opens+"; commit it, and put the public key (on stdout) into .sops.yaml as an age recipient")
	_, err := fmt.Fprintln(k.out, recipient)
	return err
}

// sealingKeyPath is where the SealingKey of a name belongs: at the root of the
// repository, or outside of one in the working directory.
func sealingKeyPath(name string) (string, error) {
	dirs, err := keys.SearchPath("-")
	if err != nil {
		return "", err
	}
	root := dirs[len(dirs)-1]
	return report.ShortPath(filepath.Join(root, filepath.FromSlash(userkeys.SealingKeyDir), name+".yaml")), nil
}

// nestedKeyError says that a SealingKey would be opened by another one.
type nestedKeyError struct {
	recipient string
	other     unseal.Key
}

func (e *nestedKeyError) Error() string {
	return fmt.Sprintf("create SealingKey: %s is the recipient of %s, and a SealingKey does not open another one", shortRecipient(e.recipient), e.other)
}

// recipients returns for whom the SealingKey is wrapped: what the flags say, or
// else the rules for its file.
func (k *keyCreateCommand) recipients(cmd *cobra.Command, path string) (keys.Recipients, error) {
	group, err := k.group()
	if err != nil {
		return keys.Recipients{}, usage(cmd, err)
	}
	recipients := keys.Recipients{Groups: []keys.Group{group}}
	if group == nil {
		rules := ruleFinder{flags: recipientFlags{keyLists: k.keyLists, config: k.config}}
		rule, err := rules.rule(path)
		if err != nil {
			return keys.Recipients{}, &noKeyRecipientsError{err}
		}
		recipients = rule.Recipients
	}
	found, err := k.findSealingKeys(k.err, here)
	if err != nil {
		return keys.Recipients{}, err
	}
	for _, e := range recipients.Entries() {
		for _, other := range found {
			if e.Type() == keys.Age && e.ID() == other.Recipient {
				return keys.Recipients{}, &nestedKeyError{e.ID(), other}
			}
		}
	}
	return recipients, nil
}

// noKeyRecipientsError says that nothing names a key for a SealingKey.
type noKeyRecipientsError struct{ err error }

func (e *noKeyRecipientsError) Error() string { return "create SealingKey: " + e.err.Error() }
func (e *noKeyRecipientsError) Unwrap() error { return e.err }
