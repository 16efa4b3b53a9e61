// SPDX-License-Identifier: Apache-2.0

package installtest

import (
	"context"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/signet-secrets/signet/internal/testtool"
)

// testPolicyTypes has the controller that checks the types in policies look at
// ours, and at one that has a mistake, to know that it looks.
func (l *lab) testPolicyTypes(t *testing.T) {
	wrong := object(t, `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: wrong}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [signet.dev], apiVersions: [v1alpha1], operations: [CREATE], resources: [sealedsecrets]}]
  validations: [{expression: object.spec.misspelt == 'x'}]
`)
	if err := l.admin.Create(t.Context(), wrong); err != nil {
		t.Fatal(err)
	}
	l.startTypeChecker(t)
	for name, want := range map[string]bool{"signet-sealedsecrets": false, "signet-controller-account": false, "wrong": true} {
		status := l.typesOf(t, name)
		if got := len(status.ExpressionWarnings) > 0; got != want {
			t.Errorf("policy %s: warnings %v, want some: %v", name, status.ExpressionWarnings, want)
		}
	}
}

// startTypeChecker runs that one controller until the end of the test. It must not
// start before: it looks once at each version of a policy, and the definitions were
// others at first.
func (l *lab) startTypeChecker(t *testing.T) {
	t.Helper()
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	if err := l.WriteKubeconfig(kubeconfig, l.Admin()); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(testtool.Path(t, "kube-controller-manager"),
		"--kubeconfig="+kubeconfig, "--controllers=validatingadmissionpolicy-status-controller",
		"--leader-elect=false", "--secure-port=0")
	log := &testtool.Buffer{}
	cmd.Stdout, cmd.Stderr = log, log
	p, err := testtool.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.End(syscall.SIGKILL, time.Minute); err != nil {
			t.Error(err)
		}
		if text := log.String(); t.Failed() {
			t.Logf("kube-controller-manager: %s", text[max(0, len(text)-2000):])
		}
	})
}

// typesOf waits for what the controller finds in a policy.
func (l *lab) typesOf(t *testing.T, name string) *admissionv1.TypeChecking {
	t.Helper()
	policy := &admissionv1.ValidatingAdmissionPolicy{}
	await(t, "types of policy "+name, func(ctx context.Context) bool {
		err := l.admin.Get(ctx, client.ObjectKey{Name: name}, policy)
		return err == nil && policy.Status.ObservedGeneration == policy.Generation && policy.Status.TypeChecking != nil
	})
	return policy.Status.TypeChecking
}
