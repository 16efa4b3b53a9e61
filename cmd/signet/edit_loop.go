// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/editor"
	"github.com/signet-secrets/signet/internal/memfile"
	"github.com/signet-secrets/signet/internal/parallel"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// session is one call of edit: a text in memory, which the editor is opened on
// until it can be sealed.
type session struct {
	*editCommand
	cmd    *cobra.Command
	editor *editor.Editor
	what   editable
	dir    *memfile.Dir
	name   string // of the file in dir
	shown  []byte // the text when the editor was opened last
	again  int    // how often it was opened before
}

func (e *editCommand) edit(cmd *cobra.Command, chosen *editor.Editor, what editable) (err error) {
	text, err := what.text()
	if err != nil {
		return err
	}
	if cmd.Context().Err() != nil {
		return parallel.ErrNotTried
	}
	if text := chosen.Note(); text != "" {
		note(e.err, chosen.Source, text)
	}
	if err := canReplace(cmd.Flags().Arg(0)); err != nil {
		return err
	}
	dir, err := memfile.New(memfile.Options{TempDir: e.tempDir})
	if err != nil {
		return err
	}
	defer func() {
		if wipe := dir.Wipe(); wipe != nil {
			err = errors.Join(err, wipe)
		}
	}()
	noteStorage(e.console, dir)
	s := &session{editCommand: e, cmd: cmd, editor: chosen, what: what, dir: dir, name: viewName(cmd.Flags().Arg(0)), shown: text}
	for done := false; !done; {
		if done, err = s.turn(); err != nil {
			return err
		}
	}
	return nil
}

// noteStorage tells where plaintext could reach a disk.
func noteStorage(c console, dir *memfile.Dir) {
	if !dir.InMemory() {
		note(c.err, dir.Path(), "is not in memory: what is removed there can remain on the disk")
	}
	if swap := dir.Swap(); len(swap) > 0 {
		note(c.err, dir.Path(), "the kernel may write it to swap that is not encrypted: "+strings.Join(swap, ", "))
	}
}

// viewName is what the text is called: like the file, so that an editor knows what
// it is. It is YAML in any case.
func viewName(file string) string {
	name := filepath.Base(file)
	return strings.TrimSuffix(strings.TrimLeft(name, "."), filepath.Ext(name)) + ".yaml"
}

// maxView is how much text is read back, in bytes.
const maxView = manifest.MaxDocumentBytes

// maxTurns is how often a program is called as an editor that nobody sits at: it
// may make the same mistake for ever.
const maxTurns = 10

// turn opens the editor once. It is done when the file is written, or nothing has
// changed.
func (s *session) turn() (done bool, err error) {
	path, err := s.dir.WriteFile(s.name, s.shown, 0o600)
	if err != nil {
		return false, err
	}
	if err := s.editor.Run(s.dir.Path(), path, editor.Streams{In: s.in, Out: s.out, Err: s.err}); err != nil {
		return false, &report.PlacedError{File: s.cmd.Flags().Arg(0), Operation: "edit", Err: err}
	}
	text, err := s.dir.ReadFile(s.name, maxView)
	if err != nil {
		return false, err
	}
	if bytes.Equal(text, s.shown) {
		return true, s.untouched()
	}
	changed, err := s.what.take(text)
	if err == nil && !changed && !s.freshKey {
		note(s.err, s.cmd.Flags().Arg(0), "nothing changed")
		return true, nil
	}
	if err == nil {
		err = s.seal()
	}
	if !isMistake(err) {
		return err == nil, err
	}
	s.shown = withMistakes(text, err)
	if s.again++; s.again >= maxTurns && !onTerminal(s.in) {
		return false, s.notCorrected()
	}
	return false, s.dir.Remove(s.name)
}

// errNotCorrected says that the user gave up.
var errNotCorrected = errors.New("the text was left with its mistakes, and nothing was written")

// notCorrected tells what was wrong, in the words that stand in the text.
func (s *session) notCorrected() error {
	file := s.cmd.Flags().Arg(0)
	for _, text := range mistakesIn(s.shown) {
		note(s.err, file, text)
	}
	return &report.PlacedError{File: file, Operation: "edit", Err: errNotCorrected}
}

// untouched ends a session in which the editor left the text as it was.
func (s *session) untouched() error {
	file := s.cmd.Flags().Arg(0)
	if s.again > 0 {
		return s.notCorrected()
	}
	if c, ok := s.what.(*conflictedFile); ok {
		if text := s.waits(); text != "" {
			note(s.err, file, text)
		}
		return c.stillOpen()
	}
	if s.freshKey {
		if _, err := s.what.take(s.shown); err != nil {
			return err
		}
		return s.seal()
	}
	text := "nothing changed"
	if more := s.waits(); more != "" {
		text += "; " + more
	}
	note(s.err, file, text)
	return nil
}

// waits says what helps if the editor did not wait for the user, "" for one that
// does.
func (s *session) waits() string {
	if s.editor.Note() == "" {
		return ""
	}
	return "if " + s.editor.Name + " has opened a window and returned at once, give it the flag with which it waits"
}

// seal seals what was taken. What does not work because of a key service can be
// tried again: the text is not lost.
func (s *session) seal() error {
	for {
		ctx, stop := afterEditor(s.cmd.Context())
		s.cmd.SetContext(ctx)
		err := s.what.seal(ctx)
		interrupted := ctx.Err() != nil
		stop()
		if err == nil || interrupted || isMistake(err) || !onTerminal(s.in) || errors.Is(err, errEditedElsewhere) {
			return err
		}
		finish(s.err, err)
		fmt.Fprintf(s.err, "%s: nothing was written. Try again? [y/N] ", program)
		answer, _ := bufio.NewReader(s.in).ReadString('\n')
		if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
			return &report.PlacedError{File: s.cmd.Flags().Arg(0), Operation: "edit", Err: errGivenUp}
		}
	}
}

// errGivenUp says that the user did not want to try again.
var errGivenUp = errors.New("nothing was written")

// isMistake reports whether the user can correct an error in the text.
func isMistake(err error) bool {
	if err == nil {
		return false
	}
	for _, is := range []func(error) bool{
		isA[*manifest.SyntaxError], isA[*manifest.TooMuchError], isA[*sopsdoc.DeniedError], isA[*sopsdoc.InvalidError],
		isA[*seal.ClearValueError], isA[*seal.SizeError], isA[*seal.SelectorError], isA[*seal.NamespaceError], isA[*otherSecretsError], isA[*undecidedError],
	} {
		if is(err) {
			return true
		}
	}
	return errors.Is(err, seal.ErrImmutableMerge) || errors.Is(err, seal.ErrNoNamespace) || errors.Is(err, manifest.ErrTooLarge)
}

func isA[E error](err error) bool {
	_, ok := report.As[E](err)
	return ok
}
