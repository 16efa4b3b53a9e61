// SPDX-License-Identifier: Apache-2.0

package pgp

import (
	"os"
	"path/filepath"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/testtool"
	"github.com/signet-secrets/signet/seal/keys"
)

// Stock sops encrypts a file; Unwrap opens its entry, and stock sops opens the
// file with the entry that Wrap makes of the same data key.
func TestSOPS(t *testing.T) {
	newHome(t)
	sops := testtool.Path(t, "sops")
	fingerprint, subkey := newKey(t, "sops@example.com", noPassphrase, curveKey)
	for _, name := range []string{fingerprint, subkey + "!"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			plain := filepath.Join(dir, "plain.yaml")
			writeFile(t, plain, []byte("password: correct horse battery staple\n"))
			out := run(t, sops, "encrypt", "--pgp", name, plain)

			var doc map[string]any
			if err := yaml.Unmarshal(out, &doc); err != nil {
				t.Fatal(err)
			}
			fields := doc["sops"].(map[string]any)["pgp"].([]any)[0].(map[string]any)
			theirs := keys.PGPEntry{Fingerprint: fields["fp"].(string), CreatedAt: fields["created_at"].(string), Enc: fields["enc"].(string)}
			if theirs.Fingerprint != name {
				t.Errorf("got fingerprint %q", theirs.Fingerprint)
			}
			secret, err := New(Options{}).Unwrap(t.Context(), theirs)
			if err != nil {
				t.Fatal(err)
			}
			ours, err := New(Options{}).Wrap(t.Context(), keys.PGPEntry{Fingerprint: name}, secret)
			if err != nil {
				t.Fatal(err)
			}

			fields["enc"], fields["created_at"] = ours.Wrapped(), ours.(keys.PGPEntry).CreatedAt
			again, err := yaml.Marshal(doc)
			if err != nil {
				t.Fatal(err)
			}
			encrypted := filepath.Join(dir, "encrypted.yaml")
			writeFile(t, encrypted, again)
			if got := run(t, sops, "decrypt", encrypted); string(got) != "password: correct horse battery staple\n" {
				t.Errorf("got %q", got)
			}
		})
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

func writeFile(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
