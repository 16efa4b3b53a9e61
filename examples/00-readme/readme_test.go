// SPDX-License-Identifier: Apache-2.0

// Package frontpage follows the README of the repository literally, from the
// clone on.
package frontpage

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/signet-secrets/signet/examples/internal/readme"
)

func TestReadme(t *testing.T) {
	caches := readme.GoCaches(t)
	s := readme.Start(t, "signet", "kustomize")
	s.Env = append(s.Env, caches...)
	s.Publish(t, "https://github.com/signet-secrets/signet")
	s.Kubectl(t)
	s.Editor(t, `sed -i 's/battery/staple/' "$1"`)
	out := s.FollowFile(t, filepath.Join("..", "..", "README.md"), readme.Blocks{Run: 11, Cluster: 3, Make: 1})
	for part, times := range map[string]int{
		"password: correct horse staple\n": 1, // unsealed, after the edit
		"secret/db\n":                      2, // applied, from the filter and from the function
		"\nshop":                           1, // get
		"a password of 20 characters\n":    1, // exec
		"\nok ":                            1, // verify
		"battery":                          0,
	} {
		if n := strings.Count(out, part); n != times {
			t.Errorf("the commands printed %q %d times, want %d:\n%s", part, n, times, out)
		}
	}
	if n := readme.Commands(t, filepath.Join("..", "..", "README.md"), "Five minutes"); n == 0 || n > 15 {
		t.Errorf("five minutes take %d commands to type", n)
	}
	history := s.Must(t, "cd ~/shop && git add -A && git commit -qm 'what is left' && git log -p --all --text --no-textconv && cat .git/hooks/pre-commit")
	for _, value := range []string{"battery", "staple", "YmF0dGVye", "c3RhcGxl"} {
		if strings.Contains(history, value) {
			t.Errorf("the repository holds %q", value)
		}
	}
	if !strings.Contains(history, "signet check --staged") {
		t.Error("there is no hook")
	}
	t.Run("a Secret in clear is not committed", func(t *testing.T) {
		s.Fails(t, "cd ~/shop && signet unseal db.yaml > clear.yaml && git add -f clear.yaml && git commit -qm oops", "clear-secret")
	})
}
