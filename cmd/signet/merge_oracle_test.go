// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// byKey is the oracle that needs no other program: item by item.
func byKey(base, ours, theirs flatSecret) (merged flatSecret, conflicts []string) {
	merged = flatSecret{}
	for _, item := range unionOf(base, ours, theirs) {
		get := func(f flatSecret) string {
			if x, ok := f[item]; ok {
				return "is " + x
			}
			return "absent"
		}
		b, o, t := get(base), get(ours), get(theirs)
		if o == b {
			o = t
		} else if t != b && t != o {
			conflicts = append(conflicts, item)
		}
		if x, ok := strings.CutPrefix(o, "is "); ok {
			merged[item] = x
		}
	}
	return merged, conflicts
}

func unionOf(all ...flatSecret) []string {
	union := map[string]bool{}
	for _, f := range all {
		for item := range f {
			union[item] = true
		}
	}
	return slices.Sorted(maps.Keys(union))
}

// likeGit is the other oracle: Git merges the plaintext, written so that changes of
// two items never touch.
func likeGit(t *testing.T, base, ours, theirs flatSecret) (merged flatSecret, conflicts []string) {
	t.Helper()
	all := unionOf(base, ours, theirs)
	dir := t.TempDir()
	var names []string
	for i, f := range []flatSecret{ours, base, theirs} {
		var b strings.Builder
		for _, item := range all {
			value := "absent"
			if x, ok := f[item]; ok {
				value = "is " + base64.StdEncoding.EncodeToString([]byte(x))
			}
			fmt.Fprintf(&b, "== %s\n%s\n%s", item, value, strings.Repeat("-- "+item+"\n", 5))
		}
		names = append(names, fmt.Sprint(dir, "/", i))
		writeTestFile(t, names[i], b.String())
	}
	out, err := exec.Command("git", append([]string{"merge-file", "-p", "-q"}, names...)...).Output()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	merged = flatSecret{}
	for block := range strings.SplitSeq(string(out), "== ") {
		item, rest, ok := strings.Cut(block, "\n")
		value, _, _ := strings.Cut(rest, "\n")
		switch {
		case !ok:
		case strings.HasPrefix(value, "<<<<<<<"):
			conflicts = append(conflicts, item)
		case strings.HasPrefix(value, "is "):
			x, err := base64.StdEncoding.DecodeString(value[3:])
			if err != nil {
				t.Fatal(err)
			}
			merged[item] = string(x)
		}
	}
	if (err == nil) != (len(conflicts) == 0) {
		t.Fatalf("git merge-file: %v with conflicts in %q", err, conflicts)
	}
	return merged, conflicts
}

// namedConflicts are the items that the error of a merge names.
func namedConflicts(stderr string) []string {
	var all []string
	for line := range strings.Lines(stderr) {
		_, text, ok := strings.Cut(line, ": merge: conflict: ")
		if !ok || !strings.HasPrefix(line, "signet: error: ") {
			continue
		}
		for part := range strings.SplitSeq(strings.TrimSpace(text), "; ") {
			names, _, _ := strings.Cut(part, " (")
			for name := range strings.SplitSeq(names, ", ") {
				all = append(all, itemNamed(strings.TrimPrefix(name, "metadata.")))
			}
		}
	}
	slices.Sort(all)
	return all
}

func itemNamed(name string) string {
	for _, kind := range []string{"label", "annotation"} {
		if key, ok := strings.CutPrefix(name, kind+"s."); ok {
			return kind + " " + key
		}
	}
	if name == "type" {
		return name
	}
	return "key " + name
}
