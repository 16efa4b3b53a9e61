// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/signet-secrets/signet/controller/v1alpha1"
)

// view is what is known of an object before anything is called.
type view struct {
	object *v1alpha1.SealedSecret
	// status is that of the object, or what was written since it was read.
	status *v1alpha1.SealedSecretStatus
	// secret is the metadata of the Secret, nil if there is none in the cache,
	// or none at all if it is live.
	secret *metav1.PartialObjectMetadata
	live   bool
	// policy is the digest of everything else that decides.
	policy string
	// rules are what policy is a digest of.
	rules rules
	// ownerGone says that the SealedSecret that the Secret says it belongs to
	// is not there any more.
	ownerGone bool
	// wrote is what this process last wrote of the Secret, and age how long
	// ago.
	wrote secretVersion
	age   time.Duration
	// unproved says that the object has left something in other Secrets, and
	// nothing but the status says that it needs it no more.
	unproved bool
	// tried says that this process has tried the object as it is.
	tried bool
	// wait is how long the object is to be left alone after a failure.
	wait time.Duration
}

// see takes up the metadata of the Secret, nil if there is none.
func (v *view) see(ctx context.Context, secret *metav1.PartialObjectMetadata, gone goneFunc) {
	v.secret = secret
	v.ownerGone = secret != nil && isOwnerGone(ctx, secret, v.object.Name, gone)
}

// step is what has to be done next for an object.
type step string

const (
	stepIdle    step = "idle"    // nothing
	stepSuspend step = "suspend" // say that the object is suspended
	stepLook    step = "look"    // read the metadata of the Secret, and decide again
	stepUnowned step = "unowned" // say that the Secret belongs to somebody else
	stepMissing step = "missing" // say that there is no Secret to merge into
	stepWait    step = "wait"    // let the cache catch up with what was written
	stepOpen    step = "open"    // open the document and write the Secret
)

// next decides what has to be done. No key is used and nothing is called for an
// object that is as it should be, and no key for a Secret that may not be
// written anyway.
func (v view) next() step {
	switch {
	case v.object.Spec.Suspend:
		return stepSuspend
	case v.settled() && v.behind():
		return stepWait
	case v.done() && !v.unproved:
		return stepIdle
	case v.settled() && v.secret == nil && !v.live:
		return stepLook
	case v.stalled(), v.wait > 0:
		return stepIdle
	case v.merges():
		return v.nextMerge()
	case v.secret != nil && !mayReplace(v.secret, v.object.Name, v.ownerGone):
		return v.confirm(stepUnowned)
	case v.secret == nil && !v.live && v.reason() == SecretNotOwned:
		return stepLook
	}
	return stepOpen
}

// nextMerge decides for a document that adds to a Secret.
func (v view) nextMerge() step {
	switch {
	case !v.live:
		return stepLook
	case v.secret == nil:
		return stepMissing
	case !consents(v.secret, MergeAnnotation, v.object.Name):
		return stepUnowned
	}
	return stepOpen
}

// confirm returns s if it rests on what the API server said, and stepLook if
// it rests on the cache.
func (v view) confirm(s step) step {
	if v.live {
		return s
	}
	return stepLook
}

// done reports whether the object was done with as it is now, and its Secret is
// still there.
func (v view) done() bool { return v.settled() && v.untouched() }

// settled reports whether the object was done with as it is now.
func (v view) settled() bool {
	return isUnsealed(v.status) && v.current() && v.status.Secret != nil && v.status.Secret.Name == secretName(v.object)
}

// behind reports whether the cache does not have the Secret yet as this process
// has written it. It will tell when it does. A Secret that it does not have at
// all may have been deleted since; that is looked into after a while.
func (v view) behind() bool {
	switch {
	case v.live || v.wrote.uid == "" || v.wrote.name != secretName(v.object):
		return false
	case v.secret == nil:
		return v.age < catchUpTime
	}
	return v.secret.UID == v.wrote.uid && older(v.secret.ResourceVersion, v.wrote.version)
}

// catchUpTime is how long the cache is given to see a Secret that was made.
const catchUpTime = 2 * time.Second

// stalled reports whether it is known that the object, as it is now, can't be
// helped. Stalled with a reason that says something else is not our word.
func (v view) stalled() bool {
	if v.reason() == KeyNotAllowed && !v.tried {
		return false // the controller may have got other identities since
	}
	return meta.IsStatusConditionTrue(v.status.Conditions, Stalled) && v.reason().stalled() && v.current()
}

// current reports whether the status is about the object as it is now, and
// about the policy.
func (v view) current() bool {
	return v.status.ObservedGeneration == v.object.Generation && v.status.PolicyDigest == v.policy
}

// untouched reports whether the Secret is as it was written: nobody has changed
// it at all, or nobody has changed what is ours, applied over it or added to what
// is ours alone.
func (v view) untouched() bool {
	was := v.status.Secret
	if v.secret == nil || v.secret.UID != was.UID {
		return false
	}
	manager := fieldManager(v.object.Name)
	fields := digestFields(v.secret, manager)
	switch {
	case fields == "", !v.merges() && owner(v.secret) != v.object.Name:
		return false // it isn't ours, whatever the status says
	case v.secret.ResourceVersion == was.ResourceVersion:
		return true
	case fields != was.Fields:
		return false
	case v.merges():
		over, err := appliedOver(v.secret, manager)
		return err == nil && len(over) == 0
	}
	_, strange, err := keysOfOthers(v.secret, manager, partners(v.secret.Annotations))
	return err == nil && len(strange) == 0
}

// mayReplace reports whether a Secret may be replaced by the SealedSecret of a
// name: it belongs to that, or it belongs to nobody and consents. ownerGone is as
// in view.
func mayReplace(secret *metav1.PartialObjectMetadata, name string, ownerGone bool) bool {
	of := owner(secret)
	return of == name || (of == "" || ownerGone) && consents(secret, AdoptAnnotation, name)
}

// isOwnerGone reports whether a Secret belongs to a SealedSecret of another name,
// and there is none.
func isOwnerGone(ctx context.Context, secret *metav1.PartialObjectMetadata, name string, gone goneFunc) bool {
	of := owner(secret)
	return of != "" && of != name && gone(ctx, types.NamespacedName{Namespace: secret.Namespace, Name: of})
}

// goneFunc reports whether there is no SealedSecret of that name.
type goneFunc func(context.Context, types.NamespacedName) bool

func (v view) merges() bool { return v.object.Spec.CreationPolicy == v1alpha1.Merge }

// reason is that of the Ready condition, "" if there is none.
func (v view) reason() Reason {
	if ready := meta.FindStatusCondition(v.status.Conditions, Ready); ready != nil {
		return Reason(ready.Reason)
	}
	return ""
}
