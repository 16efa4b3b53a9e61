// SPDX-License-Identifier: Apache-2.0

package azurekv

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/signet-secrets/signet/seal/keys"
)

// TestMain lets the test binary stand in for a program (see silence_test.go).
func TestMain(m *testing.M) {
	if os.Getenv(envChild) != "" {
		os.Exit(child())
	}
	os.Exit(m.Run())
}

// isolate takes away all credentials and settings of the machine, and its tools.
func isolate(t testing.TB) {
	t.Helper()
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		if strings.HasPrefix(name, "AZURE_") || strings.HasPrefix(name, "IDENTITY_") || strings.HasPrefix(name, "MSI_") || strings.HasSuffix(strings.ToUpper(name), "_PROXY") {
			t.Setenv(name, "") // restores it in the end
			os.Unsetenv(name)
		}
	}
	t.Setenv("HOME", t.TempDir())
	t.Setenv("PATH", t.TempDir())
}

// servicePrincipal sets credentials that the login service of a takes.
func servicePrincipal(t testing.TB) {
	t.Helper()
	t.Setenv("AZURE_TENANT_ID", testTenant)
	t.Setenv("AZURE_CLIENT_ID", "aaaaaaaa-0000-0000-0000-000000000001")
	t.Setenv("AZURE_CLIENT_SECRET", testSecret)
}

// testSecret is a fake client secret.
const testSecret = "FAKE8Q~hunter2-hunter2.hunter2"

// tokens is a credential that gives what the function returns.
type tokens func(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error)

func (f tokens) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return f(ctx, o)
}

// static gives testToken for whatever it is asked.
func static() tokens {
	return func(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
		return azcore.AccessToken{Token: testToken, ExpiresOn: time.Now().Add(time.Hour)}, nil
	}
}

// newService returns a Service that reaches a with a token it accepts.
func newService(t testing.TB, a *azure, o Options) *Service {
	t.Helper()
	isolate(t)
	o.Transport = a.transport(t)
	if o.Credential == nil {
		o.Credential = static()
	}
	return New(o)
}

// documents is the recipient of most tests.
func documents(version string) keys.AzureKVEntry {
	return keys.AzureKVEntry{VaultURL: testVault, Name: "documents", Version: version}
}

func wrap(t testing.TB, s *Service, to keys.AzureKVEntry, secret []byte) keys.AzureKVEntry {
	t.Helper()
	e, err := s.Wrap(t.Context(), to, secret)
	if err != nil {
		t.Fatal(err)
	}
	return e.(keys.AzureKVEntry)
}

// callError fails the test unless err is a *keys.CallError.
func callError(t testing.TB, err error) *keys.CallError {
	t.Helper()
	call := new(keys.CallError)
	if !errors.As(err, &call) {
		t.Fatalf("got %v (%T), want a CallError", err, err)
	}
	return call
}

// patterned returns n bytes that are easily recognized.
func patterned(n int) []byte {
	return bytes.Repeat([]byte("correct horse battery staple "), n/29+1)[:n]
}

// within fails the test if f takes longer than the generous limit.
func within(t testing.TB, limit time.Duration, f func()) {
	t.Helper()
	start := time.Now()
	f()
	if took := time.Since(start); took > limit {
		t.Errorf("took %v, want at most %v", took, limit)
	}
}

func mustContain(t testing.TB, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q does not say %q", text, p)
		}
	}
}
