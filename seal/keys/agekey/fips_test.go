// SPDX-License-Identifier: Apache-2.0

package agekey

import (
	"crypto/fips140"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/signet-secrets/signet/seal/keys"
)

const fipsChild = "SIGNET_TEST_FIPS_CHILD"

// Under GODEBUG=fips140=only there are errors and no panics.
func TestFIPSOnly(t *testing.T) {
	if os.Getenv(fipsChild) != "" {
		fipsOnly(t)
		return
	}
	id := newX25519(t)
	ed, edKey := newSSH(t, SSHEd25519, "")
	rsa, _ := newSSH(t, SSHRSA, "")
	e := wrap(t, id.Recipient(), make([]byte, 32))
	cmd := exec.Command(os.Args[0], "-test.run=^TestFIPSOnly$", "-test.v")
	cmd.Env = append(os.Environ(), "GODEBUG=fips140=only", fipsChild+"="+strings.Join([]string{
		id.Recipient(), newHybrid(t).Recipient(), newTag(t, false), newTag(t, true), ed, rsa}, "|"),
		"SIGNET_TEST_FILE="+tempFile(t, id.Reveal()), "SIGNET_TEST_SSH="+tempFile(t, string(edKey)), "SIGNET_TEST_ENC="+e.Enc)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func fipsOnly(t *testing.T) {
	if !fips140.Enforced() {
		t.Fatal("not enforced")
	}
	recipients := strings.Split(os.Getenv(fipsChild), "|")
	for _, r := range recipients {
		_, err := ParseRecipient(r) // may work or not, but must not panic
		t.Logf("%.20s: %v", r, err)
	}
	_, genErr := GenerateIdentity()
	_, classicErr := GenerateClassicIdentity()
	text, err := os.ReadFile(os.Getenv("SIGNET_TEST_FILE"))
	if err != nil {
		t.Fatal(err)
	}
	_, parseErr := ParseIdentity(string(text))
	_, wrapErr := NewWrapper(nil).Wrap(t.Context(), keys.AgeEntry{Recipient: recipients[0]}, make([]byte, 32))
	u := NewUnwrapper(Sources{Files: []string{os.Getenv("SIGNET_TEST_FILE"), os.Getenv("SIGNET_TEST_SSH")}})
	_, unwrapErr := u.Unwrap(t.Context(), keys.AgeEntry{Recipient: recipients[0], Enc: os.Getenv("SIGNET_TEST_ENC")})
	for _, err := range []error{genErr, classicErr, parseErr, wrapErr, unwrapErr} {
		if !errors.Is(err, ErrFIPS) {
			t.Errorf("got %v, want ErrFIPS", err)
		}
	}
}
