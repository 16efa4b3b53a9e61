// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// written is what became of a Secret.
type written struct {
	secret *metav1.PartialObjectMetadata
	event  Reason // Updated, Adopted, ...; "" for a Secret that is new
	same   bool   // it was as it should be already
}

// compared notes whether writing over a Secret made a difference.
func (w *written) compared(was *metav1.PartialObjectMetadata) *written {
	w.same = w.secret.ResourceVersion == was.ResourceVersion
	return w
}

// maxRounds is how often a write begins anew because somebody else wrote.
const maxRounds = 5

// ownership makes, replaces and makes anew the Secrets that belong to objects.
type ownership struct {
	client *secretClient
	gone   goneFunc
}

// write makes the Secret what it should be. exists says that there is one
// already, or was. The error is a *failure.
func (o *ownership) write(ctx context.Context, d *desired, exists bool) (*written, error) {
	for range maxRounds {
		var w *written
		var err error
		if w, exists, err = o.round(ctx, d, exists); err == nil {
			return w, nil
		}
		if !stale(err) {
			return nil, d.writeFailure(err, exists)
		}
		if ctx.Err() != nil {
			return nil, d.interrupted(ctx)
		}
	}
	return nil, d.busy()
}

// round is one attempt. now says whether there is a Secret after it, as far as is
// known.
func (o *ownership) round(ctx context.Context, d *desired, exists bool) (w *written, now bool, err error) {
	if !exists {
		made, err := o.client.create(ctx, d.new(), d.manager, false)
		if err != nil {
			return nil, apierrors.IsAlreadyExists(err), err
		}
		return &written{secret: made}, true, nil
	}
	was, err := o.client.get(ctx, types.NamespacedName{Namespace: d.object.Namespace, Name: d.secret.Name})
	if err != nil {
		return nil, !apierrors.IsNotFound(err), err
	}
	w, err = o.replace(ctx, d, was)
	return w, true, err
}

// replace writes over a Secret if it is ours or consents.
func (o *ownership) replace(ctx context.Context, d *desired, was *metav1.PartialObjectMetadata) (*written, error) {
	if !mayReplace(was, d.object.Name, isOwnerGone(ctx, was, d.object.Name, o.gone)) {
		return nil, notOwned(was, d.object.Name)
	}
	if was.DeletionTimestamp != nil {
		return nil, failf(APIError, "Secret %s is being deleted, and something keeps it from going", was.Name)
	}
	if err := checkPartners(was, d.manager, d.partners(was), slices.Collect(maps.Keys(d.data()))); err != nil {
		return nil, err
	}
	s, err := d.replacement(was)
	if err != nil {
		return nil, unclear(was, err)
	}
	event := Updated
	if owner(was) != d.object.Name {
		event = Adopted
	}
	now, err := o.put(ctx, d, s, was)
	if errors.Is(err, errFixed) || immutable(err) {
		return o.recreate(ctx, d, anew(s), was)
	}
	if err != nil {
		return nil, err
	}
	return (&written{secret: now, event: event}).compared(was), nil
}

// put makes the Secret s of one with the given metadata. The keys of those who may
// add to it stay.
func (o *ownership) put(ctx context.Context, d *desired, s *corev1.Secret, was *metav1.PartialObjectMetadata) (*metav1.PartialObjectMetadata, error) {
	if d.isNew(was, DocumentAnnotation) {
		if err := o.client.checkFixed(ctx, was, d.manager); err != nil {
			return nil, err
		}
	}
	added, strange, err := keysOfOthers(was, d.manager, partners(s.Annotations))
	if err != nil {
		return nil, unclear(was, err)
	}
	if len(added) == 0 {
		return o.client.update(ctx, s, d.manager)
	}
	ours, err := heldBy(was, d.manager, dataPath())
	if err != nil {
		return nil, unclear(was, err)
	}
	return o.client.updateBeside(ctx, s, map[string][]string{
		"labels": slices.Collect(maps.Keys(was.Labels)), "annotations": slices.Collect(maps.Keys(was.Annotations)),
		"data": append(ours, strange...),
	}, d.manager)
}

// recreate deletes a Secret and makes s in its place, after it has found out that
// it can be made.
func (o *ownership) recreate(ctx context.Context, d *desired, s *corev1.Secret, was *metav1.PartialObjectMetadata) (*written, error) {
	foreign, err := othersHold(was, d.manager, dataPath())
	if err != nil {
		return nil, unclear(was, err)
	}
	if len(foreign) > 0 {
		return nil, failf(SecretIncompatible, "Secret %s would have to be deleted and made anew, because its type or its being immutable "+
			"can't be changed; but it also holds keys of others: %s; delete it if they may go", was.Name, listed(foreign))
	}
	if _, err := o.client.create(ctx, probe(s), d.manager, true); err != nil {
		return nil, err
	}
	if err := o.client.delete(ctx, was); err != nil {
		return nil, err
	}
	made, err := o.client.create(ctx, s, d.manager, false)
	if err != nil {
		return nil, err
	}
	return &written{secret: made, event: Recreated}, nil
}
