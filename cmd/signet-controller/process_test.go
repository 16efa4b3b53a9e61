// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
)

// startController runs the program against an API server.
func startController(t testing.TB, url string, args ...string) *child {
	t.Helper()
	return startChild(t, "signet-controller", []string{"SIGNET_UNKNOWN=" + canary}, append([]string{
		"--kubeconfig", kubeconfig(t, url), "--leader-elect-namespace", "signet-system",
		"--metrics-bind-address", "0", "--health-probe-bind-address", "0", "--log-level", "debug",
	}, args...)...)
}

// Both signals that ask for an end get one, with exit code 0, also while the API
// server is out of reach.
func TestSignals(t *testing.T) {
	for _, signal := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		t.Run(signal.String(), func(t *testing.T) {
			c := startController(t, "http://"+freeAddress(t))
			c.says(t, `"Starting"`)
			if err := c.Signal(signal); err != nil {
				t.Fatal(err)
			}
			code, text := c.exit(t), c.stderr.String()
			if code != 0 || !strings.Contains(text, `"Stopped"`) {
				t.Errorf("exit %d:\n%s", code, text)
			}
			if !strings.Contains(text, "SIGNET_UNKNOWN") || strings.Contains(text, canary) {
				t.Errorf("want a warning about SIGNET_UNKNOWN, and neither its value nor the token:\n%s", text)
			}
		})
	}
}

// Metrics and health are served, and nothing that shows memory.
func TestServers(t *testing.T) {
	metrics, health := freeAddress(t), freeAddress(t)
	c := startController(t, "http://"+freeAddress(t), "--metrics-bind-address", metrics, "--health-probe-bind-address", health)
	get := func(address, path string) (int, string) {
		resp, err := http.Get("http://" + address + path)
		if err != nil {
			return 0, ""
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(body)
	}
	for _, wanted := range []string{metrics + "/metrics", health + "/healthz"} {
		address, path, _ := strings.Cut(wanted, "/")
		eventually(t, func() bool {
			code, _ := get(address, "/"+path)
			return code == http.StatusOK
		})
	}
	// Why the controller isn't ready stands in the log.
	if code, _ := get(health, "/readyz"); code != http.StatusInternalServerError {
		t.Errorf("/readyz: %d", code)
	}
	c.says(t, `"statuses":"caches failed"`)
	c.says(t, `"Cannot reach the API server: connection refused"`)
	for _, address := range []string{metrics, health} {
		for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/goroutine?debug=2", "/debug/vars", "/"} {
			if code, body := get(address, path); code != http.StatusNotFound {
				t.Errorf("%s%s: %d %.100s", address, path, code, body)
			}
		}
	}
	if err := c.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := c.exit(t); code != 0 {
		t.Errorf("exit %d:\n%s", code, c.stderr)
	}
}

// Errors before the start are errors of the program, in its log.
func TestFailuresAtStart(t *testing.T) {
	path := t.TempDir() + "/kubeconfig"
	writeTestFile(t, path, "token: "+canary+"\n\tnonsense")
	tests := []struct {
		name string
		env  []string
		args []string
		code int
		want string
	}{
		{"no cluster", nil, []string{"--leader-elect=false"}, exitFailed, "find the cluster: this is no pod of a cluster: give --kubeconfig"},
		{"broken kubeconfig", nil, []string{"--leader-elect=false", "--kubeconfig", path}, exitUsage, "--kubeconfig: "},
		{"broken kubeconfig of the environment", []string{"KUBECONFIG=" + path}, []string{"--leader-elect=false"}, exitFailed, "find the cluster"},
		{"wrong usage", nil, []string{"--concurrency=0"}, exitUsage, "--concurrency: want 1 or more"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := startChild(t, "signet-controller", append([]string{"KUBECONFIG=", "KUBERNETES_SERVICE_HOST="}, test.env...), test.args...)
			code, text := c.exit(t), c.stderr.String()
			if code != test.code || !strings.Contains(text, test.want) || strings.Contains(text, canary) {
				t.Errorf("exit %d, want %d:\n%s", code, test.code, text)
			}
		})
	}
}
