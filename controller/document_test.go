// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/signet-secrets/signet/controller/v1alpha1"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// The mark of a document stays while its MAC does, whatever else becomes of it.
func TestMarkHangsOnTheMAC(t *testing.T) {
	was, other := sealed(t, 2, map[string]string{"a": "b"}), sealed(t, 2, map[string]string{"a": "b"})
	before := markOf(t, was, func(map[string]any) {})
	if !regexp.MustCompile("^[0-9a-f]{32}$").MatchString(before) {
		t.Errorf("mark %q", before)
	}
	for _, c := range []struct {
		name string
		edit func(spec map[string]any)
		same bool
	}{
		{"a knob", func(spec map[string]any) { spec["suspend"] = true }, true},
		{"other recipients", func(spec map[string]any) {
			block := sopsOf(t, spec)
			block["age"] = block["age"].([]any)[:1]
		}, true},
		{"another MAC", func(spec map[string]any) { sopsOf(t, spec)["mac"] = sopsOf(t, specOf(t, other))["mac"] }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := markOf(t, was, c.edit); (got == before) != c.same {
				t.Errorf("mark %q, before %q", got, before)
			}
		})
	}
}

// markOf returns the mark of a SealedSecret that was edited.
func markOf(t *testing.T, s *v1alpha1.SealedSecret, edit func(spec map[string]any)) string {
	t.Helper()
	spec, edited := specOf(t, s), s.DeepCopy()
	edit(spec)
	var err error
	if edited.Spec.Raw, err = json.Marshal(spec); err != nil {
		t.Fatal(err)
	}
	doc, err := parse(edited)
	if err != nil {
		t.Fatal(err)
	}
	return mark(doc)
}

func specOf(t *testing.T, s *v1alpha1.SealedSecret) map[string]any {
	t.Helper()
	spec := map[string]any{}
	if err := json.Unmarshal(s.Spec.Raw, &spec); err != nil {
		t.Fatal(err)
	}
	return spec
}

func sopsOf(t *testing.T, spec map[string]any) map[string]any {
	t.Helper()
	block, ok := spec["sealed"].(map[string]any)["sops"].(map[string]any)
	if !ok {
		t.Fatal("no sops block")
	}
	return block
}

// Every SealedSecret has an annotation of its own, which the API server takes and no
// document may have.
func TestDocumentAnnotation(t *testing.T) {
	long := strings.Repeat("a", 55)
	hashed := strings.TrimPrefix(documentAnnotation(long), DocumentAnnotation+".")
	seen := map[string]string{DocumentAnnotation: ""}
	for _, name := range []string{
		"a", "db", "a.b-c", strings.Repeat("a", 54), long, strings.Repeat("a", 56), strings.Repeat("a", 253),
		strings.Repeat("a.", 126) + "a", strings.Repeat("a", 100), strings.Repeat("a", 101), hashed,
	} {
		t.Run(name, func(t *testing.T) {
			key := documentAnnotation(name)
			if of, found := seen[key]; found {
				t.Errorf("%s is that of %q too", key, of)
			}
			seen[key] = name
			if problems := validation.IsQualifiedName(key); len(problems) > 0 {
				t.Errorf("%s: %s", key, problems)
			}
			if err := sopsdoc.Denied().Check("Opaque", nil, map[string]string{key: "x"}); err == nil {
				t.Errorf("%s may come out of a document", key)
			}
		})
	}
	if key := documentAnnotation("db"); key != "signet.dev/document.db" {
		t.Errorf("that of db is %s", key)
	}
}

// A Secret from before there were marks of documents is not opened to get one.
func TestNextWithoutTheMarkOfADocument(t *testing.T) {
	checkViews(t, []viewCase{
		{"Owner", func(v *view) { delete(v.secret.Annotations, DocumentAnnotation) }, stepIdle},
		{"Owner, annotated by others", func(v *view) { v.add(fields("kubectl", byUpdate, 2, `{"f:metadata":{"f:annotations":{"f:x":{}}}}`)) }, stepIdle},
		{"Merge", func(v *view) { v.merging("db") }, stepIdle},
	})
}

func TestNextAfterStringDataOfOthers(t *testing.T) {
	over := fields("flux", byApply, 2, `{"f:stringData":{"f:password":{}}}`)
	beside := fields("flux", byApply, 2, `{"f:stringData":{"f:more":{}}}`)
	checkViews(t, []viewCase{
		{"over a key of an owner", func(v *view) { v.add(over) }, stepOpen},
		{"beside the keys of an owner", func(v *view) { v.add(beside) }, stepOpen},
		{"over a key that was merged", func(v *view) { v.merging("db"); v.live = true; v.add(over) }, stepOpen},
		{"beside keys that were merged", func(v *view) { v.merging("db"); v.live = true; v.add(beside) }, stepIdle},
		{"of a partner", func(v *view) {
			v.secret.Annotations[MergeAnnotation] = "extra"
			v.add(fields("signet:extra", byApply, 2, `{"f:stringData":{"f:more":{}}}`))
		}, stepIdle},
	})
}

func TestCheckPartners(t *testing.T) {
	secret := managed(
		fieldsOf("signet:db", byUpdate, "ours", "both"),
		fieldsOf("signet:extra", byApply, "added", "both"),
		fieldsOf("signet:uninvited", byApply, "pushed"),
		fieldsOf("kubectl", byUpdate, "foreign"),
	)
	secret.Name = "db"
	for _, c := range []struct {
		name    string
		claimed []string
		want    Reason
	}{
		{"nothing", nil, ""},
		{"what is new", []string{"new"}, ""},
		{"what it has", []string{"ours"}, ""},
		{"what a partner has added", []string{"ours", "added"}, KeyConflict},
		{"what both have", []string{"both"}, KeyConflict},
		{"what somebody without consent has added", []string{"pushed"}, ""},
		{"what others have", []string{"foreign"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := checkPartners(secret, "signet:db", []string{"signet:extra", "signet:db"}, c.claimed)
			checkRefused(t, err, c.want, `was added by "signet:extra"`)
		})
	}
	broken := managed(fields("x", byUpdate, 1, `{"f:data":`))
	checkRefused(t, checkPartners(broken, "signet:db", nil, nil), APIError, "")
}

func TestYielded(t *testing.T) {
	ours := fieldsOf("signet:extra", byApply, "kept", "lost")
	theirs := fields("flux", byApply, 2, `{"f:stringData":{"f:lost":{},"f:else":{}}}`)
	if got, err := yielded(managed(ours, fieldsOf("flux", byUpdate, "kept")), "signet:extra"); got != nil || err != nil {
		t.Errorf("nothing applied over: %v, %v, want nil", got, err)
	}
	got, err := yielded(managed(ours, theirs), "signet:extra")
	if err != nil {
		t.Fatal(err)
	}
	want := []metav1.ManagedFieldsEntry{fieldsOf("signet:extra", byApply, "kept"), theirs}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
