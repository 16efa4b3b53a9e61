// SPDX-License-Identifier: Apache-2.0

package security

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/signet-secrets/signet/controller/v1alpha1"
	"github.com/signet-secrets/signet/internal/controllertest"
)

// The tests in this file are about a user who may do everything with SealedSecrets
// in a namespace and nothing with Secrets, and would like to know what is in one.

const documentMark = "signet.dev/document"

// sight is what such a user sees of what became of a document, compared with what
// there was before.
type sight struct {
	Reason, Message             string
	SameSecret, Written, Fields bool
	Events                      map[string]int
}

// look returns what a user sees of a SealedSecret.
func look(t *testing.T, user client.Client, ns, name string) *v1alpha1.SealedSecret {
	t.Helper()
	s := &v1alpha1.SealedSecret{}
	if err := user.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: name}, s); err != nil {
		t.Fatal(err)
	}
	return s
}

// events counts those about a SealedSecret.
func events(t *testing.T, ns, name string) map[string]int {
	t.Helper()
	found := map[string]int{}
	for _, reason := range []string{"Updated", "Healed", "Recreated", "Adopted", "KeyConflict", "SecretIncompatible"} {
		n, err := lab.Events(t.Context(), ns, name, reason)
		if err != nil {
			t.Fatal(err)
		}
		found[reason] = n
	}
	return found
}

// anotherSecond waits until times that are in whole seconds are others than those
// of what has happened before.
func anotherSecond(t *testing.T) {
	t.Helper()
	begin := time.Now().Unix()
	controllertest.Until(t, "the next second", func(context.Context) error {
		if time.Now().Unix() == begin {
			return fmt.Errorf("it is still second %d", begin)
		}
		return nil
	})
}

// try has the user replace a document by another one, and returns what that looks
// like when it is done with. The event for it is one of the given reason.
func try(t *testing.T, user client.Client, o *unstructured.Unstructured, event string) sight {
	t.Helper()
	ns, name := o.GetNamespace(), o.GetName()
	anotherSecond(t)
	before, told := look(t, user, ns, name), events(t, ns, name)
	controllertest.Until(t, "replace the document as the user", func(ctx context.Context) error {
		now := controllertest.NewSealedSecret(ns, name)
		if err := user.Get(ctx, client.ObjectKeyFromObject(now), now); err != nil {
			return err
		}
		now.Object["spec"] = o.Object["spec"]
		return user.Update(ctx, now)
	})
	controllertest.Until(t, "the document is done with", func(context.Context) error {
		now := look(t, user, ns, name)
		if now.Status.ObservedGeneration == before.Generation || now.Status.ObservedGeneration != now.Generation {
			return fmt.Errorf("status %+v", now.Status)
		}
		return nil
	})
	controllertest.UntilWithin(t, controllertest.Patience, "an event "+event, func(context.Context) error {
		if now := events(t, ns, name); now[event] == told[event] {
			return fmt.Errorf("events %v", now)
		}
		return nil
	})
	lab.Pass(t, ns)
	now := look(t, user, ns, name)
	seen := sight{Events: events(t, ns, name),
		SameSecret: now.Status.Secret.UID == before.Status.Secret.UID,
		Written:    now.Status.Secret.ResourceVersion != before.Status.Secret.ResourceVersion,
		Fields:     now.Status.Secret.Fields != before.Status.Secret.Fields,
	}
	for reason, n := range told {
		seen.Events[reason] -= n
	}
	for _, c := range now.Status.Conditions {
		if c.Type == "Ready" {
			seen.Reason, seen.Message = c.Reason, c.Message
		}
	}
	return seen
}

func TestReplacingADocumentTellsNoValue(t *testing.T) {
	long := strings.Repeat("long-", 20) + "name"
	for _, test := range []struct {
		name      string
		as        string // name of the SealedSecret that merges, "" for an owner
		immutable bool
		event     string
	}{
		{"owner", "", false, "Updated"},
		{"owner of an immutable Secret", "", true, "Recreated"},
		{"addition", "extra", false, "Updated"},
		{"addition with a long name", long, false, "Updated"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ns := namespace(t)
			user := mallory(t, ns)
			document := func(pin string) *unstructured.Unstructured {
				s := controllertest.Secret{Namespace: ns, Name: "db", Data: values{"pin": pin}, Immutable: test.immutable}
				if test.as != "" {
					return lab.MustSealAddition(t, s, test.as)
				}
				return lab.MustSeal(t, s)
			}
			if test.as != "" {
				lab.Foreign(t, ns, "db", values{"other": "x"}, map[string]string{mergeMark: test.as})
			}
			victim := document("4711")
			name := victim.GetName()
			lab.Create(t, victim.DeepCopy())
			lab.WaitReady(t, ns, name)
			wrong := try(t, user, document("0000"), test.event)
			try(t, user, victim, test.event)
			right := try(t, user, document("4711"), test.event)
			if diff := cmp.Diff(wrong, right); diff != "" {
				t.Errorf("wrong and right guesses look different (-wrong +right):\n%s", diff)
			}
			if !right.Written || test.event == "Updated" && !right.Fields || right.Reason != "Unsealed" || right.Events[test.event] != 1 {
				t.Errorf("a new document: %+v, want it written and told", right)
			}
			resting(t, ns, "db", name)
		})
	}
}

// What was added to a Secret that was made immutable then can't be changed, whatever
// the values.
func TestReplacingAnAdditionToAnImmutableSecretTellsNoValue(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	user := mallory(t, ns)
	lab.Foreign(t, ns, "db", values{"other": "x"}, map[string]string{mergeMark: "extra"})
	victim := addition(t, ns, "extra", "db", values{"pin": "4711"})
	lab.Create(t, victim.DeepCopy())
	lab.WaitReady(t, ns, "extra")
	lab.EditSecret(t, ns, "db", func(s *corev1.Secret) { s.Immutable = new(true) })
	lab.Pass(t, ns)
	was := lab.MustSecret(t, ns, "db")
	wrong := try(t, user, addition(t, ns, "extra", "db", values{"pin": "0000"}), "SecretIncompatible")
	lab.Replace(t, victim)
	lab.WaitReady(t, ns, "extra")
	right := try(t, user, addition(t, ns, "extra", "db", values{"pin": "4711"}), "SecretIncompatible")
	if diff := cmp.Diff(wrong, right); diff != "" {
		t.Errorf("wrong and right guesses look different (-wrong +right):\n%s", diff)
	}
	lab.Unchanged(t, was)
}

// A Secret that says that it is not immutable can be written as before.
func TestSecretThatIsExplicitlyMutable(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	lab.Foreign(t, ns, "app", values{"theirs": "1"}, map[string]string{mergeMark: "extra", adoptMark: "app"})
	lab.EditSecret(t, ns, "app", func(s *corev1.Secret) { s.Immutable = new(false) })
	was := lab.MustSecret(t, ns, "app")
	lab.Create(t, addition(t, ns, "extra", "app", values{"ours": "2"}))
	lab.WaitReady(t, ns, "extra")
	lab.WaitData(t, ns, "app", values{"theirs": "1", "ours": "2"})
	lab.Create(t, lab.MustSeal(t, controllertest.Secret{Namespace: ns, Name: "app", Data: values{"sealed": "3"}}))
	lab.WaitReady(t, ns, "app")
	if now := lab.WaitData(t, ns, "app", values{"sealed": "3", "ours": "2"}); now.UID != was.UID {
		t.Error("it was made anew")
	}
}

// Whoever owns a Secret can't find out what was added to it by claiming the key: the
// claim is refused by its name, and no key is called.
func TestOwnerCannotGuessWhatWasAdded(t *testing.T) {
	for _, test := range []struct {
		name    string
		consent map[string]string // what the guess has sealed
	}{
		{"with consent", map[string]string{mergeMark: "theirs"}},
		{"taking consent back", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ns, key := namespace(t), lab.KMSKey()
			user := mallory(t, ns)
			mine := controllertest.Secret{Namespace: ns, Name: "db", Data: values{"host": "x"}, Annotations: map[string]string{mergeMark: "theirs"}}
			create(t, user, lab.MustSeal(t, mine))
			lab.WaitReady(t, ns, "db")
			lab.Create(t, addition(t, ns, "theirs", "db", values{"password": "correct horse"}))
			lab.WaitReady(t, ns, "theirs")
			resting(t, ns, "db", "db", "theirs")
			was, partner := lab.MustSecret(t, ns, "db"), versions(t, ns, "db", "theirs")
			said := map[string]bool{}
			for _, guess := range []string{"letmein", "correct horse"} {
				s := mine
				s.Annotations, s.For = test.consent, keysOf(key)
				s.Data = values{"host": "x", "password": guess}
				lab.Replace(t, lab.MustSeal(t, s))
				said[message(t, ns, "db", "KeyConflict")] = true
				lab.Pass(t, ns)
				lab.Unchanged(t, was)
				if diff := cmp.Diff(partner, versions(t, ns, "db", "theirs")); diff != "" {
					t.Errorf("guess %q shows: %s", guess, diff)
				}
			}
			if len(said) != 1 {
				t.Errorf("a right guess and a wrong one: %v", said)
			}
			for text := range said {
				if !strings.Contains(text, `password of data was added by "signet:theirs"`) {
					t.Errorf("message %q", text)
				}
			}
			if n := lab.Decrypts(key); n != 0 {
				t.Errorf("%d key calls, want none", n)
			}

			// When the one that has the key is gone it is the owner's to set.
			lab.Delete(t, controllertest.NewSealedSecret(ns, "theirs"))
			lab.WaitReady(t, ns, "db")
			lab.WaitData(t, ns, "db", values{"host": "x", "password": "correct horse"})
			resting(t, ns, "db", "db")
		})
	}
}

// The marks of documents are healed like everything else, and are nobody else's
// business: a partner does not write because of them.
func TestMarkOfADocumentIsHealed(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	lab.Create(t, lab.MustSeal(t, controllertest.Secret{
		Namespace: ns, Name: "app", Data: values{"theirs": "1"}, Annotations: map[string]string{mergeMark: "extra"},
	}))
	lab.WaitReady(t, ns, "app")
	lab.Create(t, addition(t, ns, "extra", "app", values{"ours": "2"}))
	lab.WaitReady(t, ns, "extra")
	resting(t, ns, "app", "app", "extra")
	for of, mark := range map[string]string{"app": documentMark, "extra": documentMark + ".extra"} {
		want := lab.MustSecret(t, ns, "app").Annotations[mark]
		if len(want) != 32 {
			t.Fatalf("annotation %s is %q", mark, want)
		}
		other := map[string]string{"app": "extra", "extra": "app"}[of]
		before := look(t, lab.Admin, ns, other).ResourceVersion
		annotate(t, ns, "app", map[string]string{mark: ""})
		controllertest.Until(t, "the mark is back", func(ctx context.Context) error {
			s, err := lab.Secret(ctx, ns, "app")
			if err == nil && s.Annotations[mark] != want {
				err = fmt.Errorf("%s is %q", mark, s.Annotations[mark])
			}
			return err
		})
		lab.WaitEvents(t, ns, of, "Healed", 1)
		resting(t, ns, "app", "app", "extra")
		if now := look(t, lab.Admin, ns, other).ResourceVersion; now != before {
			t.Errorf("%s was written because of the mark of %s", other, of)
		}
	}
	lab.Delete(t, controllertest.NewSealedSecret(ns, "extra"))
	now := lab.WaitData(t, ns, "app", values{"theirs": "1"})
	if mark, left := now.Annotations[documentMark+".extra"]; left {
		t.Errorf("the mark %q is left", mark)
	}
}

// A knob that is turned, and a document that is applied again, are not new documents.
func TestSameDocumentIsWrittenOnce(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	document := lab.MustSeal(t, controllertest.Secret{Namespace: ns, Name: "db", Data: values{"pin": "4711"}})
	lab.Create(t, document.DeepCopy())
	lab.WaitReady(t, ns, "db")
	was := lab.MustSecret(t, ns, "db")
	suspend := func(value bool, reason string) {
		t.Helper()
		lab.Update(t, ns, "db", func(o *unstructured.Unstructured) { controllertest.Set(t, o, value, "spec", "suspend") })
		lab.WaitReason(t, ns, "db", reason)
	}
	suspend(true, "Suspended")
	suspend(false, "Unsealed")
	lab.Replace(t, document)
	lab.WaitReady(t, ns, "db")
	lab.Pass(t, ns)
	lab.Unchanged(t, was)
}

// The marks of documents can't come out of a document.
func TestUserCannotSealTheMarkOfADocument(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	user := mallory(t, ns)
	lab.Pass(t, ns)
	for _, mark := range []string{documentMark, documentMark + ".theirs"} {
		t.Run(mark, func(t *testing.T) {
			o := lab.MustSealUnchecked(t, controllertest.Secret{
				Namespace: ns, Name: "mine", Data: values{"a": "1"}, Annotations: map[string]string{mark: "0"},
			})
			if err := user.Create(t.Context(), o); err == nil || !strings.Contains(err.Error(), "spec.sealed") {
				t.Errorf("error %v, want a refusal", err)
			}
		})
	}
}
