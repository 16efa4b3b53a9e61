// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/seal/keys/agekey"
)

// gitIn runs git in a folder and returns whether it ended with 0, and what it
// printed.
func gitIn(t *testing.T, dir string, args ...string) (ok bool, output string) {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return err == nil, string(out)
}

func mustGit(t *testing.T, dir string, args ...string) {
	t.Helper()
	if ok, out := gitIn(t, dir, args...); !ok {
		t.Fatalf("git %q: %s", args, out)
	}
}

// inMemory has the files of a test in memory, where there is such a place: each of
// the many that it makes is written to disk for good.
func inMemory(t *testing.T) {
	t.Helper()
	const shared = "/dev/shm"
	if dir, err := os.MkdirTemp(shared, "merge-test-"); err == nil {
		t.Cleanup(func() { os.RemoveAll(dir) })
		t.Setenv("TMPDIR", dir)
	}
}

// TestMergeInGit makes some of the random merges with git itself.
func TestMergeInGit(t *testing.T) {
	inMemory(t)
	dir := isolate(t)
	for name, value := range map[string]string{
		"GIT_CONFIG_GLOBAL": os.DevNull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CEILING_DIRECTORIES": dir, "GIT_AUTHOR_NAME": "alice", "GIT_AUTHOR_EMAIL": "alice@example.com",
		"GIT_COMMITTER_NAME": "alice", "GIT_COMMITTER_EMAIL": "alice@example.com",
	} {
		t.Setenv(name, value)
	}
	rules := "creation_rules: [{age: " + ageKey(t, agekey.GenerateClassicIdentity) + "}]\n"
	writeTestFile(t, ".sops.yaml", rules)
	clean := 0
	for seed := uint64(1000); seed < 1020 && !t.Failed(); seed++ {
		names := newMergeCase(seed).seal(t, dir)
		var versions [3]flatSecret
		var texts [3]string
		for i, name := range names {
			if texts[i] = readTestFile(t, name); texts[i] != "" {
				versions[i] = itemsOf(t, mustRun(t, texts[i], "unseal", "-"))
			}
		}
		repo := filepath.Join(dir, fmt.Sprint(seed))
		writeTestFile(t, filepath.Join(repo, ".sops.yaml"), rules)
		merged := mergeInGit(t, repo, texts)
		want, conflicts := byKey(versions[0], versions[1], versions[2])
		got := readTestFile(t, filepath.Join(repo, "db.yaml"))
		if merged != (len(conflicts) == 0) {
			t.Fatalf("seed %d: merged %v, with conflicts in %q", seed, merged, conflicts)
		}
		if !merged {
			checkRefused(t, outcome{code: 1}, texts, got)
			continue
		}
		clean++
		if diff := cmp.Diff(want, itemsOf(t, mustRun(t, got, "unseal", "-"))); diff != "" {
			t.Errorf("seed %d (-want +got):\n%s", seed, diff)
		}
	}
	if clean < 5 && !t.Failed() {
		t.Errorf("%d merges prove little", clean)
	}
}

// mergeInGit commits base, ours and theirs, and merges. It reports whether that
// went without a conflict.
func mergeInGit(t *testing.T, repo string, texts [3]string) bool {
	t.Helper()
	commit := func(text string) {
		t.Helper()
		if text != "" {
			writeTestFile(t, filepath.Join(repo, "db.yaml"), text)
		}
		mustGit(t, repo, "add", ".")
		mustGit(t, repo, "commit", "-q", "--allow-empty", "-m", "x")
	}
	mustGit(t, repo, "init", "-q", "-b", "main")
	mustGit(t, repo, "config", "merge.signet.driver", "signet merge-driver --marker-size %L --path=%P -- %O %A %B")
	writeTestFile(t, filepath.Join(repo, ".gitattributes"), "*.yaml merge=signet\n")
	commit(texts[0])
	mustGit(t, repo, "checkout", "-q", "-b", "side")
	commit(texts[2])
	mustGit(t, repo, "checkout", "-q", "main")
	commit(texts[1])
	ok, _ := gitIn(t, repo, "merge", "-q", "--no-edit", "side")
	return ok
}
