// SPDX-License-Identifier: Apache-2.0

package gcpkms

import (
	"encoding/base64"
	"testing"
)

func TestForeign(t *testing.T) {
	secret := []byte("a/secret+of-words")
	for _, tt := range []struct{ name, text, want string }{
		{"text", "no such key\r\n", "no such key"},
		{"as it is", "sent a/secret+of-words!", "sent ...!"},
		{"base64", "sent " + base64.StdEncoding.EncodeToString(secret) + "!", "sent ...=!"},
		{"bytes", "sent \xff\xfe\x00abcdefgh", "(not text)"},
		{"bytes that a decoder has read", "sent \ufffd abcdefgh", "(not text)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := foreign(tt.text, nil, []byte("short"), secret); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
