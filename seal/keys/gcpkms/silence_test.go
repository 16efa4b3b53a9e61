// SPDX-License-Identifier: Apache-2.0

package gcpkms

import (
	"context"
	"os"
	"testing"

	"github.com/signet-secrets/signet/internal/testtool"
	"github.com/signet-secrets/signet/seal/keys"
)

// envChild makes the test binary a program that calls the server at its value.
const envChild = "SIGNET_GCPKMS_TEST_CHILD"

// child wraps and unwraps, also where that fails, and prints nothing itself.
func child() int {
	ctx := context.Background()
	s := New(Options{Endpoint: os.Getenv(envChild), Attempts: 2})
	e, err := s.Wrap(ctx, keys.GCPKMSEntry{ResourceID: testKey}, patterned(32))
	if err != nil {
		return 1
	}
	if _, err := s.Unwrap(ctx, e); err != nil {
		return 2
	}
	k := e.(keys.GCPKMSEntry)
	k.ResourceID += "-missing"
	if _, err := s.Unwrap(ctx, k); err == nil {
		return 3
	}
	k.Enc = "!"
	if _, err := s.Unwrap(ctx, k); err == nil {
		return 4
	}
	return 0
}

// Nothing is logged, not even when the libraries below are asked to.
func TestNothingIsLogged(t *testing.T) {
	server := newServer(t)
	server.accept = func(string) bool { return true }
	a := serviceAccount(t, "")
	for name, env := range map[string][]string{
		"token":           {envToken + "=" + testToken},
		"service account": {envCredentials + "=" + a.json},
		"metadata server": {"GCE_METADATA_HOST=" + metadataStub(t, nil).Listener.Addr().String()},
	} {
		t.Run(name, func(t *testing.T) {
			isolate(t)
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			env = append(env, envChild+"="+server.URL, "GOOGLE_SDK_GO_LOGGING_LEVEL=debug", "GRPC_GO_LOG_SEVERITY_LEVEL=info")
			r := testtool.Run(t, testtool.Cmd{Path: self, Env: env})
			if r.ExitCode != 0 {
				t.Fatalf("exit code %d: %s", r.ExitCode, r.Stderr)
			}
			if len(r.Stdout)+len(r.Stderr) != 0 {
				t.Errorf("stdout %q, stderr %q", r.Stdout, r.Stderr)
			}
		})
	}
}
