// SPDX-License-Identifier: Apache-2.0

package vault

import (
	"path/filepath"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/testtool"
	"github.com/signet-secrets/signet/seal/keys"
)

// Stock sops encrypts a file; Unwrap opens its entry, and stock sops opens the
// file with the entry that Wrap makes of the same data key.
func TestSOPS(t *testing.T) {
	sops := testtool.Path(t, "sops") // before start: its cache is in the home directory
	server := start(t)
	dir := t.TempDir()
	const plain = "password: correct horse battery staple\n"
	out := run(t, sops, "encrypt", "--hc-vault-transit", server.URL+"/v1/transit/keys/app",
		writeFile(t, filepath.Join(dir, "plain.yaml"), []byte(plain)))

	var doc map[string]any
	if err := yaml.Unmarshal(out, &doc); err != nil {
		t.Fatal(err)
	}
	fields := doc["sops"].(map[string]any)["hc_vault"].([]any)[0].(map[string]any)
	text := func(name string) string { return fields[name].(string) }
	theirs := keys.VaultEntry{
		Address: text("vault_address"), EnginePath: text("engine_path"), KeyName: text("key_name"),
		CreatedAt: text("created_at"), Enc: text("enc"),
	}
	s := New(Options{})
	secret, err := s.Unwrap(t.Context(), theirs)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := s.Wrap(t.Context(), theirs, secret)
	if err != nil {
		t.Fatal(err)
	}
	if ours.Wrapped() == theirs.Enc || ours.ID() != theirs.ID() {
		t.Errorf("got %+v", ours)
	}

	fields["enc"], fields["created_at"] = ours.Wrapped(), ours.(keys.VaultEntry).CreatedAt
	again, err := yaml.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	if got := run(t, sops, "decrypt", writeFile(t, filepath.Join(dir, "encrypted.yaml"), again)); string(got) != plain {
		t.Errorf("got %q", got)
	}
}

func run(t *testing.T, program string, args ...string) []byte {
	t.Helper()
	r := testtool.Run(t, testtool.Cmd{Path: program, Args: args})
	if r.ExitCode != 0 {
		t.Fatalf("%q: exit code %d\n%s", args, r.ExitCode, r.Stderr)
	}
	return r.Stdout
}
