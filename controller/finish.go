// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// succeeded is the outcome for a Secret that was written.
func (r *reconciler) succeeded(v view, rec record, w *written, key string) *outcome {
	status := v.status.DeepCopy()
	status.ObservedGeneration = v.object.Generation
	status.Secret = statusOf(w.secret, fieldManager(v.object.Name))
	status.Key = key
	status.PolicyDigest = v.rules.digest(key)
	setConditions(&status.Conditions, v.object.Generation, metav1.ConditionTrue, Unsealed, "the Secret is as sealed")
	rec.failures, rec.notBefore, rec.proved = 0, time.Time{}, true
	rec.wrote, rec.wroteAt = secretVersion{w.secret.Name, w.secret.UID, w.secret.ResourceVersion}, time.Now()
	return &outcome{object: v.object, was: v.status, status: status, record: rec, event: v.event(w), tried: true, proved: true}
}

// event is what a write of the Secret means, "" if it is not worth telling.
func (v view) event(w *written) Reason {
	before := v.status.Secret
	switch {
	case w.same, w.event == "" && before == nil:
		return ""
	case w.event == "" && before.Name != w.secret.Name:
		return Updated
	case w.event == "": // somebody had deleted it
		return Healed
	case w.event == Updated && v.status.ObservedGeneration == v.object.Generation && v.reason() == Unsealed:
		return Healed
	}
	return w.event
}

// failed is the outcome for an object that is not ready. What is known of the
// last good Secret stays, and so does the Secret.
func (r *reconciler) failed(v view, rec record, err error) *outcome {
	reason := reasonOf(err)
	status := v.status.DeepCopy()
	status.ObservedGeneration = v.object.Generation
	if reason.stalled() {
		status.Key = "" // so that the digest covers every key that might have opened it
	}
	status.PolicyDigest = v.rules.digest(status.Key)
	setConditions(&status.Conditions, v.object.Generation, metav1.ConditionFalse, reason, err.Error())
	out := &outcome{object: v.object, was: v.status, status: status, err: err, tried: true}
	switch {
	case reason.stalled():
		rec.failures, rec.notBefore = 0, time.Time{}
	case reason == SecretNotOwned || reason == SecretNotFound || reason == KeyConflict:
		out.after = r.records.poll()
		rec.failures, rec.notBefore = 0, time.Time{} // what is asked for costs no key call
	default:
		out.after = r.records.backoff(&rec)
	}
	rec.tried = true
	out.record = rec
	return out
}

// suspended is the outcome for an object that is to be left alone.
func (r *reconciler) suspended(v view, rec record) *outcome {
	status := v.status.DeepCopy()
	status.ObservedGeneration = v.object.Generation
	ready := metav1.ConditionFalse
	if status.Secret != nil {
		ready = metav1.ConditionTrue
	}
	setConditions(&status.Conditions, v.object.Generation, ready, Suspended, "spec.suspend is set: the Secret is left as it is")
	return &outcome{object: v.object, was: v.status, status: status, record: rec, tried: true}
}

// finish writes the status, if it is another one, and tells what happened.
func (r *reconciler) finish(ctx context.Context, out *outcome) (reconcile.Result, error) {
	r.tell(ctx, out)
	rec := out.record
	rec.status, rec.version = nil, ""
	var err error
	if !sameStatus(out.status, &out.object.Status) {
		rec.status = out.status
		rec.version, err = r.writeStatus(ctx, out)
	}
	r.records.put(keyOf(out.object), rec)
	switch {
	case apierrors.IsConflict(err), apierrors.IsNotFound(err):
		return reconcile.Result{RequeueAfter: conflictDelay}, nil
	case err != nil:
		return reconcile.Result{}, &apiError{text: apiText(err, nil), err: err}
	}
	r.metrics.object(keyOf(out.object), out.status) // which says no more than the API server does
	if out.proved {
		if err := r.sweep(ctx, out.object); err != nil {
			return reconcile.Result{}, err
		}
	}
	return reconcile.Result{RequeueAfter: out.after}, nil
}

// writeStatus writes the status of an object of which the cache has another one.
// It returns the resourceVersion of the object with that status.
func (r *reconciler) writeStatus(ctx context.Context, out *outcome) (version string, err error) {
	alreadyWritten := out.record.version != "" && out.status == out.record.status
	if alreadyWritten { // the cache has not caught up with it
		return out.record.version, nil
	}
	return r.api.putStatus(ctx, "sealedsecrets", out.object, full(out.status))
}

// tell logs, records and counts what has changed.
func (r *reconciler) tell(ctx context.Context, out *outcome) {
	key := keyOf(out.object)
	if out.tried { // else it still waits for what it waited for
		r.recovery.wait(key, out.err, out.begin, out.after)
	}
	was, now := meta.FindStatusCondition(out.was.Conditions, Ready), meta.FindStatusCondition(out.status.Conditions, Ready)
	if now == nil {
		return
	}
	turned := was == nil || was.Reason != now.Reason || was.Status != now.Status
	if out.err != nil {
		r.metrics.failed(reasonOf(out.err))
		if turned {
			log.FromContext(ctx).Info("SealedSecret is not ready", "reason", now.Reason, "cause", now.Message)
			r.events.warn(out.object, Reason(now.Reason), now.Message)
		}
		return
	}
	if out.event != "" {
		log.FromContext(ctx).Info("Secret written", "event", out.event, "secret", secretName(out.object))
		r.events.note(out.object, out.event, eventNote(out.event, secretName(out.object)))
	} else if turned && was != nil {
		log.FromContext(ctx).Info("SealedSecret is ready", "reason", now.Reason)
		r.events.note(out.object, Reason(now.Reason), now.Message)
	}
}

// eventNote is what an event says about a Secret.
func eventNote(event Reason, secret string) string {
	switch event {
	case Healed:
		return "Secret " + secret + " was put back to what is sealed"
	case Recreated:
		return "Secret " + secret + " was deleted and made anew, because its type or its being immutable can't be changed"
	case Adopted:
		return "Secret " + secret + " consented to being taken over"
	case Deleted:
		return "Secret " + secret + " was deleted: the document no longer names it"
	}
	return "Secret " + secret + " was updated"
}
