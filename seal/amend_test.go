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

const envPath = "/spec/sealed"

// oddDocument is a SealedSecret that Seal would not make so again: with a label
// and a value in clear that it was told to let through, comments, and
// surroundings that were edited by hand.
func oddDocument(t *testing.T, k key) *yaml.Node {
	t.Helper()
	s := example()
	s.Labels["app.kubernetes.io/instance"] = "db"
	s.Annotations["example.com/user"] = "administrator"
	s.StringData["user"] = "administrator"
	s.StringData["note"] = "line one\nline two\n"
	o := k.options()
	o.KeepMetadata, o.AllowClear = []string{"app.kubernetes.io/instance"}, []string{"user"}
	text, err := manifest.EncodeYAML(mustSeal(t, s, nil, o).Node)
	if err != nil {
		t.Fatal(err)
	}
	n, err := manifest.Parse([]byte("# administrator, by hand\n" + strings.Replace(string(text), "    app: db\n", "    other: label # beside\n", 1)))
	if err != nil {
		t.Fatal(err)
	}
	manifest.Set(manifest.Get(manifest.Root(n), "spec"), "suspend", manifest.Bool(true))
	return reparsed(t, n)
}

// changeOf returns what prev holds, to be edited.
func changeOf(prev *seal.Previous) seal.Change {
	return seal.Change{Clear: prev.Sealed.Envelope.Clear, Content: prev.Sealed.Content}.Clone()
}

func later(o seal.Options) seal.Options {
	o.Now = o.Now.Add(time.Hour)
	return o
}

func mustAmend(t *testing.T, prev *seal.Previous, c seal.Change, o seal.Options) *seal.Result {
	t.Helper()
	r, err := seal.Amend(context.Background(), prev, c, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestAmendWithoutChange protects what was sealed with --keep-metadata and
// --allow-clear, and all surroundings, from commands that do not touch them.
func TestAmendWithoutChange(t *testing.T) {
	k := newKey(t)
	prev := k.open(t, oddDocument(t, k))
	for name, o := range map[string]seal.Options{"plain": later(k.options()), "fresh key for changes": func() seal.Options {
		o := later(k.options())
		o.FreshKeyOnChange = true
		return o
	}()} {
		r := mustAmend(t, prev, changeOf(prev), o)
		if !r.Unchanged || r.Node != prev.Object || len(r.Notes) > 0 || !r.DataKey.Equal(prev.DataKey) {
			t.Errorf("%s: unchanged %v, notes %q", name, r.Unchanged, r.Notes)
		}
	}
}

// TestAmendChangesOnlyWhatChanged protects the small diff of a small change.
func TestAmendChangesOnlyWhatChanged(t *testing.T) {
	always := []string{envPath + "/sops/lastmodified", envPath + "/sops/mac"}
	binding := envPath + "/signet/binding"
	tests := []struct {
		name   string
		change func(*seal.Change)
		want   []string // beside always
	}{
		{"a value", func(c *seal.Change) { c.Content.StringData["password"] = "battery staple" }, []string{envPath + "/signet/stringData/password"}},
		{"a binary value", func(c *seal.Change) { c.Content.Data["keystore"] = "AAAA" }, []string{envPath + "/signet/data/keystore"}},
		{"a new key", func(c *seal.Change) { c.Content.StringData["zone"] = "x" }, []string{binding, envPath + "/signet/stringData/zone"}},
		{"a key gone", func(c *seal.Change) { delete(c.Content.StringData, "user") }, []string{binding, envPath + "/signet/stringData/user"}},
		{"all keys gone", func(c *seal.Change) { c.Content = sopsdoc.Content{} }, []string{binding, envPath + "/signet/data/keystore",
			envPath + "/signet/stringData/note", envPath + "/signet/stringData/password", envPath + "/signet/stringData/user", envPath + "/signet/stringData/username"}},
		{"a label", func(c *seal.Change) { c.Clear.Labels["app"] = "web" }, []string{binding, envPath + "/labels/app", "/metadata/labels/app"}},
		{"a new label", func(c *seal.Change) { c.Clear.Labels["tier"] = "db" }, []string{binding, envPath + "/labels/tier", "/metadata/labels/tier"}},
		{"a label gone", func(c *seal.Change) { delete(c.Clear.Labels, "app.kubernetes.io/instance") },
			[]string{binding, envPath + "/labels/app.kubernetes.io/instance", "/metadata/labels/app.kubernetes.io/instance"}},
		{"an annotation", func(c *seal.Change) { c.Clear.Annotations["owner"] = "team-b" }, []string{binding, envPath + "/annotations/owner"}},
		{"the type", func(c *seal.Change) { c.Clear.Type = "Opaque" }, []string{binding, envPath + "/type"}},
		{"immutable", func(c *seal.Change) { c.Clear.Immutable = true }, []string{binding, envPath + "/immutable"}},
		{"merge", func(c *seal.Change) { c.Clear.Merge = true }, []string{binding, envPath + "/merge", "/spec/creationPolicy"}},
		{"text to binary", func(c *seal.Change) {
			delete(c.Content.StringData, "user")
			c.Content.Data["user"] = "YWRtaW5pc3RyYXRvcg=="
		}, []string{binding, envPath + "/signet/data/user", envPath + "/signet/stringData/user"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			k := newKey(t)
			prev := k.open(t, oddDocument(t, k))
			before := leaves(prev.Object, "", map[string]string{})
			c := changeOf(prev)
			test.change(&c)
			r := mustAmend(t, prev, c, later(k.options()))
			want := slices.Sorted(slices.Values(slices.Concat(test.want, always)))
			if diff := cmp.Diff(want, changed(before, leaves(r.Node, "", map[string]string{}))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, leaves(prev.Object, "", map[string]string{})); diff != "" {
				t.Errorf("the previous object was changed:\n%s", diff)
			}
			text, err := manifest.EncodeYAML(r.Node)
			if err != nil || !strings.HasPrefix(string(text), "# administrator, by hand\n") || !strings.Contains(string(text), "# beside") {
				t.Errorf("comments are gone: %v", err)
			}
			checkOpens(t, k, r, c)
		})
	}
}

// checkOpens compares what a result holds with what was asked, for whoever has
// the key and for whoever has the result.
func checkOpens(t *testing.T, k key, r *seal.Result, c seal.Change) {
	t.Helper()
	opened := k.open(t, reparsed(t, r.Node))
	if !opened.Sealed.Content.Equal(c.Content) {
		t.Error("opens to other content")
	}
	if diff := cmp.Diff(c.Clear, opened.Sealed.Envelope.Clear); diff != "" {
		t.Errorf("clear fields (-want +got):\n%s", diff)
	}
	if !opened.DataKey.Equal(r.DataKey) {
		t.Error("the result has another data key than its document")
	}
}

// TestAmendAnew protects what asks for a new data key: nothing of the old one
// stays.
func TestAmendAnew(t *testing.T) {
	tests := []struct {
		name string
		turn func(*seal.Change, *seal.Options)
		same bool
	}{
		{"asked for", func(_ *seal.Change, o *seal.Options) { o.FreshKey = true }, false},
		{"recipient added", func(_ *seal.Change, o *seal.Options) {
			o.Recipients.Groups[0] = append(o.Recipients.Groups[0], keys.AgeEntry{Recipient: newKey(t).recipient})
		}, false},
		{"on change", func(c *seal.Change, o *seal.Options) {
			o.FreshKeyOnChange, c.Content.StringData["password"] = true, "x"
		}, false},
		{"a change", func(c *seal.Change, o *seal.Options) { c.Content.StringData["password"] = "x" }, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			k := newKey(t)
			prev := k.open(t, oddDocument(t, k))
			before, c, o := leaves(prev.Object, "", map[string]string{}), changeOf(prev), later(k.options())
			test.turn(&c, &o)
			r := mustAmend(t, prev, c, o)
			checkOpens(t, k, r, c)
			if r.DataKey.Equal(prev.DataKey) != test.same {
				t.Errorf("the data key was kept: %v", !test.same)
			}
			kept := 0
			for path, value := range leaves(r.Node, "", map[string]string{}) {
				if strings.HasPrefix(value, "ENC[") && before[path] == value {
					kept++
				}
			}
			if kept > 0 != test.same {
				t.Errorf("%d values were kept", kept)
			}
			created, known := k.open(t, r.Node).Sealed.Envelope.Metadata.Recipients.Created()
			want := o.Now
			if test.same {
				want = k.options().Now
			}
			if !known || !created.Equal(want) {
				t.Errorf("the data key is said to be made at %v, %v", created, known)
			}
		})
	}
}

// TestAmendRefuses protects what Seal refuses, where it is new.
func TestAmendRefuses(t *testing.T) {
	tests := []struct {
		name   string
		change func(*seal.Change)
		target any
		want   string
	}{
		{"scope", func(c *seal.Change) { c.Clear.Scope.Name = "*" }, nil, seal.ErrMoved.Error()},
		{"immutable to be merged", func(c *seal.Change) { c.Clear.Immutable, c.Clear.Merge = true, true }, nil, seal.ErrImmutableMerge.Error()},
		{"type", func(c *seal.Change) { c.Clear.Type = "bootstrap.kubernetes.io/token" }, new(*sopsdoc.DeniedError), "type"},
		{"no type", func(c *seal.Change) { c.Clear.Type = "" }, new(*sopsdoc.InvalidError), "type"},
		{"label", func(c *seal.Change) { c.Clear.Labels["signet.dev/managed"] = "true" }, new(*sopsdoc.DeniedError), "signet.dev/managed"},
		{"key name", func(c *seal.Change) { c.Content.StringData["a b"] = "x" }, new(*sopsdoc.InvalidError), "a b"},
		{"no base64", func(c *seal.Change) { c.Content.Data["keystore"] = "%" }, new(*sopsdoc.InvalidError), "keystore"},
		{"new value in an old label", func(c *seal.Change) { c.Content.StringData["new"] = "administrator" }, new(*seal.ClearValueError), `"new"`},
		{"new value in a comment", func(c *seal.Change) {
			delete(c.Clear.Annotations, "example.com/user")
			c.Content.StringData["password"] = "administrator, by hand"
		}, new(*seal.ClearValueError), `a comment holds the value of "password"`},
		{"old value in a new annotation", func(c *seal.Change) { c.Clear.Annotations["a"] = "x correct horse x" }, new(*seal.ClearValueError), "annotation a"},
		{"old value in an annotation that goes outside", func(c *seal.Change) { c.Clear.Annotations["argocd.argoproj.io/x"] = "correct horse" },
			new(*seal.ClearValueError), "annotation argocd.argoproj.io/x"},
		{"too large", func(c *seal.Change) { c.Content.StringData["big"] = strings.Repeat("x", seal.MaxDataBytes) }, new(*seal.SizeError), "decoded"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			k := newKey(t)
			prev := k.open(t, oddDocument(t, k))
			c := changeOf(prev)
			test.change(&c)
			r, err := seal.Amend(context.Background(), prev, c, later(k.options()))
			if err == nil || r != nil || !strings.Contains(err.Error(), test.want) || test.target != nil && !errors.As(err, test.target) {
				t.Errorf("got %v, want %T with %q", err, test.target, test.want)
			}
		})
	}
}

// TestAmendSortsNewMetadata protects against a mark of a GitOps tool that gets
// under seal by an edit.
func TestAmendSortsNewMetadata(t *testing.T) {
	k := newKey(t)
	prev := k.open(t, reparsed(t, mustSeal(t, example(), nil, k.options()).Node))
	c := changeOf(prev)
	c.Clear.Labels["app.kubernetes.io/instance"] = "x"
	c.Clear.Annotations["argocd.argoproj.io/sync-wave"] = "7"
	c.Clear.Annotations["template"] = "${HOME}"
	r := mustAmend(t, prev, c, later(k.options()))
	root := manifest.Root(r.Node)
	got := map[string]string{
		"wave":     manifest.GetString(root, "metadata", "annotations", "argocd.argoproj.io/sync-wave"),
		"flux":     manifest.GetString(root, "metadata", "annotations", "kustomize.toolkit.fluxcd.io/substitute"),
		"template": manifest.GetString(root, "spec", "sealed", "annotations", "template"),
		"notes":    strings.Join(r.Notes, "; "),
	}
	want := map[string]string{"wave": "7", "flux": "disabled", "template": "${HOME}",
		"notes": "label app.kubernetes.io/instance was left out (signet seal --keep-metadata app.kubernetes.io/instance seals it)"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	opened := k.open(t, reparsed(t, r.Node)).Sealed.Envelope.Clear
	if len(opened.Labels) != 1 || len(opened.Annotations) != 2 {
		t.Errorf("sealed are %v and %v", opened.Labels, opened.Annotations)
	}
	if len(c.Clear.Labels) != 2 {
		t.Error("the change that was given is changed")
	}
	o := later(k.options())
	o.KeepMetadata = []string{"app.kubernetes.io/instance"}
	if r := mustAmend(t, prev, c, o); manifest.GetString(manifest.Root(r.Node), "spec", "sealed", "labels", "app.kubernetes.io/instance") != "x" {
		t.Error("left out in spite of KeepMetadata")
	}
	only := changeOf(prev)
	only.Clear.Annotations["argocd.argoproj.io/sync-wave"] = "8"
	r = mustAmend(t, prev, only, later(k.options()))
	if diff := cmp.Diff([]string{"/metadata/annotations/argocd.argoproj.io/sync-wave"}, changed(leaves(prev.Object, "", map[string]string{}), leaves(r.Node, "", map[string]string{}))); diff != "" || r.Unchanged {
		t.Errorf("%s", diff)
	}
}

// TestAmendTooLarge protects documents that are too large already: they can be
// made smaller, and get a new key.
func TestAmendTooLarge(t *testing.T) {
	k := newKey(t)
	doc := reparsed(t, mustSeal(t, example(), nil, k.options()).Node)
	prev := k.open(t, doc)
	content := sopsdoc.Content{StringData: map[string]string{"big": strings.Repeat("x", seal.MaxDataBytes), "more": "xx"}}
	r := prev.Sealed.Envelope
	e, err := sopsdoc.SealEnvelope(r.Clear, content, prev.DataKey, r.Metadata.Recipients, k.options().Now, nil)
	if err != nil {
		t.Fatal(err)
	}
	manifest.Set(manifest.Get(manifest.Root(doc), "spec"), "sealed", e.Node())
	prev = &seal.Previous{Object: doc, Sealed: sopsdoc.Previous{Envelope: e, Content: content}, DataKey: prev.DataKey}
	o := later(k.options())
	c := changeOf(prev)
	delete(c.Content.StringData, "more")
	c.Content.StringData["small"] = "x"
	checkOpens(t, k, mustAmend(t, prev, c, o), c)
	o.FreshKey = true
	checkOpens(t, k, mustAmend(t, prev, changeOf(prev), o), changeOf(prev))
	c.Content.StringData["small"] = "xxx"
	if _, err := seal.Amend(context.Background(), prev, c, o); !errors.As(err, new(*seal.SizeError)) {
		t.Errorf("grows: %v", err)
	}
}

// TestAmendAlso protects merges of two versions: what either of them was allowed
// to have is not judged, and what one of them encrypted is not encrypted anew.
func TestAmendAlso(t *testing.T) {
	k := newKey(t)
	ours := k.open(t, oddDocument(t, k))
	c := changeOf(ours)
	c.Clear.Labels["app.kubernetes.io/instance"] = "other"
	c.Clear.Annotations["example.com/password"] = "battery staple"
	c.Content.StringData["password"] = "battery staple"
	o := later(k.options())
	o.KeepMetadata, o.AllowClear = []string{"app.kubernetes.io/instance"}, []string{"password"}
	theirs := k.open(t, reparsed(t, mustAmend(t, ours, c, o).Node))
	merged := changeOf(theirs)
	merged.Content.StringData["username"] = "somebody"
	if _, err := seal.Amend(context.Background(), ours, merged, later(k.options())); !errors.As(err, new(*seal.ClearValueError)) {
		t.Fatalf("alone it must be refused: %v", err)
	}
	ours.Sealed.Also = []sopsdoc.Previous{theirs.Sealed}
	r := mustAmend(t, ours, merged, later(k.options()))
	checkOpens(t, k, r, merged)
	password := func(n *yaml.Node) string {
		return manifest.GetString(manifest.Root(n), "spec", "sealed", "signet", "stringData", "password")
	}
	if password(r.Node) != password(theirs.Object) || len(r.Notes) > 0 {
		t.Errorf("the value of theirs was encrypted anew, or notes %q", r.Notes)
	}
	if r := mustAmend(t, ours, changeOf(theirs), later(k.options())); r.Unchanged {
		t.Error("the other version passes for the previous object")
	}
	o = later(k.options())
	o.FreshKeyOnChange = true
	if r := mustAmend(t, ours, changeOf(theirs), o); !r.DataKey.Equal(ours.DataKey) {
		t.Error("taking the other version as it is made a new data key")
	}
}
