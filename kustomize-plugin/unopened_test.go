// SPDX-License-Identifier: Apache-2.0

package kustomizeplugin_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/manifest"
)

// TestMergeIsRefused lists documents that are for the Secret of somebody else,
// in all ways in which they can be opened: as a Secret of its own each would
// replace that one.
func TestMergeIsRefused(t *testing.T) {
	s := &manifest.Secret{Name: "db", Namespace: "prod", Type: "Opaque", StringData: map[string]string{"password": canary}}
	const policy = "  creationPolicy: Merge\n"
	tests := []struct {
		name, want string
		words      []string
		edit       func(string) string
	}{
		{"sealed for merging", "open: spec.sealed.merge: the document holds keys to be added to Secret db, which somebody else makes", []string{"strict", "merge"}, nil},
		{"field added", "open: spec.creationPolicy: is Merge, but the document was not sealed", []string{"strict"},
			func(d string) string { return strings.Replace(d, "spec:\n", "spec:\n"+policy, 1) }},
		{"field taken away", "open: spec.creationPolicy: is not Merge, but the document was sealed", []string{"strict", "merge"},
			func(d string) string { return strings.Replace(d, policy, "", 1) }},
		{"mark taken away", "spec.creationPolicy: is Merge, but", []string{"strict", "merge"},
			func(d string) string { return strings.Replace(d, "    merge: true\n", "", 1) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l := bad(t)
			document := encode(t, l.seal(t, s.Node(), test.words...))
			if test.edit != nil {
				before := document
				if document = test.edit(document); document == before {
					t.Fatal("the test changes nothing")
				}
			}
			for _, dir := range []string{"generator", "transformer"} {
				if out := l.mustBuild(t, dir); !strings.Contains(out, inClear()) {
					t.Fatalf("does not open as it is:\n%s", out)
				}
				l.write(t, dir+"/db.yaml", document)
				failsClosed(t, l.build(t, "kustomize", dir), test.want)
			}
			l.write(t, "self/kustomization.yaml", "generators: [db.yaml]\n")
			l.write(t, "self/db.yaml", strings.Replace(document, "  namespace: prod\n", "  namespace: prod"+function, 1))
			failsClosed(t, l.build(t, "kustomize", "self"), test.want)
			l.write(t, "legacy/kustomization.yaml", "generators: [db.yaml]\n")
			l.write(t, "legacy/db.yaml", document)
			failsClosed(t, l.build(t, "kubectl", "legacy"), test.want)
		})
	}
}

// TestSOPSListIsRefused has a List that is encrypted as a whole beside a
// document that opens.
func TestSOPSListIsRefused(t *testing.T) {
	l := newLab(t)
	list := "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: db}\n  stringData:\n    password: " + canary + "\n"
	l.write(t, "list.yaml", string(l.sops(t, "list.yaml", []byte(list))))
	l.write(t, "both.yaml", l.sealed(t, "prod", "db")+"---\n"+string(l.sops(t, "list.yaml", []byte(list))))
	f := &l.function().Function
	refuses(t, f, unsealing("list.yaml"), "list.yaml, document 1: read: a List that SOPS has encrypted as a whole is not opened")
	refuses(t, f, unsealing("both.yaml"), "both.yaml, document 2: read: a List that SOPS")
}

// TestAllErrorsInOrder has several files that are wrong in different ways: all
// are told, in the order of the files, however they were read.
func TestAllErrorsInOrder(t *testing.T) {
	l := newLab(t)
	var want []string
	for i := range 60 {
		name := fmt.Sprintf("many/%02d.yaml", i)
		content, says := l.sealed(t, "prod", fmt.Sprintf("s%02d", i)), ""
		switch i % 5 {
		case 0:
			content, says = "a: [\n", name+", document 1: read: "
		case 1:
			content, says = "kind: ConfigMap\napiVersion: v1\n", name+": read: nothing in it is sealed"
		case 2:
			content, says = content+"---\nsome: object\n", name+", document 2: read: is no Kubernetes object"
		case 3:
			content, says = content+"---\napiVersion: signet.dev/v9\nkind: SealedSecret\n", name+", document 2: read: unknown object"
		}
		if says != "" {
			want = append(want, says)
		}
		l.write(t, name, content)
	}
	for range 3 {
		var out bytes.Buffer
		err := l.function().Run(context.Background(), strings.NewReader(resourceList(unsealing("many/*.yaml"))), &out)
		if out.Len() > 0 {
			t.Errorf("%d bytes came out", out.Len())
		}
		var got []string
		for i, e := range report.Split(err) {
			text := e.Error()
			if i < len(want) && strings.HasPrefix(text, want[i]) {
				text = want[i]
			}
			got = append(got, text)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("-want +got\n%s", diff)
		}
	}
}

// TestAllUnreadable names several files that cannot be read.
func TestAllUnreadable(t *testing.T) {
	l := newLab(t)
	l.write(t, "db.yaml", l.sealed(t, "prod", "db"))
	l.write(t, "folder/db.yaml", "")
	f := &l.function().Function
	refuses(t, f, unsealing("b.yaml", "db.yaml", "folder", "a.yaml"),
		"a.yaml: read: no such file or directory\nb.yaml: read: no such file or directory\nfolder: read: is a directory")
	refuses(t, f, unsealing("z*.yaml", "../db.yaml"),
		"z*.yaml: read: no file matches\n../db.yaml: read: leads out of the directory that is read")
}

// TestTooManyNodesInFiles has a little in each of many files, which are too much
// together.
func TestTooManyNodesInFiles(t *testing.T) {
	l := newLab(t)
	flat := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nx: [" + strings.Repeat("1,", 130_000) + "1]\n"
	for i := range 4 {
		l.write(t, fmt.Sprintf("many/%d.yaml", i), l.sealed(t, "prod", "db")+"---\n"+flat)
	}
	refuses(t, &l.function().Function, unsealing("many/*.yaml"), "configuration Unseal, all: read: too much of it has to be parsed: 8 documents with up to 5")
}
