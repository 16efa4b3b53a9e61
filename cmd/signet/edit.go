// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/editor"
	"github.com/signet-secrets/signet/internal/memfile"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal"
)

const editLong = `Edit sealed Secrets in an editor: all those of a file, or the one that --name
names. What you save is sealed again in the same file. Values that you did not
change keep their ciphertext, unless the rules name other recipients than the
document has: then all of it is encrypted anew.

The Secrets are shown as manifests. A key is removed by removing its line; labels,
annotations, type and immutable can be changed too. If the text cannot be sealed,
the editor opens again and says why. Saved without a change, or ended with an
error, it leaves the file as it is.

A file that "signet merge-driver" has left in conflict is merged as far as that
goes; what both sides have changed is marked, for you to decide. With --ours or
--theirs no editor is opened: what both have changed is as on that side, and what
only one has changed stays merged. That settles conflicts that no editor can show,
too: in SOPS files, in the scope, or where the other side does not open.

The editor is that of $SIGNET_EDITOR, $VISUAL or $EDITOR, else vi or nano. The
text is in memory only: in a directory of $XDG_RUNTIME_DIR or /dev/shm, which is
overwritten and removed afterwards, whatever ends the program. Swap files, backups
and the like of the editor are kept there too, or switched off where the editor is
known. One that keeps copies elsewhere is refused. The kernel may write memory to
swap: have that encrypted, or have none.

On systems without such a directory, --temp-dir names one: a RAM disk, or an
encrypted disk.`

const editExample = `  signet edit sealed.yaml
  signet edit --name prod/db sealed.yaml
  signet edit --create -n prod new.yaml`

// editCommand holds the flags of `signet edit`.
type editCommand struct {
	console
	sealFlags
	create    bool
	ours      bool
	theirs    bool
	tempDir   string
	anyEditor bool
}

func newEdit(c console) *cobra.Command {
	e := &editCommand{console: c}
	cmd := &cobra.Command{
		Use:     "edit [flags] FILE",
		Short:   "Edit sealed Secrets in an editor",
		Long:    editLong,
		Example: editExample,
		RunE:    e.run,
	}
	e.sealFlags.add(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&e.create, "create", false, "begin with a new Secret if there is no such file")
	flags.BoolVar(&e.ours, "ours", false, "settle the conflict of a file: what both sides have changed is as in ours")
	flags.BoolVar(&e.theirs, "theirs", false, "settle the conflict of a file: what both sides have changed is as in theirs")
	flags.StringVar(&e.tempDir, "temp-dir", "", "keep the text in a directory below `DIR`, which may be on a disk, instead of in memory")
	flags.BoolVar(&e.anyEditor, "any-editor", false, "take an editor that is refused otherwise: it may keep copies of the text")
	_ = cmd.MarkFlagDirname("temp-dir")
	return cmd
}

func (e *editCommand) run(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) != 1:
		return usagef(cmd, "name one file")
	case args[0] == "-":
		return usagef(cmd, "edit needs a file: stdin is for the editor")
	case e.ours && e.theirs:
		return usagef(cmd, "--ours and --theirs exclude each other")
	case (e.ours || e.theirs) && (e.create || e.name != ""):
		return usagef(cmd, "--ours and --theirs settle all of a file that is there: --create and --name are not for them")
	}
	if err := e.check(cmd, e.console); err != nil {
		return err
	}
	if _, err := memfile.NoCore(); err != nil {
		return err
	}
	raw, conflict, err := readConflict(args[0])
	switch side := e.side(); {
	case conflict != nil:
		return e.finishConflict(cmd, args[0], raw, conflict)
	case err != nil && (side != "" || !errors.Is(err, fs.ErrNotExist)):
		return err
	case side != "":
		return &report.PlacedError{File: args[0], Operation: "edit", Err: errNoConflict}
	}
	chosen, err := editor.Choose(os.Getenv, e.anyEditor)
	if err != nil {
		return err
	}
	o, err := e.sealing(args[0])
	if err != nil {
		return err
	}
	what, err := e.begin(cmd, args[0], o)
	if err != nil {
		return err
	}
	return e.edit(cmd, chosen, what)
}

// editable is what is edited: sealed Secrets, or a new one.
type editable interface {
	// text is what the user gets to see first.
	text() ([]byte, error)
	// take reads what the user has saved, and forgets what it took before. The
	// error is a mistake, which the user corrects.
	take(text []byte) (changed bool, err error)
	// seal seals what was taken, and writes the file.
	seal(ctx context.Context) error
}

// begin opens what is to be edited.
func (e *editCommand) begin(cmd *cobra.Command, file string, o seal.Options) (editable, error) {
	_, err := os.Stat(file)
	switch missing := errors.Is(err, fs.ErrNotExist); {
	case missing && e.create:
		return &newSecret{editCommand: e, cmd: cmd, file: file, options: o}, nil
	case missing:
		return nil, &report.PlacedError{File: file, Operation: "edit", Err: report.Cause(err)}
	}
	in, err := readTarget(file, nil)
	if err != nil {
		return nil, err
	}
	all, err := in.targets(e.name)
	e.err.Write(in.notes.Bytes())
	if err != nil {
		return nil, err
	}
	s := &sealedSecrets{editCommand: e, cmd: cmd, file: file, options: o, opened: all}
	s.raw = append(s.raw, in.stream.Bytes()...)
	return s, e.open(cmd, e.console, all...)
}

// afterEditor is a context for what follows the editor, during which the keys that
// end a program were for the editor.
func afterEditor(ctx context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.WithoutCancel(ctx), os.Interrupt, syscall.SIGTERM)
}
