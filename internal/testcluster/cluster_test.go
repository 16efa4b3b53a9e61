// SPDX-License-Identifier: Apache-2.0

package testcluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// TestCluster shares one control plane, as its start takes seconds.
func TestCluster(t *testing.T) {
	var log bytes.Buffer
	c := Start(t, Options{Audit: true, Manifests: []byte(widgets), Log: &log})
	t.Logf("%s", &log)
	reportMemory(t, c)
	for _, test := range []struct {
		name string
		run  func(*testing.T, *Cluster)
	}{
		{"static admin writes and reads a Secret", testAdmin},
		{"service account has no rights but those it is given", testServiceAccount},
		{"impersonated user has no rights", testImpersonation},
		{"pod security admission is on", testPodSecurity},
		{"validating admission policies are on", testAdmissionPolicy},
		{"garbage collector deletes what a deleted owner had", testGarbageCollection},
		{"garbage collector knows the kinds in Options.Manifests", testGarbageCollectionOfCustomKind},
		{"deleted namespace goes away with its content", testNamespaceDeletion},
		{"kubeconfig on disk works", testKubeconfig},
		{"manifests are applied in a workable order", testApply},
		{"audit log shows who wrote which Secret and with what preconditions", testAudit},
		{"taken port is recognised", testTakenPort},
		{"API server comes back with its data", testRestart},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, c) })
	}
}

func testAdmin(t *testing.T, c *Cluster) {
	client := clientFor(t, c.Admin())
	createSecret(t, client, "default", "admin-made")
	got, err := client.CoreV1().Secrets("default").Get(t.Context(), "admin-made", metav1.GetOptions{})
	if err != nil || string(got.Data["password"]) != "correct horse battery staple" {
		t.Errorf("got %v, %v, want the Secret as it was written", got, err)
	}
}

func testServiceAccount(t *testing.T, c *Cluster) {
	cfg, err := c.ServiceAccount(t.Context(), "accounts", "reader")
	if err != nil {
		t.Fatal(err)
	}
	client, admin := clientFor(t, cfg), clientFor(t, c.Admin())
	if _, err := client.CoreV1().Secrets("accounts").List(t.Context(), metav1.ListOptions{}); !apierrors.IsForbidden(err) {
		t.Fatalf("list Secrets without a role: %v, want forbidden", err)
	}
	role := &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Name: "reader"},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"list"}}},
	}
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "reader"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "reader"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: "reader", Namespace: "accounts"}},
	}
	if _, err := admin.RbacV1().Roles("accounts").Create(t.Context(), role, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.RbacV1().RoleBindings("accounts").Create(t.Context(), binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the role takes effect", func(ctx context.Context) error {
		_, err := client.CoreV1().Secrets("accounts").List(ctx, metav1.ListOptions{})
		return err
	})
	again, err := c.ServiceAccount(t.Context(), "accounts", "reader")
	if err != nil || again.BearerToken == cfg.BearerToken {
		t.Errorf("second call: error %v, want another token of the same account", err)
	}
}

func testImpersonation(t *testing.T, c *Cluster) {
	client := clientFor(t, c.As("jane"))
	_, err := client.CoreV1().Secrets("default").List(t.Context(), metav1.ListOptions{})
	if !apierrors.IsForbidden(err) {
		t.Errorf("list Secrets as jane: %v, want forbidden", err)
	}
	client = clientFor(t, c.As("jane", "system:masters"))
	if _, err := client.CoreV1().Secrets("default").List(t.Context(), metav1.ListOptions{}); err != nil {
		t.Errorf("list Secrets as jane of system:masters: %v", err)
	}
}

func testRestart(t *testing.T, c *Cluster) {
	client := clientFor(t, c.Admin())
	for _, test := range []struct {
		name string
		end  func() error
	}{
		{"stopped", c.StopAPIServer},
		{"killed", c.KillAPIServer},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := createSecret(t, client, "default", "before-"+test.name)
			if err := c.StartAPIServer(t.Context()); err == nil {
				t.Error("a second API server started")
			}
			pid := c.PIDs()["kube-apiserver"]
			if err := test.end(); err != nil {
				t.Fatal(err)
			}
			if exists(pid) {
				t.Errorf("process %d of the API server is still there", pid)
			}
			if _, err := client.CoreV1().Secrets("default").Get(t.Context(), want.Name, metav1.GetOptions{}); err == nil {
				t.Error("requests are answered without an API server")
			}
			if err := c.StartAPIServer(t.Context()); err != nil {
				t.Fatal(err)
			}
			got, err := client.CoreV1().Secrets("default").Get(t.Context(), want.Name, metav1.GetOptions{})
			if err != nil || got.UID != want.UID {
				t.Errorf("got %v, %v, want the Secret from before, UID %s", got, err, want.UID)
			}
		})
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	c, err := New(t.Context(), Options{Throughput: true})
	if err != nil {
		t.Fatal(err)
	}
	pids := c.PIDs()
	if len(pids) != 3 {
		t.Errorf("programs that run: %v, want three", pids)
	}
	began := time.Now()
	if err := c.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	t.Logf("closed in %v", time.Since(began))
	for name, pid := range pids {
		if exists(pid) {
			t.Errorf("%s, process %d, is still there", name, pid)
		}
	}
	if _, err := os.Stat(c.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("temporary folder %s: %v, want it gone", c.dir, err)
	}
	if err := c.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
	if err := c.StartAPIServer(t.Context()); err == nil {
		t.Error("API server starts in a closed cluster")
	}
}

func clientFor(t *testing.T, cfg *rest.Config) *kubernetes.Clientset {
	t.Helper()
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func createSecret(t *testing.T, client kubernetes.Interface, namespace, name string, owners ...metav1.OwnerReference) *corev1.Secret {
	t.Helper()
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name, OwnerReferences: owners},
		StringData: map[string]string{"password": "correct horse battery staple"},
	}
	made, err := client.CoreV1().Secrets(namespace).Create(t.Context(), secret, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// eventually fails the test if check still returns an error after a long time.
func eventually(t *testing.T, what string, check func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if err := poll(ctx, check); err != nil {
		t.Fatalf("wait until %s: %v", what, err)
	}
}

// gone is nil if err says that an object doesn't exist.
func gone(err error) error {
	switch {
	case err == nil:
		return errors.New("object is still there")
	case apierrors.IsNotFound(err):
		return nil
	}
	return err
}

func exists(pid int) bool { return syscall.Kill(pid, 0) == nil }

// reportMemory logs what /proc says, where there is one.
func reportMemory(t *testing.T, c *Cluster) {
	for name, pid := range c.PIDs() {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			return
		}
		for line := range bytes.Lines(status) {
			if bytes.HasPrefix(line, []byte("VmRSS:")) {
				t.Logf("%s %s", name, bytes.TrimSpace(line))
			}
		}
	}
}
