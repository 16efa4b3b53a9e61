// SPDX-License-Identifier: Apache-2.0

package controllertest

import (
	"encoding/json"
	"errors"
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

// IsWrite reports whether a request changes objects or makes some.
func IsWrite(e auditv1.Event) bool {
	_, about := RightOf(e)
	return about && slices.Contains([]string{"create", "update", "patch", "delete", "deletecollection"}, e.Verb)
}

// Precondition is what a request says of the object that it is about. Where it
// says nothing the object may be another one, or have changed.
type Precondition struct{ UID, ResourceVersion string }

// PreconditionOf reads the body of a write: an object, a merge patch, a JSON patch
// or the options of a deletion.
func PreconditionOf(e auditv1.Event) (Precondition, error) {
	if e.RequestObject == nil {
		return Precondition{}, errors.New("no body in the audit log")
	}
	var operations []struct {
		Path  string
		Value any
	}
	if json.Unmarshal(e.RequestObject.Raw, &operations) == nil {
		at := map[string]any{}
		for _, o := range operations {
			at[o.Path] = o.Value
		}
		return precondition(at["/metadata/uid"], at["/metadata/resourceVersion"]), nil
	}
	var body struct {
		Metadata, Preconditions map[string]any
	}
	if err := json.Unmarshal(e.RequestObject.Raw, &body); err != nil {
		return Precondition{}, err
	}
	if e.Verb == "delete" {
		body.Metadata = body.Preconditions
	}
	return precondition(body.Metadata["uid"], body.Metadata["resourceVersion"]), nil
}

func precondition(uid, version any) Precondition {
	var p Precondition
	p.UID, _ = uid.(string)
	p.ResourceVersion, _ = version.(string)
	return p
}
