// SPDX-License-Identifier: Apache-2.0

package testcluster

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func testTakenPort(t *testing.T, c *Cluster) {
	second := &Cluster{dir: t.TempDir(), binaries: c.binaries, port: c.port, log: &bytes.Buffer{}}
	if err := second.writeFiles(); err != nil {
		t.Fatal(err)
	}
	second.etcdURL = c.etcdURL
	if err := second.runAPIServer(t.Context()); !errors.Is(err, errPortTaken) {
		t.Errorf("API server on the port of another: %v, want that the port was taken", err)
	}
	if err := second.runEtcd(t.Context(), c.port); !errors.Is(err, errPortTaken) {
		t.Errorf("etcd on the port of another program: %v, want that the port was taken", err)
	}
}

func TestNewFails(t *testing.T) {
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name    string
		options Options
		want    []string
	}{
		{"folder that is not empty", Options{Dir: full}, []string{"start test cluster: folder ", "is not empty"}},
		{
			"API server that doesn't start", Options{APIServerArgs: []string{"--no-such-flag"}},
			[]string{"start test cluster: kube-apiserver ended early: exit status 1", "unknown flag: --no-such-flag"},
		},
		{
			"manifests that are refused", Options{Manifests: []byte("apiVersion: v1\nkind: Nonsense\nmetadata: {name: x}\n")},
			[]string{"start test cluster: apply Nonsense x: "},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, err := New(t.Context(), test.options)
			if c != nil {
				t.Error("got a cluster")
			}
			for _, want := range test.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want %q in it", err, want)
				}
			}
		})
	}
	if _, err := os.Stat(filepath.Join(full, "file")); err != nil {
		t.Errorf("file of the folder that was not empty: %v", err)
	}
}

const encryptionConfig = `
apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
- resources: [secrets]
  providers:
  - secretbox:
      keys:
      - name: only
        secret: AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=
`

func TestFolderStaysAndEncryptionIsOn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "cluster")
	c, err := New(t.Context(), Options{Dir: dir, EncryptionConfig: []byte(encryptionConfig)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // for a test that failed before
	createSecret(t, clientFor(t, c.Admin()), "default", "stored")
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if !stored(t, dir, "/registry/secrets/default/stored") {
		t.Error("the Secret is not in etcd's files")
	}
	if stored(t, dir, "correct horse battery staple") {
		t.Error("the Secret's value is in etcd's files")
	}
	if _, err := os.Stat(filepath.Join(dir, "kube-apiserver.log")); err != nil {
		t.Errorf("log in the folder: %v", err)
	}
}

// stored reports whether a file below dir/etcd holds text.
func stored(t *testing.T, dir, text string) bool {
	found := false
	err := fs.WalkDir(os.DirFS(dir), "etcd", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(filepath.Join(dir, path))
		found = found || bytes.Contains(content, []byte(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
