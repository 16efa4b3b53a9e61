// SPDX-License-Identifier: Apache-2.0

package testcluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// url is the API server's.
func (c *Cluster) url() string {
	return "https://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(c.port))
}

// startAPIServer starts the API server for the first time, and so chooses the
// port that it keeps.
func (c *Cluster) startAPIServer(ctx context.Context) error {
	return retryPorts(func(port int) error {
		c.port = port
		return c.runAPIServer(ctx)
	})
}

// StartAPIServer starts the API server after StopAPIServer or KillAPIServer, on
// the same port and data, and returns when it serves requests. ctx limits the
// wait. A server that runs is an error.
func (c *Cluster) StartAPIServer(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return errors.New("start kube-apiserver: cluster is closed")
	}
	if c.apiserver != nil {
		return errors.New("start kube-apiserver: not stopped before")
	}
	return c.runAPIServer(ctx)
}

// StopAPIServer asks the API server to end and waits for that. Requests under
// way are answered, watches end. A server that had ended by itself is an error;
// one that was stopped before is not.
func (c *Cluster) StopAPIServer() error {
	return c.endAPIServer((*process).stop)
}

// KillAPIServer is StopAPIServer with SIGKILL: requests under way get no answer
// and may or may not be done.
func (c *Cluster) KillAPIServer() error {
	return c.endAPIServer((*process).kill)
}

func (c *Cluster) endAPIServer(end func(*process) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.apiserver
	c.apiserver = nil
	return end(p)
}

func (c *Cluster) runAPIServer(ctx context.Context) error {
	began := time.Now()
	p, err := startProcess(c.dir, c.binaries.apiserver, c.apiServerArgs()...)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(c.Admin())
	if err != nil {
		return errors.Join(err, p.kill())
	}
	err = c.awaitReady(ctx, p, func(ctx context.Context) error { return apiServerReady(ctx, client) })
	if err != nil {
		return err
	}
	c.apiserver = p
	c.logf("kube-apiserver ready in %.1f s", time.Since(began).Seconds())
	return nil
}

// apiServerReady also waits for the namespace default, which /readyz doesn't.
func apiServerReady(ctx context.Context, client kubernetes.Interface) error {
	answer, err := client.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
	if err != nil {
		return fmt.Errorf("ask for /readyz: %w: %q", err, answer)
	}
	_, err = client.CoreV1().Namespaces().Get(ctx, metav1.NamespaceDefault, metav1.GetOptions{})
	return err
}

func (c *Cluster) apiServerArgs() []string {
	args := []string{
		"--etcd-servers=" + c.etcdURL,
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		"--secure-port=" + strconv.Itoa(c.port),
		"--tls-cert-file=" + c.file(fileServingCert),
		"--tls-private-key-file=" + c.file(fileServingKey),
		"--token-auth-file=" + c.file(fileTokens),
		"--authorization-mode=RBAC",
		"--disable-admission-plugins=ServiceAccount",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + c.file(fileAccountKey),
		"--service-account-signing-key-file=" + c.file(fileAccountKey),
		"--service-cluster-ip-range=10.0.0.0/24",
		"--endpoint-reconciler-type=none",              // the only address is a loopback address, which Endpoints may not hold
		"--shutdown-watch-termination-grace-period=2s", // without it a stop waits a minute for clients to end their watches
		"--profiling=false",
	}
	if c.options.Audit {
		args = append(args,
			"--audit-policy-file="+c.file(fileAuditPolicy),
			"--audit-log-path="+c.file(fileAuditLog),
			"--audit-log-maxsize=1048576", // MB: one file, never rotated
		)
	}
	if c.options.Throughput {
		args = append(args,
			"--enable-priority-and-fairness=false",
			"--max-requests-inflight=0",
			"--max-mutating-requests-inflight=0",
		)
	}
	if c.options.EncryptionConfig != nil {
		args = append(args, "--encryption-provider-config="+c.file(fileEncryption))
	}
	return append(args, c.options.APIServerArgs...)
}
