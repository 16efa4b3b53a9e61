// SPDX-License-Identifier: Apache-2.0

package gcpkms

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/testtool"
	"github.com/signet-secrets/signet/seal/keys"
)

// stock runs stock sops against the test server.
func stock(t *testing.T, sops string, server *kmsServer, stdin string, args ...string) []byte {
	t.Helper()
	r := testtool.Run(t, testtool.Cmd{
		Path:  sops,
		Args:  args,
		Dir:   t.TempDir(),
		Stdin: []byte(stdin),
		Env: []string{
			"SOPS_GCP_KMS_ENDPOINT=" + server.URL, "SOPS_GCP_KMS_CLIENT_TYPE=rest", "SOPS_DISABLE_VERSION_CHECK=1",
			envToken + "=" + testToken,
		},
	})
	if r.ExitCode != 0 {
		t.Fatalf("sops %q: exit code %d: %s", args, r.ExitCode, r.Stderr)
	}
	return r.Stdout
}

// What stock sops wraps is unwrapped here, and what is wrapped here is put into
// its document and unwrapped there.
func TestStockSOPS(t *testing.T) {
	sops := testtool.Path(t, "sops") // before the home directory, with its caches, goes
	server := newServer(t)
	s := newService(t, server, Options{})
	plain := filepath.Join(t.TempDir(), "plain.yaml")
	if err := os.WriteFile(plain, []byte("greeting: hello\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	document := stock(t, sops, server, "", "encrypt", "--gcp-kms", testKey, plain)
	var parsed struct {
		SOPS struct {
			KMS []struct {
				ResourceID string `yaml:"resource_id"`
				CreatedAt  string `yaml:"created_at"`
				Enc        string `yaml:"enc"`
			} `yaml:"gcp_kms"`
		} `yaml:"sops"`
	}
	if err := yaml.Unmarshal(document, &parsed); err != nil || len(parsed.SOPS.KMS) != 1 {
		t.Fatalf("stock sops wrote %v:\n%s", err, document)
	}
	theirs := parsed.SOPS.KMS[0]
	e := keys.GCPKMSEntry{ResourceID: theirs.ResourceID, CreatedAt: theirs.CreatedAt, Enc: theirs.Enc}
	dataKey, err := s.Unwrap(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	if len(dataKey) != keys.DataKeyBytes || !bytes.Equal(dataKey, server.seen[len(server.seen)-1]) {
		t.Error("another secret came back than stock sops wrapped")
	}

	ours := wrap(t, s, testKey, dataKey)
	if ours.Enc == theirs.Enc {
		t.Fatal("the same ciphertext twice: this would prove nothing")
	}
	const created = `created_at: "` // lastmodified may be the same time, and the MAC covers it
	if !strings.Contains(string(document), created+theirs.CreatedAt) {
		t.Fatalf("stock sops wrote the time in another way:\n%s", document)
	}
	swapped := strings.NewReplacer(theirs.Enc, ours.Enc, created+theirs.CreatedAt, created+ours.CreatedAt).Replace(string(document))
	if got := stock(t, sops, server, swapped, "decrypt", "--input-type", "yaml", "--output-type", "yaml", "/dev/stdin"); string(got) != "greeting: hello\n" {
		t.Errorf("stock sops read %q", got)
	}
}
