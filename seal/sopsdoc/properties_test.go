// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
)

func TestNoncesNeverRepeat(t *testing.T) {
	c, err := NewCipher(keys.GenerateDataKey())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for range 5000 {
		long, err := c.EncryptSOPS([]byte("x"), TypeString, "a:")
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []Value{c.Encrypt([]byte("x"), TypeString, "a:"), long} {
			if seen[string(v.Nonce)] {
				t.Fatal("a nonce came twice")
			}
			seen[string(v.Nonce)] = true
		}
	}
}

// changedPaths returns the paths of the scalars that differ or are in one tree
// only, sorted.
func changedPaths(before, after *yaml.Node) []string {
	a, b := map[string]string{}, map[string]string{}
	var collect func(n *yaml.Node, at string, into map[string]string)
	collect = func(n *yaml.Node, at string, into map[string]string) {
		for _, c := range []string{n.HeadComment, n.LineComment, n.FootComment} {
			into[at+"#"] += c
		}
		if n.Kind == yaml.ScalarNode {
			into[at] = n.Value
		}
		for i, c := range n.Content {
			switch {
			case n.Kind != yaml.MappingNode:
				collect(c, fmt.Sprintf("%s/%d", at, i), into)
			case i%2 == 0:
				into[at+"/"+c.Value+"#"] += c.HeadComment + c.LineComment + c.FootComment
			default:
				collect(c, at+"/"+n.Content[i-1].Value, into)
			}
		}
	}
	collect(manifest.Root(before), "", a)
	collect(manifest.Root(after), "", b)
	changed := map[string]bool{}
	for _, m := range []map[string]string{a, b} {
		for at := range m {
			if a[at] != b[at] || (a[at] == "") != (b[at] == "") {
				changed[at] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(changed))
}

// TestSealEnvelopeChangesLittle protects invariant I6.
func TestSealEnvelopeChangesLittle(t *testing.T) {
	always := []string{"/sops/lastmodified", "/sops/mac"}
	password, user := "/signet/stringData/password", "/signet/stringData/username"
	tests := []struct {
		name string
		edit func(*Clear, *Content)
		want []string // beside always; nil: nothing at all changes
	}{
		{"nothing", func(*Clear, *Content) {}, nil},
		{"nil for empty maps", func(c *Clear, _ *Content) { c.Annotations = maps.Clone(c.Annotations) }, nil},
		{"a value", func(_ *Clear, c *Content) { c.StringData["password"] = "new" }, []string{password}},
		{"a value emptied", func(_ *Clear, c *Content) { c.StringData["password"] = "" }, []string{password}},
		{"an empty value filled", func(_ *Clear, c *Content) { c.StringData["empty"] = "x" }, []string{"/signet/stringData/empty"}},
		{"a binary value", func(_ *Clear, c *Content) { c.Data["cert"] = "AAAA" }, []string{"/signet/data/cert"}},
		{"values exchanged", func(_ *Clear, c *Content) {
			c.StringData["password"], c.StringData["username"] = c.StringData["username"], c.StringData["password"]
		}, []string{password, user}},
		{"a key added", func(_ *Clear, c *Content) { c.StringData["new"] = "x" }, []string{"/signet/binding", "/signet/stringData/new"}},
		{"a key added with a known value", func(_ *Clear, c *Content) { c.StringData["new"] = c.StringData["password"] }, []string{"/signet/binding", "/signet/stringData/new"}},
		{"a key removed", func(_ *Clear, c *Content) { delete(c.StringData, "password") }, []string{"/signet/binding", password}},
		{"a label", func(c *Clear, _ *Content) { c.Labels["app"] = "web" }, []string{"/labels/app", "/signet/binding"}},
		{"immutable", func(c *Clear, _ *Content) { c.Immutable = true }, []string{"/immutable", "/signet/binding"}},
		{"merge", func(c *Clear, _ *Content) { c.Merge = true }, []string{"/merge", "/signet/binding"}},
	}
	k := keys.GenerateDataKey()
	r := wrapFor(t, k, classicKeyFile)
	base := sealForTest(t, tamperClear(), tamperContent(), k, r, nil)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			clear, content := tamperClear(), tamperContent()
			test.edit(&clear, &content)
			later, err := SealEnvelope(clear, content, k, r, sealedAt.Add(time.Hour), &Previous{Envelope: base, Content: tamperContent()})
			if err != nil {
				t.Fatal(err)
			}
			want := test.want
			if want != nil {
				want = slices.Sorted(slices.Values(slices.Concat(want, always)))
			} else if later != base {
				t.Error("not the previous envelope")
			}
			if diff := cmp.Diff(want, changedPaths(base.Node(), later.Node())); diff != "" {
				t.Errorf("changed (-want +got):\n%s", diff)
			}
			checkNonces(t, base.Node(), later.Node())
			if got, err := openTree(later.Node(), k); err != nil || !got.Equal(content) {
				t.Errorf("does not open: %v", err)
			}
		})
	}
}

// TestSealEnvelopeAlso protects merges: what two versions under one data key have
// need not be encrypted anew, and no nonce serves two texts.
func TestSealEnvelopeAlso(t *testing.T) {
	k := keys.GenerateDataKey()
	r := wrapFor(t, k, classicKeyFile)
	version := func(edit func(*Clear, *Content), prev *Previous) Previous {
		clear, content := tamperClear(), tamperContent()
		edit(&clear, &content)
		return Previous{Envelope: sealForTest(t, clear, content, k, r, prev), Content: content}
	}
	base := version(func(*Clear, *Content) {}, nil)
	ours := version(func(_ *Clear, c *Content) { c.StringData["password"] = "ours" }, &base)
	theirs := version(func(c *Clear, content *Content) { c.Labels["app"], content.StringData["username"] = "web", "theirs" }, &base)
	also := ours
	also.Also = []Previous{theirs, base}
	merged := version(func(c *Clear, content *Content) {
		c.Labels["app"], content.StringData["password"], content.StringData["username"] = "web", "ours", "theirs"
	}, &also)
	for path, from := range map[string]*Envelope{
		"signet/stringData/password": ours.Envelope, "signet/stringData/username": theirs.Envelope,
		"signet/data/cert": base.Envelope, "signet/binding": theirs.Envelope, // which does not cover values
	} {
		if get(merged.Envelope.Node(), path).Value != get(from.Node(), path).Value {
			t.Errorf("%s was encrypted anew", path)
		}
	}
	checkNonces(t, base.Envelope.Node(), ours.Envelope.Node(), theirs.Envelope.Node(), merged.Envelope.Node())
	if got, err := openTree(merged.Envelope.Node(), k); err != nil || !got.Equal(merged.Content) {
		t.Errorf("does not open: %v", err)
	}
	again := version(func(c *Clear, content *Content) { c.Labels["app"], content.StringData["username"] = "web", "theirs" }, &also)
	if again.Envelope != theirs.Envelope || !also.Has(again.Envelope) || also.Has(merged.Envelope) {
		t.Error("what equals the other version is not that")
	}
	conflict := version(func(_ *Clear, c *Content) { c.StringData["password"] = tamperContent().StringData["password"] }, &also)
	if get(conflict.Envelope.Node(), "signet/stringData/password").Value != get(base.Envelope.Node(), "signet/stringData/password").Value {
		t.Error("the value of the base was encrypted anew")
	}
}

// checkNonces fails if a nonce stands at two paths, or with two ciphertexts.
func checkNonces(t *testing.T, trees ...*yaml.Node) {
	t.Helper()
	type use struct{ path, text string }
	seen := map[string]use{}
	var walk func(n *yaml.Node, at string)
	walk = func(n *yaml.Node, at string) {
		if v, err := ParseValue(n.Value); err == nil {
			u := use{at, n.Value}
			if old, ok := seen[string(v.Nonce)]; ok && old != u {
				t.Errorf("a nonce is used at %s and %s", old.path, at)
			}
			seen[string(v.Nonce)] = u
		}
		for i, c := range n.Content {
			if n.Kind == yaml.MappingNode && i%2 == 1 {
				walk(c, at+"/"+n.Content[i-1].Value)
			} else {
				walk(c, at)
			}
		}
	}
	for _, n := range trees {
		walk(n, "")
	}
}

// TestEncryptFileChangesLittle is the same for SOPS files.
func TestEncryptFileChangesLittle(t *testing.T) {
	const comment = "/stringData/password#"
	always := []string{"/sops/lastmodified", "/sops/mac"}
	tests := []struct {
		name, from, to string
		want           []string // beside always; nil: nothing at all changes
	}{
		{"nothing", "x", "x", nil},
		{"spelling of a number", "int: 5432", "int: 0x1538", nil},
		{"spelling of a time", "2026-01-31T09:30:00Z", "2026-01-31 09:30:00", nil},
		{"quotes", `"5432"`, "'5432'", nil},
		{"a value", canary + " user", "new", []string{"/stringData/username"}},
		{"a clear value", "namespace: prod", "namespace: dev", []string{"/metadata/namespace"}},
		{"a number to text", "int: 5432", `int: "5432"`, []string{"/data/int"}},
		{"an item", canary + " one", "new", []string{"/data/list/0"}},
		{"an item like another", canary + " one", canary + " two", []string{"/data/list/0", "/data/list/1"}}, // items share a place
		{"a comment", canary + " comment", "new comment", []string{comment}},
	}
	k := keys.GenerateDataKey()
	doc := tamperFile(t, k, false)
	prev, err := ParseFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			edited := parseDocuments(t, []byte(strings.Replace(tamperPlain, test.from, test.to, 1)))
			s := FileSettings{Recipients: prev.Metadata.Recipients, Selector: tamperSelector, Now: sealedAt.Add(time.Hour)}
			out, unchanged, err := EncryptFile(edited, k, s, &PreviousFile{File: prev, DataKey: k})
			if err != nil || unchanged != (test.want == nil) {
				t.Fatalf("unchanged %v, %v", unchanged, err)
			}
			if unchanged {
				return
			}
			want := slices.Sorted(slices.Values(slices.Concat(test.want, always)))
			if diff := cmp.Diff(want, changedPaths(doc, out[0])); diff != "" {
				t.Errorf("changed (-want +got):\n%s", diff)
			}
			plain, err := openFileTree(k, out[0])
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(flatten(t, edited), flatten(t, plain)); diff != "" {
				t.Errorf("other data (-want +got):\n%s", diff)
			}
		})
	}
}

// TestEncryptFileAlso is TestSealEnvelopeAlso for SOPS files.
func TestEncryptFileAlso(t *testing.T) {
	k := keys.GenerateDataKey()
	baseDoc := tamperFile(t, k, false)
	s := FileSettings{Selector: tamperSelector, Now: sealedAt}
	parse := func(doc *yaml.Node) *PreviousFile {
		f, err := ParseFile(doc)
		if err != nil {
			t.Fatal(err)
		}
		s.Recipients = f.Metadata.Recipients
		return &PreviousFile{File: f, DataKey: k}
	}
	base := parse(baseDoc)
	encrypt := func(prev *PreviousFile, edits ...string) *yaml.Node {
		docs := parseDocuments(t, []byte(strings.NewReplacer(edits...).Replace(tamperPlain)))
		out, unchanged, err := EncryptFile(docs, k, s, prev)
		if err != nil || unchanged {
			t.Fatalf("unchanged %v, %v", unchanged, err)
		}
		return out[0]
	}
	user, item := canary+" user", canary+" one"
	ours, theirs := encrypt(base, user, "ours"), encrypt(base, item, "theirs")
	also := parse(ours)
	other := parse(theirs)
	foreign := &PreviousFile{File: other.File, DataKey: keys.GenerateDataKey()} // of no use, and no obstacle
	also.Also = []*PreviousFile{foreign, other, base}
	merged := encrypt(also, user, "ours", item, "theirs")
	if diff := cmp.Diff([]string{"/data/list/0", "/sops/mac"}, changedPaths(ours, merged)); diff != "" {
		t.Errorf("beside ours (-want +got):\n%s", diff)
	}
	first := func(doc *yaml.Node) string { return manifest.Get(manifest.Root(doc), "data", "list").Content[0].Value }
	if first(merged) != first(theirs) {
		t.Error("the item of theirs was encrypted anew")
	}
	checkNonces(t, baseDoc, ours, theirs, merged)
	if _, err := openFileTree(k, merged); err != nil {
		t.Error(err)
	}
}

// TestEncryptFileOtherWraps protects a wrapping that was made anew for the same
// keys: it must not pass for nothing.
func TestEncryptFileOtherWraps(t *testing.T) {
	k := keys.GenerateDataKey()
	docs := parseDocuments(t, []byte(tamperPlain))
	s := FileSettings{Recipients: wrapFor(t, k, classicKeyFile), Selector: tamperSelector, Now: sealedAt}
	out, _, err := EncryptFile(docs, k, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	f, err := ParseFile(out...)
	if err != nil {
		t.Fatal(err)
	}
	for _, again := range []bool{false, true} {
		if again {
			s.Recipients = wrapFor(t, k, classicKeyFile)
		}
		if _, unchanged, err := EncryptFile(docs, k, s, &PreviousFile{File: f, DataKey: k}); err != nil || unchanged == again {
			t.Errorf("wrapped again %v: unchanged %v, %v", again, unchanged, err)
		}
	}
}

// TestEncryptFileOtherKey protects against values of two data keys in one file.
func TestEncryptFileOtherKey(t *testing.T) {
	k, other := keys.GenerateDataKey(), keys.GenerateDataKey()
	prev, err := ParseFile(tamperFile(t, k, false))
	if err != nil {
		t.Fatal(err)
	}
	docs := parseDocuments(t, []byte(tamperPlain))
	s := FileSettings{Recipients: prev.Metadata.Recipients, Selector: tamperSelector, Now: sealedAt}
	out, unchanged, err := EncryptFile(docs, other, s, &PreviousFile{File: prev, DataKey: k})
	if err != nil || unchanged {
		t.Fatalf("unchanged %v, %v", unchanged, err)
	}
	if _, err := openFileTree(other, out...); err != nil {
		t.Error(err)
	}
}

// TestConcurrentUse needs -race to say much.
func TestConcurrentUse(t *testing.T) {
	base, _, k := tamperPair(t)
	envelope, err := ParseEnvelope(base.Node())
	if err != nil {
		t.Fatal(err)
	}
	file, err := ParseFile(tamperFile(t, k, false))
	if err != nil {
		t.Fatal(err)
	}
	docs := parseDocuments(t, []byte(tamperPlain))
	s := FileSettings{Recipients: file.Metadata.Recipients, Selector: tamperSelector, Now: sealedAt}
	c, err := NewCipher(k)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			content, err := envelope.Open(k)
			if err != nil {
				t.Error(err)
			}
			if _, err := SealEnvelope(envelope.Clear, Content{}, k, envelope.Metadata.Recipients, sealedAt, &Previous{Envelope: envelope, Content: content}); err != nil {
				t.Error(err)
			}
			encodeYAML(t, envelope.Node())
			if _, err := file.Decrypt(k); err != nil {
				t.Error(err)
			}
			if _, _, err := EncryptFile(docs, k, s, &PreviousFile{File: file, DataKey: k}); err != nil {
				t.Error(err)
			}
			if _, err := c.Decrypt(c.Encrypt([]byte("x"), TypeString, "a:"), "a:"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
