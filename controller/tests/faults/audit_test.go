// SPDX-License-Identifier: Apache-2.0

package faults

import (
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

// isLease reports whether a request is about a Lease.
func isLease(e auditv1.Event) bool { return e.ObjectRef != nil && e.ObjectRef.Resource == "leases" }

// succeeded reports whether the API server did what it was asked for.
func succeeded(e auditv1.Event) bool { return e.ResponseStatus != nil && e.ResponseStatus.Code < 300 }

// checkConditional wants preconditions on every write of a controller that is
// not a creation, and returns how many there are.
func checkConditional(t *testing.T, c *controllertest.Controller) int {
	t.Helper()
	n := 0
	for _, e := range requests(t, c) {
		if !controllertest.IsWrite(e) || isLease(e) || e.Verb == "create" || e.ObjectRef.Resource == "events" {
			continue
		}
		n++
		p, err := controllertest.PreconditionOf(e)
		if err != nil || p.UID == "" || p.ResourceVersion == "" {
			t.Errorf("%s %s: %+v, error %v, want uid and resourceVersion", e.Verb, e.RequestURI, p, err)
		}
	}
	return n
}
