// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/base64"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/internal/merge3"
	"github.com/signet-secrets/signet/internal/testtool"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/manifest"
)

// flatSecret is a Secret as one map: "key a" is "text ..." or "binary ...", "label a",
// "annotation a" and "type" are texts.
type flatSecret map[string]string

// change makes one random change.
func (f flatSecret) change(r *rand.Rand) {
	one := func(all ...string) string { return all[r.IntN(len(all))] }
	key := "key " + one("a", "b", "password", "tls.crt", "tls.key", "user", "API_KEY", "x-y")
	switch r.IntN(14) {
	case 0, 1, 2, 3, 4:
		f[key] = "text " + one("", "v", "correct horse battery staple", "line\nline\n", "\n", "ENC[", "größer 🐎", "a=b", "absent", "<<<<<<< ours\n=======\n", strings.Repeat("y", 300))
	case 5, 6:
		f[key] = "binary " + one("\x00\xff", "key\x00store", "\x80")
	case 7, 8:
		delete(f, key)
	case 9:
		f["label "+one("app", "team")] = one("l-1", "l-2", "")
	case 10:
		delete(f, "label "+one("app", "team"))
	case 11:
		f["annotation note"] = one("N-1", "N-2", "")
	case 12:
		delete(f, "annotation note")
	case 13:
		f["type"] = one("Opaque", "example.org/one", "example.org/two")
	}
}

// manifest writes the Secret. A key that never changes gives SOPS something to
// encrypt.
func (f flatSecret) manifest(t *testing.T) string {
	t.Helper()
	s := &manifest.Secret{
		Name: "db", Namespace: "prod", Type: f["type"], Labels: map[string]string{}, Annotations: map[string]string{},
		Data: map[string][]byte{}, StringData: map[string]string{"fixed": "stays"},
	}
	for item, x := range f {
		kind, key, _ := strings.Cut(item, " ")
		form, value, _ := strings.Cut(x, " ")
		switch {
		case kind == "label":
			s.Labels[key] = x
		case kind == "annotation":
			s.Annotations[key] = x
		case kind == "key" && form == "text":
			s.StringData[key] = value
		case kind == "key":
			s.Data[key] = []byte(value)
		}
	}
	text, err := manifest.EncodeYAML(s.Node())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// itemsOf reads the only Secret in a stream.
func itemsOf(t *testing.T, text string) flatSecret {
	t.Helper()
	stream, err := manifest.Split([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, doc := range stream.Documents {
		node, objects, err := doc.Objects()
		if err != nil {
			t.Fatal(err)
		}
		if len(objects) != 1 || !objects[0].IsSecret() {
			continue
		}
		s, _, err := manifest.ParseSecret(node)
		if err != nil {
			t.Fatal(err)
		}
		return secretItems(s)
	}
	t.Fatalf("no Secret in\n%s", text)
	return nil
}

func secretItems(s *manifest.Secret) flatSecret {
	f := flatSecret{"type": s.Type}
	for key, x := range s.StringData {
		f["key "+key] = "text " + x
	}
	for key, x := range s.Data {
		f["key "+key] = "binary " + string(x)
	}
	for key, x := range s.Labels {
		f["label "+key] = x
	}
	for key, x := range s.Annotations {
		f["annotation "+key] = x
	}
	return f
}

// mergeCase is one random merge.
type mergeCase struct {
	sops, rotated, mixed bool
	base, ours, theirs   flatSecret // base is nil if both sides have made the document
}

func newMergeCase(seed uint64) mergeCase {
	r := rand.New(rand.NewPCG(seed, 11))
	c := mergeCase{sops: seed%4 == 3, rotated: seed%4 == 1, mixed: seed%5 == 0, base: flatSecret{"type": "Opaque"}}
	for range r.IntN(13) {
		c.base.change(r)
	}
	c.ours, c.theirs = maps.Clone(c.base), maps.Clone(c.base)
	for range r.IntN(3) { // the same on both sides
		same := r.Uint64()
		c.ours.change(rand.New(rand.NewPCG(same, 0)))
		c.theirs.change(rand.New(rand.NewPCG(same, 0)))
	}
	for range r.IntN(5) {
		c.ours.change(r)
	}
	for range r.IntN(5) {
		c.theirs.change(r)
	}
	if r.IntN(10) == 0 {
		c.base, c.mixed = nil, false // Git cannot merge other text without a base
	}
	return c
}

// seal writes the three versions as files: ours and theirs are sealed over base.
func (c mergeCase) seal(t *testing.T, dir string) (names [3]string) {
	t.Helper()
	base := ""
	for i, version := range []flatSecret{c.base, c.ours, c.theirs} {
		names[i] = dir + "/" + []string{"base", "ours", "theirs"}[i] + ".yaml"
		args := []string{"seal", "-", "-o", names[i]}
		if c.sops {
			args = append(args, "--as", "sops")
		}
		if c.rotated && i == 2 {
			args = append(args, "--fresh-key")
		}
		if version == nil {
			writeTestFile(t, names[i], "")
			continue
		}
		if base != "" {
			writeTestFile(t, names[i], base)
		} else if err := os.RemoveAll(names[i]); err != nil {
			t.Fatal(err)
		}
		mustRun(t, version.manifest(t), args...)
		if i == 0 {
			base = readTestFile(t, names[0])
		}
	}
	for i, name := range names {
		if text := readTestFile(t, name); c.mixed && text != "" {
			writeTestFile(t, name, fmt.Sprintf("apiVersion: v1\nkind: ConfigMap # plain\nmetadata: {name: other}\ndata:\n  theirs: %v\n---\n", i == 2)+text)
		}
	}
	return names
}

// TestMergeLikePlaintext protects people who edit one file on two branches: what
// comes of sealed documents is what would have come of the plaintext, and the stock
// sops opens it.
func TestMergeLikePlaintext(t *testing.T) {
	testtool.Path(t, "sops")
	inMemory(t)
	dir := isolate(t)
	for _, kv := range os.Environ() {
		if name, value, _ := strings.Cut(kv, "="); value == "" && strings.HasPrefix(name, "SOPS_") {
			unsetenv(t, name)
		}
	}
	writeTestFile(t, ".sops.yaml", "creation_rules: [{age: "+ageKey(t, agekey.GenerateClassicIdentity)+"}]\n")
	pairs, clean, added := 0, 0, 0
	for seed := uint64(1); pairs < 200 && !t.Failed(); seed++ {
		c := newMergeCase(seed)
		isClean := mergeLikePlaintext(t, dir, c)
		switch {
		case t.Failed():
			t.Logf("seed %d", seed)
		case c.base == nil:
			added++
			continue
		case isClean:
			clean++
		}
		pairs++
	}
	if !t.Failed() && (clean < 50 || clean > 150 || added < 10) {
		t.Errorf("%d pairs, of which %d merge, and %d without an ancestor prove little", pairs, clean, added)
	}
}

func mergeLikePlaintext(t *testing.T, dir string, c mergeCase) (clean bool) {
	t.Helper()
	names := c.seal(t, dir)
	var versions [3]flatSecret
	var texts [3]string
	for i, name := range names {
		if texts[i] = readTestFile(t, name); texts[i] != "" {
			versions[i] = itemsOf(t, mustRun(t, texts[i], "unseal", "-"))
		}
	}
	want, conflicts := byKey(versions[0], versions[1], versions[2])
	git, gitConflicts := likeGit(t, versions[0], versions[1], versions[2])
	if diff := cmp.Diff(conflicts, gitConflicts); diff != "" {
		t.Fatalf("the oracles disagree (-own +git):\n%s", diff)
	}
	o := runSignet(t, "", "merge-driver", "--path", "db.yaml", "--", names[0], names[1], names[2])
	merged := readTestFile(t, names[1])
	if c.base == nil && !maps.Equal(versions[1], versions[2]) {
		// Neither side can show that who sealed it could open the other.
		checkRefused(t, o, texts, merged)
		return false
	}
	if len(conflicts) > 0 {
		checkRefused(t, o, texts, merged)
		if diff := cmp.Diff(conflicts, namedConflicts(o.stderr)); diff != "" {
			t.Errorf("conflicts (-want +got):\n%s%s", diff, o.stderr)
		}
		return false
	}
	if o.code != 0 || o.stdout != "" {
		t.Errorf("exit %d\n%s%s", o.code, o.stdout, o.stderr)
		return false
	}
	got := itemsOf(t, mustRun(t, merged, "unseal", "-"))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("merged (-oracle +got):\n%s", diff)
	}
	if diff := cmp.Diff(git, got); diff != "" {
		t.Errorf("merged (-git +got):\n%s", diff)
	}
	if c.mixed && !strings.Contains(merged, "kind: ConfigMap # plain\nmetadata: {name: other}\ndata:\n  theirs: true\n---\n") {
		t.Errorf("what is not sealed:\n%s", merged)
	}
	checkStock(t, c, merged, got)
	return true
}

// checkRefused looks at what a conflict leaves behind.
func checkRefused(t *testing.T, o outcome, texts [3]string, left string) {
	t.Helper()
	f, ok := merge3.ParseConflict([]byte(left))
	if o.code != 1 || !ok {
		t.Fatalf("exit %d, conflict file: %v\n%s\n%s", o.code, ok, o.stderr, left)
	}
	if diff := cmp.Diff(texts, [3]string{string(f.Base), string(f.Ours), string(f.Theirs)}); diff != "" {
		t.Errorf("versions (-before +in the conflict file):\n%s", diff)
	}
	if again := runSignet(t, left, "unseal", "-"); again.code == 0 || again.stdout != "" {
		t.Errorf("the conflict file opens: exit %d", again.code)
	}
}

// checkStock opens the merged document with the stock sops.
func checkStock(t *testing.T, c mergeCase, merged string, want flatSecret) {
	t.Helper()
	if _, document, mixed := strings.Cut(merged, "\n---\n"); mixed {
		merged = document
	}
	if !c.sops {
		merged = envelopeOf(t, merged)
	}
	o := sopsDecrypt(t, merged)
	if o.code != 0 {
		t.Errorf("sops decrypt: exit %d\n%s", o.code, o.stderr)
		return
	}
	if c.sops {
		if diff := cmp.Diff(want, itemsOf(t, o.stdout)); diff != "" {
			t.Errorf("opened by sops (-want +got):\n%s", diff)
		}
		return
	}
	root := manifest.Root(parseDocument(t, o.stdout))
	got := flatSecret{"type": manifest.Get(root, "type").Value}
	for field, prefix := range map[string]string{"labels": "label ", "annotations": "annotation "} {
		for _, key := range manifest.Keys(manifest.Get(root, field)) {
			got[prefix+key] = manifest.Get(root, field, key).Value
		}
	}
	for _, key := range manifest.Keys(manifest.Get(root, "signet", "stringData")) {
		got["key "+key] = "text " + manifest.Get(root, "signet", "stringData", key).Value
	}
	for _, key := range manifest.Keys(manifest.Get(root, "signet", "data")) {
		data, err := base64.StdEncoding.DecodeString(manifest.Get(root, "signet", "data", key).Value)
		if err != nil {
			t.Error(err)
		}
		got["key "+key] = "binary " + string(data)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("opened by sops (-want +got):\n%s", diff)
	}
}
