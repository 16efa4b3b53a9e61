// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/signet-secrets/signet/internal/controllertest"
	"github.com/signet-secrets/signet/internal/testcluster"
	"github.com/signet-secrets/signet/internal/testtool"
)

// sealedSecretsProcess is a controller of Sealed Secrets that runs.
type sealedSecretsProcess struct {
	*testtool.Process
	http, metrics string // host:port
	output        testtool.Buffer
}

var _ process = (*sealedSecretsProcess)(nil)

// start starts the controller as an administrator, and without a limit of
// queries. It knows no kubeconfig, only the files of a Pod's service account at
// their place in the file system, so it gets a root folder of its own.
func (c *sealedSecrets) start(context.Context) (process, error) {
	root, err := c.root()
	if err != nil {
		return nil, err
	}
	addresses, err := testcluster.FreeAddresses(2)
	if err != nil {
		return nil, err
	}
	p := &sealedSecretsProcess{http: addresses[0], metrics: addresses[1]}
	server, err := url.Parse(c.site.config.Host)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("/controller", "--kubeclient-qps=-1", "--listen-addr="+p.http, "--listen-metrics-addr="+p.metrics)
	cmd.Dir = "/"
	cmd.Env = []string{
		"KUBERNETES_SERVICE_HOST=" + server.Hostname(), "KUBERNETES_SERVICE_PORT=" + server.Port(),
		"POD_NAMESPACE=" + systemNamespace,
	}
	cmd.Stdout, cmd.Stderr = &p.output, &p.output
	cmd.SysProcAttr = testtool.InRoot(root)
	if p.Process, err = testtool.Start(cmd); err != nil {
		return nil, fmt.Errorf("start Sealed Secrets with %s as its root: %w", root, err)
	}
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

func (p *sealedSecretsProcess) pid() int               { return p.PID() }
func (p *sealedSecretsProcess) ended() <-chan struct{} { return p.Ended() }
func (p *sealedSecretsProcess) log() string            { return p.output.String() }

func (p *sealedSecretsProcess) serving(ctx context.Context) error {
	return poll(ctx, p, func() (bool, error) {
		_, err := controllertest.Fetch(ctx, "http://"+p.http+"/readyz")
		return err == nil, nil
	})
}

// done counts the series that the controller makes for an object after it has
// written its status, or has found that there is nothing to write: they are 1
// for an object that is Synced.
func (p *sealedSecretsProcess) done(ctx context.Context) (int, error) {
	text, err := controllertest.Fetch(ctx, "http://"+p.metrics+"/metrics")
	return int(sumSeries(text, "sealed_secrets_controller_condition_info", `condition="Synced"`)), err
}

func (p *sealedSecretsProcess) stop() error {
	if !p.Running() {
		return fmt.Errorf("the controller of Sealed Secrets has ended by itself:\n%s", lastLines(p.log()))
	}
	return p.End(syscall.SIGTERM, 10*time.Second)
}

// lastLines is the end of a log.
func lastLines(log string) string {
	lines := strings.Split(log, "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}
