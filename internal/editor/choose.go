// SPDX-License-Identifier: Apache-2.0

package editor

import (
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/google/shlex"
)

// ErrNone says that there is no editor.
var ErrNone = errors.New("no editor: $SIGNET_EDITOR, $VISUAL and $EDITOR are not set, and neither vi nor nano is in PATH")

// UnusableError says that the program a user has named cannot be run.
type UnusableError struct {
	Source  string // "$EDITOR"
	Program string // "" if the variable cannot be split into words
	Err     error
}

// Error names the variable and the program.
func (e *UnusableError) Error() string {
	if e.Program == "" {
		return fmt.Sprintf("editor of %s: %v", e.Source, e.Err)
	}
	return fmt.Sprintf("editor of %s: %q: %v", e.Source, e.Program, e.Err)
}

// Unwrap returns the cause, such as exec.ErrNotFound.
func (e *UnusableError) Unwrap() error { return e.Err }

// RefusedError says that an editor would leave copies of the text, or return too
// early.
type RefusedError struct {
	Source  string // "$EDITOR"
	Name    string // of the program
	Reason  string // what it does: "keeps ..."
	Instead string // what to use: "emacs -nw"
}

// Error names the editor and the reason.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("editor of %s: %s %s", e.Source, e.Name, e.Reason)
}

// Editor is a program that changes a file.
type Editor struct {
	Name   string // of the program, as the user has called it, without folders
	Source string // where it was named: "$SIGNET_EDITOR", "$VISUAL", "$EDITOR", "PATH"

	path   string
	args   []string // of the user
	family family
	known  bool
}

// Choose finds the editor: the first of $SIGNET_EDITOR, $VISUAL and $EDITOR that
// is set, split into words as a shell would do it, else vi or nano. With
// anyEditor, editors that are refused otherwise are taken as well. The error is
// ErrNone, an *UnusableError or a *RefusedError.
func Choose(getenv func(string) string, anyEditor bool) (*Editor, error) {
	for _, variable := range []string{"SIGNET_EDITOR", "VISUAL", "EDITOR"} {
		if line := strings.TrimSpace(getenv(variable)); line != "" {
			return parse("$"+variable, line, anyEditor)
		}
	}
	for _, name := range []string{"vi", "nano"} {
		if path, err := exec.LookPath(name); err == nil {
			return found("PATH", path, []string{name}, anyEditor)
		}
	}
	return nil, ErrNone
}

func parse(source, line string, anyEditor bool) (*Editor, error) {
	if runtime.GOOS == "windows" {
		line = strings.ReplaceAll(line, `\`, "/") // it separates folders there
	}
	words, err := shlex.Split(line)
	if err != nil || len(words) == 0 {
		return nil, &UnusableError{Source: source, Err: errors.New("it cannot be split into words as a shell does it")}
	}
	path, err := exec.LookPath(words[0])
	if err != nil {
		if e := (*exec.Error)(nil); errors.As(err, &e) {
			err = e.Err
		}
		if e := (*fs.PathError)(nil); errors.As(err, &e) {
			err = e.Err
		}
		return nil, &UnusableError{Source: source, Program: words[0], Err: err}
	}
	return found(source, path, words, anyEditor)
}

func found(source, path string, words []string, anyEditor bool) (*Editor, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, &UnusableError{Source: source, Program: words[0], Err: err}
	}
	e := &Editor{Name: programName(words[0]), Source: source, path: path, args: words[1:]}
	e.family, e.known = familyOf(e.Name)
	// Names such as vi and editor may lead to any program.
	if target, err := filepath.EvalSymlinks(path); err == nil {
		if f, known := familyOf(programName(target)); known && !e.family.refused() {
			e.family, e.known = f, true
		}
	}
	if e.family.refused() && !anyEditor {
		return nil, &RefusedError{Source: source, Name: e.Name, Reason: e.family.refuse, Instead: e.family.instead}
	}
	return e, nil
}

// programName takes folders and the ending of Windows off.
func programName(path string) string {
	name := filepath.Base(path)
	for _, ending := range []string{".exe", ".cmd", ".bat"} {
		if cut, ok := strings.CutSuffix(strings.ToLower(name), ending); ok {
			return cut
		}
	}
	return name
}

// Note says what the user should know of the editor, "" if there is nothing.
func (e *Editor) Note() string {
	switch {
	case e.family.refused():
		return e.Name + " " + e.family.refuse
	case !e.known:
		return "it is not known whether " + e.Name + " keeps copies of the text elsewhere"
	}
	return ""
}
