// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/signet-secrets/signet/controller/v1alpha1"
)

// enqueuer decides which objects are looked at when something happens, and
// which of them first: those that have changed before those that have not, such
// as all that is there when the controller starts.
type enqueuer struct {
	cache    client.Reader
	records  *records
	fairness *fairness
	intake   intake
}

func newEnqueuer(cache client.Reader, o Options) *enqueuer {
	e := &enqueuer{cache: cache, records: newRecords(o), fairness: newFairness(o.Concurrency)}
	e.fairness.again = e.again
	return e
}

// add queues an object. The queue is a priority queue (addSealedSecrets).
func (e *enqueuer) add(q queue, key types.NamespacedName, idle bool) {
	priority := e.fairness.queue(key, idle)
	q.(priorityqueue.PriorityQueue[reconcile.Request]).AddWithOpts(priorityqueue.AddOpts{Priority: &priority},
		reconcile.Request{NamespacedName: key})
}

// documents handles what happens to SealedSecrets.
func (e *enqueuer) documents() handler.TypedEventHandler[*v1alpha1.SealedSecret, reconcile.Request] {
	return handler.TypedFuncs[*v1alpha1.SealedSecret, reconcile.Request]{
		CreateFunc: func(_ context.Context, ev event.TypedCreateEvent[*v1alpha1.SealedSecret], q queue) {
			e.add(q, keyOf(ev.Object), ev.Object.Status.ObservedGeneration == ev.Object.Generation)
		},
		// A deletion followed by a creation may be seen as one update, so the
		// uid counts too.
		UpdateFunc: func(_ context.Context, ev event.TypedUpdateEvent[*v1alpha1.SealedSecret], q queue) {
			before, now := ev.ObjectOld, ev.ObjectNew
			same := before.UID == now.UID && before.Generation == now.Generation
			e.add(q, keyOf(now), same && now.Status.ObservedGeneration == now.Generation)
		},
		// What claimed the same Secret may have it now.
		DeleteFunc: func(ctx context.Context, ev event.TypedDeleteEvent[*v1alpha1.SealedSecret], q queue) {
			e.add(q, keyOf(ev.Object), false)
			e.addClaimants(ctx, q, types.NamespacedName{Namespace: ev.Object.Namespace, Name: secretName(ev.Object)}, false)
		},
	}
}

// secrets handles what happens to Secrets that carry our label.
func (e *enqueuer) secrets() handler.TypedEventHandler[*metav1.PartialObjectMetadata, reconcile.Request] {
	return handler.TypedFuncs[*metav1.PartialObjectMetadata, reconcile.Request]{
		CreateFunc: func(ctx context.Context, ev event.TypedCreateEvent[*metav1.PartialObjectMetadata], q queue) {
			e.addConcerned(ctx, q, ev.Object, ev.IsInInitialList)
		},
		UpdateFunc: func(ctx context.Context, ev event.TypedUpdateEvent[*metav1.PartialObjectMetadata], q queue) {
			same := ev.ObjectOld.ResourceVersion == ev.ObjectNew.ResourceVersion
			e.addConcerned(ctx, q, ev.ObjectOld, same)
			e.addConcerned(ctx, q, ev.ObjectNew, same)
		},
		DeleteFunc: func(ctx context.Context, ev event.TypedDeleteEvent[*metav1.PartialObjectMetadata], q queue) {
			for _, key := range e.claimants(ctx, keyOf(ev.Object)) {
				e.records.lost(key, ev.Object.UID)
				e.records.hurry(key) // nothing may be in its way any more
			}
			e.addConcerned(ctx, q, ev.Object, false)
		},
	}
}

// addConcerned queues the objects that name a Secret, the one that it belongs
// to, and those that have merged into it, whether they are still there or not.
func (e *enqueuer) addConcerned(ctx context.Context, q queue, secret *metav1.PartialObjectMetadata, idle bool) {
	e.addClaimants(ctx, q, keyOf(secret), idle)
	if of := owner(secret); of != "" {
		e.add(q, types.NamespacedName{Namespace: secret.Namespace, Name: of}, idle)
	}
	for _, manager := range mergers(secret) {
		name := manager[len(managerPrefix):]
		if isHash(name) {
			name = manager // stands for whoever has this hash
		}
		e.add(q, types.NamespacedName{Namespace: secret.Namespace, Name: name}, idle)
	}
}

// addClaimants queues the objects that name a Secret.
func (e *enqueuer) addClaimants(ctx context.Context, q queue, secret types.NamespacedName, idle bool) {
	for _, key := range e.claimants(ctx, secret) {
		e.add(q, key, idle)
	}
}

// claimants returns the objects that name a Secret.
func (e *enqueuer) claimants(ctx context.Context, secret types.NamespacedName) []types.NamespacedName {
	list := &v1alpha1.SealedSecretList{}
	err := e.cache.List(ctx, list, client.InNamespace(secret.Namespace), client.MatchingFields{secretIndex: secret.Name}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return nil // the cache is not ready; its initial list names them all
	}
	found := make([]types.NamespacedName, len(list.Items))
	for i := range list.Items {
		found[i] = keyOf(&list.Items[i])
	}
	namesake := &v1alpha1.SealedSecret{}
	if err := e.cache.Get(ctx, secret, namesake); err == nil && secretName(namesake) == secret.Name {
		found = append(found, secret)
	}
	return found
}

// wake has an object looked at now, whatever it waits for.
func (e *enqueuer) wake(key types.NamespacedName) {
	e.records.hurry(key)
	e.again(key)
}

// again has an object looked at now.
func (e *enqueuer) again(key types.NamespacedName) {
	if q := e.intake.get(); q != nil {
		e.add(q, key, false)
	}
}
