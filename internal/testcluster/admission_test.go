// SPDX-License-Identifier: Apache-2.0

package testcluster

import (
	"context"
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func testPodSecurity(t *testing.T, c *Cluster) {
	err := c.Apply(t.Context(), []byte(`
apiVersion: v1
kind: Namespace
metadata:
  name: restricted
  labels: {pod-security.kubernetes.io/enforce: restricted}
`))
	if err != nil {
		t.Fatal(err)
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "careless"},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "example.com/image:v1"}}},
	}
	_, err = clientFor(t, c.Admin()).CoreV1().Pods("restricted").Create(t.Context(), pod, metav1.CreateOptions{})
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), `violates PodSecurity "restricted:latest"`) {
		t.Errorf("careless Pod in a restricted namespace: %v, want forbidden by PodSecurity", err)
	}
	if _, err := clientFor(t, c.Admin()).CoreV1().Pods("default").Create(t.Context(), pod, metav1.CreateOptions{}); err != nil {
		t.Errorf("Pod in a namespace without a level: %v", err)
	}
}

func testAdmissionPolicy(t *testing.T, c *Cluster) {
	err := c.Apply(t.Context(), []byte(`
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: no-forbidden}
spec:
  matchConstraints:
    resourceRules:
    - {apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}
  validations:
  - expression: object.metadata.name != "forbidden"
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: no-forbidden}
spec:
  policyName: no-forbidden
  validationActions: [Deny]
`))
	if err != nil {
		t.Fatal(err)
	}
	maps := clientFor(t, c.Admin()).CoreV1().ConfigMaps("default")
	forbidden := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "forbidden"}}
	eventually(t, "the policy takes effect", func(ctx context.Context) error {
		_, err := maps.Create(ctx, forbidden, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		switch {
		case err == nil:
			return errors.New("object that breaks the policy is accepted")
		case strings.Contains(err.Error(), "no-forbidden"):
			return nil
		}
		return err
	})
}
