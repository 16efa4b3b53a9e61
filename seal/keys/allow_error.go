// SPDX-License-Identifier: Apache-2.0

package keys

import "strings"

// NotAllowedError says that the allow-list does not name what an entry would
// use. Nothing was called.
type NotAllowedError struct {
	Entry     Entry
	Kind      AllowKind // what is not allowed
	Value     string    // the value that would have to match a pattern
	Malformed bool      // no pattern can match Value
}

// Error names the key and what is not allowed of it: "kms arn:...: role arn:...
// is not in the allow-list", or "kms arn:... is not in the allow-list".
func (e *NotAllowedError) Error() string {
	what := string(e.Kind) + " " + shortText(e.Value)
	if key := string(e.Entry.Type()) + " " + shortID(e.Entry); key != what {
		what = key + ": " + what
	}
	if e.Malformed {
		return what + " is malformed"
	}
	return what + " is not in the allow-list"
}

// Item is what would allow it, and nothing besides, when it is added to an
// allow-list; or "" where there is no such item. The value comes from a
// document, whose author may hope that somebody adds it unread.
func (e *NotAllowedError) Item() string {
	odd := func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("*#,'\"`$\\", r) }
	if e.Malformed || e.Value == "" || isSecret(e.Value) || strings.ContainsFunc(e.Value, odd) {
		return ""
	}
	return string(e.Kind) + "=" + e.Value
}
