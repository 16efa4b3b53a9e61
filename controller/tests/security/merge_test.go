// SPDX-License-Identifier: Apache-2.0

package security

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/signet-secrets/signet/internal/controllertest"
)

func TestMergeAddsKeysLabelsAndAnnotations(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	was := lab.Foreign(t, ns, "app", values{"theirs": "1"}, map[string]string{mergeMark: "extra", "note": "x"})
	lab.Create(t, lab.MustSealAddition(t, controllertest.Secret{
		Namespace: ns, Name: "app", Data: values{"ours": "2"},
		Labels: map[string]string{"tier": "db"}, Annotations: map[string]string{"example.com/by": "signet"},
	}, "extra"))
	s := lab.WaitReady(t, ns, "extra")
	now := lab.WaitData(t, ns, "app", values{"theirs": "1", "ours": "2"})
	for key, want := range map[string]string{"team": "payments", "tier": "db", managed: "true"} {
		if now.Labels[key] != want {
			t.Errorf("label %s is %q, want %q", key, now.Labels[key], want)
		}
	}
	for key, want := range map[string]string{"note": "x", "example.com/by": "signet", mergeMark: "extra", ownerMark: ""} {
		if now.Annotations[key] != want {
			t.Errorf("annotation %s is %q, want %q", key, now.Annotations[key], want)
		}
	}
	if now.UID != was.UID || len(now.OwnerReferences) != 0 || s.Status.Secret.UID != now.UID {
		t.Errorf("Secret %+v, status %+v", now.ObjectMeta, s.Status.Secret)
	}
}

func TestMergeConsentIsByName(t *testing.T) {
	for _, test := range []struct {
		consent string
		granted bool
	}{
		{"extra", true},
		{"other,extra", true},
		{"other, extra ,third", true},
		{"other", false},
		{"extra2", false},
		{"true", false},
		{"*", false},
		{"", false},
	} {
		t.Run(test.consent, func(t *testing.T) {
			t.Parallel()
			ns := namespace(t)
			was := lab.Foreign(t, ns, "app", values{"theirs": "1"}, map[string]string{mergeMark: test.consent})
			lab.Create(t, addition(t, ns, "extra", "app", values{"ours": "2"}))
			if test.granted {
				lab.WaitReady(t, ns, "extra")
				lab.WaitData(t, ns, "app", values{"theirs": "1", "ours": "2"})
				return
			}
			lab.WaitReason(t, ns, "extra", "SecretNotOwned")
			lab.Unchanged(t, was)
		})
	}
}

// Two documents add to one Secret of a third party, all at the same time. None of
// them is ever not ready, and none writes because the others do.
func TestMergePartnersDoNotPingPong(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	lab.Foreign(t, ns, "app", values{"theirs": "1"}, map[string]string{mergeMark: "left,right"})
	reasons := map[string]*controllertest.Reasons{}
	for _, name := range []string{"left", "right"} {
		reasons[name] = lab.WatchReasons(t, ns, name)
		lab.Create(t, addition(t, ns, name, "app", values{name: "2"}))
	}
	lab.WaitReady(t, ns, "left")
	lab.WaitReady(t, ns, "right")
	lab.WaitData(t, ns, "app", values{"theirs": "1", "left": "2", "right": "2"})
	resting(t, ns, "app", "left", "right")

	lab.EditSecret(t, ns, "app", func(s *corev1.Secret) { s.Data["theirs"] = []byte("3") })
	lab.Replace(t, addition(t, ns, "left", "app", values{"left": "4"}))
	lab.WaitReady(t, ns, "left")
	lab.WaitData(t, ns, "app", values{"theirs": "3", "left": "4", "right": "2"})
	resting(t, ns, "app", "left", "right")
	for name, r := range reasons {
		if seen := r.Seen(); strings.Join(seen, ",") != "Unsealed" {
			t.Errorf("%s was %q, want Unsealed only", name, seen)
		}
	}
	if n := secretRequests(t, ns, "app", "patch"); n > 6 {
		t.Errorf("%d patches of the Secret, want 3 and some that collided", n)
	}
}

func TestMergeFollowsItsDocument(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	lab.Foreign(t, ns, "app", values{"theirs": "1"}, map[string]string{mergeMark: "extra"})
	put := func(data values, labels map[string]string) {
		t.Helper()
		lab.Replace(t, lab.MustSealAddition(t, controllertest.Secret{Namespace: ns, Name: "app", Data: data, Labels: labels}, "extra"))
		lab.WaitReady(t, ns, "extra")
	}
	lab.Create(t, addition(t, ns, "extra", "app", values{"a": "1", "b": "2"}))
	lab.WaitData(t, ns, "app", values{"theirs": "1", "a": "1", "b": "2"})

	put(values{"a": "changed", "b": "2"}, map[string]string{"tier": "db"})
	lab.WaitData(t, ns, "app", values{"theirs": "1", "a": "changed", "b": "2"})
	put(values{"b": "2"}, nil)
	now := lab.WaitData(t, ns, "app", values{"theirs": "1", "b": "2"})
	if _, found := now.Labels["tier"]; found {
		t.Error("a label that left the document is still there")
	}
}

func TestMergeTakesItsKeysOutWhenDeleted(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	was := lab.Foreign(t, ns, "app", values{"theirs": "1"}, map[string]string{mergeMark: "left,right"})
	for _, name := range []string{"left", "right"} {
		lab.Create(t, addition(t, ns, name, "app", values{name: "2"}))
	}
	lab.WaitData(t, ns, "app", values{"theirs": "1", "left": "2", "right": "2"})
	lab.Delete(t, controllertest.NewSealedSecret(ns, "left"))
	now := lab.WaitData(t, ns, "app", values{"theirs": "1", "right": "2"})
	if now.Labels[managed] != "true" {
		t.Error("the label went although a document is left")
	}
	lab.Delete(t, controllertest.NewSealedSecret(ns, "right"))
	lab.WaitData(t, ns, "app", values{"theirs": "1"})
	controllertest.Until(t, "nothing of Signet is left", func(ctx context.Context) error {
		now, err := lab.Secret(ctx, ns, "app")
		if err != nil {
			return err
		}
		for _, f := range now.ManagedFields {
			if strings.HasPrefix(f.Manager, "signet:") {
				return errors.New("manager " + f.Manager)
			}
		}
		if _, found := now.Labels[managed]; found || now.UID != was.UID {
			return fmt.Errorf("%+v", now.ObjectMeta)
		}
		return nil
	})
}

// The owner of a Secret deletes it and makes it anew, as a chart or a controller
// does: what was added comes back.
func TestMergeAgainIntoARecreatedSecret(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	was := lab.Foreign(t, ns, "app", values{"theirs": "1"}, map[string]string{mergeMark: "extra"})
	lab.Create(t, addition(t, ns, "extra", "app", values{"ours": "2"}))
	lab.WaitData(t, ns, "app", values{"theirs": "1", "ours": "2"})

	lab.Delete(t, was)
	lab.Foreign(t, ns, "app", values{"theirs": "3"}, map[string]string{mergeMark: "extra"})
	lab.WaitData(t, ns, "app", values{"theirs": "3", "ours": "2"})
	lab.WaitReady(t, ns, "extra")

	lab.Delete(t, was)
	lab.WaitReason(t, ns, "extra", "SecretNotFound")
	lab.Foreign(t, ns, "app", values{"theirs": "4"}, map[string]string{mergeMark: "extra"})
	lab.WaitData(t, ns, "app", values{"theirs": "4", "ours": "2"})
	lab.WaitReady(t, ns, "extra")
}

// A Secret that isn't there yet costs no key call. No watch tells when it comes,
// because it doesn't carry our label: it is found by asking.
func TestMergeWaitsForTheSecret(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	key := lab.KMSKey()
	lab.Create(t, lab.MustSealAddition(t, controllertest.Secret{Namespace: ns, Name: "app", Data: values{"ours": "2"}, For: keysOf(key)}, "extra"))
	lab.WaitReason(t, ns, "extra", "SecretNotFound")
	was := lab.Foreign(t, ns, "app", values{"theirs": "1"}, nil)
	lab.WaitReason(t, ns, "extra", "SecretNotOwned")
	lab.Unchanged(t, was)
	if n := lab.Decrypts(key); n != 0 {
		t.Errorf("%d key calls before anything could be written, want none", n)
	}
	annotate(t, ns, "app", map[string]string{mergeMark: "extra"})
	lab.WaitData(t, ns, "app", values{"theirs": "1", "ours": "2"})
	lab.WaitReady(t, ns, "extra")
}

// Without consent there are no further writes. Taking out what was put in needs
// none.
func TestMergeStopsWhenConsentIsWithdrawn(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	lab.Foreign(t, ns, "app", values{"theirs": "1"}, map[string]string{mergeMark: "extra"})
	lab.Create(t, addition(t, ns, "extra", "app", values{"ours": "2"}))
	lab.WaitReady(t, ns, "extra")
	now := annotate(t, ns, "app", map[string]string{mergeMark: ""})
	lab.Replace(t, addition(t, ns, "extra", "app", values{"ours": "3", "more": "4"}))
	lab.WaitReason(t, ns, "extra", "SecretNotOwned")
	lab.Pass(t, ns)
	lab.Unchanged(t, now)

	lab.Delete(t, controllertest.NewSealedSecret(ns, "extra"))
	lab.WaitData(t, ns, "app", values{"theirs": "1"})
}

// What others have written over a key that was added is theirs from then on.
func TestMergeDoesNotTakeAKeyBack(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	lab.Foreign(t, ns, "app", values{"theirs": "1"}, map[string]string{mergeMark: "extra"})
	lab.Create(t, addition(t, ns, "extra", "app", values{"ours": "2", "taken": "3"}))
	lab.WaitReady(t, ns, "extra")
	now := lab.EditSecret(t, ns, "app", func(s *corev1.Secret) { s.Data["taken"] = []byte("by hand") })
	lab.WaitReason(t, ns, "extra", "KeyConflict")
	lab.Pass(t, ns)
	lab.Unchanged(t, now)
	lab.Replace(t, addition(t, ns, "extra", "app", values{"ours": "4"}))
	lab.WaitReady(t, ns, "extra")
	lab.WaitData(t, ns, "app", values{"theirs": "1", "ours": "4", "taken": "by hand"})
}
