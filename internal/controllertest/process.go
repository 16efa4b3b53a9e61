// SPDX-License-Identifier: Apache-2.0

package controllertest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Controller is a running signet-controller.
type Controller struct {
	cmd     *exec.Cmd
	log     *buffer
	metrics string
	health  string
	done    chan struct{}
	err     error
	// Credential tells the requests of this process from those of others with
	// the same account: the audit log has it as
	// authentication.kubernetes.io/credential-id.
	Credential string
}

// buffer is a log that may be read while it is written.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// Launch says how to start a controller. The zero value is as Run does it.
type Launch struct {
	Args []string
	// Account is the service account in AccountNamespace; "" is AccountName.
	Account string
	// Env is more environment.
	Env []string
	// Attr is how the process is made; nil is with what dies with the test.
	// With Chroot the controller gets there what it needs, and nothing else.
	Attr *syscall.SysProcAttr
}

// Run starts a controller with the rights of the install manifests, the age
// identity of the lab and its KMS, and more arguments. It returns at once.
func (l *Lab) Run(ctx context.Context, args ...string) (*Controller, error) {
	return l.Launch(ctx, Launch{Args: args})
}

// Launch is Run with other ways to start.
func (l *Lab) Launch(ctx context.Context, o Launch) (*Controller, error) {
	if o.Attr == nil {
		o.Attr = dieWithParent()
	}
	ports, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	c := &Controller{
		log: &buffer{}, done: make(chan struct{}),
		metrics: fmt.Sprintf("127.0.0.1:%d", ports[0]), health: fmt.Sprintf("127.0.0.1:%d", ports[1]),
	}
	f, err := l.startFiles(ctx, c, o)
	if err != nil {
		return nil, err
	}
	args := append([]string{
		"--kubeconfig", f.kubeconfig, "--age-key-file", f.identity, "--leader-elect-namespace", AccountNamespace,
		"--metrics-bind-address", c.metrics, "--health-probe-bind-address", c.health, "--log-format", "text",
	}, o.Args...)
	c.cmd = exec.Command(f.program, args...)
	c.cmd.Env = append([]string{"HOME=" + filepath.Join(l.Dir, "home"), "PATH=/nonexistent"}, l.KMS.Env()...)
	c.cmd.Env = append(c.cmd.Env, o.Env...)
	c.cmd.Stdout, c.cmd.Stderr = io.Writer(c.log), c.log
	c.cmd.SysProcAttr = o.Attr
	if o.Attr.Chroot != "" {
		c.cmd.Dir = "/"
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		c.err = c.cmd.Wait()
		close(c.done)
	}()
	return c, nil
}

// Log returns what the controller has written so far.
func (c *Controller) Log() string { return c.log.String() }

// PID returns the process id.
func (c *Controller) PID() int { return c.cmd.Process.Pid }

// Signal sends a signal to the process.
func (c *Controller) Signal(s os.Signal) error { return c.cmd.Process.Signal(s) }

// Done is closed when the process has ended.
func (c *Controller) Done() <-chan struct{} { return c.done }

// Stop asks the process to end, and waits for it. The error is that of its exit.
func (c *Controller) Stop() error {
	select {
	case <-c.done:
		return c.err
	default:
	}
	_ = c.Signal(syscall.SIGTERM)
	select {
	case <-c.done:
	case <-time.After(40 * time.Second):
		_ = c.cmd.Process.Kill()
		<-c.done
	}
	return c.err
}

// Kill ends the process with SIGKILL.
func (c *Controller) Kill() {
	_ = c.cmd.Process.Kill()
	<-c.done
}

// Metrics returns the text of /metrics.
func (c *Controller) Metrics(ctx context.Context) (string, error) {
	return fetch(ctx, "http://"+c.metrics+"/metrics")
}

// WaitServing waits until the controller answers on /readyz.
func (c *Controller) WaitServing(ctx context.Context) error {
	for {
		if _, err := fetch(ctx, "http://"+c.health+"/readyz"); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the controller is not ready: %w\n%s", ctx.Err(), c.Log())
		case <-c.done:
			return fmt.Errorf("the controller has ended: %w\n%s", c.err, c.Log())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func fetch(ctx context.Context, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
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

func freePorts(n int) ([]int, error) {
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}
