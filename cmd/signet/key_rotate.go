// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/seal/sopsdoc"
)

const keyRotateLong = `Make the successor of a SealingKey: a new key pair under the next free name
(prod, prod-2, prod-3), for the same namespaces. The old SealingKey stays, since
documents that were sealed for it need it until they are sealed again.

Who opens the new one is said by --kms, --age and the like or by the rules, never
by the old file, to which somebody may have added themselves. Key policies that
name the SealingKey as encryption context have to know the new name first.

Afterwards put the new public key into .sops.yaml, in the place of the old one,
and seal the documents again. That does not call anything back: values that
somebody may have read have to be changed where they come from.`

func newKeyRotate(c console) *cobra.Command {
	k := &keyCreateCommand{console: c}
	cmd := &cobra.Command{
		Use:               "rotate NAME [flags]",
		Short:             "Make the successor of a SealingKey",
		Long:              keyRotateLong,
		Example:           "  signet key rotate prod --kms arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
		Args:              oneName,
		ValidArgsFunction: completeKeyNames,
		RunE:              func(cmd *cobra.Command, args []string) error { return k.rotate(cmd, args[0]) },
	}
	k.add(cmd, "without it, those of the old one")
	return cmd
}

func (k *keyCreateCommand) rotate(cmd *cobra.Command, name string) error {
	found, err := k.findSealingKeys(k.err, here)
	if err != nil {
		return err
	}
	old, err := named(found, name)
	if err != nil {
		return fmt.Errorf("rotate SealingKey: %w", err)
	}
	namespaces := old.Namespaces
	if cmd.Flags().Changed("namespaces") {
		namespaces = k.namespaces
	} else if !slices.Contains(namespaces, sopsdoc.Any) {
		note(k.err, old.Place, "the namespaces "+strings.Join(namespaces, ", ")+" are taken from this file, where whoever may change it may have added some")
	}
	next := successor(name, keyNames(found))
	if err := k.create(cmd, next, namespaces); err != nil {
		return err
	}
	for _, id := range missing(old.Metadata.Recipients, k.sealedFor) {
		note(k.err, next, "is not opened by "+id+", which opens "+name+"; if that was not meant, remove the new file and rotate again with it")
	}
	note(k.err, old.Place, "stays until nothing is sealed for it any more: put the new public key into .sops.yaml in the place of "+
		shortRecipient(old.Recipient)+", seal the documents again, see that `signet inspect .` does not show it any more, then remove the file")
	return nil
}

// successor counts a name up to one that is not taken: prod, prod-2, prod-3.
func successor(name string, taken []string) string {
	base, n := name, 1
	if m := regexp.MustCompile(`^(.+)-([0-9]{1,6})$`).FindStringSubmatch(name); m != nil {
		if number, err := strconv.Atoi(m[2]); err == nil && number > 1 && m[2][0] != '0' && sopsdoc.ValidSecretName(m[1]) {
			base, n = m[1], number
		}
	}
	for {
		n++
		if next := base + "-" + strconv.Itoa(n); !slices.Contains(taken, next) {
			return next
		}
	}
}
