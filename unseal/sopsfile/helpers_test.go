// SPDX-License-Identifier: Apache-2.0

package sopsfile_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signet-secrets/signet/internal/testtool"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
	"github.com/signet-secrets/signet/unseal/sopsfile"
)

// canary is in plaintexts. No error may hold it.
const canary = "correct horse battery staple"

// stock is the stock sops with one identity and nothing else of the machine.
type stock struct {
	id   agekey.Identity
	path string
}

func newStock(t testing.TB) stock {
	t.Helper()
	return stock{newIdentity(t), testtool.Path(t, "sops")}
}

func newIdentity(t testing.TB) agekey.Identity {
	t.Helper()
	id, err := agekey.GenerateClassicIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func (s stock) run(t testing.TB, dir string, args ...string) testtool.Result {
	t.Helper()
	return testtool.Run(t, testtool.Cmd{Path: s.path, Args: args, Dir: dir, Env: []string{
		"SOPS_AGE_KEY=" + s.id.Reveal(), "HOME=" + dir, "XDG_CONFIG_HOME=" + dir, "SOPS_DISABLE_VERSION_CHECK=1",
	}})
}

// encrypt encrypts under one creation rule, given as its lines beside the
// recipient. It reports false where sops refuses.
func (s stock) encrypt(t testing.TB, name string, plain []byte, rule ...string) ([]byte, bool) {
	t.Helper()
	return s.encryptFor(t, name, plain, append([]string{"age: " + s.id.Recipient()}, rule...)...)
}

func (s stock) encryptFor(t testing.TB, name string, plain []byte, rule ...string) ([]byte, bool) {
	t.Helper()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, ".sops.yaml"), []byte("creation_rules:\n  - "+strings.Join(rule, "\n    ")+"\n"))
	writeFile(t, filepath.Join(dir, name), plain)
	r := s.run(t, dir, "encrypt", name)
	return r.Stdout, r.ExitCode == 0
}

func (s stock) mustEncrypt(t testing.TB, name string, plain []byte, rule ...string) []byte {
	t.Helper()
	enc, ok := s.encrypt(t, name, plain, rule...)
	if !ok {
		t.Fatalf("sops does not encrypt %q", plain)
	}
	return enc
}

// decrypt gives what sops prints, and whether it succeeds.
func (s stock) decrypt(t testing.TB, name string, enc []byte) ([]byte, bool) {
	t.Helper()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, name), enc)
	r := s.run(t, dir, "decrypt", name)
	return r.Stdout, r.ExitCode == 0
}

func (s stock) open(enc []byte, f sopsfile.Format) ([]byte, error) {
	return open(enc, f, s.id)
}

func open(enc []byte, f sopsfile.Format, ids ...agekey.Identity) ([]byte, error) {
	return sopsfile.Open(context.Background(), enc, f, unseal.Options{Unwrapper: unwrapperOf(ids...)})
}

func unwrapperOf(ids ...agekey.Identity) keys.Unwrapper {
	return keys.Unwrappers{keys.Age: agekey.NewUnwrapper(agekey.Sources{Identities: ids})}
}

func writeFile(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// nameOf returns a file name for a format.
func nameOf(f sopsfile.Format) string {
	switch f {
	case sopsfile.Dotenv:
		return "app.env"
	case sopsfile.Binary:
		return "app.bin"
	}
	return "app." + string(f)
}

// compare fails unless both open enc to the same bytes, or both refuse. It
// reports whether it was opened.
func (s stock) compare(t *testing.T, f sopsfile.Format, enc []byte) bool {
	t.Helper()
	want, ok := s.decrypt(t, nameOf(f), enc)
	got, err := s.open(enc, f)
	switch {
	case ok != (err == nil):
		t.Errorf("sops opens it: %v; here: %v\n%s\nsops prints:\n%s", ok, err, enc, want)
	case ok && string(got) != string(want):
		t.Errorf("sops prints\n%q\nhere it is\n%q\nof\n%s", want, got, enc)
	}
	return ok
}

// kindOf returns the type of an error of Open.
func kindOf(err error) string {
	switch {
	case err == nil:
		return "none"
	case errors.As(err, new(*sopsdoc.InvalidError)):
		return "invalid"
	case errors.As(err, new(*sopsdoc.TamperedError)):
		return "tampered"
	case errors.As(err, new(*keys.NoKeyError)):
		return "no key"
	}
	return "other: " + err.Error()
}

// checkHides fails if an error holds a secret in any form.
func checkHides(t *testing.T, err error, secret string) {
	t.Helper()
	if err == nil {
		return
	}
	for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret))[:len(secret)], hex.EncodeToString([]byte(secret))} {
		if strings.Contains(strings.ToLower(err.Error()), strings.ToLower(form)) {
			t.Errorf("the error holds a secret: %v", err)
		}
	}
}
