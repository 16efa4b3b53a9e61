// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/signet-secrets/signet/controller/v1alpha1"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// reconciler makes Secrets what SealedSecrets say.
type reconciler struct {
	cache       client.Reader
	api         *apiClient
	secrets     *secretClient
	opener      *opener
	owning      *ownership
	merging     *merging
	sealingKeys *sealingKeys
	policy      *policy
	records     *records
	recovery    *recovery
	fairness    *fairness
	events      *events
	metrics     *metrics
}

// conflictDelay is how long to wait for the cache after somebody else has
// written an object, pollPeriod how often a Secret is looked at that no watch
// tells about, and turnDelay when an object that others left no room for tries
// again if nobody has told it to.
const (
	conflictDelay = 200 * time.Millisecond
	turnDelay     = 2 * time.Second
	pollPeriod    = time.Minute
)

// Reconcile implements reconcile.Reconciler. It returns no errors but those of
// the API server: what is wrong with an object stands in its status, and when to
// try again is decided here.
func (r *reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	r.fairness.begin(req.NamespacedName)
	if err := r.sealingKeys.load(ctx); err != nil {
		return reconcile.Result{}, err
	}
	object := &v1alpha1.SealedSecret{}
	err := r.cache.Get(ctx, req.NamespacedName, object)
	if apierrors.IsNotFound(err) {
		return reconcile.Result{}, r.gone(ctx, req.NamespacedName)
	}
	if err != nil || object.DeletionTimestamp != nil {
		return reconcile.Result{}, err
	}
	rec := r.records.get(object)
	if rec.status == nil {
		rec.status = &object.Status
	}
	begin := time.Now()
	out, err := r.work(ctx, object, rec)
	if err != nil {
		return reconcile.Result{}, err
	}
	out.begin = begin
	return r.finish(ctx, out)
}

// outcome is what came of one look at an object.
type outcome struct {
	object *v1alpha1.SealedSecret
	was    *v1alpha1.SealedSecretStatus // before
	status *v1alpha1.SealedSecretStatus // from now on
	record record
	event  Reason        // what happened to the Secret, "" if nothing worth telling
	after  time.Duration // when to look again, 0: when something changes
	err    error         // why the object is not ready, nil if it is
	tried  bool          // whether it was not only looked at
	proved bool          // whether the Secret is as this generation says for sure, so that what is elsewhere may go
	begin  time.Time     // of the look
}

// lookedAt is the outcome for an object that was only looked at, and is to be
// looked at again after a while.
func lookedAt(o *v1alpha1.SealedSecret, rec record, after time.Duration) *outcome {
	return &outcome{object: o, was: rec.status, status: rec.status, record: rec, after: after}
}

// work does the next step for an object.
func (r *reconciler) work(ctx context.Context, object *v1alpha1.SealedSecret, rec record) (*outcome, error) {
	now := r.policy.now()
	v := view{
		object: object, status: rec.status, rules: now, policy: now.digest(rec.status.Key),
		wrote: rec.wrote, age: time.Since(rec.wroteAt), wait: r.records.wait(rec), tried: rec.tried,
	}
	if name := secretName(object); !sopsdoc.ValidSecretName(name) {
		return r.failed(v, rec, failf(InvalidDocument, "spec.secretName: is not a valid name")), nil
	}
	secret, err := r.cachedSecret(ctx, object)
	if err != nil {
		return nil, err
	}
	left, err := r.leftovers(ctx, object)
	if err != nil {
		return nil, err
	}
	v.unproved = !left.none() && !rec.proved
	v.see(ctx, secret, r.isGoneFromCache)
	next := v.next()
	if next == stepLook {
		live, err := r.secrets.get(ctx, types.NamespacedName{Namespace: object.Namespace, Name: secretName(object)})
		if err != nil && !apierrors.IsNotFound(err) {
			return r.failed(v, rec, unread("Secret", secretName(object), err)), nil
		}
		if err != nil {
			live = nil
		}
		v.live = true
		v.see(ctx, live, r.isGoneFromCache)
		next = v.next()
	}
	switch next {
	case stepIdle:
		return v.idle(rec, left), nil
	case stepWait:
		return lookedAt(object, rec, catchUpTime), nil
	case stepSuspend:
		return r.suspended(v, rec), nil
	case stepUnowned:
		return r.failed(v, rec, r.unowned(v)), nil
	case stepMissing:
		return r.failed(v, rec, notThere(secretName(object), object.Name)), nil
	}
	return r.unseal(ctx, v, rec)
}

// idle is the outcome for an object for which there is nothing to do, unless it
// has still something in other Secrets.
func (v view) idle(rec record, left leftovers) *outcome {
	switch {
	case !v.done():
		return lookedAt(v.object, rec, v.wait)
	case left.none():
		return lookedAt(v.object, rec.settled(), v.wait)
	}
	out := lookedAt(v.object, rec, v.wait)
	out.proved = rec.proved
	return out
}

// unowned is the failure for a Secret that does not consent.
func (r *reconciler) unowned(v view) *failure {
	if v.merges() {
		return noConsent(v.secret, v.object.Name)
	}
	return notOwned(v.secret, v.object.Name)
}

// unseal opens the document and writes the Secret.
func (r *reconciler) unseal(ctx context.Context, v view, rec record) (*outcome, error) {
	whole := sync.OnceValues(func() (*document, error) { return r.whole(ctx, v.object) })
	give, ok := r.fairness.take(keyOf(v.object), weightOf(v.object), func() bool {
		d, err := whole()
		return err != nil || r.opener.atHand(d)
	})
	if !ok {
		return lookedAt(v.object, rec, turnDelay), nil
	}
	defer give()
	d, err := whole()
	if apierrors.IsNotFound(err) {
		return lookedAt(v.object, rec, 0), nil
	}
	if err != nil {
		return r.failed(v, rec, unread(sopsdoc.Kind, v.object.Name, err)), nil
	}
	if d.object.UID != v.object.UID || d.object.Generation != v.object.Generation {
		// The cache is behind. It will say so in a moment.
		return lookedAt(v.object, rec, conflictDelay), nil
	}
	w, key, err := r.put(ctx, v, d)
	if err != nil {
		return r.failed(v, rec, err), nil
	}
	return r.succeeded(v, rec, w, key), nil
}

// whole returns the document of an object, which the cache leaves out of objects
// that are settled.
func (r *reconciler) whole(ctx context.Context, o *v1alpha1.SealedSecret) (*document, error) {
	if len(o.Spec.Raw) > 0 {
		return newDocument(o), nil
	}
	o, err := r.api.get(ctx, keyOf(o))
	return newDocument(o), err
}

// put opens the document and writes its Secret. The error is a *failure.
func (r *reconciler) put(ctx context.Context, v view, doc *document) (*written, string, error) {
	var c claims
	if v.merges() {
		var err error
		if c, err = claimsOf(doc); err != nil {
			return nil, "", err
		}
		if err := c.check(v.secret, fieldManager(v.object.Name)); err != nil {
			return nil, "", err
		}
	} else if v.secret != nil {
		if err := checkOwner(doc, v.secret); err != nil {
			return nil, "", err
		}
	}
	begin := time.Now()
	o, err := r.opener.open(ctx, doc)
	r.metrics.attempted(time.Since(begin), err)
	if err != nil {
		return nil, "", err
	}
	d := newDesired(doc.object, o)
	if v.merges() {
		w, err := r.merging.write(ctx, d, c, v.secret)
		return w, o.key, err
	}
	w, err := r.owning.write(ctx, d, v.secret != nil)
	return w, o.key, err
}

// cachedSecret returns the metadata of the Secret of an object, nil if the
// cache has none.
func (r *reconciler) cachedSecret(ctx context.Context, o *v1alpha1.SealedSecret) (*metav1.PartialObjectMetadata, error) {
	secret := secretMetadata()
	err := r.cache.Get(ctx, types.NamespacedName{Namespace: o.Namespace, Name: secretName(o)}, secret)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return secret, err
}

// isGoneFromCache reports whether there is no SealedSecret of that name, as far
// as the cache knows.
func (r *reconciler) isGoneFromCache(ctx context.Context, key types.NamespacedName) bool {
	return apierrors.IsNotFound(r.cache.Get(ctx, key, &v1alpha1.SealedSecret{}))
}

// isGone reports whether there is no SealedSecret of that name for sure: the
// cache may be behind, and more so than that of Secrets.
func (r *reconciler) isGone(ctx context.Context, key types.NamespacedName) bool {
	if !r.isGoneFromCache(ctx, key) {
		return false
	}
	_, err := r.api.metadata(ctx, key)
	return apierrors.IsNotFound(err)
}
