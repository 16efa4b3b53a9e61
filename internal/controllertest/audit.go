// SPDX-License-Identifier: Apache-2.0

package controllertest

import (
	"fmt"
	"slices"

	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
)

// Requests returns what a controller has asked the API server for so far, as
// testcluster's AuditEvents does, when it was done. Options.Cluster.Audit must
// be set.
func (l *Lab) Requests(c *Controller) ([]auditv1.Event, error) {
	all, err := l.Cluster.AuditEventsWith(c.Credential)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(e auditv1.Event) bool {
		return !slices.Contains(e.User.Extra["authentication.kubernetes.io/credential-id"], c.Credential)
	}), nil
}

// Right is what a rule of a role grants, and what a request takes.
type Right struct {
	Group, Resource, Verb string // the resource with a subresource: sealedsecrets/status
}

func (r Right) String() string { return fmt.Sprintf("%s %s.%s", r.Verb, r.Resource, r.Group) }

// RightOf returns the right that a request takes; false if it is about no
// resource.
func RightOf(e auditv1.Event) (Right, bool) {
	if e.ObjectRef == nil || e.ObjectRef.Resource == "" {
		return Right{}, false
	}
	resource := e.ObjectRef.Resource
	if e.ObjectRef.Subresource != "" {
		resource += "/" + e.ObjectRef.Subresource
	}
	return Right{Group: e.ObjectRef.APIGroup, Resource: resource, Verb: e.Verb}, true
}
