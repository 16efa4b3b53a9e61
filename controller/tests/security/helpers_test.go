// SPDX-License-Identifier: Apache-2.0

package security

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/signet-secrets/signet/internal/controllertest"
)

const (
	mergeMark = "signet.dev/merge"
	adoptMark = "signet.dev/adopt"
	ownerMark = "signet.dev/sealed-secret"
	managed   = "signet.dev/managed"
)

// values are the data of a Secret.
type values = map[string]string

// namespace makes a namespace for a test, and has the log of the controller
// about it shown when the test fails.
func namespace(t *testing.T) string {
	t.Helper()
	ns := lab.Namespace(t)
	showLog(t, ns)
	return ns
}

// addition seals a document that adds to the Secret of the given name.
func addition(t *testing.T, ns, name, secret string, data values) *unstructured.Unstructured {
	t.Helper()
	return lab.MustSealAddition(t, controllertest.Secret{Namespace: ns, Name: secret, Data: data}, name)
}

// resting waits until a Secret and the documents that write it rest, and fails
// the test if they don't.
func resting(t *testing.T, ns, secret string, writers ...string) {
	t.Helper()
	diff := ""
	for range 10 {
		before := versions(t, ns, secret, writers...)
		lab.Pass(t, ns)
		if diff = cmp.Diff(before, versions(t, ns, secret, writers...)); diff == "" {
			return
		}
	}
	t.Fatalf("writes without end (-before +after):\n%s", diff)
}

// versions returns the resourceVersions of a Secret and of SealedSecrets.
func versions(t *testing.T, ns, secret string, sealed ...string) map[string]string {
	t.Helper()
	found := map[string]string{"Secret " + secret: lab.MustSecret(t, ns, secret).ResourceVersion}
	for _, name := range sealed {
		s, err := lab.SealedSecret(t.Context(), ns, name)
		if err != nil {
			t.Fatal(err)
		}
		found["SealedSecret "+name] = s.ResourceVersion
	}
	return found
}

// message returns what the Ready condition of a SealedSecret says, after it has
// the given reason.
func message(t *testing.T, ns, name, reason string) string {
	t.Helper()
	s := lab.WaitReason(t, ns, name, reason)
	for _, c := range s.Status.Conditions {
		if c.Type == "Ready" {
			return c.Message
		}
	}
	return ""
}

// annotate sets annotations of a Secret as the administrator; "" removes one.
func annotate(t *testing.T, ns, name string, annotations map[string]string) *corev1.Secret {
	t.Helper()
	return lab.EditSecret(t, ns, name, func(s *corev1.Secret) {
		for key, value := range annotations {
			if s.Annotations == nil {
				s.Annotations = map[string]string{}
			}
			s.Annotations[key] = value
			if value == "" {
				delete(s.Annotations, key)
			}
		}
	})
}

// mallory returns the client of a user who may do everything with SealedSecrets
// in a namespace, and nothing else.
func mallory(t *testing.T, ns string) client.Client {
	t.Helper()
	role := fmt.Sprintf(`
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: seals, namespace: %[1]s}
rules:
- {apiGroups: [signet.dev], resources: [sealedsecrets], verbs: [get, list, watch, create, update, patch, delete]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: mallory, namespace: %[1]s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: seals}
subjects: [{kind: User, name: mallory-%[1]s, apiGroup: rbac.authorization.k8s.io}]
`, ns)
	if err := lab.Cluster.Apply(t.Context(), []byte(role)); err != nil {
		t.Fatal(err)
	}
	c, err := controllertest.NewClient(lab.Cluster.As("mallory-"+ns, "system:authenticated"))
	if err != nil {
		t.Fatal(err)
	}
	controllertest.Until(t, "the rights of the user", func(ctx context.Context) error {
		return client.IgnoreNotFound(c.Get(ctx, client.ObjectKey{Namespace: ns, Name: "none"}, controllertest.NewSealedSecret(ns, "none")))
	})
	for _, err := range []error{
		c.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "none"}, &corev1.Secret{}),
		c.Create(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "none"}}),
	} {
		if !apierrors.IsForbidden(err) {
			t.Fatalf("the user's access to Secrets: %v, want forbidden", err)
		}
	}
	return c
}

var errAccepted = errors.New("the API server accepts it")
