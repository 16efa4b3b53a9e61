// SPDX-License-Identifier: Apache-2.0

package controllertest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/signet-secrets/signet/internal/testcluster"
	"github.com/signet-secrets/signet/internal/testtool"
)

// Controller is a running signet-controller.
type Controller struct {
	process         *testtool.Process
	log             testtool.Buffer
	metrics, health string // host:port
	// Credential tells the requests of this process from those of others with
	// the same account: the audit log has it as
	// authentication.kubernetes.io/credential-id.
	Credential string
}

// Launch says how to start a controller. The zero value is as Run does it.
type Launch struct {
	Args []string
	// Account is the service account in AccountNamespace; "" is AccountName.
	Account string
	// Env is more environment.
	Env []string
	// Root, on Linux only, is a folder that the controller gets as its root. What
	// it needs is put there, and nothing else. "" is the root of the test.
	Root string
}

// Run starts a controller with the rights of the install manifests, the age
// identity of the lab and its KMS, and more arguments. It returns at once. The
// controller runs until it is stopped or the lab is closed; on Linux it is killed
// should this process be.
func (l *Lab) Run(ctx context.Context, args ...string) (*Controller, error) {
	return l.Launch(ctx, Launch{Args: args})
}

// Launch is Run with other ways to start.
func (l *Lab) Launch(ctx context.Context, o Launch) (*Controller, error) {
	addresses, err := testcluster.FreeAddresses(2)
	if err != nil {
		return nil, err
	}
	c := &Controller{metrics: addresses[0], health: addresses[1]}
	f, err := l.startFiles(ctx, c, o)
	if err != nil {
		return nil, err
	}
	args := append([]string{
		"--kubeconfig", f.kubeconfig, "--age-key-file", f.identity, "--leader-elect-namespace", AccountNamespace,
		"--metrics-bind-address", c.metrics, "--health-probe-bind-address", c.health, "--log-format", "text",
	}, o.Args...)
	cmd := exec.Command(f.program, args...)
	cmd.Env = slices.Concat([]string{"HOME=" + filepath.Join(l.Dir, "home"), "PATH=/nonexistent"}, l.KMS.Env(), o.Env)
	cmd.Stdout, cmd.Stderr = &c.log, &c.log
	if o.Root != "" {
		cmd.Dir, cmd.SysProcAttr = "/", testtool.InRoot(o.Root)
	}
	if c.process, err = testtool.Start(cmd); err != nil {
		return nil, err
	}
	l.remember(c)
	return c, nil
}

// remember notes a controller for Close.
func (l *Lab) remember(c *Controller) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ended := func(c *Controller) bool { return !c.process.Running() }
	l.running = append(slices.DeleteFunc(l.running, ended), c)
}

// Log returns what the controller has written so far.
func (c *Controller) Log() string { return c.log.String() }

// LogAbout returns what the controller has written so far with a word in it, such
// as a namespace, but for what is there for debugging.
func (c *Controller) LogAbout(word string) string {
	var found strings.Builder
	for line := range strings.Lines(c.Log()) {
		if strings.Contains(line, word) && !strings.Contains(line, "level=DEBUG") {
			found.WriteString(line)
		}
	}
	return found.String()
}

// PID returns the process id.
func (c *Controller) PID() int { return c.process.PID() }

// Signal sends a signal to the process.
func (c *Controller) Signal(s os.Signal) error { return c.process.Signal(s) }

// Done is closed when the process has ended.
func (c *Controller) Done() <-chan struct{} { return c.process.Ended() }

// stopTimeout is what a controller gets between SIGTERM and SIGKILL.
const stopTimeout = 40 * time.Second

// Stop asks the process to end, and waits for it. The error is that of its exit.
func (c *Controller) Stop() error {
	if err := c.process.End(syscall.SIGTERM, stopTimeout); err != nil {
		return err
	}
	return c.process.Wait()
}

// Kill ends the process with SIGKILL.
func (c *Controller) Kill() { _ = c.process.End(syscall.SIGKILL, stopTimeout) }

// Metrics returns the text of /metrics.
func (c *Controller) Metrics(ctx context.Context) (string, error) {
	return Fetch(ctx, "http://"+c.metrics+"/metrics")
}

// WaitServing waits until the controller answers on /readyz.
func (c *Controller) WaitServing(ctx context.Context) error {
	for {
		if _, err := Fetch(ctx, "http://"+c.health+"/readyz"); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the controller is not ready: %w\n%s", ctx.Err(), c.Log())
		case <-c.Done():
			return fmt.Errorf("the controller has ended: %w\n%s", c.process.Wait(), c.Log())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Fetch reads a page of the controller or of another program, not compressed: that
// would cost the program more than the page itself. Another status than 200 is an
// error.
func Fetch(ctx context.Context, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Accept-Encoding", "identity")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", url, resp.Status)
	}
	return string(body), err
}
