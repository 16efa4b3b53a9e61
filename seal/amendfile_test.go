// SPDX-License-Identifier: Apache-2.0

package seal_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// oddFile is what others encrypt with sops: values in clear that the selector
// leaves out, numbers where a Secret has text, a clear field that holds a value,
// comments, and something else in the second document.
const oddFile = `# above
apiVersion: v1
kind: Secret
metadata:
  name: db
  namespace: prod
  annotations:
    who: administrator # beside
stringData:
  port: 5432
  user: administrator
  password: correct horse
  hint_unencrypted: not a secret
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  a: one
  b_unencrypted: two
`

// encryptOdd encrypts oddFile and returns it as it is read again.
func encryptOdd(t *testing.T, k key, macOnly bool) *sopsdoc.PreviousFile {
	t.Helper()
	dataKey := keys.GenerateDataKey()
	r, err := keys.WrapAll(t.Context(), k.options().Wrapper, k.options().Recipients, dataKey)
	if err != nil {
		t.Fatal(err)
	}
	s := sopsdoc.FileSettings{Recipients: r, Now: k.options().Now, MACOnlyEncrypted: macOnly,
		Selector: keys.Selector{Kind: keys.EncryptedRegex, Pattern: "^(port|user|password|a|new)$"}}
	out, _, err := sopsdoc.EncryptFile(parseAll(t, oddFile), dataKey, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	return k.openFile(t, out)
}

func parseAll(t *testing.T, text string) []*yaml.Node {
	t.Helper()
	var docs []*yaml.Node
	for part := range strings.SplitSeq(text, "---\n") {
		n, err := manifest.Parse([]byte(part))
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, n)
	}
	return docs
}

// openFile writes documents, reads them again and unwraps their data key.
func (k key) openFile(t *testing.T, docs []*yaml.Node) *sopsdoc.PreviousFile {
	t.Helper()
	var read []*yaml.Node
	for _, doc := range docs {
		read = append(read, reparsed(t, doc))
	}
	f, err := sopsdoc.ParseFile(read...)
	if err != nil {
		t.Fatal(err)
	}
	dataKey, err := keys.UnwrapAny(context.Background(), k.unwrapper, f.Metadata.Recipients)
	if err != nil {
		t.Fatal(err)
	}
	return &sopsdoc.PreviousFile{File: f, DataKey: dataKey}
}

func decrypted(t *testing.T, f *sopsdoc.PreviousFile) []*yaml.Node {
	t.Helper()
	docs, err := f.File.Decrypt(f.DataKey)
	if err != nil {
		t.Fatal(err)
	}
	return docs
}

// fileText writes documents as they stand in a file.
func fileText(t *testing.T, docs []*yaml.Node) string {
	t.Helper()
	var parts []string
	for _, doc := range docs {
		text, err := manifest.EncodeYAML(doc)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, string(text))
	}
	return strings.Join(parts, "---\n")
}

func fileLeaves(docs []*yaml.Node) map[string]string {
	all := map[string]string{}
	for i, doc := range docs {
		leaves(doc, "/"+string(rune('0'+i)), all)
	}
	return all
}

func sopsOptions(o seal.Options) seal.SOPSOptions { return seal.SOPSOptions{Options: later(o)} }

func setValue(docs []*yaml.Node, key, text string) {
	manifest.Set(manifest.Get(manifest.Root(docs[0]), "stringData"), key, manifest.String(text))
}

// TestAmendFile protects what others have written into a file with sops.
func TestAmendFile(t *testing.T) {
	both := []string{"/0/sops/lastmodified", "/0/sops/mac", "/1/sops/lastmodified", "/1/sops/mac"}
	tests := []struct {
		name string
		edit func([]*yaml.Node)
		want []string // beside both; nil: nothing
	}{
		{"nothing", func([]*yaml.Node) {}, nil},
		{"a value", func(d []*yaml.Node) { setValue(d, "password", "battery staple") }, []string{"/0/stringData/password"}},
		{"a new value", func(d []*yaml.Node) { setValue(d, "new", "x") }, []string{"/0/stringData/new"}},
		{"a value gone", func(d []*yaml.Node) { manifest.Delete(manifest.Get(manifest.Root(d[0]), "stringData"), "user") }, []string{"/0/stringData/user"}},
		{"another document", func(d []*yaml.Node) {
			manifest.Set(manifest.Get(manifest.Root(d[1]), "data"), "b_unencrypted", manifest.String("three"))
		}, []string{"/1/data/b_unencrypted"}},
	}
	for _, test := range tests {
		for _, macOnly := range []bool{false, true} {
			t.Run(test.name, func(t *testing.T) {
				k := newKey(t)
				prev := encryptOdd(t, k, macOnly)
				old := encryptedAgain(t, prev)
				docs := decrypted(t, prev)
				test.edit(docs)
				want := fileText(t, docs)
				r, err := seal.AmendFile(t.Context(), prev, docs, sopsOptions(k.options()))
				if err != nil || r.Unchanged != (test.want == nil) || !r.DataKey.Equal(prev.DataKey) {
					t.Fatalf("unchanged %v, %v", r != nil && r.Unchanged, err)
				}
				if r.Unchanged {
					return
				}
				opened := k.openFile(t, r.Nodes)
				if diff := cmp.Diff(want, fileText(t, decrypted(t, opened))); diff != "" {
					t.Errorf("opens to something else (-want +got):\n%s", diff)
				}
				md, was := opened.File.Metadata, prev.File.Metadata
				if md.Selector != was.Selector || md.MACOnlyEncrypted != macOnly {
					t.Errorf("other settings: %+v", md)
				}
				paths := slices.Sorted(slices.Values(slices.Concat(test.want, both)))
				if diff := cmp.Diff(paths, changed(old, fileLeaves(r.Nodes))); diff != "" {
					t.Errorf("changed (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// encryptedAgain returns the leaves of a file but for its mac: encrypting the same
// with another setting changes no value.
func encryptedAgain(t *testing.T, prev *sopsdoc.PreviousFile) map[string]string {
	t.Helper()
	s := sopsdoc.FileSettings{Recipients: prev.File.Metadata.Recipients, Selector: prev.File.Metadata.Selector,
		MACOnlyEncrypted: !prev.File.Metadata.MACOnlyEncrypted, Now: time.Unix(0, 0)}
	out, _, err := sopsdoc.EncryptFile(decrypted(t, prev), prev.DataKey, s, prev)
	if err != nil {
		t.Fatal(err)
	}
	all := fileLeaves(out)
	for path := range all {
		if strings.HasSuffix(path, "/mac_only_encrypted") {
			delete(all, path)
		}
	}
	if prev.File.Metadata.MACOnlyEncrypted {
		all["/0/sops/mac_only_encrypted"], all["/1/sops/mac_only_encrypted"] = "true", "true"
	}
	return all
}

// TestAmendFileRefuses protects new values from a selector that misses them, and
// from fields that stay readable.
func TestAmendFileRefuses(t *testing.T) {
	tests := []struct {
		name   string
		edit   func([]*yaml.Node)
		target any
		want   string
	}{
		{"a new value that is not selected", func(d []*yaml.Node) { setValue(d, "token", "x") }, new(*seal.SelectorError), "token"},
		{"a value in clear that changes", func(d []*yaml.Node) { setValue(d, "hint_unencrypted", "a secret") }, new(*seal.SelectorError), "hint_unencrypted"},
		{"a value that stands in an annotation", func(d []*yaml.Node) { setValue(d, "password", "administrator") }, new(*seal.ClearValueError), `"password"`},
		{"an annotation that holds a value", func(d []*yaml.Node) {
			manifest.Set(manifest.Get(manifest.Root(d[0]), "metadata", "annotations"), "x", manifest.String("correct horse"))
		}, new(*seal.ClearValueError), "annotation x"},
		{"a root key of ours", func(d []*yaml.Node) { manifest.Set(manifest.Root(d[0]), "signet", manifest.String("x")) }, new(*sopsdoc.InvalidError), "signet"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			k := newKey(t)
			prev := encryptOdd(t, k, false)
			docs := decrypted(t, prev)
			test.edit(docs)
			r, err := seal.AmendFile(t.Context(), prev, docs, sopsOptions(k.options()))
			if r != nil || !errors.As(err, test.target) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %T with %s", err, test.target, test.want)
			}
		})
	}
	k := newKey(t)
	prev := encryptOdd(t, k, false)
	docs := decrypted(t, prev)
	setValue(docs, "password", "administrator")
	o := sopsOptions(k.options())
	o.AllowClear = []string{"password"}
	if _, err := seal.AmendFile(t.Context(), prev, docs, o); err != nil {
		t.Errorf("allowed: %v", err)
	}
}

// TestAmendFileAnew protects what asks for a new data key.
func TestAmendFileAnew(t *testing.T) {
	k, more := newKey(t), newKey(t)
	prev := encryptOdd(t, k, true)
	for name, turn := range map[string]func(*seal.SOPSOptions, []*yaml.Node){
		"asked for":       func(o *seal.SOPSOptions, _ []*yaml.Node) { o.FreshKey = true },
		"recipient added": func(o *seal.SOPSOptions, _ []*yaml.Node) { both, _ := k.forBoth(more); o.Recipients = both.Recipients },
		"on change":       func(o *seal.SOPSOptions, d []*yaml.Node) { o.FreshKeyOnChange = true; setValue(d, "password", "x") },
	} {
		docs, o := decrypted(t, prev), sopsOptions(k.options())
		turn(&o, docs)
		r, err := seal.AmendFile(t.Context(), prev, docs, o)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		opened := k.openFile(t, r.Nodes)
		if opened.DataKey.Equal(prev.DataKey) || !opened.DataKey.Equal(r.DataKey) || fileText(t, decrypted(t, opened)) != fileText(t, docs) {
			t.Errorf("%s: the old data key, or other content", name)
		}
		if md := opened.File.Metadata; !md.MACOnlyEncrypted || md.Selector != prev.File.Metadata.Selector {
			t.Errorf("%s: other settings: %+v", name, md)
		}
	}
}

// TestAddFileRecipients is TestAddRecipients for SOPS files.
func TestAddFileRecipients(t *testing.T) {
	k, more := newKey(t), newKey(t)
	prev := encryptOdd(t, k, false)
	plain := fileText(t, decrypted(t, prev))
	both, calls := k.forBoth(more)
	o := sopsOptions(both)
	r, err := seal.AddFileRecipients(t.Context(), prev, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range []key{k, more} {
		opened := who.openFile(t, r.Nodes)
		md := opened.File.Metadata
		if !opened.DataKey.Equal(prev.DataKey) || fileText(t, decrypted(t, opened)) != plain || !md.Recipients.Same(o.Recipients) {
			t.Error("other data key, content or recipients")
		}
		if diff := cmp.Diff(prev.File.Metadata.Recipients.Entries()[0], md.Recipients.Entries()[0]); diff != "" {
			t.Errorf("the first wrapped key is changed:\n%s", diff)
		}
	}
	if n := calls.calls.Load(); n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
	values := 0
	before := encryptedAgain(t, prev)
	for path, v := range fileLeaves(r.Nodes) {
		if strings.HasPrefix(v, "ENC[") && !strings.HasSuffix(path, "/mac") {
			if values++; before[path] != v {
				t.Errorf("%s was encrypted anew", path)
			}
		}
	}
	if values != 4 {
		t.Errorf("%d values", values)
	}
	if r, err := seal.AddFileRecipients(t.Context(), k.openFile(t, r.Nodes), o); err != nil || !r.Unchanged {
		t.Errorf("again: %v", err)
	}
	o.WrapAll = true
	again, err := seal.AddFileRecipients(t.Context(), k.openFile(t, r.Nodes), o)
	if err != nil || again.Unchanged || calls.calls.Load() != 3 {
		t.Errorf("all: %v, %d calls", err, calls.calls.Load())
	}
	o.WrapAll, o.FreshKeyOnChange = false, true
	if r, err := seal.AddFileRecipients(t.Context(), prev, o); err != nil || r.DataKey.Equal(prev.DataKey) || len(r.Notes) != 1 {
		t.Errorf("with a fresh key: %v", err)
	}
	o.Recipients.Groups[0] = o.Recipients.Groups[0][:1]
	if _, err := seal.AddFileRecipients(t.Context(), prev, o); !errors.As(err, new(*keys.RemovedError)) {
		t.Errorf("one less: %v", err)
	}
}
