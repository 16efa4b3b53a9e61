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

// over says that a Secret was written over, and whether that made a difference.
func (w *written) over(was *metav1.PartialObjectMetadata) *written {
	w.same = w.secret != nil && w.secret.ResourceVersion == was.ResourceVersion
	return w
}

// maxRounds is how often a write begins anew because somebody else wrote.
const maxRounds = 5

// ownership makes, replaces and makes anew the Secrets that belong to objects.
type ownership struct {
	client *secretClient
	// gone reports whether there is no SealedSecret of that name.
	gone func(types.NamespacedName) bool
}

// write makes the Secret what it should be. known says that there is one
// already, or was. The error is a *failure.
func (o *ownership) write(ctx context.Context, d *desired, known bool) (*written, error) {
	for range maxRounds {
		w, err := o.round(ctx, d, &known)
		if err == nil || !again(err) {
			return w, d.failure(err, known)
		}
		if ctx.Err() != nil {
			return nil, fail(APIError, ctx.Err())
		}
	}
	return nil, d.busy()
}

// again reports whether an error only says that things have changed since they
// were read.
func again(err error) bool {
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err) && !namespaceGone(err) {
		return true
	}
	return invalidField(err, "metadata.uid") // the Secret was made anew
}

// round is one attempt. known becomes whether there is a Secret now.
func (o *ownership) round(ctx context.Context, d *desired, known *bool) (*written, error) {
	key := types.NamespacedName{Namespace: d.object.Namespace, Name: d.secret.Name}
	if !*known {
		made, err := o.client.create(ctx, d.new(), d.manager, false)
		*known = apierrors.IsAlreadyExists(err)
		return &written{secret: made}, err
	}
	was, err := o.client.get(ctx, key)
	if apierrors.IsNotFound(err) {
		*known = false
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	return o.replace(ctx, d, was)
}

// replace writes over a Secret if it is ours or consents.
func (o *ownership) replace(ctx context.Context, d *desired, was *metav1.PartialObjectMetadata) (*written, error) {
	v := view{object: d.object}
	v.see(was, o.gone)
	if !v.mine() {
		return nil, notOwned(was, d.object.Name)
	}
	if was.DeletionTimestamp != nil {
		return nil, failf(APIError, "Secret %s is being deleted, and something keeps it from going", was.Name)
	}
	s, err := d.over(was)
	if err != nil {
		return nil, fail(APIError, err)
	}
	event := Updated
	if owner(was) != d.object.Name {
		event = Adopted
	}
	now, err := o.put(ctx, d, s, was)
	if immutable(err) {
		return o.recreate(ctx, d, anew(s), was)
	}
	return (&written{secret: now, event: event}).over(was), err
}

// put makes the Secret s of one with the given metadata. The keys of those who may
// add to it stay.
func (o *ownership) put(ctx context.Context, d *desired, s *corev1.Secret, was *metav1.PartialObjectMetadata) (*metav1.PartialObjectMetadata, error) {
	added, strange, err := keysOfOthers(was, d.manager, partners(s.Annotations))
	if err != nil {
		return nil, fail(APIError, err)
	}
	if len(added) == 0 {
		return o.client.update(ctx, s, d.manager)
	}
	ours, err := heldBy(was, d.manager, dataPath())
	if err != nil {
		return nil, fail(APIError, err)
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
		return nil, fail(APIError, err)
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
	return &written{secret: made, event: Recreated}, err
}

// immutable reports whether an update was refused because the type of a Secret
// can't be changed, or nothing of an immutable one (kubernetes:
// validation.go, ValidateSecretUpdate).
func immutable(err error) bool {
	for _, c := range causes(err) {
		switch {
		case c.Field == "type" && c.Type == metav1.CauseTypeFieldValueInvalid,
			(c.Field == "immutable" || c.Field == "data") && c.Type == metav1.CauseTypeForbidden:
			return true
		}
	}
	return false
}

// invalidField reports whether the API server found fault with a field.
func invalidField(err error, field string) bool {
	for _, c := range causes(err) {
		if c.Field == field {
			return true
		}
	}
	return false
}

func causes(err error) []metav1.StatusCause {
	status := apierrors.APIStatus(nil)
	if !errors.As(err, &status) || status.Status().Details == nil {
		return nil
	}
	return status.Status().Details.Causes
}
