// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/signet-secrets/signet/internal/testcluster"
	"github.com/signet-secrets/signet/internal/testtool"
	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/manifest"
)

// newCluster starts a control plane that knows our kinds, and returns the path
// of a kubeconfig for it.
func newCluster(t *testing.T) (*testcluster.Cluster, string) {
	t.Helper()
	var crds bytes.Buffer
	paths, err := filepath.Glob(filepath.Join(testtool.Root(t), "controller", "config", "crd", "signet.dev_*.yaml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no CRDs: %v", err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		crds.WriteString("---\n")
		crds.Write(text)
	}
	c := testcluster.Start(t, testcluster.Options{Manifests: crds.Bytes()})
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := c.WriteKubeconfig(path, c.Admin()); err != nil {
		t.Fatal(err)
	}
	return c, path
}

// sealed returns a SealedSecret for prod/db.
func sealed(t *testing.T, recipient string) []byte {
	t.Helper()
	node, err := manifest.Parse([]byte("apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: prod}\nstringData: {password: " + canary + "}\n"))
	if err != nil {
		t.Fatal(err)
	}
	result, err := seal.Seal(t.Context(), node, nil, seal.Options{
		Wrapper:    keys.Wrappers{keys.Age: agekey.NewWrapper(nil)},
		Recipients: keys.Recipients{Groups: []keys.Group{{keys.AgeEntry{Recipient: recipient}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	text, err := manifest.EncodeYAML(result.Node)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// holder returns who holds the Lease, "" if nobody does.
func holder(t *testing.T, client kubernetes.Interface) string {
	t.Helper()
	l, err := client.CoordinationV1().Leases("signet-system").Get(t.Context(), "signet-controller", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if l.Spec.HolderIdentity == nil {
		return ""
	}
	return *l.Spec.HolderIdentity
}

// The whole program on a real control plane: it becomes the leader, opens a
// document, gives its Lease back at the end, and ends with an error when it
// cannot renew it. Its log shows nothing of the Secret, at no level.
func TestProgramInCluster(t *testing.T) {
	cluster, path := newCluster(t)
	client, err := kubernetes.NewForConfig(cluster.Admin())
	if err != nil {
		t.Fatal(err)
	}
	namespace := func(name string) []byte {
		return []byte("apiVersion: v1\nkind: Namespace\nmetadata: {name: " + name + "}\n")
	}
	keyFile, id := newKeyFile(t)
	for _, m := range [][]byte{namespace("signet-system"), namespace("prod"), sealed(t, id.Recipient())} {
		if err := cluster.Apply(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{
		"--kubeconfig", path, "--leader-elect-namespace", "signet-system", "--log-level", "debug", "--age-key-file", keyFile,
		"--leader-elect-lease-duration", "6s", "--leader-elect-renew-deadline", "4s", "--leader-elect-retry-period", "500ms",
		"--metrics-bind-address", "0", "--health-probe-bind-address", "0",
	}
	first := startChild(t, "signet-controller", nil, args...)
	defer func() {
		if t.Failed() {
			t.Logf("log of the first controller:\n%s", first.stderr)
		}
	}()
	var secret *corev1.Secret
	eventually(t, func() bool {
		secret, err = client.CoreV1().Secrets("prod").Get(t.Context(), "db", metav1.GetOptions{})
		return err == nil
	})
	if got := string(secret.Data["password"]); got != canary {
		t.Errorf("password = %q", got)
	}
	if holder(t, client) == "" {
		t.Error("nobody holds the Lease")
	}
	if err := first.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := first.exit(t); code != 0 {
		t.Errorf("after SIGTERM: exit %d\n%s", code, first.stderr)
	}
	if h := holder(t, client); h != "" {
		t.Errorf("after SIGTERM %q holds the Lease", h)
	}

	second := startChild(t, "signet-controller", nil, args...)
	eventually(t, func() bool { return holder(t, client) != "" })
	if err := cluster.KillAPIServer(); err != nil {
		t.Fatal(err)
	}
	if code := second.exit(t); code != exitFailed || !strings.Contains(second.stderr.String(), "leader election lost") {
		t.Errorf("without API server: exit %d\n%s", code, second.stderr)
	}
	for _, c := range []*child{first, second} {
		if strings.Contains(c.stderr.String(), canary) || strings.Contains(c.stderr.String(), "AGE-SECRET-KEY") {
			t.Errorf("the log shows what is secret:\n%s", c.stderr)
		}
	}
}
