// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
)

// edit changes the root of a document.
type edit func(root *yaml.Node)

// tamper is a change that must be noticed, and where.
type tamper struct {
	name string
	edit edit
	kind string // of the error
	path string // in the error
}

func path(s string) []string { return strings.Split(s, "/") }

// at calls f with the mapping that holds the last key of p, and that key.
func at(p string, f func(parent *yaml.Node, key string)) edit {
	return func(root *yaml.Node) {
		keys := path(p)
		parent := root
		for _, k := range keys[:len(keys)-1] {
			if parent = child(parent, k); parent == nil {
				panic("no " + p)
			}
		}
		f(parent, keys[len(keys)-1])
	}
}

// child is manifest.Get that also takes the index of a list.
func child(n *yaml.Node, key string) *yaml.Node {
	if n.Kind != yaml.SequenceNode {
		return manifest.Get(n, key)
	}
	var i int
	if _, err := fmt.Sscanf(key, "%d", &i); err != nil || i >= len(n.Content) {
		return nil
	}
	return n.Content[i]
}

func set(p, value string) edit { return setNode(p, manifest.String(value)) }

func setNode(p string, v *yaml.Node) edit {
	return at(p, func(parent *yaml.Node, key string) { manifest.Set(parent, key, v) })
}

// raw parses YAML in flow style.
func raw(p, text string) edit {
	return func(root *yaml.Node) {
		n, err := manifest.Parse([]byte(text))
		if err != nil {
			panic(err)
		}
		setNode(p, manifest.Root(n))(root)
	}
}

func remove(p string) edit {
	return at(p, func(parent *yaml.Node, key string) {
		if !manifest.Delete(parent, key) {
			panic("no " + p)
		}
	})
}

func rename(p, to string) edit {
	return at(p, func(parent *yaml.Node, key string) {
		i := slices.Index(manifest.Keys(parent), key)
		parent.Content[2*i] = manifest.String(to)
	})
}

// replace changes the text of a value, which must have it.
func replace(p, from, to string) edit {
	return func(root *yaml.Node) {
		v := get(root, p)
		if !strings.Contains(v.Value, from) {
			panic(p + " has no " + from)
		}
		set(p, strings.Replace(v.Value, from, to, 1))(root)
	}
}

func get(root *yaml.Node, p string) *yaml.Node {
	for _, k := range path(p) {
		if root = child(root, k); root == nil {
			panic("no " + p)
		}
	}
	return root
}

func copyFrom(p, from string) edit {
	return func(root *yaml.Node) { setNode(p, manifest.Clone(get(root, from)))(root) }
}

func swap(a, b string) edit {
	return func(root *yaml.Node) {
		x, y := get(root, a), get(root, b)
		setNode(a, y)(root)
		setNode(b, x)(root)
	}
}

func all(edits ...edit) edit {
	return func(root *yaml.Node) {
		for _, e := range edits {
			e(root)
		}
	}
}

// part changes the bytes of the data, iv or tag of an encrypted value.
func part(p, name string, f func([]byte) []byte) edit {
	return func(root *yaml.Node) {
		text := get(root, p).Value
		_, rest, _ := strings.Cut(text, name+":")
		old, _, _ := strings.Cut(rest, ",")
		b, err := base64.StdEncoding.DecodeString(old)
		if err != nil {
			panic(err)
		}
		replace(p, name+":"+old, name+":"+base64.StdEncoding.EncodeToString(f(b)))(root)
	}
}

func flip(b []byte) []byte   { b[0] ^= 1; return b }
func short1(b []byte) []byte { return b[:len(b)-1] }

// tamperContent is what the envelopes of the tables hold.
func tamperContent() Content {
	return Content{
		Data: map[string]string{
			"cert":  base64.StdEncoding.EncodeToString([]byte(canary + " cert")),
			"store": base64.StdEncoding.EncodeToString([]byte(canary + " store")),
		},
		StringData: map[string]string{"empty": "", "password": canary + " password", "port": "5432", "username": canary + " user"},
	}
}

func tamperClear() Clear {
	return Clear{
		Annotations: map[string]string{"example.com/a": "ab", "example.com/b": "cd", "example.com/c": ""},
		Labels:      map[string]string{"app": "db", "tier": "back"},
		Scope:       Scope{Namespace: "prod", Name: "db"},
		Type:        "kubernetes.io/basic-auth",
	}
}

// fakeKMS is an entry that no test unwraps.
var fakeKMS = keys.KMSEntry{
	ARN:       "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
	Context:   map[string]string{"kubernetes-namespace": "prod", "kubernetes-name": "db"},
	CreatedAt: "2026-01-31T09:30:00Z",
	Enc:       "bm90IGEgcmVhbCB3cmFwcGVkIGtleQ==",
}

// tamperPair returns two envelopes of different Secrets under one data key and
// the same recipients: what an attacker has who saw many.
func tamperPair(tb testing.TB) (base, other *Envelope, k keys.DataKey) {
	tb.Helper()
	k = keys.GenerateDataKey()
	r := oneTimed(wrapFor(tb, k, classicKeyFile, hybridKeyFile))
	r.Groups[0] = append(r.Groups[0], fakeKMS)
	base = sealForTest(tb, tamperClear(), tamperContent(), k, r, nil)
	clear, content := tamperClear(), tamperContent()
	clear.Scope.Name = "other"
	for key := range content.StringData {
		content.StringData[key] = canary + " of the other"
	}
	return base, sealForTest(tb, clear, content, k, r, nil), k
}

// openTree parses and opens the envelope at root.
func openTree(root *yaml.Node, k keys.DataKey) (Content, error) {
	e, err := ParseEnvelope(root)
	if err != nil {
		return Content{}, err
	}
	return e.Open(k)
}

// TestEnvelopeNoticesTampering protects the core promise: whoever changes
// anything without the data key gets nothing out, and the error names the place.
func TestEnvelopeNoticesTampering(t *testing.T) {
	base, other, k := tamperPair(t)
	for _, c := range envelopeTampers(other.Node()) {
		t.Run(c.name, func(t *testing.T) {
			root := base.Node()
			c.edit(root)
			got, err := openTree(root, k)
			if kind, path := errorAt(err); kind != c.kind || path != c.path {
				t.Errorf("got %s at %q, want %s at %q: %v", kind, path, c.kind, c.path, err)
			}
			if got.Data != nil || got.StringData != nil {
				t.Error("content came out together with the error")
			}
			checkNoLeak(t, err)
		})
	}
}

// TestMergeMarkIsUnderSeal protects the owner of a document against its use as
// an addition, and the other way round.
func TestMergeMarkIsUnderSeal(t *testing.T) {
	k := keys.GenerateDataKey()
	clear := tamperClear()
	clear.Merge = true
	base := sealForTest(t, clear, tamperContent(), k, wrapFor(t, k, classicKeyFile), nil)
	if got, err := openTree(base.Node(), k); err != nil || !got.Equal(tamperContent()) {
		t.Fatalf("as sealed: %v", err)
	}
	for _, c := range mergeTampers() {
		t.Run(c.name, func(t *testing.T) {
			root := base.Node()
			c.edit(root)
			_, err := openTree(root, k)
			if kind, path := errorAt(err); kind != c.kind || path != c.path {
				t.Errorf("got %s at %q, want %s at %q: %v", kind, path, c.kind, c.path, err)
			}
			checkNoLeak(t, err)
		})
	}
	t.Run("the MAC alone", func(t *testing.T) {
		without := clear
		without.Merge = false
		if macOf(clear) == macOf(without) {
			t.Error("the MAC does not cover merge")
		}
	})
}

// macOf returns what the MAC of a document with these clear fields is over.
func macOf(c Clear) string { return c.fields(nil, nil).mac("", Content{}).sum() }

// TestImmutableMergeIsNotSealed protects the Secrets of others.
func TestImmutableMergeIsNotSealed(t *testing.T) {
	k := keys.GenerateDataKey()
	clear := tamperClear()
	clear.Merge, clear.Immutable = true, true
	_, err := SealEnvelope(clear, tamperContent(), k, wrapFor(t, k, classicKeyFile), sealedAt, nil)
	if kind, path := errorAt(err); kind != "InvalidError" || path != "immutable" {
		t.Errorf("got %v", err)
	}
}

// TestMergeInJSON protects against texts that other readers take for true.
func TestMergeInJSON(t *testing.T) {
	base, _, k := tamperPair(t)
	clear := base.Clear
	clear.Merge = true
	e := sealForTest(t, clear, tamperContent(), k, base.Metadata.Recipients, nil)
	text := string(throughGoMaps(t, e.Node()))
	if _, err := openTree(parseRoot(t, []byte(text)), k); err != nil {
		t.Fatalf("as sealed: %v", err)
	}
	for _, value := range []string{`"true"`, "1", "null", "false", `""`, "[]", "{}", `["true"]`} {
		t.Run(value, func(t *testing.T) {
			n, err := manifest.Parse([]byte(strings.Replace(text, `"merge": true`, `"merge": `+value, 1)))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := openTree(manifest.Root(n), k); !errors.As(err, new(*InvalidError)) {
				t.Errorf("got %v, want an InvalidError", err)
			}
		})
	}
	twice := strings.Replace(text, `"merge": true`, `"merge": true, "merge": true`, 1)
	if _, err := manifest.Parse([]byte(twice)); err == nil {
		t.Error("a mark that stands there twice is read")
	}
}

func envelopeTampers(other *yaml.Node) []tamper {
	return slices.Concat(clearTampers(), valueTampers(other), blockTampers(other, "signet/stringData/password", "kubernetes-name"))
}

// TestEnvelopeEquivalences lists the changes that are accepted, because they
// change nothing that comes out.
func TestEnvelopeEquivalences(t *testing.T) {
	k := keys.GenerateDataKey()
	r := wrapFor(t, k, classicKeyFile)
	clear, content := tamperClear(), tamperContent()
	clear.Annotations, clear.Labels, content.Data = nil, nil, nil
	e := sealForTest(t, clear, content, k, r, nil)
	tests := []struct {
		name string
		edit edit
	}{
		{"nothing", func(*yaml.Node) {}},
		{"annotations absent", remove("annotations")},
		{"labels absent", remove("labels")},
		{"empty data", raw("signet/data", "{}")},
		{"reverse key order", func(root *yaml.Node) { reverseKeys(root) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			root := e.Node()
			test.edit(root)
			got, err := openTree(root, k)
			if err != nil || !got.Equal(content) {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

func reverseKeys(n *yaml.Node) {
	if n.Kind == yaml.MappingNode {
		slices.Reverse(n.Content)
		for i := 0; i+1 < len(n.Content); i += 2 {
			n.Content[i], n.Content[i+1] = n.Content[i+1], n.Content[i]
		}
	}
	for _, c := range n.Content {
		reverseKeys(c)
	}
}

func TestSorted(t *testing.T) {
	base, _, _ := tamperPair(t)
	root := base.Node()
	if !Sorted(root) {
		t.Error("an envelope as written is not sorted")
	}
	reverseKeys(get(root, "signet"))
	if Sorted(root) {
		t.Error("a reversed mapping counts as sorted")
	}
}
