// SPDX-License-Identifier: Apache-2.0

package userkeys

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/internal/report"
)

// names are the names and places of SealingKeys.
func names(t *testing.T, s Sources, documents ...string) []string {
	t.Helper()
	found, err := s.SealingKeys(documents...)
	if err != nil {
		t.Fatal(err)
	}
	all := []string{}
	for _, k := range found {
		all = append(all, k.Name+" "+k.Place)
	}
	return all
}

func TestSealingKeys(t *testing.T) {
	root := isolate(t)
	id, _ := identity(t)
	sealingKey(t, filepath.Join(root, SealingKeyDir, "prod.yaml"), "prod", id.Recipient())
	sealingKey(t, filepath.Join(root, "team", SealingKeyDir, "team.json"), "team", id.Recipient())
	sealingKey(t, filepath.Join(root, SealingKeyDir, ".hidden.yaml"), "hidden", id.Recipient())
	sealingKey(t, filepath.Join(root, SealingKeyDir, "README.md"), "readme", id.Recipient())
	write(t, filepath.Join(root, SealingKeyDir, "other.yaml"), "# signet.dev\nkind: ConfigMap\napiVersion: v1\n")
	named := filepath.Join(t.TempDir(), "named.yaml")
	sealingKey(t, named, "named", id.Recipient())
	prod, team := "prod "+filepath.Join(SealingKeyDir, "prod.yaml"), "team "+filepath.Join("team", SealingKeyDir, "team.json")
	tests := []struct {
		name      string
		sources   Sources
		documents []string
		want      []string
	}{
		{"no document", Sources{}, nil, []string{}},
		{"at the root", Sources{}, []string{"-"}, []string{prod}},
		{"below, nearest first", Sources{}, []string{"team/app/x.yaml"}, []string{team, prod}},
		{"each once", Sources{}, []string{"-", "team/x.yaml", "team/y.yaml"}, []string{prod, team}},
		{"outside", Sources{}, []string{filepath.Join(t.TempDir(), "x.yaml")}, []string{}},
		{"named", Sources{SealingKeyFiles: []string{named}}, []string{"-"}, []string{"named " + report.ShortPath(named), prod}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, names(t, test.sources, test.documents...)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// What lies in a repository is foreign: a file in a folder that cannot be read
// must not keep documents from being opened that do not need it.
func TestPassedOver(t *testing.T) {
	root := isolate(t)
	id, _ := identity(t)
	folder := filepath.Join(root, SealingKeyDir)
	sealingKey(t, filepath.Join(folder, "b.yaml"), "good", id.Recipient())
	bad := filepath.Join(folder, "a.yaml")
	write(t, bad, "apiVersion: signet.dev/v1alpha1\nkind: SealingKey\nmetadata: {name: bad}\n")
	var stderr strings.Builder
	if got := names(t, Sources{Program: "test", Stderr: &stderr}, "-"); len(got) != 1 || !strings.HasPrefix(got[0], "good ") {
		t.Errorf("found %q", got)
	}
	contains(t, stderr.String(), "test: note: "+filepath.Join(SealingKeyDir, "a.yaml")+", document 1, bad: read SealingKey: ", "; the file is passed over\n")
	if _, err := (Sources{SealingKeyFiles: []string{bad}}).SealingKeys(); err == nil {
		t.Error("a file that is named is passed over")
	}
}

func TestTooManyKeys(t *testing.T) {
	root := isolate(t)
	for i := range maxKeysBytes/maxKeyFileBytes + 1 {
		write(t, filepath.Join(root, SealingKeyDir, fmt.Sprintf("%d.yaml", i)), "# "+strings.Repeat("x", maxKeyFileBytes-10)+"\n")
	}
	for _, flags := range []bool{false, true} {
		var stderr strings.Builder
		if got := names(t, Sources{Program: "test", Stderr: &stderr, Flags: flags}, "-"); len(got) != 0 {
			t.Errorf("found %q", got)
		}
		contains(t, stderr.String(), "test: note: ", "4.yaml: passed over, and so are the SealingKeys after it")
		if strings.Contains(stderr.String(), "--sealing-key") != flags {
			t.Errorf("flags %v: %s", flags, stderr.String())
		}
	}
	for i := range maxKeyFiles {
		write(t, filepath.Join(root, SealingKeyDir, fmt.Sprintf("more%d.yaml", i)), "")
	}
	if _, err := (Sources{}).SealingKeys("-"); err == nil {
		t.Error("an endless folder is read")
	} else {
		contains(t, err.Error(), ": find SealingKeys: holds 1005 files, the limit is 1000")
	}
}

func TestReadSealingKeysRefuses(t *testing.T) {
	isolate(t)
	many := strings.Repeat("---\nsignet.dev: ["+strings.Repeat("a,", 250_100)+"]\n", 2)
	tests := []struct{ name, text, want string }{
		{"not YAML", "signet.dev: [", "f.yaml, document 1: read: "},
		{"not UTF-8", "signet.dev: \xff", "f.yaml: read: "},
		{"no SealingKey", "kind: ConfigMap\n", "f.yaml: read: holds no SealingKey"},
		{"empty", "", "f.yaml: read: holds no SealingKey"},
		{"malformed", "apiVersion: signet.dev/v1alpha1\nkind: SealingKey\nmetadata: {name: k}\n", "f.yaml, document 1, k: read SealingKey: "},
		{"another version", "apiVersion: signet.dev/v9\nkind: SealingKey\nmetadata: {name: k}\n", "f.yaml, document 1, k: read SealingKey: "},
		{"too large", strings.Repeat(" ", maxKeyFileBytes+1), "f.yaml: read: has more than 1048576 bytes"},
		{"too much", many, "f.yaml: read: too much of it has to be parsed: 2 documents with up to "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			write(t, "f.yaml", test.text)
			_, err := Sources{SealingKeyFiles: []string{"f.yaml"}}.SealingKeys()
			if err == nil {
				t.Fatal("no error")
			}
			if !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("%v\nwant %s...", err, test.want)
			}
		})
	}
	if _, err := readSealingKeys("missing.yaml"); fmt.Sprint(err) != "missing.yaml: read: no such file or directory" {
		t.Error(err)
	}
	if err := os.Mkdir("d.yaml", 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := readSealingKeys("d.yaml"); fmt.Sprint(err) != "d.yaml: read: is a directory" {
		t.Error(err)
	}
}
