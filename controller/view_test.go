// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/signet-secrets/signet/controller/v1alpha1"
)

// settledView is that of an object whose Secret is as it was written.
func settledView() *view {
	object := &v1alpha1.SealedSecret{ObjectMeta: metav1.ObjectMeta{Namespace: "prod", Name: "db", UID: "o-1", Generation: 2}}
	secret := secretMetadata()
	secret.ObjectMeta = metav1.ObjectMeta{
		Namespace: "prod", Name: "db", UID: "s-1", ResourceVersion: "100",
		Labels:        map[string]string{ManagedLabel: ManagedValue},
		Annotations:   map[string]string{OwnerAnnotation: "db"},
		ManagedFields: []metav1.ManagedFieldsEntry{fields("signet:db", byUpdate, 1, `{"f:data":{"f:password":{},"f:username":{}}}`)},
	}
	status := &v1alpha1.SealedSecretStatus{ObservedGeneration: 2, PolicyDigest: "p", Secret: statusOf(secret, "signet:db")}
	setConditions(&status.Conditions, 2, metav1.ConditionTrue, Unsealed, "")
	return &view{object: object, status: status, secret: secret, policy: "p", tried: true}
}

// failedAs turns the status into that of a failure.
func (v *view) failedAs(reason Reason) {
	setConditions(&v.status.Conditions, 2, metav1.ConditionFalse, reason, "")
}

// merging makes the object one that merges, with what it has applied.
func (v *view) merging(consent string) {
	v.object.Spec.CreationPolicy = v1alpha1.Merge
	v.secret.Annotations = map[string]string{MergeAnnotation: consent}
	v.secret.ManagedFields[0].Operation = byApply
	v.status.Secret = statusOf(v.secret, "signet:db")
}

func (v *view) without() { v.secret = nil }

func (v *view) add(f metav1.ManagedFieldsEntry) {
	v.secret.ResourceVersion = "101"
	v.secret.ManagedFields = append(v.secret.ManagedFields, f)
}

type viewCase struct {
	name   string
	change func(*view)
	want   step
}

func checkViews(t *testing.T, cases []viewCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			v := settledView()
			c.change(v)
			if got := v.next(); got != c.want {
				t.Errorf("next step is %q, want %q", got, c.want)
			}
		})
	}
}

func TestNextOfASettledObject(t *testing.T) {
	checkViews(t, []viewCase{
		{"nothing has changed", func(*view) {}, stepIdle},
		{"Secret annotated by somebody", func(v *view) { v.add(fields("x", byUpdate, 9, `{"f:metadata":{"f:annotations":{"f:x":{}}}}`)) }, stepIdle},
		{"Secret written again as it was", func(v *view) { v.secret.ResourceVersion = "101" }, stepIdle},
		{"key added by somebody", func(v *view) { v.add(fields("x", byUpdate, 9, `{"f:data":{"f:extra":{}}}`)) }, stepOpen},
		{"key added by a partner", func(v *view) {
			v.secret.Annotations[MergeAnnotation] = "extra, other"
			v.add(fields("signet:extra", byApply, 9, `{"f:data":{"f:extra":{}}}`))
		}, stepIdle},
		{"key added by one who was not invited", func(v *view) {
			v.secret.Annotations[MergeAnnotation] = "other"
			v.add(fields("signet:extra", byApply, 9, `{"f:data":{"f:extra":{}}}`))
		}, stepOpen},
		{"value changed by somebody", func(v *view) {
			v.secret.ManagedFields[0] = fields("signet:db", byUpdate, 1, `{"f:data":{"f:username":{}}}`)
			v.add(fields("x", byUpdate, 9, `{"f:data":{"f:password":{}}}`))
		}, stepOpen},
		{"value changed in our name", func(v *view) {
			v.secret.ManagedFields[0] = fields("signet:db", byUpdate, 9, `{"f:data":{"f:password":{},"f:username":{}}}`)
			v.secret.ResourceVersion = "101"
		}, stepOpen},
		{"managed fields that can't be read", func(v *view) { v.add(fields("x", byUpdate, 9, `[`)) }, stepOpen},
		{"new document", func(v *view) { v.object.Generation = 3 }, stepOpen},
		{"new policy", func(v *view) { v.policy = "q" }, stepOpen},
		{"other Secret named", func(v *view) { v.object.Spec.SecretName = "db2"; v.without() }, stepOpen},
		{"Secret made anew by somebody", func(v *view) { v.secret.UID = "s-2" }, stepOpen},
		{"suspended", func(v *view) { v.object.Spec.Suspend = true; v.object.Generation = 3 }, stepSuspend},
		{"Secret not in the cache", func(v *view) { v.without() }, stepLook},
		{"Secret gone", func(v *view) { v.without(); v.live = true }, stepOpen},
		{"released", func(v *view) { v.secret.Annotations = nil }, stepLook},
		{"released for sure", func(v *view) { v.secret.Annotations = nil; v.live = true }, stepUnowned},
		{"status says that a Secret of others is ours", func(v *view) { v.secret.ManagedFields = nil; v.secret.Annotations = nil; v.live = true }, stepUnowned},
	})
}

// A status may be forged, or older than what is elsewhere. So before anything is
// deleted on its word the document is opened.
func TestNextOfASettledObjectThatHasLeftSomethingElsewhere(t *testing.T) {
	checkViews(t, []viewCase{
		{"nothing but the status says that it is done", func(v *view) { v.unproved = true }, stepOpen},
		{"not now", func(v *view) { v.unproved, v.wait = true, time.Second }, stepIdle},
		{"suspended", func(v *view) { v.unproved, v.object.Spec.Suspend = true, true }, stepSuspend},
		{"the cache is behind", func(v *view) { v.unproved, v.wrote = true, secretVersion{"db", "s-1", "105"} }, stepWait},
		{"merges", func(v *view) { v.merging("db"); v.unproved = true }, stepLook},
		{"merges for sure", func(v *view) { v.merging("db"); v.unproved, v.live = true, true }, stepOpen},
		{"merges, consent gone", func(v *view) { v.merging("x"); v.unproved, v.live = true, true }, stepUnowned},
	})
}

// What is elsewhere goes only when this process has written the Secret as the
// object says now, and it is as it should be.
func TestIdleProvesNothingNew(t *testing.T) {
	left := leftovers{owned: []metav1.PartialObjectMetadata{*secretMetadata()}}
	for _, test := range []struct {
		name         string
		change       func(*view, *record)
		left         leftovers
		proved, kept bool
	}{
		{"written by this process", func(_ *view, r *record) { r.proved = true }, left, true, true},
		{"nothing is left", func(_ *view, r *record) { r.proved = true }, leftovers{}, false, false},
		{"not written by this process", func(*view, *record) {}, left, false, false},
		{"another name", func(v *view, r *record) { r.proved = true; v.object.Spec.SecretName = "db2" }, left, false, true},
		{"changed by somebody", func(v *view, r *record) {
			r.proved = true
			v.add(fields("x", byUpdate, 9, `{"f:data":{"f:extra":{}}}`))
		}, left, false, true},
		{"stalled", func(v *view, r *record) { r.proved = true; v.failedAs(TamperedDocument) }, left, false, true},
		{"new document", func(v *view, r *record) { r.proved = true; v.object.Generation = 3 }, left, false, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			v, rec := settledView(), record{}
			test.change(v, &rec)
			out := v.idle(rec, test.left)
			if out.proved != test.proved || out.record.proved != test.kept {
				t.Errorf("proved %v, remembered %v; want %v, %v", out.proved, out.record.proved, test.proved, test.kept)
			}
		})
	}
}

// What was just written is not written again because the cache is behind.
func TestNextWhileTheCacheIsBehind(t *testing.T) {
	wrote := func(v *view, version string, age time.Duration) {
		v.wrote, v.age = secretVersion{"db", "s-1", version}, age
	}
	checkViews(t, []viewCase{
		{"has an older version", func(v *view) { wrote(v, "105", time.Hour) }, stepWait},
		{"has that version", func(v *view) { wrote(v, "100", time.Hour) }, stepIdle},
		{"has a newer one", func(v *view) { wrote(v, "99", 0) }, stepIdle},
		{"has it not yet", func(v *view) { wrote(v, "100", time.Millisecond); v.without() }, stepWait},
		{"should have it by now", func(v *view) { wrote(v, "100", catchUpTime); v.without() }, stepLook},
		{"has another Secret", func(v *view) { wrote(v, "105", 0); v.secret.UID = "s-2" }, stepOpen},
		{"it was another name", func(v *view) { wrote(v, "105", 0); v.wrote.name = "old" }, stepIdle},
		{"new document", func(v *view) { wrote(v, "105", 0); v.object.Generation = 3 }, stepOpen},
	})
}

func TestNextAfterAFailure(t *testing.T) {
	checkViews(t, []viewCase{
		{"time to try again", func(v *view) { v.failedAs(KeyUnavailable) }, stepOpen},
		{"not yet", func(v *view) { v.failedAs(KeyUnavailable); v.wait = time.Second }, stepIdle},
		{"stalled", func(v *view) { v.failedAs(TamperedDocument) }, stepIdle},
		{"stalled, new document", func(v *view) { v.failedAs(TamperedDocument); v.object.Generation = 3 }, stepOpen},
		{"stalled, new policy", func(v *view) { v.failedAs(KeyNotAllowed); v.policy = "q" }, stepOpen},
		{"key not allowed, after a restart", func(v *view) { v.failedAs(KeyNotAllowed); v.tried = false }, stepOpen},
		{"stalled for a reason that is none", func(v *view) {
			v.failedAs(TamperedDocument)
			v.status.Conditions[0].Reason = "Forged"
		}, stepOpen},
		{"stalled though the Secret is as sealed", func(v *view) {
			v.failedAs(TamperedDocument)
			meta.SetStatusCondition(&v.status.Conditions, metav1.Condition{Type: Ready, Status: metav1.ConditionTrue, Reason: string(Unsealed)})
			v.object.Spec.SecretName = "db2"
		}, stepOpen},
		{"never looked at", func(v *view) { v.status = &v1alpha1.SealedSecretStatus{ObservedGeneration: -1}; v.without() }, stepOpen},
		{"suspended before", func(v *view) {
			setConditions(&v.status.Conditions, 2, metav1.ConditionTrue, Suspended, "")
			v.object.Generation = 3
		}, stepOpen},
	})
}

func TestNextForASecretOfOthers(t *testing.T) {
	foreign := func(v *view) { v.failedAs(SecretNotOwned); v.secret.Annotations = nil }
	checkViews(t, []viewCase{
		{"not in the cache", func(v *view) { foreign(v); v.without() }, stepLook},
		{"gone for sure", func(v *view) { foreign(v); v.without(); v.live = true }, stepOpen},
		{"in the cache", foreign, stepLook},
		{"there for sure", func(v *view) { foreign(v); v.live = true }, stepUnowned},
		{"consents", func(v *view) {
			foreign(v)
			v.live = true
			v.secret.Annotations = map[string]string{AdoptAnnotation: "a, db"}
		}, stepOpen},
		{"consents to another", func(v *view) {
			foreign(v)
			v.live = true
			v.secret.Annotations = map[string]string{AdoptAnnotation: "dbx"}
		}, stepUnowned},
		{"consents to merging only", func(v *view) {
			foreign(v)
			v.live = true
			v.secret.Annotations = map[string]string{MergeAnnotation: "db"}
		}, stepUnowned},
		{"consents, but is another's", func(v *view) {
			foreign(v)
			v.live, v.secret.Annotations = true, map[string]string{AdoptAnnotation: "db", OwnerAnnotation: "other"}
		}, stepUnowned},
		{"consents, and the other is gone", func(v *view) {
			foreign(v)
			v.live, v.ownerGone, v.secret.Annotations = true, true, map[string]string{AdoptAnnotation: "db", OwnerAnnotation: "other"}
		}, stepOpen},
		{"the other is gone, without consent", func(v *view) {
			foreign(v)
			v.live, v.ownerGone, v.secret.Annotations = true, true, map[string]string{OwnerAnnotation: "other"}
		}, stepUnowned},
	})
}

func TestNextForMerge(t *testing.T) {
	checkViews(t, []viewCase{
		{"nothing has changed", func(v *view) { v.merging("db") }, stepIdle},
		{"others have more keys", func(v *view) { v.merging("db"); v.add(fields("x", byUpdate, 9, `{"f:data":{"f:extra":{}}}`)) }, stepIdle},
		{"ours were taken", func(v *view) { v.merging("db"); v.secret.ManagedFields = nil }, stepLook},
		{"ours were taken, for sure", func(v *view) { v.merging("db"); v.secret.ManagedFields = nil; v.live = true }, stepOpen},
		{"new document", func(v *view) { v.merging("db"); v.object.Generation = 3 }, stepLook},
		{"new document, consent gone", func(v *view) { v.merging("x"); v.object.Generation = 3; v.live = true }, stepUnowned},
		{"no Secret", func(v *view) { v.merging("db"); v.without(); v.live = true }, stepMissing},
		{"no Secret in the cache", func(v *view) { v.merging("db"); v.without() }, stepLook},
	})
}
