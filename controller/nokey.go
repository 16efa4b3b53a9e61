// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"errors"
	"fmt"
	"strings"

	"github.com/signet-secrets/signet/seal/keys"
)

// noKey is an error that is or wraps a *keys.NoKeyError, with a text whose first
// line says what has to be done: of a message kubectl shows that line alone.
type noKey struct {
	text string
	err  error
}

var _ error = (*noKey)(nil)

func (e *noKey) Error() string { return e.text }
func (e *noKey) Unwrap() error { return e.err }

// noKeyText returns the text of err, with the most telling cause of none, which
// it is or wraps, in the first line. The other causes follow, each in a line.
func noKeyText(err error, none *keys.NoKeyError) string {
	at := telling(none)
	if at < 0 {
		return err.Error()
	}
	text, whole := err.Error(), none.Error()
	head, _, _ := strings.Cut(whole, "\n")
	var b strings.Builder
	b.WriteString(head + ": " + firstLine(none.Attempts[at].Err))
	for i, a := range none.Attempts {
		// A cause of several lines has more to say than its first one.
		if i != at || strings.Contains(a.Err.Error(), "\n") {
			fmt.Fprintf(&b, "\n  %v", a.Err)
		}
	}
	return strings.Replace(text, whole, b.String(), 1)
}

// firstLine puts a cause into one line, and where it is about a SealingKey that
// no key opens, the most telling cause of that too.
func firstLine(err error) string {
	line, _, cut := strings.Cut(err.Error(), "\n")
	line = strings.TrimSuffix(line, ":")
	if none := new(keys.NoKeyError); errors.As(err, &none) {
		if at := telling(none); at >= 0 && cut {
			return line + ": " + firstLine(none.Attempts[at].Err)
		}
	}
	return line
}

// telling returns the place of the attempt that says best what has to happen
// before the document opens, -1 if there is none.
func telling(none *keys.NoKeyError) int {
	best, at := 0, -1
	for i, a := range none.Attempts {
		if rank := tellingRank(none, a); rank > best {
			best, at = rank, i
		}
	}
	return at
}

// tellingRank is the greater the better. What gave the document its reason comes
// first, and a key that is at hand before one that is kept elsewhere.
func tellingRank(none *keys.NoKeyError, a keys.Attempt) int {
	rank := 1
	if keyReason(&keys.NoKeyError{Attempts: []keys.Attempt{a}}) == keyReason(none) {
		rank += 4
	}
	if len(calledKeys(a.Err)) > 0 {
		rank += 2
	}
	if !errors.Is(a.Err, keys.ErrNoIdentity) {
		rank++
	}
	return rank
}
