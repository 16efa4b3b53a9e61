// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"bytes"
	"testing"
)

func TestCheckSecret(t *testing.T) {
	for _, tt := range []struct {
		name  string
		bytes int
		want  string
	}{
		{"nothing", 0, "secret has 0 bytes, want 32 or 33"},
		{"too short", 31, "secret has 31 bytes, want 32 or 33"},
		{"data key", DataKeyBytes, ""},
		{"share", ShareBytes, ""},
		{"too long", 34, "secret has 34 bytes, want 32 or 33"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if err := CheckSecret(bytes.Repeat([]byte("s"), tt.bytes)); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
