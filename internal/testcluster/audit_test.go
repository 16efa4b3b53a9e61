// SPDX-License-Identifier: Apache-2.0

package testcluster

import (
	"context"
	"errors"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
)

func testAudit(t *testing.T, c *Cluster) {
	cfg := c.As("auditee", "system:masters")
	client := clientFor(t, cfg)
	secret := createSecret(t, client, "default", "audited")
	if _, err := client.CoreV1().Secrets("default").Get(t.Context(), "audited", metav1.GetOptions{}); err != nil {
		t.Fatal(err)
	}
	precondition := metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &secret.UID}}
	if err := client.CoreV1().Secrets("default").Delete(t.Context(), "audited", precondition); err != nil {
		t.Fatal(err)
	}
	err := c.Apply(t.Context(), []byte("apiVersion: signet.dev/v1\nkind: Widget\nmetadata: {name: audited}\n"))
	if err != nil {
		t.Fatal(err)
	}
	var create, get, remove, apply *auditv1.Event
	eventually(t, "the requests are in the log", func(context.Context) error {
		events, err := c.AuditEvents()
		if err != nil {
			return err
		}
		create, get, remove = find(events, "create", "secrets"), find(events, "get", "secrets"), find(events, "delete", "secrets")
		apply = find(events, "patch", "widgets")
		if create == nil || get == nil || remove == nil || apply == nil {
			return errors.New("not all are there")
		}
		return nil
	})
	if create.ImpersonatedUser == nil || create.ImpersonatedUser.Username != "auditee" || create.User.Username != adminUser {
		t.Errorf("create: user %q as %v, want %s as auditee", create.User.Username, create.ImpersonatedUser, adminUser)
	}
	if create.ResponseStatus.Code != 201 || create.RequestURI == "" || create.RequestReceivedTimestamp.IsZero() {
		t.Errorf("create: %+v, want status 201, a URI and a time", create)
	}
	if create.RequestObject == nil || create.ResponseObject != nil {
		t.Error("create: want the request's body without the answer's")
	}
	if get.RequestObject != nil || get.ResponseObject != nil {
		t.Error("get: want no bodies")
	}
	if remove.RequestObject == nil || !strings.Contains(string(remove.RequestObject.Raw), string(secret.UID)) {
		t.Errorf("delete: %+v, want the precondition in the body", remove)
	}
	if apply.RequestObject == nil || apply.ResponseObject == nil {
		t.Error("apply of a kind of signet.dev: want both bodies")
	}
}

// find returns the first finished request for the object named audited.
func find(events []auditv1.Event, verb, resource string) *auditv1.Event {
	for i, e := range events {
		if e.Stage == auditv1.StageResponseComplete && e.Verb == verb && e.ObjectRef != nil &&
			e.ObjectRef.Resource == resource && e.ObjectRef.Name == "audited" {
			return &events[i]
		}
	}
	return nil
}

func TestAuditEventsWithoutAudit(t *testing.T) {
	if _, err := new(Cluster).AuditEvents(); err == nil {
		t.Error("no error for a cluster without audit")
	}
}
