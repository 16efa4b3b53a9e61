// SPDX-License-Identifier: Apache-2.0

package azurekv

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/signet-secrets/signet/internal/testtool"
	"github.com/signet-secrets/signet/seal/keys"
)

// envChild makes the test binary a program that calls vaults by HTTPS_PROXY.
const envChild = "SIGNET_AZUREKV_TEST_CHILD"

// child wraps and unwraps, also where that fails, and prints nothing itself.
func child() int {
	ctx := context.Background()
	s := New(Options{Attempts: 2})
	e, err := s.Wrap(ctx, documents(""), patterned(32))
	if err != nil {
		return 1
	}
	if _, err := s.Unwrap(ctx, e); err != nil {
		return 2
	}
	k := e.(keys.AzureKVEntry)
	k.Name = "missing"
	if _, err := s.Unwrap(ctx, k); err == nil {
		return 3
	}
	k.Enc = "!"
	if _, err := s.Unwrap(ctx, k); err == nil {
		return 4
	}
	return 0
}

// Nothing is logged, and the whole works as users have it: with the credentials
// of the environment, its proxy and the certificates of the system.
func TestNothingIsLogged(t *testing.T) {
	a := newAzure(t)
	isolate(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r := testtool.Run(t, testtool.Cmd{Path: self, Env: append(a.env(t), envChild+"=1")})
	if r.ExitCode != 0 {
		t.Fatalf("exit code %d: %s", r.ExitCode, r.Stderr)
	}
	if len(r.Stdout)+len(r.Stderr) != 0 {
		t.Errorf("stdout %q, stderr %q", r.Stdout, r.Stderr)
	}
	if a.count() == 0 {
		t.Error("the vault was not asked")
	}
}

// env makes any program with Azure's SDK use a, as a service principal.
func (a *azure) env(t testing.TB) []string {
	t.Helper()
	authority := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(authority, a.pem, 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{
		"HTTPS_PROXY=" + a.proxy(t).URL, "NO_PROXY=", "SSL_CERT_FILE=" + authority, "SSL_CERT_DIR=" + t.TempDir(),
		"AZURE_TENANT_ID=" + testTenant, "AZURE_CLIENT_ID=aaaaaaaa-0000-0000-0000-000000000001", "AZURE_CLIENT_SECRET=" + testSecret,
	}
}
