// SPDX-License-Identifier: Apache-2.0

package sopsfile

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

func FuzzYAML(f *testing.F) {
	f.Add([]byte("# head\na: 1 # line\n# foot\n---\nsops: {mac: x}\nb: [c, {d: 0777}]\n<<: {e: |\n  f}\n"))
	f.Add([]byte("a: &x [1]\nb: *x\n!!merge <<: {c: !!binary aGk=}\n? d\n: 2026-01-31\n"))
	fuzz(f, YAML, "app.yaml")
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"a": [1, -0, 1e400, "\ud800", null, true, {}], "a": {"sops": 1}, "sops": {"age": [{}]}}`))
	fuzz(f, JSON, "app.json")
}

func FuzzDotenv(f *testing.F) {
	f.Add([]byte("A=1\r\n#c\n=x\nsops_age__list_0__map_enc=\\n\nsops_shamir_threshold=2\nsops___map_=\nsops_a__list_x=\n"))
	fuzz(f, Dotenv, "app.env")
}

func FuzzINI(f *testing.F) {
	f.Add([]byte("; c\n[a] # b\nc = \"\"\"d\ne\"\"\" ; f\n`g=h`:i\\\n  j\n-=k\n[DEFAULT]\n[sops]\nage__list_0__map_enc=x\n"))
	f.Add([]byte("#\n#x\n[a]\nb=`\n;\n"))
	fuzz(f, INI, "app.ini")
}

func FuzzBinary(f *testing.F) {
	f.Add([]byte(`{"data": "x", "sops": {}}`))
	fuzz(f, Binary, "app.bin")
}

// fuzz protects the reader and the writer of a format: no panic, errors of the
// known kinds without a value, and all or nothing comes out.
func fuzz(f *testing.F, format Format, seed string) {
	u := fixtureUnwrapper(f)
	f.Add(fixture(f, seed))
	f.Add(fixture(f, seed+".txt"))
	s, _ := format.store()
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 64<<10 {
			return // limits have tests of their own
		}
		if branches, err := s.load(data); err == nil {
			if out, err := s.write(branches); err != nil && out != nil {
				t.Errorf("result beside the error %v", err)
			}
		}
		out, err := Open(context.Background(), data, format, unseal.Options{Unwrapper: u})
		switch {
		case err == nil:
			return
		case out != nil:
			t.Error("result beside an error")
		case strings.Contains(err.Error(), fixtureSecret):
			t.Errorf("the error holds a value: %v", err)
		case !errors.As(err, new(*sopsdoc.InvalidError)) && !errors.As(err, new(*sopsdoc.TamperedError)) && !errors.As(err, new(*keys.NoKeyError)) && !keyShares(err):
			t.Errorf("unknown error %v", err)
		}
	})
}

// keyShares reports whether err is that of key groups that give no data key.
func keyShares(err error) bool {
	return strings.Contains(err.Error(), "key group") || strings.Contains(err.Error(), "share") || strings.Contains(err.Error(), "data key")
}

// fixtureSecret is in every file of testdata, which the identity of the vectors
// of package sopsdoc opens.
const fixtureSecret = "correct horse battery staple"

func fixtureUnwrapper(tb testing.TB) keys.Unwrapper {
	tb.Helper()
	id, err := agekey.ParseIdentity(string(fixture(tb, "../../../seal/sopsdoc/testdata/vectors/classic.txt")))
	if err != nil {
		tb.Fatal(err)
	}
	return keys.Unwrappers{keys.Age: agekey.NewUnwrapper(agekey.Sources{Identities: []agekey.Identity{id}})}
}

func fixture(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// TestFixtures protects files that were encrypted by stock sops 3.13.3 and lie
// in testdata beside what it printed of them.
func TestFixtures(t *testing.T) {
	u := fixtureUnwrapper(t)
	for _, name := range []string{"app.yaml", "app.json", "app.env", "app.ini", "app.bin"} {
		got, err := Open(context.Background(), fixture(t, name), FormatOf(name), unseal.Options{Unwrapper: u})
		if want := fixture(t, name+".txt"); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %q, %v, want %q", name, got, err, want)
		}
	}
}
