// SPDX-License-Identifier: Apache-2.0

package testcluster

import (
	"context"
	"errors"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

func (c *Cluster) startControllerManager(ctx context.Context) error {
	began := time.Now()
	kubeconfig := c.file(fileManagerKubeconfig)
	if err := c.WriteKubeconfig(kubeconfig, c.withToken(c.tokens.manager)); err != nil {
		return err
	}
	p, err := startProcess(c.dir, c.binaries.manager,
		"--kubeconfig="+kubeconfig,
		"--controllers=garbage-collector-controller,namespace-controller,serviceaccount-controller,root-ca-certificate-publisher-controller",
		"--leader-elect=false",
		"--secure-port=0",
		"--kube-api-qps=200",
		"--kube-api-burst=400",
		"--profiling=false",
	)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(c.Admin())
	if err != nil {
		return errors.Join(err, p.kill())
	}
	err = c.awaitReady(ctx, p, func(ctx context.Context) error { return controllersReady(ctx, client) })
	if err != nil {
		return err
	}
	c.manager = p
	c.logf("kube-controller-manager ready in %.1f s", time.Since(began).Seconds())
	return nil
}

// controllersReady looks for what the controllers make in each namespace; the
// program serves no port that could be asked.
func controllersReady(ctx context.Context, client kubernetes.Interface) error {
	_, err := client.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{})
	if err != nil {
		return err
	}
	_, err = client.CoreV1().ConfigMaps(metav1.NamespaceDefault).Get(ctx, "kube-root-ca.crt", metav1.GetOptions{})
	return err
}
