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
	} else if has, err := r.hasManager(ctx, key.Namespace, manager); has || err != nil {
		return err
	}
	return r.release(ctx, key.Namespace, manager, "")
}

// hasManager reports whether a field manager with a hash for a name is that of
// some SealedSecret.
func (r *reconciler) hasManager(ctx context.Context, namespace, manager string) (bool, error) {
	list := &v1alpha1.SealedSecretList{}
	if err := r.cache.List(ctx, list, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
		return false, err
	}
	return slices.ContainsFunc(list.Items, func(s v1alpha1.SealedSecret) bool { return fieldManager(s.Name) == manager }), nil
}

// release takes what a manager has merged out of all Secrets but one.
func (r *reconciler) release(ctx context.Context, namespace, manager, except string) error {
	secrets, err := r.indexed(ctx, namespace, mergerIndex, manager)
	if err != nil {
		return err
	}
	var failed []error
	for _, s := range secrets {
		if s.Name == except {
			continue
		}
		// After a conflict: the write that won is an event of its own, and brings
		// the object back.
		if err := r.merging.release(ctx, &s, manager); err != nil && !apierrors.IsConflict(err) {
			failed = append(failed, &apiError{text: apiText(err, nil), err: err})
		}
	}
	return errors.Join(failed...)
}

// sweep removes what an object that is ready has left in other Secrets: the
// Secret that it had under another name, and what it has merged elsewhere.
func (r *reconciler) sweep(ctx context.Context, out *outcome) error {
	object := out.object
	except := ""
	if object.Spec.CreationPolicy == v1alpha1.Merge {
		except = secretName(object)
	}
	if err := r.release(ctx, object.Namespace, fieldManager(object.Name), except); err != nil {
		return err
	}
	secrets, err := r.indexed(ctx, object.Namespace, ownerIndex, object.Name)
	if err != nil {
		return err
	}
	namesake := secretMetadata()
	if err := r.cache.Get(ctx, keyOf(object), namesake); err == nil && owner(namesake) == object.Name {
		secrets = append(secrets, *namesake)
	}
	for _, s := range secrets {
		if s.Name == secretName(object) || !refers(&s, object) || object.Spec.DeletionPolicy == v1alpha1.Retain {
			continue
		}
		if err := r.remove(ctx, &s, object); err != nil {
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
