// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"crypto/fips140"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/seal/keys"
)

const fipsChild = "SIGNET_TEST_FIPS_CHILD"

// Everything works under GODEBUG=fips140=only, over TLS and with a role, but
// AWS SSO, which says why.
func TestFIPSOnly(t *testing.T) {
	if arn := os.Getenv(fipsChild); arn != "" {
		fipsOnly(t, arn)
		return
	}
	srv := start(t)
	srv.AddRole(role)
	overTLS(t, srv)
	configure(t, ssoProfile)
	cacheSSO(t, "corp", time.Now().Add(time.Hour))
	cmd := exec.Command(os.Args[0], "-test.run=^TestFIPSOnly$", "-test.v")
	cmd.Env = append(os.Environ(), "GODEBUG=fips140=only", fipsChild+"="+srv.CreateKey(kmstest.Key{}))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if n := srv.Succeeded("Decrypt"); n != 2 {
		t.Errorf("%d calls, want 2", n)
	}
}

func fipsOnly(t *testing.T, arn string) {
	if !fips140.Enforced() {
		t.Fatal("not enforced")
	}
	s := New(Options{})
	for _, e := range []keys.KMSEntry{{ARN: arn}, {ARN: arn, Role: role}} {
		mustUnwrap(t, s, mustWrap(t, s, e))
	}
	_, err := s.Unwrap(t.Context(), keys.KMSEntry{ARN: arn, AWSProfile: "dev", Enc: "AAAA"})
	if call := mustFail(t, err, "AWS SSO needs SHA-1, which FIPS-only mode refuses"); !call.Permanent {
		t.Error("not permanent")
	}
}
