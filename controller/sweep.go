// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/signet-secrets/signet/controller/v1alpha1"
)

// gone clears up after an object that is not there any more. Its own Secret is
// left to the garbage collector of Kubernetes, which knows whether it is to be
// kept; what was merged into Secrets of others is taken out. A name with a colon
// is a field manager whose hash stands for a name (addConcerned).
func (r *reconciler) gone(ctx context.Context, key types.NamespacedName) error {
	r.records.forget(key)
	r.recovery.done(key)
	r.metrics.gone(key)
	manager := key.Name
	if !isManager(manager) {
		manager = fieldManager(key.Name)
	}
	merged, err := r.indexed(ctx, key.Namespace, mergerIndex, manager)
	if err != nil || len(merged) == 0 {
		return err
	}
	there, err := r.isThere(ctx, key)
	if there || err != nil {
		return err
	}
	return r.release(ctx, merged, manager)
}

// isThere reports whether there is an object after all: the cache may be behind,
// and more so than that of Secrets, and will tell. An object for which a field
// manager stands it may have already, and that is looked at.
func (r *reconciler) isThere(ctx context.Context, key types.NamespacedName) (bool, error) {
	if !isManager(key.Name) {
		live, err := r.live(ctx, key)
		return live != nil, err
	}
	list := &v1alpha1.SealedSecretList{}
	if err := r.cache.List(ctx, list, client.InNamespace(key.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return false, err
	}
	for i := range list.Items {
		if fieldManager(list.Items[i].Name) == key.Name {
			r.fairness.again(keyOf(&list.Items[i]))
			return true, nil
		}
	}
	names, err := r.api.names(ctx, key.Namespace)
	if err != nil {
		return false, &apiError{text: apiText(err, nil), err: err}
	}
	return slices.ContainsFunc(names, func(name string) bool { return fieldManager(name) == key.Name }), nil
}

// live returns the metadata of an object as the API server has it, nil if it has
// none.
func (r *reconciler) live(ctx context.Context, key types.NamespacedName) (*metav1.PartialObjectMetadata, error) {
	live, err := r.api.metadata(ctx, key)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, &apiError{text: apiText(err, nil), err: err}
	}
	return live, nil
}

// release takes what a manager has merged out of Secrets.
func (r *reconciler) release(ctx context.Context, secrets []metav1.PartialObjectMetadata, manager string) error {
	var failed []error
	for _, s := range secrets {
		// After a conflict: the write that won is an event of its own, and brings
		// the object back.
		if err := r.merging.release(ctx, &s, manager); err != nil && !apierrors.IsConflict(err) {
			failed = append(failed, &apiError{text: apiText(err, nil), err: err})
		}
	}
	return errors.Join(failed...)
}

// leftovers are Secrets in which an object has something that it needs no more
// once the Secret that it names is as sealed: those that it has merged into, and
// those that were its own.
type leftovers struct {
	merged, owned []metav1.PartialObjectMetadata
}

func (l leftovers) none() bool { return len(l.merged) == 0 && len(l.owned) == 0 }

// leftovers returns what the cache knows of. A Secret that waits for a finalizer
// is on its way.
func (r *reconciler) leftovers(ctx context.Context, o *v1alpha1.SealedSecret) (leftovers, error) {
	merged, err := r.indexed(ctx, o.Namespace, mergerIndex, fieldManager(o.Name))
	if err != nil {
		return leftovers{}, err
	}
	owned, err := r.indexed(ctx, o.Namespace, ownerIndex, o.Name)
	if err != nil {
		return leftovers{}, err
	}
	namesake := secretMetadata()
	if err := r.cache.Get(ctx, keyOf(o), namesake); err == nil && owner(namesake) == o.Name {
		owned = append(owned, *namesake)
	}
	named := secretName(o)
	return leftovers{
		merged: slices.DeleteFunc(merged, func(s metav1.PartialObjectMetadata) bool {
			return s.Name == named && o.Spec.CreationPolicy == v1alpha1.Merge
		}),
		owned: slices.DeleteFunc(owned, func(s metav1.PartialObjectMetadata) bool {
			return s.Name == named || s.DeletionTimestamp != nil || !refers(&s, o) || o.Spec.DeletionPolicy == v1alpha1.Retain
		}),
	}, nil
}

// sweep removes the leftovers of an object. Its Secret must have been written, in
// this process, as this generation of the object says: a status that says so can
// be forged.
func (r *reconciler) sweep(ctx context.Context, o *v1alpha1.SealedSecret) error {
	left, err := r.leftovers(ctx, o)
	if err != nil || left.none() {
		return err
	}
	live, err := r.live(ctx, keyOf(o))
	if err != nil {
		return err
	}
	if live == nil || live.UID != o.UID || live.Generation != o.Generation || live.DeletionTimestamp != nil {
		return nil // it may name another Secret by now; the cache will tell
	}
	if err := r.release(ctx, left.merged, fieldManager(o.Name)); err != nil {
		return err
	}
	for _, s := range left.owned {
		if err := r.remove(ctx, &s, o); err != nil {
			return err
		}
	}
	return nil
}

// refers reports whether a Secret has our owner reference: one that is to be
// kept has none.
func refers(secret *metav1.PartialObjectMetadata, o *v1alpha1.SealedSecret) bool {
	return slices.ContainsFunc(secret.OwnerReferences, func(r metav1.OwnerReference) bool { return r.UID == o.UID })
}

// remove deletes a Secret that is ours, as the API server says.
func (r *reconciler) remove(ctx context.Context, cached *metav1.PartialObjectMetadata, o *v1alpha1.SealedSecret) error {
	live, err := r.secrets.get(ctx, keyOf(cached))
	if err == nil && live.UID == cached.UID && owner(live) == o.Name && refers(live, o) {
		err = r.secrets.delete(ctx, live)
		if err == nil {
			log.FromContext(ctx).Info("Secret deleted", "secret", live.Name)
			r.events.note(o, Deleted, eventNote(Deleted, live.Name))
		}
	}
	if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil // the write that won is an event of its own, and brings the object back
	}
	return &apiError{text: apiText(err, nil), err: err}
}

// indexed returns the cached metadata of the Secrets that an index lists.
func (r *reconciler) indexed(ctx context.Context, namespace, index, value string) ([]metav1.PartialObjectMetadata, error) {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(secretMetadata().GroupVersionKind())
	err := r.cache.List(ctx, list, client.InNamespace(namespace), client.MatchingFields{index: value}, client.UnsafeDisableDeepCopy)
	return list.Items, err
}
