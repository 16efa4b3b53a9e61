// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/signet-secrets/signet/internal/testcluster"
	"github.com/signet-secrets/signet/internal/testtool"
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

// A leader that is told to end does so without an error. One that can't renew its
// Lease any more ends with one, for another may work now.
func TestExitCodesOfTheLeader(t *testing.T) {
	cluster, path := newCluster(t)
	if err := cluster.Apply(t.Context(), []byte("apiVersion: v1\nkind: Namespace\nmetadata: {name: signet-system}\n")); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		end  func(*child) error
		code int
		want string
	}{
		{"SIGTERM", func(c *child) error { return c.Signal(syscall.SIGTERM) }, 0, `"Stopped"`},
		{"no API server", func(*child) error { return cluster.KillAPIServer() }, exitFailed, "leader election lost"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := startChild(t, "signet-controller", nil, "--kubeconfig", path, "--leader-elect-namespace", "signet-system",
				"--leader-elect-lease-duration", "6s", "--leader-elect-renew-deadline", "4s", "--leader-elect-retry-period", "500ms",
				"--metrics-bind-address", "0", "--health-probe-bind-address", "0")
			c.says(t, `"Starting workers"`) // as only the leader does
			if err := test.end(c); err != nil {
				t.Fatal(err)
			}
			if code := c.exit(t); code != test.code || !strings.Contains(c.stderr.String(), test.want) {
				t.Errorf("exit %d, want %d and %s:\n%s", code, test.code, test.want, c.stderr)
			}
		})
	}
}

// A cluster that doesn't know our kinds: the log says what to apply.
func TestMissingDefinitions(t *testing.T) {
	cluster := testcluster.Start(t, testcluster.Options{})
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := cluster.WriteKubeconfig(path, cluster.Admin()); err != nil {
		t.Fatal(err)
	}
	c := startChild(t, "signet-controller", nil, "--kubeconfig", path, "--leader-elect=false",
		"--metrics-bind-address", "0", "--health-probe-bind-address", "0")
	c.says(t, "the definitions are not installed: kubectl apply --server-side -k controller/config/crd")
	if strings.Contains(c.stderr.String(), "Cannot reach the API server") {
		t.Errorf("the API server was reached:\n%s", c.stderr)
	}
}
