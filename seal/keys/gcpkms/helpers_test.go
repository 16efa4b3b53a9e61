// SPDX-License-Identifier: Apache-2.0

package gcpkms

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/signet-secrets/signet/seal/keys"
)

// TestMain lets the test binary stand in for a program (see silence_test.go).
func TestMain(m *testing.M) {
	if os.Getenv(envChild) != "" {
		os.Exit(child())
	}
	os.Exit(m.Run())
}

// isolate takes away all credentials and settings of the machine.
func isolate(t testing.TB) {
	t.Helper()
	for _, name := range []string{
		envCredentials, envToken, envApplication, envEndpoint, envSOPSUniverse, envUniverse,
		"GOOGLE_CLOUD_QUOTA_PROJECT", "GCE_METADATA_HOST", "SOPS_GCP_KMS_CLIENT_TYPE", "GOOGLE_SDK_GO_LOGGING_LEVEL",
		"HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy",
	} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", t.TempDir())
	t.Setenv("APPDATA", os.Getenv("HOME"))
}

// newService returns a Service that calls s with the token it accepts.
func newService(t testing.TB, s *kmsServer, o Options) *Service {
	t.Helper()
	isolate(t)
	t.Setenv(envToken, testToken)
	o.Endpoint = s.URL
	return New(o)
}

func wrap(t testing.TB, s *Service, key string, secret []byte) keys.GCPKMSEntry {
	t.Helper()
	e, err := s.Wrap(t.Context(), keys.GCPKMSEntry{ResourceID: key}, secret)
	if err != nil {
		t.Fatal(err)
	}
	return e.(keys.GCPKMSEntry)
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
