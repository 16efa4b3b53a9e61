// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"regexp/syntax"

	"github.com/signet-secrets/signet/seal/keys"
)

// defaultSelector is that of documents that name none (sops: sops.go,
// DefaultUnencryptedSuffix).
var defaultSelector = keys.Selector{Kind: keys.UnencryptedSuffix, Pattern: "_unencrypted"}

// selector is a compiled keys.Selector.
type selector struct {
	kind  keys.SelectorKind
	match func(string) bool
	steps int // of matching, for each byte of text
}

// Limits of what a document can make the regular expression engine do, whose
// time grows with the compiled pattern times the text: 480 bytes of pattern
// took two minutes for a key of 4 KiB. A usual selector has 30 instructions.
const (
	maxPatternSteps = 1000
	maxMatchSteps   = 1 << 27 // for a whole document, some seconds
)

func compileSelector(s keys.Selector) (selector, error) {
	if s.IsZero() {
		s = defaultSelector
	}
	steps := patternSteps(s)
	if steps > maxPatternSteps {
		return selector{}, invalid("sops."+string(s.Kind), "is too complex")
	}
	match, err := s.Compile()
	if err != nil {
		return selector{}, invalid("sops."+string(s.Kind), "%v", err)
	}
	return selector{s.Kind, match, steps}, nil
}

// patternSteps returns the number of instructions of a compiled pattern, 1 for
// a suffix or what does not compile.
func patternSteps(s keys.Selector) int {
	if s.Kind == keys.UnencryptedSuffix || s.Kind == keys.EncryptedSuffix {
		return 1
	}
	re, err := syntax.Parse(s.Pattern, syntax.Perl)
	if err != nil {
		return 1
	}
	prog, err := syntax.Compile(re.Simplify())
	if err != nil {
		return 1
	}
	return len(prog.Inst)
}

// force is what the selector found on the way to one place of a document. Each
// key and each comment is matched once, however much stands below or after it.
type force struct {
	key   bool // a key of the path matches
	outer bool // a comment in force on an outer level matches
	inner bool // a comment in force on this level matches
}

// withKey returns the force on a value under key.
func (s selector) withKey(f force, key string) force {
	f.key = f.key || !s.byComment() && s.match(key)
	return f
}

// withComment returns the force on what follows a comment on its level.
func (s selector) withComment(f force, text string) force {
	f.inner = f.inner || s.byComment() && s.match(text)
	return f
}

func (s selector) byComment() bool {
	return s.kind == keys.UnencryptedCommentRegex || s.kind == keys.EncryptedCommentRegex
}

// encrypts reports whether a value under f is encrypted (sops: sops.go,
// shouldBeEncrypted).
func (s selector) encrypts(f force) bool {
	switch s.kind {
	case keys.UnencryptedSuffix, keys.UnencryptedRegex:
		return !f.key
	case keys.EncryptedSuffix, keys.EncryptedRegex:
		return f.key
	case keys.UnencryptedCommentRegex:
		return !f.outer && !f.inner
	default:
		return f.outer || f.inner
	}
}

// encryptsComment is encrypts for a comment itself. One that asks for
// encryption stays readable, one that forbids it does so for itself too.
func (s selector) encryptsComment(before force, text string) bool {
	if s.kind == keys.EncryptedCommentRegex {
		return s.encrypts(before)
	}
	return s.encrypts(s.withComment(before, text))
}
