// SPDX-License-Identifier: Apache-2.0

// Package chars has the alphabets of what providers find in entries and
// answers, and tells whether a text keeps to one. All of them are ASCII. What a
// text means is for the provider to know.
package chars

import "strings"

// The alphabets. They are put together with +, as in Letters + "_-".
const (
	LowerCase = "abcdefghijklmnopqrstuvwxyz"
	UpperCase = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	Letters   = LowerCase + UpperCase
	Digits    = "0123456789"
	AlphaNum  = Letters + Digits
	LowerHex  = Digits + "abcdef"
	Hex       = LowerHex + "ABCDEF"
	Base64Std = AlphaNum + "+/=" // with padding (RFC 4648, section 4)
	Base64URL = AlphaNum + "-_"  // without (section 5)
)

// Only reports whether s has no other characters than those in alphabet. An
// empty s has none.
func Only(s, alphabet string) bool { return strings.Trim(s, alphabet) == "" }
