// SPDX-License-Identifier: Apache-2.0

// Cluster runs a Kubernetes control plane for demo.sh: it writes a kubeconfig
// of an administrator when the control plane serves requests, and stops it on
// SIGINT or SIGTERM, when the script is gone, or after a time. Nothing stays.
//
//	cluster KUBECONFIG MANIFEST...
//
// The manifests, the CustomResourceDefinitions, are there before the garbage
// collector starts, which otherwise looks for new kinds every half minute.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/signet-secrets/signet/internal/testcluster"
)

// lifetime is far more than the demo takes.
const lifetime = 30 * time.Minute

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: cluster KUBECONFIG MANIFEST...")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1], os.Args[2:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "cluster: error:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends, the parent is gone or the time is up.
func run(ctx context.Context, kubeconfig string, files []string) error {
	ctx, cancel := context.WithTimeout(ctx, lifetime)
	defer cancel()
	go watchParent(ctx, cancel)
	manifests, err := readAll(files)
	if err != nil {
		return err
	}
	c, err := testcluster.New(ctx, testcluster.Options{Manifests: manifests, Log: os.Stderr})
	if err != nil {
		return err
	}
	if err := c.WriteKubeconfig(kubeconfig, c.Admin()); err != nil {
		return errors.Join(err, c.Close())
	}
	<-ctx.Done()
	return c.Close()
}

// watchParent calls gone when the process that started this one has ended.
func watchParent(ctx context.Context, gone func()) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for parent := os.Getppid(); os.Getppid() == parent; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
	gone()
}

// readAll returns files as one YAML stream.
func readAll(files []string) ([]byte, error) {
	var stream []byte
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		stream = append(append(stream, content...), "\n---\n"...)
	}
	return stream, nil
}
