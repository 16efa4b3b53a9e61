// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// sealedSecretsProcess is a controller of Sealed Secrets that runs.
type sealedSecretsProcess struct {
	cmd           *exec.Cmd
	http, metrics string // host:port
	output        output
	exited        chan struct{}
}

var _ process = (*sealedSecretsProcess)(nil)

// output is a log that may be read while it is written.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

// start starts the controller as an administrator, and without a limit of
// queries. It knows no kubeconfig, only the files of a Pod's service account at
// their place in the file system, so it gets a root folder of its own.
func (c *sealedSecrets) start(context.Context) (process, error) {
	root, err := c.root()
	if err != nil {
		return nil, err
	}
	p := &sealedSecretsProcess{exited: make(chan struct{})}
	for _, address := range []*string{&p.http, &p.metrics} {
		if *address, err = freeAddress(); err != nil {
			return nil, err
		}
	}
	server, err := url.Parse(c.site.config.Host)
	if err != nil {
		return nil, err
	}
	p.cmd = exec.Command("/controller", "--kubeclient-qps=-1", "--listen-addr="+p.http, "--listen-metrics-addr="+p.metrics)
	p.cmd.Dir = "/"
	p.cmd.Env = []string{
		"KUBERNETES_SERVICE_HOST=" + server.Hostname(), "KUBERNETES_SERVICE_PORT=" + server.Port(),
		"POD_NAMESPACE=" + systemNamespace,
	}
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	p.cmd.SysProcAttr = inRoot(root)
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start Sealed Secrets with %s as its root: %w", root, err)
	}
	go func() {
		_ = p.cmd.Wait() // it ends only because it was told to, or it has said why
		close(p.exited)
	}()
	return p, nil
}

// root makes the root folder for the controller.
func (c *sealedSecrets) root() (string, error) {
	root, err := os.MkdirTemp(c.dir, "sealed-secrets-")
	if err != nil {
		return "", err
	}
	program, err := os.ReadFile(c.program)
	if err != nil {
		return "", err
	}
	account := filepath.Join(root, "var", "run", "secrets", "kubernetes.io", "serviceaccount")
	return root, errors.Join(
		os.MkdirAll(account, 0o700),
		os.WriteFile(filepath.Join(root, "controller"), program, 0o700),
		os.WriteFile(filepath.Join(account, "token"), []byte(c.site.config.BearerToken), 0o600),
		os.WriteFile(filepath.Join(account, "ca.crt"), c.site.config.CAData, 0o600),
	)
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func (p *sealedSecretsProcess) pid() int               { return p.cmd.Process.Pid }
func (p *sealedSecretsProcess) ended() <-chan struct{} { return p.exited }

func (p *sealedSecretsProcess) log() string {
	p.output.mu.Lock()
	defer p.output.mu.Unlock()
	return p.output.text.String()
}

func (p *sealedSecretsProcess) serving(ctx context.Context) error {
	return poll(ctx, p, func() (bool, error) {
		_, err := fetch(ctx, "http://"+p.http+"/readyz")
		return err == nil, nil
	})
}

// done counts the series that the controller makes for an object after it has
// written its status, or has found that there is nothing to write: they are 1
// for an object that is Synced.
func (p *sealedSecretsProcess) done(ctx context.Context) (int, error) {
	text, err := fetch(ctx, "http://"+p.metrics+"/metrics")
	return int(sumSeries(text, "sealed_secrets_controller_condition_info", `condition="Synced"`)), err
}

func (p *sealedSecretsProcess) stop() error {
	select {
	case <-p.exited:
		return fmt.Errorf("the controller of Sealed Secrets has ended by itself:\n%s", lastLines(p.log()))
	default:
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // an error means that it has ended
	select {
	case <-p.exited:
	case <-time.After(10 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
	return nil
}

// lastLines is the end of a log.
func lastLines(log string) string {
	lines := strings.Split(log, "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}
