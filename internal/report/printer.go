// SPDX-License-Identifier: Apache-2.0

package report

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// MaxErrors is how many errors of one run are printed.
const MaxErrors = 20

// maxDetails is how many lines are printed after the first one of an error: a
// document names up to 64 keys, and several SealingKeys may belong to each.
const maxDetails = 100

// Printer prints to one place in the name of one program.
type Printer struct {
	Program string
	W       io.Writer
}

// Line prints text, which must be fit for a terminal, as "program: kind: text".
func (p Printer) Line(kind, text string) {
	fmt.Fprintf(p.W, "%s: %s: %s\n", p.Program, kind, text)
}

// Note prints a remark about something that did not fail. Both place and text
// may be foreign.
func (p Printer) Note(place, text string) {
	p.Line("note", Visible(place)+": "+Visible(text))
}

// Errors prints errors, each with what hints says of it, and in a last line how
// many are not shown: those over MaxErrors, and as many as untried says, of
// things that were not begun after so many failures. Hints and details (what
// follows the first line) that several errors share are printed once.
func (p Printer) Errors(errs []error, untried int, hints func(error) []string) {
	told := map[string]bool{}
	for _, err := range errs[:min(len(errs), MaxErrors)] {
		text, details, _ := strings.Cut(err.Error(), "\n")
		if details != "" && !told[details] {
			text += "\n" + firstLines(details, maxDetails)
		}
		told[details] = true
		p.Line("error", Lines(text))
		for _, hint := range hints(err) {
			if !told[hint] {
				p.Line("hint", Lines(hint))
			}
			told[hint] = true
		}
	}
	switch more := max(len(errs)-MaxErrors, 0) + untried; {
	case more > 0 && untried > 0:
		p.Line("error", fmt.Sprintf("and %d more, not all of which were tried", more))
	case more > 0:
		p.Line("error", fmt.Sprintf("and %d more", more))
	}
}

// Split returns the errors that errors.Join has joined, err itself if it is
// another one, and none for nil.
func Split(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

// As is errors.As with the target as a result.
func As[E error](err error) (E, bool) {
	var target E
	ok := errors.As(err, &target)
	return target, ok
}
