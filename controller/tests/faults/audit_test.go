// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"encoding/json"
	"testing"

	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"

	"github.com/signet-secrets/signet/internal/controllertest"
)

// requests are those of a controller so far.
func requests(t *testing.T, c *controllertest.Controller) []auditv1.Event {
	t.Helper()
	all, err := lab.Requests(c)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// isWrite reports whether a request changes something.
func isWrite(e auditv1.Event) bool {
	switch e.Verb {
	case "create", "update", "patch", "delete", "deletecollection":
		return e.ObjectRef != nil
	}
	return false
}

// isLease reports whether a request is about a Lease.
func isLease(e auditv1.Event) bool { return e.ObjectRef != nil && e.ObjectRef.Resource == "leases" }

// succeeded reports whether the API server did what it was asked for.
func succeeded(e auditv1.Event) bool { return e.ResponseStatus != nil && e.ResponseStatus.Code < 300 }

// conditional reports whether a write says of what it read the object to be: a
// delete by its options, everything else by the metadata in its body.
func conditional(e auditv1.Event) bool {
	if e.RequestObject == nil {
		return false
	}
	var body struct {
		Metadata, Preconditions struct {
			UID             string `json:"uid"`
			ResourceVersion string `json:"resourceVersion"`
		}
	}
	if err := json.Unmarshal(e.RequestObject.Raw, &body); err != nil {
		return false
	}
	about := body.Metadata
	if e.Verb == "delete" {
		about = body.Preconditions
	}
	return about.UID != "" && about.ResourceVersion != ""
}

// checkConditional wants preconditions on every write of a controller that is
// not a creation, and returns how many there are.
func checkConditional(t *testing.T, c *controllertest.Controller) int {
	t.Helper()
	n := 0
	for _, e := range requests(t, c) {
		if !isWrite(e) || isLease(e) || e.Verb == "create" || e.ObjectRef.Resource == "events" {
			continue
		}
		n++
		if !conditional(e) {
			t.Errorf("%s %s without uid and resourceVersion", e.Verb, e.RequestURI)
		}
	}
	return n
}
