// SPDX-License-Identifier: Apache-2.0

// Package controller makes Secrets from the SealedSecrets of a cluster and keeps
// them as they are sealed. New puts it together; cmd/signet-controller is the
// program around it, README.md the manual for whoever runs it.
//
// A look at an object (reconciler.go) goes through these steps:
//
//	view.go     decide what to do from what is known; mostly that is nothing
//	open.go     open the document; a failure (failure.go) gets its Reason (reason.go)
//	own.go      make, replace or make anew the Secret that belongs to it, as
//	            desired.go says it should be, or
//	merge.go    add to the Secret of somebody else
//	finish.go   write the status (status.go), once, and tell what has changed
//	sweep.go    remove what is left in other Secrets
//
// Who has what in a Secret the managed fields say: fields.go reads them, and
// partners.go knows who may add. secretclient.go and apiclient.go make the calls.
//
// Around that: cache.go says what is kept in memory, enqueue.go, intake.go and
// fairness.go what is looked at when, record.go what is remembered between two
// looks, sealingkeys.go keeps the SealingKeys, recovery.go knows who waits for
// which key, policy.go notices other settings, and gate.go stops every write of a
// replica that is not surely the leader.
//
// What the API server answers to a write, and what is watched, is metadata: the
// values of Secrets flow one way only. Every write names the uid and the
// resourceVersion of what it changes, or fails if there is something already.
//
// The package knows no key service, reads no files and no environment.
package controller
