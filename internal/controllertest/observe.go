// SPDX-License-Identifier: Apache-2.0

package controllertest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/rand"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/signet-secrets/signet/controller/v1alpha1"
	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/seal/keys"
)

// KMSKey makes a key in the KMS of the lab, to seal for.
func (l *Lab) KMSKey() keys.KMSEntry {
	return keys.KMSEntry{ARN: l.KMS.CreateKey(kmstest.Key{})}
}

// Decrypts returns how many requests have asked the KMS to decrypt with a key,
// by whichever test.
func (l *Lab) Decrypts(key keys.KMSEntry) int {
	n := 0
	for _, call := range l.KMS.Calls() {
		if call.Operation == "Decrypt" && call.KeyID == key.ARN {
			n++
		}
	}
	return n
}

// Events returns how many events of a reason there were about an object.
func (l *Lab) Events(ctx context.Context, namespace, name, reason string) (int, error) {
	list := &corev1.EventList{}
	if err := l.Admin.List(ctx, list, client.InNamespace(namespace)); err != nil {
		return 0, err
	}
	n := 0
	for _, e := range list.Items {
		if e.InvolvedObject.Name != name || e.Reason != reason {
			continue
		}
		n++
		if e.Series != nil {
			n += int(e.Series.Count) - 1
		}
	}
	return n, nil
}

// WaitEvents waits until there were exactly n events of a reason about an object.
func (l *Lab) WaitEvents(tb testing.TB, namespace, name, reason string, n int) {
	tb.Helper()
	Until(tb, fmt.Sprintf("%d events %s about %s/%s", n, reason, namespace, name), func(ctx context.Context) error {
		have, err := l.Events(ctx, namespace, name, reason)
		if err == nil && have != n {
			err = fmt.Errorf("there are %d", have)
		}
		return err
	})
}

// EditSecret changes a Secret as the administrator, and returns it as it is then.
func (l *Lab) EditSecret(tb testing.TB, namespace, name string, change func(*corev1.Secret)) *corev1.Secret {
	tb.Helper()
	s := &corev1.Secret{}
	Until(tb, "edit Secret "+name, func(ctx context.Context) error {
		*s = corev1.Secret{}
		if err := l.Admin.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, s); err != nil {
			return err
		}
		change(s)
		return l.Admin.Update(ctx, s)
	})
	return s
}

// MustSecret reads a Secret that is there.
func (l *Lab) MustSecret(tb testing.TB, namespace, name string) *corev1.Secret {
	tb.Helper()
	s, err := l.Secret(tb.Context(), namespace, name)
	if err != nil {
		tb.Fatal(err)
	}
	if s == nil {
		tb.Fatalf("there is no Secret %s/%s", namespace, name)
	}
	return s
}

// WaitGone waits until there is no Secret of that uid any more.
func (l *Lab) WaitGone(tb testing.TB, namespace, name string, uid types.UID) {
	tb.Helper()
	Until(tb, fmt.Sprintf("Secret %s/%s goes", namespace, name), func(ctx context.Context) error {
		s, err := l.Secret(ctx, namespace, name)
		if err == nil && s != nil && s.UID == uid {
			err = fmt.Errorf("it is there, deletion %v", s.DeletionTimestamp)
		}
		return err
	})
}

// Delete deletes an object as the administrator.
func (l *Lab) Delete(tb testing.TB, o client.Object, options ...client.DeleteOption) {
	tb.Helper()
	if err := l.Admin.Delete(tb.Context(), o, options...); err != nil {
		tb.Fatalf("delete %T %s: %v", o, o.GetName(), err)
	}
}

// Settle waits until a controller has taken notice of everything that has
// happened in a namespace, to SealedSecrets and to Secrets, and has had the time
// to act on it: it has done twice what takes longer, for a later event. So what
// has not happened then does not.
func (l *Lab) Settle(tb testing.TB, namespace string) {
	tb.Helper()
	name, data := "marker-"+rand.String(6), map[string]string{"marker": "here"}
	l.Create(tb, l.MustSeal(tb, Secret{Namespace: namespace, Name: name, Data: data}))
	l.WaitReady(tb, namespace, name)
	for range 2 {
		s := l.MustSecret(tb, namespace, name)
		l.Delete(tb, s)
		l.WaitGone(tb, namespace, name, s.UID)
		l.WaitData(tb, namespace, name, data)
	}
	l.Delete(tb, NewSealedSecret(namespace, name))
}

// WaitKeyReason waits until a SealingKey, as it is now, has Ready with a reason.
func (l *Lab) WaitKeyReason(tb testing.TB, name, reason string) {
	tb.Helper()
	Until(tb, fmt.Sprintf("SealingKey %s becomes %s", name, reason), func(ctx context.Context) error {
		k := &v1alpha1.SealingKey{}
		if err := l.Admin.Get(ctx, client.ObjectKey{Name: name}, k); err != nil {
			return err
		}
		ready := meta.FindStatusCondition(k.Status.Conditions, "Ready")
		if ready == nil || ready.Reason != reason || k.Status.ObservedGeneration != k.Generation {
			return fmt.Errorf("generation %d, status %+v", k.Generation, k.Status)
		}
		return nil
	})
}

// Reasons are the reasons that a SealedSecret has had.
type Reasons struct {
	mu   sync.Mutex
	seen []string
}

// Seen returns the reasons of Ready so far, each once, in the order in which
// they came up.
func (r *Reasons) Seen() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen)
}

func (r *Reasons) add(o *v1alpha1.SealedSecret) {
	ready := meta.FindStatusCondition(o.Status.Conditions, "Ready")
	r.mu.Lock()
	defer r.mu.Unlock()
	if ready != nil && !slices.Contains(r.seen, ready.Reason) {
		r.seen = append(r.seen, ready.Reason)
	}
}

// WatchReasons notes every reason that the SealedSecrets of a name have from now
// on, until the test ends, those of short duration too.
func (l *Lab) WatchReasons(tb testing.TB, namespace, name string) *Reasons {
	tb.Helper()
	c, err := client.NewWithWatch(l.Cluster.Admin(), client.Options{Scheme: l.Admin.Scheme()})
	if err != nil {
		tb.Fatal(err)
	}
	w, err := c.Watch(tb.Context(), &v1alpha1.SealedSecretList{}, client.InNamespace(namespace))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(w.Stop)
	r := &Reasons{}
	go func() {
		for e := range w.ResultChan() {
			if o, ok := e.Object.(*v1alpha1.SealedSecret); ok && o.Name == name {
				r.add(o)
			}
		}
	}()
	return r
}
