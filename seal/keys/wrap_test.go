// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWrapAll(t *testing.T) {
	k := testKey(t)
	s := &plainService{}
	out, err := WrapAll(t.Context(), s, grouped(0, group("a", "b", "c")), k)
	if err != nil {
		t.Fatal(err)
	}
	wantCalls(t, s, "a", "b", "c")
	if shares := sharesOf(t, out); len(shares) != 1 || !bytes.Equal(shares[0], k.Bytes()) || !out.Same(grouped(0, group("c", "b", "a"))) {
		t.Error("not the data key for each")
	}

	r := grouped(2, group("a", "b"), group("c"), group("d", "a"))
	out, err = WrapAll(t.Context(), s, r, k)
	if err != nil {
		t.Fatal(err)
	}
	wantCalls(t, s, "a", "b", "c", "d", "a")
	if shares := sharesOf(t, out); len(shares) != 3 || !out.Same(r) {
		t.Error("not a share for each group")
	}
	if diff := cmp.Diff(grouped(2, group("a", "b"), group("c"), group("d", "a")), r); diff != "" {
		t.Errorf("the recipients given have changed:\n%s", diff)
	}
}

func TestWrapAllErrors(t *testing.T) {
	refused := errors.New("wrap for pgp b: refused")
	tests := []struct {
		name  string
		r     Recipients
		calls string
		want  string
	}{
		{"nobody", Recipients{}, "", "no recipients to wrap the data key for"},
		{"empty groups", grouped(2, Group{}, Group{}), "", "no recipients to wrap the data key for"},
		{"one fails", grouped(0, group("a", "b", "c")), "a b", "wrap data key: wrap for pgp b: refused"},
		{"one fails in a group", grouped(2, group("a"), group("b"), group("c")), "a b", "wrap data key: wrap for pgp b: refused"},
		{"an empty group", grouped(2, group("a"), Group{}, group("c")), "a", "wrap data key: a key group without keys"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &plainService{fail: map[string]error{"b": refused}}
			out, err := WrapAll(t.Context(), s, tt.r, testKey(t))
			if err == nil || err.Error() != tt.want || out.Groups != nil {
				t.Errorf("got %v, %v, want %s", out, err, tt.want)
			}
			if strings.Contains(tt.want, "refused") && !errors.Is(err, refused) {
				t.Errorf("the cause is out of reach: %v", err)
			}
			wantCalls(t, s, strings.Fields(tt.calls)...)
		})
	}
}

// TestWrapAllKeepsTheKey has a Wrapper see the data key itself, which it must
// not change, and a new share each time.
func TestWrapAllKeepsTheKey(t *testing.T) {
	k := testKey(t)
	before := bytes.Clone(k.Bytes())
	w := wrapFunc(func(_ context.Context, to Entry, secret []byte) (Entry, error) {
		if len(secret) == ShareBytes {
			clear(secret)
		}
		return to, nil
	})
	if _, err := WrapAll(t.Context(), w, grouped(2, group("a"), group("b")), k); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(k.Bytes(), before) {
		t.Error("the shares are made of the bytes of the data key")
	}
}

func TestShortText(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"plain", "arn:aws:kms", "arn:aws:kms"},
		{"empty", "", ""},
		{"200 bytes", strings.Repeat("x", 200), strings.Repeat("x", 200)},
		{"longer", strings.Repeat("x", 201), strings.Repeat("x", 200) + "..."},
		{"line break", "a\nb", `"a\nb"`},
		{"quote", `a"b`, `"a\"b"`},
		{"terminal", "\x1b[2J", `"\x1b[2J"`},
		{"other direction", "a\u202eb", `"a\u202eb"`},
		{"not UTF-8", "a\xffb", `"a\xffb"`},
		{"cut within a letter", strings.Repeat("x", 199) + "\u00e9", `"` + strings.Repeat("x", 199) + `\xc3..."`},
		{"private key", "AGE-SECRET-KEY-1QQ", "(a private key)"},
		{"private key far behind", strings.Repeat("x", 500) + "age-secret-key-1qq", "(a private key)"},
		{"PEM", "-----BEGIN PRIVATE KEY-----", "(a private key)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := shortText(tt.text); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
