// SPDX-License-Identifier: Apache-2.0

package chars

import (
	"encoding/base64"
	"encoding/hex"
	"testing"
)

func TestOnly(t *testing.T) {
	for _, tt := range []struct {
		name, s, alphabet string
		want              bool
	}{
		{"empty", "", Digits, true},
		{"all of it", "0123456789", Digits, true},
		{"first", "-12", Digits, false},
		{"in the middle", "1-2", Digits, false},
		{"last", "12\n", Digits, false},
		{"both ends good", "a b", Letters, false},
		{"digits of another script", "１２", AlphaNum, false},
		{"letter with an accent", "é", AlphaNum, false},
		{"no UTF-8", "a\xff", AlphaNum, false},
		{"NUL", "a\x00", AlphaNum, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Only(tt.s, tt.alphabet); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// The alphabets are those of the decoders: each byte value is in both or in
// neither. Line breaks, which the decoders skip, are in none.
func TestAlphabets(t *testing.T) {
	decodes := func(e *base64.Encoding) func(string) bool {
		return func(c string) bool {
			_, err := e.DecodeString(c + "AAA")
			return err == nil && c != "\r" && c != "\n"
		}
	}
	for _, tt := range []struct {
		name, alphabet string
		valid          func(string) bool
	}{
		{"Base64Std", Base64Std, func(c string) bool { return c == "=" || decodes(base64.StdEncoding)(c) }},
		{"Base64URL", Base64URL, decodes(base64.RawURLEncoding)},
		{"Hex", Hex, func(c string) bool { _, err := hex.DecodeString(c + "0"); return err == nil }},
		{"Digits", Digits, func(c string) bool { return c >= "0" && c <= "9" }},
		{"Letters", Letters, func(c string) bool { return c >= "a" && c <= "z" || c >= "A" && c <= "Z" }},
		{"LowerHex", LowerHex, func(c string) bool { return c >= "0" && c <= "9" || c >= "a" && c <= "f" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for b := range 256 {
				c := string([]byte{byte(b)})
				if got, want := Only(c, tt.alphabet), tt.valid(c); got != want {
					t.Errorf("%q: got %v, want %v", c, got, want)
				}
			}
		})
	}
}
