// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/report"
)

const unsetLong = `Remove values from a sealed Secret, in its file; with - the stream goes from
stdin to stdout. All other values keep their ciphertext, unless the rules name
other recipients than the document has: then all of it is encrypted anew.

In a file in conflict it removes the values that both sides have changed, if those
are the last things to decide.

A value that was in Git stays readable in its history for whoever could open it.`

const unsetExample = `  signet unset sealed.yaml password
  signet unset --allow-missing sealed.yaml password old-password`

// unsetCommand holds the flags of `signet unset`.
type unsetCommand struct {
	console
	sealFlags
	allowMissing bool
}

func newUnset(c console) *cobra.Command {
	u := &unsetCommand{console: c}
	cmd := &cobra.Command{
		Use:               "unset [flags] FILE|- KEY...",
		Short:             "Remove values from a sealed Secret",
		Long:              unsetLong,
		Example:           unsetExample,
		RunE:              u.run,
		ValidArgsFunction: completeKeys(0),
	}
	u.sealFlags.add(cmd)
	cmd.Flags().BoolVar(&u.allowMissing, "allow-missing", false, "a key that is not there is no error")
	return cmd
}

func (u *unsetCommand) run(cmd *cobra.Command, args []string) error {
	if len(args) < 2 {
		return usagef(cmd, "name a file, or - for stdin, and the keys to remove")
	}
	file, names := args[0], args[1:]
	for _, key := range names {
		if err := checkKey(cmd, key); err != nil {
			return err
		}
	}
	if err := u.check(cmd, u.console); err != nil {
		return err
	}
	return untilSaved(cmd.Context(), func() error { return u.once(cmd, file, names) })
}

// once removes values from the file as it is now.
func (u *unsetCommand) once(cmd *cobra.Command, file string, names []string) error {
	o, err := u.sealing(file)
	if err != nil {
		return err
	}
	if file != "-" {
		if raw, conflict, err := readConflict(file); err == nil && conflict != nil {
			return u.settle(cmd, file, names, raw, conflict)
		}
	}
	t, err := u.one(cmd, u.console, file)
	if err != nil {
		return err
	}
	raw := slices.Clone(t.bytes())
	removed, err := u.remove(t, names)
	if err != nil {
		return err
	}
	if removed == 0 && !u.freshKey {
		note(u.err, report.Source(file), "nothing changed: there is no such key")
		return save(u.console, file, raw, raw)
	}
	if len(t.keys()) == 0 {
		note(u.err, t.in.label(t.object()), "holds no value any more")
	}
	return u.replace(cmd, u.console, t, raw, o)
}

// remove removes values from an opened target, and returns how many.
func (u *unsetCommand) remove(t *target, names []string) (removed int, err error) {
	had, missing := t.keys(), []string(nil)
	for _, key := range names {
		switch {
		case t.unset(key):
			removed++
		case !slices.Contains(had, key): // not one that was named twice
			missing = append(missing, key)
		}
	}
	if len(missing) > 0 && !u.allowMissing {
		return 0, t.wrap("read", &noKeyError{missing, had})
	}
	return removed, nil
}
