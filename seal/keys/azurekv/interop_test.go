// SPDX-License-Identifier: Apache-2.0

package azurekv

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/testtool"
	"github.com/signet-secrets/signet/seal/keys"
)

// proxy leads every tunnel to a, whatever name it is for.
func (a *azure) proxy(t testing.TB) *httptest.Server {
	t.Helper()
	p := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			http.Error(w, "tunnels only", http.StatusForbidden)
			return
		}
		server, err := net.Dial("tcp", a.Listener.Addr().String())
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer server.Close()
		client, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer client.Close()
		if _, err := io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
			return
		}
		go func() {
			_, _ = io.Copy(server, client)
			server.Close()
		}()
		_, _ = io.Copy(client, server)
	}))
	t.Cleanup(p.Close)
	return p
}

// What stock sops wraps is unwrapped here, and what is wrapped here is put into
// its document and unwrapped there.
func TestStockSOPS(t *testing.T) {
	sops := testtool.Path(t, "sops") // before the home directory, with its caches, goes
	a := newAzure(t)
	s := newService(t, a, Options{})
	env := append(a.env(t), "SOPS_DISABLE_VERSION_CHECK=1")
	stock := func(stdin string, args ...string) []byte {
		t.Helper()
		r := testtool.Run(t, testtool.Cmd{Path: sops, Args: args, Dir: t.TempDir(), Stdin: []byte(stdin), Env: env})
		if r.ExitCode != 0 {
			t.Fatalf("sops %q: exit code %d: %s", args, r.ExitCode, r.Stderr)
		}
		return r.Stdout
	}
	plain := filepath.Join(t.TempDir(), "plain.yaml")
	if err := os.WriteFile(plain, []byte("greeting: hello\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	document := stock("", "encrypt", "--azure-kv", testVault+"/keys/documents/", plain)
	var parsed struct {
		SOPS struct {
			Keys []struct {
				VaultURL  string `yaml:"vault_url"`
				Name      string `yaml:"name"`
				Version   string `yaml:"version"`
				CreatedAt string `yaml:"created_at"`
				Enc       string `yaml:"enc"`
			} `yaml:"azure_kv"`
		} `yaml:"sops"`
	}
	if err := yaml.Unmarshal(document, &parsed); err != nil || len(parsed.SOPS.Keys) != 1 {
		t.Fatalf("stock sops wrote %v:\n%s", err, document)
	}
	theirs := keys.AzureKVEntry(parsed.SOPS.Keys[0])
	dataKey, err := s.Unwrap(t.Context(), theirs)
	if err != nil {
		t.Fatal(err)
	}
	if len(dataKey) != keys.DataKeyBytes || !bytes.Equal(dataKey, a.seen[len(a.seen)-1]) {
		t.Error("another secret came back than stock sops wrapped")
	}

	ours := wrap(t, s, documents(""), dataKey)
	if ours.ID() != theirs.ID() {
		t.Errorf("the same rule gives the key %s here and %s there", ours.ID(), theirs.ID())
	}
	if ours.Enc == theirs.Enc {
		t.Fatal("the same ciphertext twice: this would prove nothing")
	}
	const created = `created_at: "` // lastmodified may be the same time, and the MAC covers it
	if !strings.Contains(string(document), created+theirs.CreatedAt) {
		t.Fatalf("stock sops wrote the time in another way:\n%s", document)
	}
	swapped := strings.NewReplacer(theirs.Enc, ours.Enc, created+theirs.CreatedAt, created+ours.CreatedAt).Replace(string(document))
	if got := stock(swapped, "decrypt", "--input-type", "yaml", "--output-type", "yaml", "/dev/stdin"); string(got) != "greeting: hello\n" {
		t.Errorf("stock sops read %q", got)
	}
}
