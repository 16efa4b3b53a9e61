// SPDX-License-Identifier: Apache-2.0

package testcluster

import (
	"context"
	"errors"
	"net"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestProcessThatEndsEarly(t *testing.T) {
	tests := []struct {
		name, script string
		want         []string
		portTaken    bool
	}{
		{name: "with an error", script: "echo last words; exit 3", want: []string{"sh ended early", "exit status 3", "last words"}},
		{name: "without", script: "echo all well", want: []string{"sh ended early", "exit status 0", "all well"}},
		{name: "port in use", script: "echo bind: address already in use >&2; exit 1", want: []string{"exit status 1"}, portTaken: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			earlier := startTestProcess(t, dir, "sh", "-c", "echo of the first run: bind: address already in use")
			_ = earlier.Wait()
			p := startTestProcess(t, dir, "sh", "-c", test.script)
			never := func(context.Context) error { return errors.New("not ready") }
			err := new(Cluster).awaitReady(t.Context(), p, never)
			for _, want := range test.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want %q in it", err, want)
				}
			}
			if got := errors.Is(err, errPortTaken); got != test.portTaken {
				t.Errorf("port taken: %v, want %v", got, test.portTaken)
			}
			if strings.Contains(err.Error(), "first run") {
				t.Errorf("error %v shows the log of another run", err)
			}
			if err := p.stop(); err == nil {
				t.Error("stop: want the early end as an error")
			}
		})
	}
}

func TestProcessThatDoesNotGetReady(t *testing.T) {
	p := startTestProcess(t, t.TempDir(), "sh", "-c", "echo starting; exec sleep 600")
	ctx, cancel := context.WithCancel(t.Context())
	err := new(Cluster).awaitReady(ctx, p, func(context.Context) error {
		if strings.Contains(string(p.tail()), "starting") {
			cancel()
		}
		return errors.New("not ready")
	})
	if err == nil || !strings.Contains(err.Error(), "sh did not get ready: ") || !strings.Contains(err.Error(), "starting") {
		t.Errorf("error %v, want that it did not get ready and its log", err)
	}
	if exists(p.PID()) {
		t.Error("the process is still there")
	}
}

func TestStopAndKill(t *testing.T) {
	tests := []struct {
		name string
		end  func(*process) error
		want string
	}{
		{"stop", (*process).stop, "goodbye\n"},
		{"kill", (*process).kill, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := startTestProcess(t, t.TempDir(), "sh", "-c", `trap 'echo goodbye; exit' TERM; echo ready; while :; do sleep 0.01; done`)
			eventually(t, "the trap is set", func(context.Context) error {
				if string(p.tail()) != "ready\n" {
					return errors.New("not ready")
				}
				return nil
			})
			for range 2 {
				if err := test.end(p); err != nil {
					t.Error(err)
				}
			}
			if got := strings.TrimPrefix(string(p.tail()), "ready\n"); got != test.want {
				t.Errorf("last words %q, want %q", got, test.want)
			}
			if exists(p.PID()) {
				t.Error("the process is still there")
			}
		})
	}
}

func startTestProcess(t *testing.T, dir, name string, args ...string) *process {
	t.Helper()
	p, err := startProcess(dir, program(t, name), args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.kill() }) // an early end is what some tests are about
	return p
}

func TestRetryPorts(t *testing.T) {
	other := errors.New("other")
	tests := []struct {
		name      string
		errs      []error // of the calls; none after the last
		want      error
		wantCalls int
	}{
		{"free at once", nil, nil, 1},
		{"free in the end", []error{errPortTaken, errPortTaken}, nil, 3},
		{"another error", []error{errPortTaken, other, errPortTaken}, other, 2},
		{"never free", []error{errPortTaken, errPortTaken, errPortTaken, errPortTaken, errPortTaken, errPortTaken}, errPortTaken, startAttempts},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var ports []int
			err := retryPorts(func(port int) error {
				ports = append(ports, port)
				if len(ports) > len(test.errs) {
					return nil
				}
				return test.errs[len(ports)-1]
			})
			if !errors.Is(err, test.want) || len(ports) != test.wantCalls {
				t.Errorf("error %v after %d calls, want %v after %d", err, len(ports), test.want, test.wantCalls)
			}
			for _, port := range ports {
				if port < lowestPort || port >= highestPort {
					t.Errorf("port %d is out of range", port)
				}
			}
		})
	}
}

func TestFreeAddresses(t *testing.T) {
	addresses, err := FreeAddresses(20)
	if err != nil {
		t.Fatal(err)
	}
	for i, address := range addresses {
		if slices.Contains(addresses[:i], address) {
			t.Errorf("%s comes twice", address)
		}
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Errorf("not free: %v", err)
			continue
		}
		if port := l.Addr().(*net.TCPAddr).Port; port < lowestPort || port >= highestPort {
			t.Errorf("port %d is out of range", port)
		}
		l.Close()
	}
}
