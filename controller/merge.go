// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"
)

// merging adds to Secrets of others, and takes out again what was added.
type merging struct {
	client *secretClient
}

// claims are the parts of a Secret that a document wants to add. They stand in
// it in clear, so a conflict is found before a key is used.
type claims struct {
	data, labels, annotations []string
}

// claimsOf reads the claims of a document. The error is a *failure.
func claimsOf(d *document) (claims, error) {
	doc, err := d.parsed()
	if err != nil {
		return claims{}, err
	}
	return claims{
		data:        slices.Concat(doc.Envelope.DataKeys(), doc.Envelope.StringDataKeys()),
		labels:      slices.Collect(maps.Keys(doc.Envelope.Labels)),
		annotations: slices.Collect(maps.Keys(doc.Envelope.Annotations)),
	}, nil
}

// check refuses claims to what somebody else has in a Secret, whatever its
// value: to share equal values would tell whoever claims a key what it holds.
// What the manager has already it keeps.
func (c claims) check(secret *metav1.PartialObjectMetadata, manager string) error {
	if len(secret.ManagedFields) == 0 {
		return failf(KeyConflict, "Secret %s has lost its metadata.managedFields, which say what is whose; let its owner apply it once on the server's side",
			secret.Name)
	}
	over, err := appliers(secret)
	if err != nil {
		return unclear(secret, err)
	}
	for _, part := range []struct {
		path   []string
		claims []string
		over   map[string][]string
	}{{dataPath(), c.data, over}, {labelsPath(), c.labels, nil}, {annotationsPath(), c.annotations, nil}} {
		has, err := holders(secret, part.path)
		if err != nil {
			return unclear(secret, err)
		}
		for _, key := range slices.Sorted(slices.Values(part.claims)) {
			if of := claimant(has[key], part.over[key], manager); of != "" {
				return failf(KeyConflict, "Secret %s: %s of %s belongs to %q; take it out of the document, or have its owner give it up", secret.Name, key, strings.Join(part.path, "."), of)
			}
		}
	}
	return nil
}

// claimant returns who else than a manager may say what a key holds, "" for nobody,
// from those who have it and those who have applied over it.
func claimant(have, over []string, manager string) string {
	if i := slices.IndexFunc(over, func(m string) bool { return m != manager }); i >= 0 {
		return over[i]
	}
	if len(have) > 0 && !slices.Contains(have, manager) {
		return have[0]
	}
	return ""
}

// write adds what is sealed to the Secret with the given metadata, which
// consents, and on which the claims were checked. Both are looked at anew if the
// Secret has changed since. The error is a *failure.
func (m *merging) write(ctx context.Context, d *desired, c claims, was *metav1.PartialObjectMetadata) (*written, error) {
	for range maxRounds {
		w, err := m.round(ctx, d, was)
		if err == nil {
			return w, nil
		}
		if !stale(err) {
			return nil, d.writeFailure(err, true)
		}
		if ctx.Err() != nil {
			return nil, d.interrupted(ctx)
		}
		was, err = m.client.get(ctx, keyOf(was))
		if apierrors.IsNotFound(err) {
			return nil, notThere(d.secret.Name, d.object.Name)
		}
		if err != nil {
			return nil, d.writeFailure(err, true)
		}
		if !consents(was, MergeAnnotation, d.object.Name) {
			return nil, noConsent(was, d.object.Name)
		}
		if err := c.check(was, d.manager); err != nil {
			return nil, err
		}
	}
	return nil, d.busy()
}

// round is one attempt.
func (m *merging) round(ctx context.Context, d *desired, was *metav1.PartialObjectMetadata) (*written, error) {
	was, err := m.upgrade(ctx, d, was)
	if err != nil {
		return nil, err
	}
	if was, err = m.yield(ctx, was, d.manager); err != nil {
		return nil, err
	}
	held, err := heldBy(was, d.manager, dataPath())
	if err != nil {
		return nil, unclear(was, err)
	}
	event := Updated
	if len(held) == 0 {
		event = "" // the first time
	}
	now, err := m.add(ctx, d, was)
	if errors.Is(err, errFixed) || immutable(err) {
		return nil, failf(SecretIncompatible, "Secret %s is immutable, or isn't of type %q as the document is; seal with the type of the Secret", was.Name, d.secret.Type)
	}
	if err != nil {
		return nil, err
	}
	return (&written{secret: now, event: event}).compared(was), nil
}

// add applies what is sealed to the Secret with the given metadata.
func (m *merging) add(ctx context.Context, d *desired, was *metav1.PartialObjectMetadata) (*metav1.PartialObjectMetadata, error) {
	if d.isNew(was, documentAnnotation(d.object.Name)) {
		if err := m.client.checkFixed(ctx, was, d.manager); err != nil {
			return nil, err
		}
	}
	return m.client.apply(ctx, d.addition(was), d.manager)
}

// yield gives up the keys that others have applied over, so that they are not taken
// out of the Secret with the next change.
func (m *merging) yield(ctx context.Context, was *metav1.PartialObjectMetadata, manager string) (*metav1.PartialObjectMetadata, error) {
	fields, err := yielded(was, manager)
	if err != nil || fields == nil {
		return was, err
	}
	patch, err := json.Marshal([]any{map[string]any{"op": "replace", "path": "/metadata/managedFields", "value": fields}})
	if err != nil {
		return nil, err
	}
	return m.client.patchMetadata(ctx, was, patch, manager)
}

// upgrade turns what the object wrote while the Secret was its own into fields
// that are applied: else they would stay for ever.
func (m *merging) upgrade(ctx context.Context, d *desired, was *metav1.PartialObjectMetadata) (*metav1.PartialObjectMetadata, error) {
	ours := func(f metav1.ManagedFieldsEntry) bool {
		return f.Manager == d.manager && f.Operation == metav1.ManagedFieldsOperationUpdate
	}
	if !slices.ContainsFunc(was.ManagedFields, ours) {
		return was, nil
	}
	patch, err := csaupgrade.UpgradeManagedFieldsPatch(was, sets.New(d.manager), d.manager)
	if err != nil || len(patch) == 0 {
		return was, err
	}
	return m.client.patchMetadata(ctx, was, patch, d.manager)
}

// release takes everything out of a Secret that a manager has applied to it.
func (m *merging) release(ctx context.Context, secret *metav1.PartialObjectMetadata, manager string) error {
	secret, err := m.yield(ctx, secret, manager)
	if err != nil {
		return unlessGone(err)
	}
	_, err = m.client.apply(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
		Namespace: secret.Namespace, Name: secret.Name, UID: secret.UID, ResourceVersion: secret.ResourceVersion,
	}}, manager)
	return unlessGone(err)
}

// unlessGone returns the error of a write, nil if the Secret is not there any more.
func unlessGone(err error) error {
	if apierrors.IsNotFound(err) || invalidField(err, "metadata.uid") {
		return nil
	}
	return err
}
