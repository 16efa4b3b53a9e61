// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// canary stands where a value would; no error may hold it in any form.
const canary = "cAnArY0123456789"

// noLeak fails the test if the error holds the canary, its base64 or its hex.
func noLeak(tb testing.TB, err error) {
	tb.Helper()
	if err == nil {
		return
	}
	text := err.Error()
	for _, form := range []string{
		canary, canary[:8],
		base64.StdEncoding.EncodeToString([]byte(canary))[:12],
		hex.EncodeToString([]byte(canary))[:12],
	} {
		if strings.Contains(strings.ToLower(text), strings.ToLower(form)) {
			tb.Errorf("the error holds a piece of the input: %s", text)
		}
	}
}

// syntaxError returns err as a *SyntaxError and fails the test if it is none.
func syntaxError(tb testing.TB, err error) *SyntaxError {
	tb.Helper()
	var e *SyntaxError
	if !errors.As(err, &e) {
		tb.Fatalf("error %v (%T), want a *SyntaxError", err, err)
	}
	return e
}

func mustSplit(tb testing.TB, in string) *Stream {
	tb.Helper()
	s, err := Split([]byte(in))
	if err != nil {
		tb.Fatalf("Split: %v", err)
	}
	return s
}

func mustParse(tb testing.TB, in string) *yaml.Node {
	tb.Helper()
	n, err := Parse([]byte(in))
	if err != nil {
		tb.Fatalf("Parse(%q): %v", in, err)
	}
	return n
}

// contents returns the documents of s that are not blank.
func contents(s *Stream) []*Document {
	var docs []*Document
	for _, d := range s.Documents {
		if d.Index > 0 {
			docs = append(docs, d)
		}
	}
	return docs
}
