// SPDX-License-Identifier: Apache-2.0

package security

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/signet-secrets/signet/internal/controllertest"
)

// The tests in this file are about Secrets that others write with stringData.

// stringWriter is a way to write stringData.
type stringWriter struct {
	name string
	// recorded is the field under which the API server has the keys down.
	recorded string
	write    func(ctx context.Context, ns, name string, data values, annotations map[string]string) error
}

// stringWriters are all ways to write stringData to a Secret that is there: the
// requests that kubectl edit and replace, kubectl patch, kubectl apply and kubectl
// apply --server-side make.
func stringWriters() []stringWriter {
	patch := func(kind types.PatchType, options ...client.PatchOption) func(context.Context, string, string, values, map[string]string) error {
		return func(ctx context.Context, ns, name string, data values, annotations map[string]string) error {
			metadata := map[string]any{"name": name, "namespace": ns}
			if annotations != nil {
				metadata["annotations"] = annotations
			}
			text, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "Secret", "stringData": data, "metadata": metadata})
			if err != nil {
				return err
			}
			s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name}}
			return lab.Admin.Patch(ctx, s, client.RawPatch(kind, text), append(options, client.FieldOwner("others"))...)
		}
	}
	return []stringWriter{
		{"update", "f:data", update},
		{"JSON patch", "f:data", jsonPatch},
		{"merge patch", "f:data", patch(types.MergePatchType)},
		{"strategic merge patch", "f:data", patch(types.StrategicMergePatchType)},
		{"apply", "f:stringData", patch(types.ApplyPatchType)},
		{"forced apply", "f:stringData", patch(types.ApplyPatchType, client.ForceOwnership)},
	}
}

func update(ctx context.Context, ns, name string, data values, annotations map[string]string) error {
	s := &corev1.Secret{}
	if err := lab.Admin.Get(ctx, client.ObjectKey{Namespace: ns, Name: name}, s); err != nil {
		return err
	}
	s.StringData = data
	for key, value := range annotations {
		metav1.SetMetaDataAnnotation(&s.ObjectMeta, key, value)
	}
	return lab.Admin.Update(ctx, s, client.FieldOwner("others"))
}

func jsonPatch(ctx context.Context, ns, name string, data values, annotations map[string]string) error {
	operations := []map[string]any{{"op": "add", "path": "/stringData", "value": data}}
	if annotations != nil {
		operations = append(operations, map[string]any{"op": "add", "path": "/metadata/annotations", "value": annotations})
	}
	text, err := json.Marshal(operations)
	if err != nil {
		return err
	}
	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name}}
	return lab.Admin.Patch(ctx, s, client.RawPatch(types.JSONPatchType, text), client.FieldOwner("others"))
}

// mustWrite writes stringData to a Secret.
func (w stringWriter) mustWrite(t *testing.T, ns, name string, data values, annotations map[string]string) {
	t.Helper()
	controllertest.Until(t, "write by "+w.name, func(ctx context.Context) error { return w.write(ctx, ns, name, data, annotations) })
}

// applier is the writer whose keys are recorded as stringData.
func applier(t *testing.T) stringWriter {
	t.Helper()
	all := stringWriters()
	return all[slices.IndexFunc(all, func(w stringWriter) bool { return w.name == "apply" })]
}

// bare makes a Secret without values, and has one of the writers fill it.
func bare(t *testing.T, w stringWriter, ns, name string, data values, annotations map[string]string) *corev1.Secret {
	t.Helper()
	lab.Create(t, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name}})
	w.mustWrite(t, ns, name, data, annotations)
	return lab.WaitData(t, ns, name, data)
}

// recorded returns under which of the two fields a manager has a key.
func recorded(t *testing.T, s *corev1.Secret, manager, key string) []string {
	t.Helper()
	var found []string
	for _, f := range s.ManagedFields {
		var fields map[string]map[string]any
		if err := json.Unmarshal(f.FieldsV1.GetRawBytes(), &fields); err != nil {
			continue // of type or immutable, which are not maps of keys
		}
		for _, field := range []string{"f:data", "f:stringData"} {
			if _, has := fields[field]["f:"+key]; has && f.Manager == manager {
				found = append(found, field)
			}
		}
	}
	return found
}

// noStrays fails the test if somebody is down for stringData.
func noStrays(t *testing.T, s *corev1.Secret) {
	t.Helper()
	for _, f := range s.ManagedFields {
		if strings.Contains(f.FieldsV1.GetRawString(), "f:stringData") {
			t.Errorf("%s is still down for %s", f.Manager, f.FieldsV1.GetRawString())
		}
	}
}

// quietWhenAnnotated fails the test if the controller writes a Secret, be it in
// vain, because somebody has annotated it.
func quietWhenAnnotated(t *testing.T, ns, name string) {
	t.Helper()
	before := secretWrites(t, ns, name)
	annotate(t, ns, name, map[string]string{"note": "x"})
	lab.Pass(t, ns)
	if n := secretWrites(t, ns, name); n != before {
		t.Errorf("%d writes because of an annotation of others, want none", n-before)
	}
}

// secretWrites counts the requests of the controller that write a Secret.
func secretWrites(t *testing.T, ns, name string) int {
	t.Helper()
	return secretRequests(t, ns, name, "update", "patch", "delete")
}

// secretRequests counts the requests of the controller for a Secret with certain
// verbs.
func secretRequests(t *testing.T, ns, name string, verbs ...string) int {
	t.Helper()
	requests, err := lab.Requests(shared)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, r := range requests {
		o := r.ObjectRef
		if o.Resource == "secrets" && o.Namespace == ns && o.Name == name && slices.Contains(verbs, r.Verb) {
			n++
		}
	}
	return n
}

// What the rest rests on: stringData that is applied is recorded as it was written,
// everything else as data, and none of it takes a key from who had it unless it is
// recorded as data.
func TestHowTheAPIServerRecordsStringData(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	made := lab.Foreign(t, ns, "made", values{"password": "1"}, nil)
	if diff := cmp.Diff([]string{"f:data"}, recorded(t, made, "payments-app", "password")); diff != "" {
		t.Errorf("create: %s", diff)
	}
	for i, w := range stringWriters() {
		t.Run(w.name, func(t *testing.T) {
			name := fmt.Sprintf("app-%d", i)
			lab.Foreign(t, ns, name, values{"password": "1"}, nil)
			w.mustWrite(t, ns, name, values{"password": "2"}, nil)
			s := lab.WaitData(t, ns, name, values{"password": "2"})
			if diff := cmp.Diff([]string{w.recorded}, recorded(t, s, "others", "password")); diff != "" {
				t.Errorf("the writer: %s", diff)
			}
			var before []string
			if w.recorded == "f:stringData" {
				before = []string{"f:data"}
			}
			if diff := cmp.Diff(before, recorded(t, s, "payments-app", "password")); diff != "" {
				t.Errorf("who had it before: %s", diff)
			}
		})
	}
}

func TestClaimToStringDataIsRefused(t *testing.T) {
	for _, w := range stringWriters() {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			ns := namespace(t)
			user := mallory(t, ns)
			was := bare(t, w, ns, "app", values{"password": "theirs"}, map[string]string{mergeMark: "mine"})
			said := map[string]bool{}
			for _, guess := range []string{"evil", "theirs"} {
				o := addition(t, ns, "mine", "app", values{"password": guess})
				create(t, user, o)
				text := message(t, ns, "mine", "KeyConflict")
				if said[text] = true; !strings.Contains(text, `password of data belongs to "others"`) {
					t.Errorf("message %q", text)
				}
				if err := user.Delete(t.Context(), o); err != nil {
					t.Fatal(err)
				}
				lab.Pass(t, ns)
				lab.Unchanged(t, was)
			}
			if len(said) != 1 {
				t.Errorf("a right guess and a wrong one: %v", said)
			}
		})
	}
}

func TestDriftByStringDataIsHealedOnce(t *testing.T) {
	for _, w := range stringWriters() {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			ns := namespace(t)
			sealed := values{"password": "sealed", "user": "app"}
			lab.Create(t, lab.MustSeal(t, controllertest.Secret{Namespace: ns, Name: "db", Data: sealed}))
			lab.WaitReady(t, ns, "db")
			w.mustWrite(t, ns, "db", values{"password": "drift", "more": "added"}, nil)
			lab.WaitData(t, ns, "db", sealed)
			lab.WaitEvents(t, ns, "db", "Healed", 1)
			now := lab.MustSecret(t, ns, "db")
			noStrays(t, now)
			resting(t, ns, "db", "db")
			lab.Unchanged(t, now)
			quietWhenAnnotated(t, ns, "db")
		})
	}
}

// Others apply stringData over what a SealedSecret has added to the Secret of
// another one. Everything comes back, and then there is quiet.
func TestDriftByStringDataBesideAPartner(t *testing.T) {
	for _, w := range stringWriters() {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			ns := namespace(t)
			lab.Create(t, lab.MustSeal(t, controllertest.Secret{
				Namespace: ns, Name: "app", Data: values{"theirs": "1"}, Annotations: map[string]string{mergeMark: "extra"},
			}))
			lab.WaitReady(t, ns, "app")
			lab.Create(t, lab.MustSealAddition(t, controllertest.Secret{Namespace: ns, Name: "app", Data: values{"ours": "2", "beside": "3"}}, "extra"))
			lab.WaitReady(t, ns, "extra")
			resting(t, ns, "app", "app", "extra")
			w.mustWrite(t, ns, "app", values{"theirs": "drift", "ours": "drift", "more": "added"}, nil)
			lab.WaitData(t, ns, "app", values{"theirs": "1", "ours": "2", "beside": "3"})
			lab.WaitReady(t, ns, "app")
			lab.WaitReady(t, ns, "extra")
			resting(t, ns, "app", "app", "extra")
			noStrays(t, lab.WaitData(t, ns, "app", values{"theirs": "1", "ours": "2", "beside": "3"}))
		})
	}
}

// What others have applied over a key that was added is theirs from then on, and
// is not taken out with what is.
func TestMergeDoesNotTakeAppliedStringDataBack(t *testing.T) {
	for _, test := range []struct {
		name  string
		leave func(t *testing.T, ns string) values
	}{
		{"the key leaves the document", func(t *testing.T, ns string) values {
			t.Helper()
			lab.Replace(t, addition(t, ns, "extra", "app", values{"ours": "4"}))
			lab.WaitReady(t, ns, "extra")
			return values{"theirs": "1", "taken": "applied", "ours": "4"}
		}},
		{"the SealedSecret is deleted", func(t *testing.T, ns string) values {
			t.Helper()
			lab.Delete(t, controllertest.NewSealedSecret(ns, "extra"))
			return values{"theirs": "1", "taken": "applied"}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ns := namespace(t)
			lab.Foreign(t, ns, "app", values{"theirs": "1"}, map[string]string{mergeMark: "extra"})
			lab.Create(t, addition(t, ns, "extra", "app", values{"ours": "2", "taken": "3"}))
			lab.WaitReady(t, ns, "extra")
			applier(t).mustWrite(t, ns, "app", values{"taken": "applied"}, nil)
			lab.WaitReason(t, ns, "extra", "KeyConflict")
			lab.Pass(t, ns)
			lab.WaitData(t, ns, "app", values{"theirs": "1", "ours": "2", "taken": "applied"})

			data := test.leave(t, ns)
			lab.WaitData(t, ns, "app", data)
			lab.Pass(t, ns)
			lab.WaitData(t, ns, "app", data)
		})
	}
}

func TestAdoptionTakesStringDataOver(t *testing.T) {
	for _, w := range stringWriters() {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			ns := namespace(t)
			bare(t, w, ns, "db", values{"password": "same", "more": "theirs"}, map[string]string{adoptMark: "db"})
			lab.Create(t, lab.MustSeal(t, controllertest.Secret{Namespace: ns, Name: "db", Data: values{"password": "same"}}))
			lab.WaitReady(t, ns, "db")
			now := lab.WaitData(t, ns, "db", values{"password": "same"})
			noStrays(t, now)
			if had := recorded(t, now, "others", "password"); had != nil {
				t.Errorf("it still has the key: %s", had)
			}
			quietWhenAnnotated(t, ns, "db")

			// It is ours, although the value is the same as before.
			lab.EditSecret(t, ns, "db", func(s *corev1.Secret) { delete(s.Data, "password") })
			lab.WaitData(t, ns, "db", values{"password": "same"})
		})
	}
}

// A Secret is not deleted while somebody else has keys in it.
func TestStringDataOfOthersIsNotDeleted(t *testing.T) {
	for _, w := range stringWriters() {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			ns := namespace(t)
			document := controllertest.Secret{Namespace: ns, Name: "db", Data: values{"password": "sealed"}}
			lab.Create(t, lab.MustSeal(t, document))
			lab.WaitReady(t, ns, "db")
			lab.Update(t, ns, "db", func(o *unstructured.Unstructured) { controllertest.Set(t, o, true, "spec", "suspend") })
			lab.WaitReason(t, ns, "db", "Suspended")
			w.mustWrite(t, ns, "db", values{"more": "theirs"}, nil)
			document.Type = "example.com/other"
			lab.Replace(t, lab.MustSeal(t, document))
			if text := message(t, ns, "db", "SecretIncompatible"); !strings.Contains(text, "keys of others: more") {
				t.Errorf("message %q", text)
			}
			lab.Pass(t, ns)
			lab.WaitData(t, ns, "db", values{"password": "sealed", "more": "theirs"})
		})
	}
}
