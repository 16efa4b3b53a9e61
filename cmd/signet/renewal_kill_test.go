// SPDX-License-Identifier: Apache-2.0

package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A run of rewrap or rotate that is killed at any moment leaves every file old or
// new; the next one does exactly the rest.
func TestRenewalKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("kills the program 40 times")
	}
	for _, row := range []struct {
		name string
		args func(before string) []string
	}{
		{"rewrap", func(string) []string { return []string{"rewrap", "files"} }},
		{"rotate", func(before string) []string { return []string{"rotate", "--before", before, "files"} }},
	} {
		t.Run(row.name, func(t *testing.T) {
			k := newKiller(t, "seal", "-i", "files")
			killDir().write(t, k.dir)
			k.whole(t)
			sealed := readTree(t, k.dir)
			before := time.Now().UTC().Truncate(time.Second).Add(time.Second)
			eventually(t, "the next second", func() bool { return time.Now().After(before) })
			rules := filepath.Join(filepath.Dir(k.dir), ".sops.yaml")
			writeTestFile(t, rules, strings.TrimSuffix(readTestFile(t, rules), "\n")+","+newKeyFile(t).recipient+"\n")
			k.args = row.args(before.Format(time.RFC3339))
			k.finishes(t, 20, sealed)
		})
	}
}

// finishes kills the program n times and each time lets another run finish what
// the first has left.
func (k *killer) finishes(t *testing.T, n int, old fileSet) {
	t.Helper()
	names := secretNames(old)
	old.write(t, k.dir)
	k.secrets = k.opened(t, "files")
	k.whole(t)
	partly, took := 0, k.took
	for i := range n {
		k.took = took // not that of a run over the rest
		old.write(t, k.dir)
		k.killAtRandom(t, i, names)
		done := k.check(t, old, false)
		if done.replaced > 0 && done.replaced < len(names) {
			partly++
		}
		was := map[string]uint64{}
		for _, name := range names {
			was[name] = inode(filepath.Join(k.dir, name))
		}
		left := readTree(t, k.dir)
		k.whole(t)
		if s := k.check(t, old, false); s.replaced != len(names) {
			t.Errorf("the run after a kill left %d of %d files", len(names)-s.replaced, len(names))
		}
		for _, name := range names {
			if again := inode(filepath.Join(k.dir, name)) != was[name]; again != (left[name] == old[name]) {
				t.Errorf("%s: done before the kill: %v, written again: %v", name, left[name] != old[name], again)
			}
		}
		if t.Failed() {
			t.Fatalf("after run %d", i)
		}
	}
	t.Logf("%d kills, %d with a part of the files renewed; a whole run takes %v", n, partly, k.took.Round(time.Millisecond))
}
