// SPDX-License-Identifier: Apache-2.0

package gitrepo

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// versions returns "path=text" of every version, sorted, each once.
func versions(t *testing.T, r *Repo, paths ...string) []string {
	t.Helper()
	b, err := r.Blobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	var all []string
	for v, err := range r.History(t.Context(), paths...) {
		if err != nil {
			t.Fatal(err)
		}
		if !isOID(v.Commit) || !v.Time.Equal(time.Date(2026, 1, 31, 9, 30, 0, 0, time.UTC)) {
			t.Errorf("%+v", v)
		}
		text := []byte("(removed)")
		if v.OID != "" {
			if text, err = b.Read(v.OID, 1<<20); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, fmt.Sprintf("%s=%s", v.Path, text))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// TestHistory protects the answer to the question what somebody could read: no
// version may be missed, whatever branch or merge it is in.
func TestHistory(t *testing.T) {
	r := newRepo(t)
	if got := versions(t, r); got != nil {
		t.Errorf("before the first commit: %q", got)
	}
	commit(t, r, "a", "one", "dir/b", "b")
	git(t, r.Root(), "checkout", "-q", "-b", "side")
	commit(t, r, "a", "side")
	git(t, r.Root(), "checkout", "-q", "main")
	commit(t, r, "a", "two")
	if out, err := r.Command(t.Context(), "merge", "side").CombinedOutput(); err == nil {
		t.Fatalf("no conflict: %s", out)
	}
	commit(t, r, "a", "only in the merge", "new", "new in the merge")
	commit(t, r, "a", "three")
	git(t, r.Root(), "rm", "-q", "dir/b")
	commit(t, r)
	git(t, r.Root(), "checkout", "-q", "-b", "lost", "main~1")
	commit(t, r, "a", "on a branch only")
	git(t, r.Root(), "tag", "kept")
	git(t, r.Root(), "checkout", "-q", "main")
	git(t, r.Root(), "branch", "-q", "-D", "lost")
	want := []string{"a=on a branch only", "a=one", "a=only in the merge", "a=side", "a=three", "a=two", "dir/b=(removed)", "dir/b=b", "new=new in the merge"}
	if diff := cmp.Diff(want, versions(t, r)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"dir/b=(removed)", "dir/b=b"}, versions(t, r, "dir")); diff != "" {
		t.Errorf("of a folder (-want +got):\n%s", diff)
	}
	seen := 0
	for range r.History(t.Context()) {
		if seen++; seen == 2 {
			break
		}
	}
	if seen != 2 {
		t.Errorf("stopped after %d", seen)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	failed := false
	for _, err := range r.History(ctx) {
		failed = err != nil
	}
	if !failed {
		t.Error("an interrupted run looks complete")
	}
}
