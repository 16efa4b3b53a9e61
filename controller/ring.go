// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"slices"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/signet-secrets/signet/controller/v1alpha1"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// ring keeps a Keyring in step with the SealingKeys of the cluster. It is the
// reconciler of SealingKeys.
type ring struct {
	cache client.Reader
	api   *apiClient
	keys  *unseal.Keyring
	wake  func(types.NamespacedName)
	again func(name string) // have a SealingKey looked at, because its state has changed

	mu     sync.Mutex
	loaded bool
	states map[string]keyState // by name
}

// keyState is what came of opening a SealingKey.
type keyState struct {
	key *sopsdoc.SealingKey
	err error
}

// load puts all SealingKeys into the ring if that has not happened yet. It waits
// for the cache.
func (r *ring) load(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.loaded {
		return nil
	}
	_, err := r.fill(ctx)
	r.loaded = err == nil
	return err
}

// fill puts the SealingKeys that can be read into the ring, and returns why the
// others cannot, by name.
func (r *ring) fill(ctx context.Context) (map[string]error, error) {
	list := &v1alpha1.SealingKeyList{}
	if err := r.cache.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
		return nil, err
	}
	invalid := map[string]error{}
	var found []unseal.Key
	for i := range list.Items {
		k, err := readSealingKey(&list.Items[i])
		if err != nil {
			invalid[list.Items[i].Name] = err
			continue
		}
		found = append(found, unseal.Key{SealingKey: k})
	}
	slices.SortFunc(found, func(a, b unseal.Key) int { return strings.Compare(a.Name, b.Name) })
	r.keys.Replace(found...)
	return invalid, nil
}

// readSealingKey parses a SealingKey. The error is a *failure.
func readSealingKey(o *v1alpha1.SealingKey) (*sopsdoc.SealingKey, error) {
	node, err := objectNode(sopsdoc.KeyKind, o.Name, "", o.Spec.Raw)
	if err != nil {
		return nil, fail(InvalidDocument, err)
	}
	k, err := sopsdoc.ParseSealingKey(node)
	if err == nil {
		err = k.CheckContext()
	}
	if err != nil {
		return nil, fail(InvalidDocument, err)
	}
	return k, nil
}

// Reconcile implements reconcile.Reconciler for SealingKeys: it brings the ring
// up to date, wakes the objects that this may help or concern, and writes the
// status of the SealingKey.
func (r *ring) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	before := r.keys.SealingKeys()
	r.mu.Lock()
	invalid, err := r.fill(ctx)
	r.loaded = r.loaded || err == nil
	r.mu.Unlock()
	if err != nil {
		return reconcile.Result{}, err
	}
	if changed := changedKeys(before, r.keys.SealingKeys()); len(changed) > 0 {
		if err := r.wakeConcerned(ctx, changed); err != nil {
			return reconcile.Result{}, err
		}
	}
	object := &v1alpha1.SealingKey{}
	switch err := r.cache.Get(ctx, req.NamespacedName, object); {
	case apierrors.IsNotFound(err):
		r.mu.Lock()
		delete(r.states, req.Name)
		r.mu.Unlock()
		return reconcile.Result{}, nil
	case err != nil:
		return reconcile.Result{}, err
	}
	return r.putStatus(ctx, object, invalid[req.Name])
}

// changedKeys returns the names of the SealingKeys that came, went or changed:
// not only the one that is looked at, for the cache may be ahead.
func changedKeys(before, now []unseal.Key) []string {
	var changed []string
	for _, lists := range [][2][]unseal.Key{{before, now}, {now, before}} {
		for _, k := range lists[0] {
			if !slices.ContainsFunc(lists[1], func(other unseal.Key) bool { return other.SealingKey == k.SealingKey }) {
				changed = append(changed, k.Name)
			}
		}
	}
	return changed
}

// wakeConcerned wakes the objects that have no key, and those that one of the
// SealingKeys has opened.
func (r *ring) wakeConcerned(ctx context.Context, names []string) error {
	list := &v1alpha1.SealedSecretList{}
	if err := r.cache.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
		return err
	}
	for i := range list.Items {
		o := &list.Items[i]
		ready := meta.FindStatusCondition(o.Status.Conditions, Ready)
		if ready == nil {
			continue // it is in the queue
		}
		switch Reason(ready.Reason) {
		case KeyUnavailable, KeyAccessDenied, KeyNotAllowed:
			r.wake(keyOf(o))
		default:
			opened := func(name string) bool { return strings.Contains(o.Status.Key, sealingKeyPrefix+name) }
			if slices.ContainsFunc(names, opened) {
				r.wake(keyOf(o))
			}
		}
	}
	return nil
}

// observe notes what came of opening a SealingKey.
func (r *ring) observe(k unseal.Key, err error) {
	r.mu.Lock()
	r.states[k.Name] = keyState{key: k.SealingKey, err: err}
	r.mu.Unlock()
	r.again(k.Name)
}

// closed reports whether there are SealingKeys for a recipient and none of them
// is open.
func (r *ring) closed(recipient string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	found := false
	for _, k := range r.keys.SealingKeys() {
		if k.Recipient != recipient {
			continue
		}
		if tried, known := r.states[k.Name]; known && tried.key == k.SealingKey && tried.err == nil {
			return false
		}
		found = true
	}
	return found
}

// putStatus writes the status of a SealingKey if it is another one.
func (r *ring) putStatus(ctx context.Context, o *v1alpha1.SealingKey, invalid error) (reconcile.Result, error) {
	status := o.Status.DeepCopy()
	status.ObservedGeneration = o.Generation
	ready, reason, message := r.state(o, invalid)
	if reason == "" {
		return reconcile.Result{}, nil
	}
	setConditions(&status.Conditions, o.Generation, ready, reason, message)
	meta.RemoveStatusCondition(&status.Conditions, Stalled)
	if o.Status.ObservedGeneration == status.ObservedGeneration && slices.Equal(o.Status.Conditions, status.Conditions) {
		return reconcile.Result{}, nil
	}
	_, err := r.api.putStatus(ctx, "sealingkeys", o, status)
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return reconcile.Result{RequeueAfter: conflictDelay}, nil
	}
	if err != nil {
		return reconcile.Result{}, &apiError{text: apiText(err, nil), err: err}
	}
	return reconcile.Result{}, nil
}

// state says what a SealingKey is worth. The reason is "" where nothing new is
// known: the key was opened before this process began, and is not needed now.
func (r *ring) state(o *v1alpha1.SealingKey, invalid error) (metav1.ConditionStatus, Reason, string) {
	r.mu.Lock()
	tried, known := r.states[o.Name]
	r.mu.Unlock()
	i := slices.IndexFunc(r.keys.SealingKeys(), func(k unseal.Key) bool { return k.Name == o.Name })
	switch {
	case invalid != nil:
		return metav1.ConditionFalse, InvalidDocument, invalid.Error()
	case known && i >= 0 && r.keys.SealingKeys()[i].SealingKey == tried.key && tried.err != nil:
		f := openFailure(tried.err)
		return metav1.ConditionFalse, f.reason, f.Error()
	case known && i >= 0 && r.keys.SealingKeys()[i].SealingKey == tried.key:
		return metav1.ConditionTrue, Opened, "documents are opened with the key"
	case o.Status.ObservedGeneration == o.Generation:
		return "", "", ""
	}
	return metav1.ConditionTrue, Closed, "the key is well formed; it is opened when a document needs it"
}
