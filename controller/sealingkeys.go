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

// sealingKeys keeps a Keyring in step with the SealingKeys of the cluster. It is
// the reconciler of SealingKeys.
type sealingKeys struct {
	cache   client.Reader
	api     *apiClient
	keyring *unseal.Keyring
	wake    func(types.NamespacedName) // an object
	intake  intake

	mu     sync.Mutex
	loaded bool
	states map[string]keyState // by name
}

// newSealingKeys returns the reconciler of the SealingKeys that o opens. wake has
// a SealedSecret looked at.
func newSealingKeys(cache client.Reader, api *apiClient, wake func(types.NamespacedName), o unseal.KeyOptions) *sealingKeys {
	s := &sealingKeys{cache: cache, api: api, wake: wake, states: map[string]keyState{}}
	o.Observe = s.observe
	s.keyring = unseal.NewKeyring(o)
	return s
}

// keyState is what came of opening a SealingKey.
type keyState struct {
	key *sopsdoc.SealingKey
	err error
}

// load puts all SealingKeys into the Keyring if that has not happened yet. It waits
// for the cache.
func (s *sealingKeys) load(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.loaded {
		return nil
	}
	_, err := s.fill(ctx)
	s.loaded = err == nil
	return err
}

// fill puts the SealingKeys that can be read into the Keyring, and returns why
// the others cannot, by name.
func (s *sealingKeys) fill(ctx context.Context) (map[string]error, error) {
	list := &v1alpha1.SealingKeyList{}
	if err := s.cache.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
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
	s.keyring.Replace(found...)
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

// Reconcile implements reconcile.Reconciler for SealingKeys: it brings the Keyring
// up to date, wakes the objects that this may help or concern, and writes the
// status of the SealingKey.
func (s *sealingKeys) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	before := s.keyring.SealingKeys()
	s.mu.Lock()
	invalid, err := s.fill(ctx)
	s.loaded = s.loaded || err == nil
	s.mu.Unlock()
	if err != nil {
		return reconcile.Result{}, err
	}
	if changed := changedKeys(before, s.keyring.SealingKeys()); len(changed) > 0 {
		if err := s.wakeConcerned(ctx, changed); err != nil {
			return reconcile.Result{}, err
		}
	}
	object := &v1alpha1.SealingKey{}
	switch err := s.cache.Get(ctx, req.NamespacedName, object); {
	case apierrors.IsNotFound(err):
		s.mu.Lock()
		delete(s.states, req.Name)
		s.mu.Unlock()
		return reconcile.Result{}, nil
	case err != nil:
		return reconcile.Result{}, err
	}
	return s.putStatus(ctx, object, invalid[req.Name])
}

// changedKeys returns the names of the SealingKeys that came, went or changed, each
// once: not only the one that is looked at, for the cache may be ahead.
func changedKeys(before, now []unseal.Key) []string {
	var changed []string
	for _, lists := range [][2][]unseal.Key{{before, now}, {now, before}} {
		for _, k := range lists[0] {
			if !slices.ContainsFunc(lists[1], func(other unseal.Key) bool { return other.SealingKey == k.SealingKey }) {
				changed = append(changed, k.Name)
			}
		}
	}
	slices.Sort(changed)
	return slices.Compact(changed)
}

// wakeConcerned wakes the objects that one of the SealingKeys has opened, and those
// that any may help.
func (s *sealingKeys) wakeConcerned(ctx context.Context, names []string) error {
	list := &v1alpha1.SealedSecretList{}
	if err := s.cache.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
		return err
	}
	for i := range list.Items {
		o := &list.Items[i]
		opened := func(name string) bool { return openedBy(o.Status.Key, name) }
		if wantsKey(o.Status.Conditions) || slices.ContainsFunc(names, opened) {
			s.wake(keyOf(o))
		}
	}
	return nil
}

// wantsKey reports whether another SealingKey may help an object with the given
// conditions. Of what is Stalled that can't be told: the failure may be that of
// another key.
func wantsKey(conditions []metav1.Condition) bool {
	if meta.IsStatusConditionTrue(conditions, Stalled) {
		return true
	}
	ready := meta.FindStatusCondition(conditions, Ready)
	return ready != nil && ready.Status == metav1.ConditionFalse &&
		slices.Contains([]Reason{KeyUnavailable, KeyAccessDenied, KeyNotAllowed}, Reason(ready.Reason))
}

// observe notes what came of opening a SealingKey, and has its status written.
func (s *sealingKeys) observe(k unseal.Key, err error) {
	s.mu.Lock()
	s.states[k.Name] = keyState{key: k.SealingKey, err: err}
	s.mu.Unlock()
	if q := s.intake.get(); q != nil {
		q.Add(reconcile.Request{NamespacedName: types.NamespacedName{Name: k.Name}})
	}
}

// closed reports whether there are SealingKeys for a recipient and none of them
// is open.
func (s *sealingKeys) closed(recipient string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := false
	for _, k := range s.keyring.SealingKeys() {
		if k.Recipient != recipient {
			continue
		}
		if tried, known := s.states[k.Name]; known && tried.key == k.SealingKey && tried.err == nil {
			return false
		}
		found = true
	}
	return found
}

// putStatus writes the status of a SealingKey if it is another one.
func (s *sealingKeys) putStatus(ctx context.Context, o *v1alpha1.SealingKey, invalid error) (reconcile.Result, error) {
	ready, reason, message := s.state(o, invalid)
	if reason == "" {
		return reconcile.Result{}, nil
	}
	status := o.Status.DeepCopy()
	status.ObservedGeneration = o.Generation
	setConditions(&status.Conditions, o.Generation, ready, reason, message)
	meta.RemoveStatusCondition(&status.Conditions, Stalled)
	if o.Status.ObservedGeneration == status.ObservedGeneration && slices.Equal(o.Status.Conditions, status.Conditions) {
		return reconcile.Result{}, nil
	}
	_, err := s.api.putStatus(ctx, "sealingkeys", o, status)
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
func (s *sealingKeys) state(o *v1alpha1.SealingKey, invalid error) (metav1.ConditionStatus, Reason, string) {
	tried, known := s.tried(o.Name)
	switch {
	case invalid != nil:
		return metav1.ConditionFalse, InvalidDocument, invalid.Error()
	case known && tried.err != nil:
		f := openFailure(tried.err)
		return metav1.ConditionFalse, f.reason, f.Error()
	case known:
		return metav1.ConditionTrue, Opened, "documents are opened with the key"
	case o.Status.ObservedGeneration == o.Generation:
		return "", "", ""
	}
	return metav1.ConditionTrue, Closed, "the key is well formed; it is opened when a document needs it"
}

// tried returns what came of opening a SealingKey as it is now; known is false if
// that was not tried.
func (s *sealingKeys) tried(name string) (state keyState, known bool) {
	s.mu.Lock()
	state, known = s.states[name]
	s.mu.Unlock()
	isThat := func(k unseal.Key) bool { return k.SealingKey == state.key }
	return state, known && slices.ContainsFunc(s.keyring.SealingKeys(), isThat)
}
