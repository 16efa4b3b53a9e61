// SPDX-License-Identifier: Apache-2.0

package merge3

import (
	"encoding/base64"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// seeds runs a test for 1 to n, or for the one seed in $MERGE_SEED, and for one
// that differs from run to run.
func seeds(t *testing.T, n uint64, run func(t *testing.T, seed uint64)) {
	if text := os.Getenv("MERGE_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		run(t, seed)
		return
	}
	for seed := uint64(1); seed <= n && !t.Failed(); seed++ {
		run(t, seed)
		if t.Failed() {
			t.Logf("to repeat it: MERGE_SEED=%d", seed)
		}
	}
}

// flat is a version as one map: "key a", "label a", "type" and so on.
type flat map[string]string

func flatten(v Version) flat {
	f := flat{"type": v.Clear.Type, "scope": v.Clear.Scope.String(), "immutable": fmt.Sprint(v.Clear.Immutable), "merge": fmt.Sprint(v.Clear.Merge)}
	for k, x := range v.Content.StringData {
		f["key "+k] = "text " + x
	}
	for k, x := range v.Content.Data {
		f["key "+k] = "binary " + x
	}
	for k, x := range v.Clear.Labels {
		f["label "+k] = x
	}
	for k, x := range v.Clear.Annotations {
		f["annotation "+k] = x
	}
	return f
}

func (f flat) version() Version {
	v := Version{}
	for item, x := range f {
		kind, key, _ := strings.Cut(item, " ")
		switch kind {
		case "key":
			form, value, _ := strings.Cut(x, " ")
			set(map[string]*map[string]string{"text": &v.Content.StringData, "binary": &v.Content.Data}[form], key+"="+value)
		case "label":
			set(&v.Clear.Labels, key+"="+x)
		case "annotation":
			set(&v.Clear.Annotations, key+"="+x)
		case "type":
			v.Clear.Type = x
		case "scope":
			v.Clear.Scope.Namespace, v.Clear.Scope.Name, _ = strings.Cut(x, "/")
		case "immutable":
			v.Clear.Immutable = x == "true"
		case "merge":
			v.Clear.Merge = x == "true"
		}
	}
	return v
}

// itemOf returns the key in a flat version that a conflict is about.
func itemOf(c Conflict) string {
	switch {
	case c.Key != "":
		return "key " + c.Key
	case c.At[0] == "labels" || c.At[0] == "annotations":
		return strings.TrimSuffix(c.At[0], "s") + " " + c.At[1]
	}
	return c.At[0]
}

func randomOf[T any](r *rand.Rand, all ...T) T { return all[r.IntN(len(all))] }

func randomValue(r *rand.Rand) string {
	if r.IntN(3) == 0 {
		return "binary " + base64.StdEncoding.EncodeToString([]byte(randomOf(r, "", "\x00\xff", "x", "key\x00store")))
	}
	return "text " + randomOf(r, "", "x", "correct horse battery staple", "line\nline\n", "\n", "ENC[AES256_GCM,data:", "größer 🐎", "a=b", "absent", "<<<<<<< ours\n=======\n", strings.Repeat("x", 300))
}

func randomKey(r *rand.Rand) string {
	return randomOf(r, "a", "b", "password", "tls.crt", "tls.key", "user", "API_KEY", "x-y")
}

// change makes one change to f.
func (f flat) change(r *rand.Rand) {
	key := "key " + randomKey(r)
	label, annotation := "label "+randomOf(r, "app", "team"), "annotation "+randomOf(r, "note", "a/b")
	switch r.IntN(16) {
	case 0, 1, 2, 3, 4:
		f[key] = randomValue(r)
	case 5, 6:
		delete(f, key)
	case 7: // text becomes binary
		if x, ok := strings.CutPrefix(f[key], "text "); ok {
			f[key] = "binary " + base64.StdEncoding.EncodeToString([]byte(x))
		}
	case 8, 9:
		f[label] = randomOf(r, "x", "y", "")
	case 10:
		delete(f, label)
	case 11:
		f[annotation] = randomOf(r, "x", "y\nz", "")
	case 12:
		delete(f, annotation)
	case 13:
		f["type"] = randomOf(r, "Opaque", "kubernetes.io/tls", "kubernetes.io/basic-auth")
	case 14:
		f["scope"] = randomOf(r, "prod/db", "prod/*", "*/*")
	case 15:
		what := randomOf(r, "immutable", "merge")
		other := map[string]string{"immutable": "merge", "merge": "immutable"}[what]
		f[what], f[other] = randomOf(r, "true", "false"), "false"
	}
}

// randomVersions returns a base, nil for one seed in eight, and two versions.
func randomVersions(r *rand.Rand) (base, ours, theirs flat) {
	base = flat{"type": "Opaque", "scope": "prod/db", "immutable": "false", "merge": "false"}
	for range r.IntN(13) {
		base["key "+randomKey(r)] = randomValue(r)
	}
	for range r.IntN(4) {
		base.change(r)
	}
	ours, theirs = maps.Clone(base), maps.Clone(base)
	for range r.IntN(3) { // the same on both sides
		seed := r.Uint64()
		ours.change(rand.New(rand.NewPCG(seed, 0)))
		theirs.change(rand.New(rand.NewPCG(seed, 0)))
	}
	for range r.IntN(6) {
		ours.change(r)
	}
	for range r.IntN(6) {
		theirs.change(r)
	}
	if r.IntN(8) == 0 {
		base = nil
	}
	return base, ours, theirs
}

// oracle merges flat versions item by item.
func oracle(base, ours, theirs flat) (merged flat, conflicts []string) {
	merged = maps.Clone(ours)
	for item := range theirs {
		if _, ok := merged[item]; !ok {
			merged[item] = ""
		}
	}
	for item := range merged {
		get := func(f flat) string {
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
		if o == "absent" {
			delete(merged, item)
		} else {
			merged[item] = strings.TrimPrefix(o, "is ")
		}
	}
	return merged, reachConflicts(base, ours, theirs, merged, conflicts)
}

// reachConflicts adds the fields that no side decides alone where both have changed
// something, and gives merged those of ours.
func reachConflicts(base, ours, theirs, merged flat, conflicts []string) []string {
	differs := func(item string) bool { return ours[item] != theirs[item] }
	fields := []string{"merge", "scope"}
	if differs("merge") && differs("immutable") {
		fields = append(fields, "immutable")
	}
	mixed := !maps.Equal(ours, theirs) && (base == nil || !maps.Equal(ours, base) && !maps.Equal(theirs, base))
	for _, item := range fields {
		if mixed && differs(item) {
			merged[item], conflicts = ours[item], append(conflicts, item)
		}
	}
	slices.Sort(conflicts)
	return slices.Compact(conflicts)
}

func merge(base, ours, theirs flat) (flat, []string, Version) {
	var b *Version
	if base != nil {
		v := base.version()
		b = &v
	}
	merged, conflicts := Secrets(b, ours.version(), theirs.version())
	var items []string
	for _, c := range conflicts {
		items = append(items, itemOf(c))
	}
	slices.Sort(items)
	return flatten(merged), items, merged
}

func TestSecretsLikeOracle(t *testing.T) {
	seeds(t, 2000, func(t *testing.T, seed uint64) {
		base, ours, theirs := randomVersions(rand.New(rand.NewPCG(seed, 1)))
		want, wantConflicts := oracle(base, ours, theirs)
		got, conflicts, _ := merge(base, ours, theirs)
		if diff := diffOf(want, got); diff != "" {
			t.Errorf("merged (-want +got):\n%s", diff)
		}
		if diff := diffOf(wantConflicts, conflicts); diff != "" {
			t.Errorf("conflicts (-want +got):\n%s", diff)
		}
	})
}

// Git merges the same, given a text in which every item has lines of its own.
func TestSecretsLikeGit(t *testing.T) {
	seeds(t, 200, func(t *testing.T, seed uint64) {
		base, ours, theirs := randomVersions(rand.New(rand.NewPCG(seed, 1)))
		union := map[string]struct{}{}
		for _, f := range []flat{base, ours, theirs} {
			for item := range f {
				union[item] = struct{}{}
			}
		}
		items := slices.Sorted(maps.Keys(union))
		text, _ := gitMerge(t, render(base, items), render(ours, items), render(theirs, items))
		want, wantConflicts := readBlocks(string(text), ours)
		wantConflicts = reachConflicts(base, ours, theirs, want, wantConflicts) // lines know nothing of that
		got, conflicts, _ := merge(base, ours, theirs)
		if diff := diffOf(want, got); diff != "" {
			t.Errorf("merged (-want +got):\n%s", diff)
		}
		if diff := diffOf(wantConflicts, conflicts); diff != "" {
			t.Errorf("conflicts (-want +got):\n%s", diff)
		}
	})
}

// render writes one block for each item, with so many lines that changes in two
// of them never touch.
func render(f flat, items []string) []byte {
	var b strings.Builder
	for _, item := range items {
		value := "absent"
		if x, ok := f[item]; ok {
			value = "is " + base64.StdEncoding.EncodeToString([]byte(x))
		}
		fmt.Fprintf(&b, "== %s\n%s\n", item, value)
		for i := range 5 {
			fmt.Fprintf(&b, "-- %s %d\n", item, i)
		}
	}
	return []byte(b.String())
}

// readBlocks reads what Git made of rendered versions.
func readBlocks(text string, ours flat) (merged flat, conflicts []string) {
	merged = flat{}
	for block := range strings.SplitSeq(text, "== ") {
		item, rest, ok := strings.Cut(block, "\n")
		if !ok {
			continue
		}
		if strings.HasPrefix(rest, "<<<<<<<") {
			conflicts = append(conflicts, item)
			if x, ok := ours[item]; ok {
				merged[item] = x
			}
			continue
		}
		value, _, _ := strings.Cut(rest, "\n")
		if encoded, ok := strings.CutPrefix(value, "is "); ok {
			x, err := base64.StdEncoding.DecodeString(encoded)
			if err != nil {
				panic(err)
			}
			merged[item] = string(x)
		}
	}
	slices.Sort(conflicts)
	return merged, conflicts
}

// What must hold for any versions.
func TestSecretsProperties(t *testing.T) {
	seeds(t, 2000, func(t *testing.T, seed uint64) {
		base, ours, theirs := randomVersions(rand.New(rand.NewPCG(seed, 1)))
		if base == nil {
			base = flat{"type": "Opaque", "scope": "prod/db", "immutable": "false", "merge": "false"}
		}
		check := func(what string, want, base, ours, theirs flat) {
			got, conflicts, _ := merge(base, ours, theirs)
			if diff := diffOf(want, got); diff != "" || len(conflicts) > 0 {
				t.Errorf("%s: conflicts %v (-want +got)\n%s", what, conflicts, diff)
			}
		}
		check("theirs is base", ours, base, ours, base)
		check("ours is base", theirs, base, base, theirs)
		check("both alike", ours, base, ours, ours)
		check("both alike, no base", ours, nil, ours, ours)

		merged, conflicts, v := merge(base, ours, theirs)
		other, swapped, _ := merge(base, theirs, ours)
		if diff := diffOf(conflicts, swapped); diff != "" {
			t.Errorf("conflicts with the sides swapped (-want +got):\n%s", diff)
		}
		if diff := diffOf(merged, other); diff != "" && len(conflicts) == 0 {
			t.Errorf("merged with the sides swapped (-want +got):\n%s", diff)
		}
		taken := takeAll(base.version(), ours.version(), theirs.version(), v)
		if diff := diffOf(other, flatten(taken)); diff != "" {
			t.Errorf("with all conflicts taken from theirs, and sides swapped (-swapped +taken):\n%s", diff)
		}
	})
}

func takeAll(base, ours, theirs, merged Version) Version {
	_, conflicts := Secrets(&base, ours, theirs)
	for _, c := range conflicts {
		c.Take(&merged, theirs)
	}
	return merged
}

// The maps of the result are its own.
func TestSecretsCopies(t *testing.T) {
	base, ours, theirs := makeVersion("a=1", "label a=1"), makeVersion("a=2", "b:AA==", "label a=1"), makeVersion("a=1", "label a=2", "annotation c=1")
	before := []flat{flatten(base), flatten(ours), flatten(theirs)}
	merged, _ := Secrets(&base, ours, theirs)
	for _, m := range []map[string]string{merged.Content.Data, merged.Content.StringData, merged.Clear.Labels, merged.Clear.Annotations} {
		if len(m) == 0 {
			t.Fatal("an empty map proves nothing")
		}
		for k := range m {
			m[k] = "changed"
		}
	}
	if diff := diffOf(before, []flat{flatten(base), flatten(ours), flatten(theirs)}); diff != "" {
		t.Error(diff)
	}
	if merged.Clear.Scope != (sopsdoc.Scope{Namespace: "prod", Name: "db"}) {
		t.Errorf("scope %v", merged.Clear.Scope)
	}
}

// diffOf is cmp.Diff, fast where nothing differs.
func diffOf[T any](want, got T) string {
	if reflect.DeepEqual(want, got) {
		return ""
	}
	return cmp.Diff(want, got)
}
