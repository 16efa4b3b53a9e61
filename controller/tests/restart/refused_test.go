// SPDX-License-Identifier: Apache-2.0

package restart

import (
	"context"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/signet-secrets/signet/internal/controllertest"
	"github.com/signet-secrets/signet/internal/kmstest"
)

const refusal = `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: no-updates}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
    - {apiGroups: [""], apiVersions: [v1], operations: [UPDATE], resources: [secrets]}
  matchConditions:
  - {name: here, expression: request.namespace == '%[1]s'}
  validations:
  - {expression: "false", message: maintenance}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: no-updates}
spec: {policyName: no-updates, validationActions: [Deny]}
`

// refuse has the API server refuse all updates of Secrets in a namespace until
// allow is called.
func refuse(t *testing.T, namespace string) (allow func()) {
	t.Helper()
	if err := lab.Cluster.Apply(t.Context(), fmt.Appendf(nil, refusal, namespace)); err != nil {
		t.Fatal(err)
	}
	probe := &corev1.Secret{}
	probe.Namespace, probe.Name = namespace, "probe"
	lab.Create(t, probe)
	refused := func(ctx context.Context) bool {
		probe.Annotations = map[string]string{"probe": time.Now().String()}
		return apierrors.IsForbidden(lab.Admin.Update(ctx, probe, client.DryRunAll)) ||
			apierrors.IsInvalid(lab.Admin.Update(ctx, probe, client.DryRunAll))
	}
	controllertest.Until(t, "updates are refused", func(ctx context.Context) error {
		if !refused(ctx) {
			return fmt.Errorf("they are not")
		}
		return nil
	})
	return func() {
		for _, kind := range []string{"ValidatingAdmissionPolicyBinding", "ValidatingAdmissionPolicy"} {
			o := &unstructured.Unstructured{}
			o.SetAPIVersion("admissionregistration.k8s.io/v1")
			o.SetKind(kind)
			o.SetName("no-updates")
			lab.Delete(t, o)
		}
		controllertest.Until(t, "updates are allowed", func(ctx context.Context) error {
			if refused(ctx) {
				return fmt.Errorf("they are not")
			}
			return nil
		})
	}
}

// The status of an object whose update has failed must not pass for done.
func TestFailedUpdateThenRestart(t *testing.T) {
	ns := lab.Namespace(t)
	fast := []string{"--min-backoff", "100ms", "--max-backoff", "1s"}
	c := run(t, fast...)
	lab.Create(t, document(t, ns, "db", values()))
	lab.WaitReady(t, ns, "db")
	was := lab.MustSecret(t, ns, "db")

	allow := refuse(t, ns)
	lab.Replace(t, document(t, ns, "db", map[string]string{"password": "new"}))
	lab.WaitReason(t, ns, "db", "WriteRefused")
	lab.Unchanged(t, was)
	stop(t, c)

	c = run(t, fast...)
	lab.Settle(t, lab.Namespace(t))
	s := lab.WaitReason(t, ns, "db", "WriteRefused")
	if s.Status.Secret == nil || s.Status.Secret.ResourceVersion != was.ResourceVersion {
		t.Errorf("status %+v", s.Status)
	}
	lab.Unchanged(t, was)
	stop(t, c)

	allow()
	c = run(t, fast...)
	lab.WaitReady(t, ns, "db")
	if now := lab.WaitData(t, ns, "db", map[string]string{"password": "new"}); now.UID != was.UID {
		t.Error("another Secret")
	}
	stop(t, c)
}

// The controller is between reading an object and writing its status while
// another one of the same name takes its place.
func TestObjectIsMadeAnewWhileItIsWorkedOn(t *testing.T) {
	ns, key := lab.Namespace(t), lab.KMSKey()
	c := run(t)
	first := document(t, ns, "db", map[string]string{"password": "first"}, key)
	second := document(t, ns, "db", map[string]string{"password": "second"}, key)
	lab.KMS.ResetCounts()
	lab.KMS.SetFaults(kmstest.Faults{Latency: 1500 * time.Millisecond})
	defer lab.KMS.SetFaults(kmstest.Faults{})
	lab.Create(t, first)
	controllertest.Until(t, "the first is being opened", func(context.Context) error {
		if lab.KMS.Count("Decrypt") == 0 { // it has arrived, and is answered later
			return fmt.Errorf("it is not")
		}
		return nil
	})
	lab.Delete(t, controllertest.NewSealedSecret(ns, "db"))
	lab.Create(t, second)

	s := lab.WaitReady(t, ns, "db")
	controllertest.Until(t, "the Secret is that of the second", func(ctx context.Context) error {
		got, err := lab.Secret(ctx, ns, "db")
		if err != nil || got == nil {
			return fmt.Errorf("Secret %v, %v", got, err)
		}
		if string(got.Data["password"]) != "second" || len(got.OwnerReferences) != 1 || got.OwnerReferences[0].UID != second.GetUID() {
			return fmt.Errorf("Secret %+v", got)
		}
		return nil
	})
	if s.UID != second.GetUID() {
		t.Error("the status is that of the first")
	}
	stop(t, c)
}
