// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal"
)

const setLong = `Set one value of a sealed Secret, in its file; with - the stream goes from stdin
to stdout. All other values keep their ciphertext, unless the rules name other
recipients than the document has: then all of it is encrypted anew. A value that
is there already changes nothing.

The value is VALUE, which others can see in the process list and your shell
keeps in its history, or what --from-file names. Without both it is asked for on
the terminal, or read from stdin if that is none. Its bytes are taken as they
are, with a line break at the end if there is one: --trim leaves that out. One
that begins with - stands behind --.

It takes the right to open the document: its other values are verified before
they are sealed again, and its data key is kept. Where somebody may have put a
document there whose key he knows, --fresh-key or fresh_key: true in the rules
makes a new one.

In a file in conflict it sets the value that both sides have changed, if that is
the last thing to decide.

With --merge-into no right to open is needed. The value becomes a SealedSecret of
its own in the same file, which the controller adds to Secret NAME once the owner
of that has consented by the annotation signet.dev/merge.`

const setExample = `  signet set sealed.yaml password --from-file password --trim
  head -c 24 /dev/urandom | base64 | signet set sealed.yaml password --trim
  signet set extra.yaml api-token --merge-into db -n prod < password`

// setCommand holds the flags of `signet set`.
type setCommand struct {
	console
	sealFlags
	fromFile    string
	trim        bool
	binary      bool
	allowEmpty  bool
	createOnly  bool
	replaceOnly bool
	mergeInto   string
	objectName  string
	given       []byte // the value, once it was read
	read        bool
}

func newSet(c console) *cobra.Command {
	s := &setCommand{console: c}
	cmd := &cobra.Command{
		Use:               "set [flags] FILE|- KEY [VALUE]",
		Short:             "Set one value of a sealed Secret",
		Long:              setLong,
		Example:           setExample,
		RunE:              s.run,
		ValidArgsFunction: completeKeys(1),
	}
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usage(cmd, valueFlagError(err)) })
	s.sealFlags.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&s.fromFile, "from-file", "", "take the value from `PATH`, - for stdin")
	flags.BoolVar(&s.trim, "trim", false, "leave out a line break at the end of the value")
	flags.BoolVar(&s.binary, "as-binary", false, "put the value into data, although it is text")
	flags.BoolVar(&s.allowEmpty, "allow-empty", false, "an empty value from stdin is no error")
	flags.BoolVar(&s.createOnly, "create-only", false, "fail if the key is there")
	flags.BoolVar(&s.replaceOnly, "replace-only", false, "fail if the key is not there")
	flags.StringVar(&s.mergeInto, "merge-into", "", "seal the value for adding to Secret `NAME`, which somebody else makes, in a document of its own")
	flags.StringVar(&s.objectName, "object-name", "", "`NAME` of the SealedSecret that --merge-into makes; without it, that of the Secret and the key")
	return cmd
}

func (s *setCommand) run(cmd *cobra.Command, args []string) error {
	if err := s.check(cmd, args); err != nil {
		return err
	}
	return untilSaved(cmd.Context(), func() error { return s.once(cmd, args) })
}

// once sets the value in the file as it is now.
func (s *setCommand) once(cmd *cobra.Command, args []string) error {
	o, err := s.sealing(args[0])
	if err != nil {
		return err
	}
	if s.mergeInto != "" {
		return s.setMerged(cmd, args, o)
	}
	if err := s.exists(args); err != nil {
		return err
	}
	if args[0] != "-" {
		if raw, conflict, err := readConflict(args[0]); err == nil && conflict != nil {
			return s.settle(cmd, args, raw, conflict)
		}
	}
	t, err := s.one(cmd, s.console, args[0])
	if err != nil {
		return err
	}
	return s.set(cmd, args, t, o)
}

func (s *setCommand) check(cmd *cobra.Command, args []string) error {
	changed := cmd.Flags().Changed
	switch {
	case len(args) < 2 || len(args) > 3:
		return usagef(cmd, "name a file, or - for stdin, a key, and perhaps a value")
	case len(args) == 3 && changed("from-file"):
		return usagef(cmd, "the value is given twice: as an argument and with --from-file")
	case len(args) == 3 && args[2] == "-":
		return usage(cmd, errDashValue)
	case args[0] == "-" && len(args) == 2 && (!changed("from-file") || s.fromFile == "-"):
		return usagef(cmd, "stdin cannot be the file and the value: name one of them")
	case s.createOnly && s.replaceOnly:
		return usagef(cmd, "--create-only and --replace-only exclude each other")
	case s.mergeInto == "" && changed("merge-into"):
		return usagef(cmd, "--merge-into needs the name of a Secret")
	case s.mergeInto == "" && s.objectName != "":
		return usagef(cmd, "--object-name is for --merge-into: what is sealed already keeps its name")
	case s.mergeInto != "" && (s.createOnly || s.replaceOnly || s.name != ""):
		return usagef(cmd, "--create-only, --replace-only and --name are not for --merge-into, which opens nothing")
	}
	if err := checkKey(cmd, args[1]); err != nil {
		return err
	}
	if _, err := s.rule(); err != nil {
		return usage(cmd, withoutRecipient(err))
	}
	return s.sealFlags.check(cmd, s.console)
}

// noFileError says that there is no file whose Secret could get a value.
type noFileError struct{ file, key string }

func (e *noFileError) Error() string { return report.Visible(e.file) + ": read: no such file" }

func (s *setCommand) exists(args []string) error {
	if _, err := os.Stat(args[0]); args[0] != "-" && errors.Is(err, fs.ErrNotExist) {
		return &noFileError{args[0], args[1]}
	}
	return nil
}

// errHasKey says that a value would be replaced that must not be.
var errHasKey = errors.New("has this key already")

// set changes the value in an opened target.
func (s *setCommand) set(cmd *cobra.Command, args []string, t *target, o seal.Options) error {
	key := args[1]
	old, had, err := t.get(key)
	switch {
	case err != nil:
		return t.wrap("read", err)
	case had && s.createOnly:
		return t.wrap("set "+key, errHasKey)
	case !had && s.replaceOnly:
		return t.wrap("set "+key, &noKeyError{[]string{key}, t.keys()})
	}
	data, err := s.value(cmd.Context(), args)
	if err != nil {
		return err
	}
	raw := slices.Clone(t.bytes())
	if err := t.set(key, data, s.binary); err != nil {
		return t.wrap("set "+key, err)
	}
	now, _, err := t.get(key)
	if err != nil {
		return t.wrap("set "+key, err)
	}
	if had && old.binary == now.binary && bytes.Equal(old.data, now.data) && !s.freshKey {
		note(s.err, t.in.label(t.object()), "nothing changed: "+key+" has this value already")
		return save(s.console, args[0], raw, raw)
	}
	return s.replace(cmd, s.console, t, raw, o)
}
