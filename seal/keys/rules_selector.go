// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

// SelectorKind names one of the ways in which SOPS chooses the values to
// encrypt, by its field in rules and in the `sops` block.
type SelectorKind string

// The selectors of SOPS 3.13 (sops: config/config.go, type creationRule).
const (
	UnencryptedSuffix       SelectorKind = "unencrypted_suffix"
	EncryptedSuffix         SelectorKind = "encrypted_suffix"
	UnencryptedRegex        SelectorKind = "unencrypted_regex"
	EncryptedRegex          SelectorKind = "encrypted_regex"
	UnencryptedCommentRegex SelectorKind = "unencrypted_comment_regex"
	EncryptedCommentRegex   SelectorKind = "encrypted_comment_regex"
)

// SelectorKinds lists every kind in the order of SOPS.
var SelectorKinds = []SelectorKind{
	UnencryptedSuffix, EncryptedSuffix,
	UnencryptedRegex, EncryptedRegex,
	UnencryptedCommentRegex, EncryptedCommentRegex,
}

// Selector says which values of a SOPS document are encrypted. The zero value
// says nothing; what then applies is for the writer to decide.
type Selector struct {
	Kind    SelectorKind
	Pattern string // a suffix or a regular expression, never empty with a Kind
}

// NewSelector returns a selector whose Compile cannot fail.
func NewSelector(kind SelectorKind, pattern string) (Selector, error) {
	s := Selector{Kind: kind, Pattern: pattern}
	_, err := s.Compile()
	return s, err
}

// IsZero reports whether s says nothing.
func (s Selector) IsZero() bool { return s == Selector{} }

// Compile returns the function that reports whether the pattern matches a key
// or, for the comment kinds, a comment: a suffix at its end, a regular
// expression anywhere in it. Whether a match means encrypted or not is in the
// Kind. The function is safe for concurrent use.
func (s Selector) Compile() (match func(text string) bool, err error) {
	if s.Pattern == "" {
		return nil, errors.New("empty pattern")
	}
	switch s.Kind {
	case UnencryptedSuffix, EncryptedSuffix:
		return func(text string) bool { return strings.HasSuffix(text, s.Pattern) }, nil
	case UnencryptedRegex, EncryptedRegex, UnencryptedCommentRegex, EncryptedCommentRegex:
		re, err := compileRegex(s.Pattern)
		if err != nil {
			return nil, err
		}
		return re.MatchString, nil
	default:
		return nil, fmt.Errorf("unknown selector %q", string(s.Kind))
	}
}

func compileRegex(pattern string) (*regexp.Regexp, error) {
	re, err := regexp.Compile(pattern)
	if err == nil {
		return re, nil
	}
	var s *syntax.Error
	if errors.As(err, &s) && !isSecret(pattern) {
		return nil, fmt.Errorf("regular expression does not compile: %s: %q", s.Code, s.Expr)
	}
	return nil, errors.New("regular expression does not compile")
}
