// SPDX-License-Identifier: Apache-2.0

package hide

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"
	"testing"
)

func TestIn(t *testing.T) {
	secret := []byte("a/secret+of-words???>>>")
	lower := hex.EncodeToString(secret)
	std := base64.StdEncoding.EncodeToString(secret)
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "no such key\r\n", "no such key\r\n"},
		{"as it is", "sent a/secret+of-words???>>>!", "sent ...!"},
		{"twice", string(secret) + string(secret), "......"},
		{"hex", "sent " + lower + "!", "sent ...!"},
		{"upper hex", "sent " + strings.ToUpper(lower) + "!", "sent ...!"},
		{"base64", "sent " + std + "!", "sent ...=!"},
		{"URL base64", "sent " + base64.URLEncoding.EncodeToString(secret) + "!", "sent ...=!"},
		{"escaped base64", "sent " + url.QueryEscape(std) + "!", "sent ...%2FPz8%2BPj4%3D!"},
		{"part", "a path/elsewhere/of", "a path/.../of"},
		{"base64 without what is before it", "sent ab/cd+ef/gh+ij/kl== back", "sent ... back"},
		{"short part", "a secret of words", "a secret of words"},
		{"short secret", "abc", "abc"},
		{"not so short", "root", "..."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := In(tt.text, nil, []byte("abc"), []byte("root"), secret, []byte("x-elsewhere-y"), []byte("vault:v1:ab/cd+ef/gh+ij/kl==")); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
