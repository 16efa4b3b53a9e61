// SPDX-License-Identifier: Apache-2.0

package behaviour

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/signet-secrets/signet/internal/controllertest"
)

// theirs makes a Secret called db that is not Signet's.
func theirs(t *testing.T, namespace string) *corev1.Secret {
	t.Helper()
	return lab.Foreign(t, namespace, "db", map[string]string{"password": "theirs", "extra": "theirs too"}, nil)
}

func TestUnmanagedSecretIsLeftAlone(t *testing.T) {
	ns, key := start(t), lab.KMSKey()
	was := theirs(t, ns)
	lab.Create(t, document(t, ns, values(), key))
	s := lab.WaitReason(t, ns, "db", "SecretNotOwned")
	ready := meta.FindStatusCondition(s.Status.Conditions, "Ready")
	if ready.Status != metav1.ConditionFalse || !strings.Contains(ready.Message, "signet.dev/adopt: db") || s.Status.Secret != nil {
		t.Errorf("status %+v", s.Status)
	}
	if meta.FindStatusCondition(s.Status.Conditions, "Stalled") != nil {
		t.Error("Stalled, but somebody may delete the Secret")
	}
	for range 3 {
		poke(t, ns)
		lab.Settle(t, ns)
	}
	lab.Unchanged(t, was)
	decrypts(t, key, 1) // for the attempt to make it

	lab.Delete(t, was)
	poke(t, ns)
	lab.WaitReady(t, ns, "db")
	lab.WaitData(t, ns, "db", values())
	decrypts(t, key, 2)
}

// No watch tells of a Secret that is not ours.
func TestUnmanagedSecretThatGoesIsNoticedByThePoll(t *testing.T) {
	ns := start(t)
	was := theirs(t, ns)
	lab.Create(t, document(t, ns, values()))
	lab.WaitReason(t, ns, "db", "SecretNotOwned")
	lab.Delete(t, was)
	lab.WaitData(t, ns, "db", values())
	lab.WaitReady(t, ns, "db")
}

func TestUnmanagedSecretThatConsentsIsAdopted(t *testing.T) {
	for _, c := range []struct{ name, consent string }{
		{"by name", "db"},
		{"by a list of names", "other, db,third"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ns := start(t)
			was := theirs(t, ns)
			lab.Create(t, document(t, ns, values()))
			lab.WaitReason(t, ns, "db", "SecretNotOwned")
			lab.EditSecret(t, ns, "db", func(s *corev1.Secret) {
				s.Annotations = map[string]string{"signet.dev/adopt": c.consent, "example.com/note": "theirs"}
			})
			poke(t, ns)
			lab.WaitReady(t, ns, "db")
			got := lab.WaitData(t, ns, "db", values())
			if _, there := got.Annotations["signet.dev/adopt"]; there || got.UID != was.UID {
				t.Errorf("Secret %+v, uid was %s", got.ObjectMeta, was.UID)
			}
			if got.Labels["team"] != "payments" || got.Annotations["example.com/note"] != "theirs" || got.Labels["signet.dev/managed"] != "true" {
				t.Errorf("labels %v, annotations %v", got.Labels, got.Annotations)
			}
			lab.WaitEvents(t, ns, "db", "Adopted", 1)
		})
	}
}

func TestConsentToAnotherIsNone(t *testing.T) {
	ns := start(t)
	theirs(t, ns)
	was := lab.EditSecret(t, ns, "db", func(s *corev1.Secret) {
		s.Annotations = map[string]string{"signet.dev/adopt": "db2,mydb", "signet.dev/merge": "db"}
	})
	lab.Create(t, document(t, ns, values()))
	lab.WaitReason(t, ns, "db", "SecretNotOwned")
	lab.Settle(t, ns)
	lab.Unchanged(t, was)
}

func TestConsentOfAnOwnedSecretIsIgnored(t *testing.T) {
	ns := start(t)
	unsealed(t, ns)
	was := lab.EditSecret(t, ns, "db", func(s *corev1.Secret) { s.Annotations["signet.dev/adopt"] = "thief" })
	lab.Create(t, controllertest.Named(document(t, ns, map[string]string{"password": "stolen"}), "thief"))
	s := lab.WaitReason(t, ns, "thief", "SecretNotOwned")
	if m := meta.FindStatusCondition(s.Status.Conditions, "Ready").Message; m != "Secret db belongs to SealedSecret db; change spec.secretName of one of them, or delete one" {
		t.Errorf("message %q", m)
	}
	lab.Settle(t, ns)
	lab.Unchanged(t, was)
	lab.WaitReady(t, ns, "db")
}

func TestRemovedOwnerAnnotationReleasesTheSecret(t *testing.T) {
	ns, key := start(t), lab.KMSKey()
	unsealed(t, ns, key)
	released := lab.EditSecret(t, ns, "db", func(s *corev1.Secret) {
		delete(s.Annotations, "signet.dev/sealed-secret")
		s.Data["password"] = []byte("mine now")
	})
	lab.WaitReason(t, ns, "db", "SecretNotOwned")
	lab.Replace(t, document(t, ns, map[string]string{"password": "another"}, key))
	lab.WaitReason(t, ns, "db", "SecretNotOwned")
	lab.Settle(t, ns)
	lab.Unchanged(t, released)
	decrypts(t, key, 1)

	lab.EditSecret(t, ns, "db", func(s *corev1.Secret) { s.Annotations = map[string]string{"signet.dev/adopt": "db"} })
	lab.WaitReady(t, ns, "db") // at once: the label is still there, so it is watched
	got := lab.WaitData(t, ns, "db", map[string]string{"password": "another"})
	if got.UID != released.UID {
		t.Error("another Secret")
	}
}
