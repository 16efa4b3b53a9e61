// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/internal/testtool"
	"github.com/signet-secrets/signet/seal/keys"
)

// Stock sops opens what we wrap, and we open what it wraps.
func TestInterop(t *testing.T) {
	sops := testtool.Path(t, "sops")
	srv := start(t)
	srv.AddRole(role)
	arn := srv.CreateKey(kmstest.Key{Region: "us-east-1"})
	clear := write(t, filepath.Join(t.TempDir(), "clear.json"), `{"password": "correct horse battery staple"}`)
	run := func(args ...string) string {
		t.Helper()
		r := testtool.Run(t, testtool.Cmd{Path: sops, Args: args})
		if r.ExitCode != 0 {
			t.Fatalf("sops %q: %s", args, r.Stderr)
		}
		return string(r.Stdout)
	}
	document := run("encrypt", "--kms", arn+"+"+role, "--encryption-context", "app:db,team:a", clear)

	var parsed struct {
		SOPS struct {
			KMS []struct {
				ARN, Role, Enc string
				Context        map[string]string
			}
		}
	}
	if err := json.Unmarshal([]byte(document), &parsed); err != nil {
		t.Fatal(err)
	}
	from := parsed.SOPS.KMS[0]
	s := open(t, Options{})
	key, err := s.Unwrap(t.Context(), keys.KMSEntry{ARN: from.ARN, Role: from.Role, Context: from.Context, Enc: from.Enc})
	if err != nil || len(key) != keys.DataKeyBytes {
		t.Fatalf("entry of sops: %d bytes, %v", len(key), err)
	}

	e, err := s.Wrap(t.Context(), keys.KMSEntry{ARN: from.ARN, Role: from.Role, Context: from.Context}, key)
	if err != nil {
		t.Fatal(err)
	}
	ours := write(t, filepath.Join(t.TempDir(), "ours.json"), strings.Replace(document, from.Enc, e.Wrapped(), 1))
	if e.Wrapped() == from.Enc {
		t.Fatal("the same ciphertext twice")
	}
	if got := run("decrypt", "--extract", `["password"]`, ours); got != "correct horse battery staple" {
		t.Errorf("sops reads %q", got)
	}
}
