// SPDX-License-Identifier: Apache-2.0

package testcluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Options says what kind of cluster to start. The zero value is good for tests.
type Options struct {
	// Dir is where data, logs and keys are written: a folder that is missing or
	// empty. It stays after Close. "" is a temporary folder that Close removes.
	Dir string

	// Manifests, a YAML stream, is applied before the controllers start, so that
	// the garbage collector knows its CustomResourceDefinitions from the start.
	Manifests []byte

	// Audit makes the API server log its requests for AuditEvents. The log holds
	// the bodies of writes to Secrets, plaintext included.
	Audit bool

	// Throughput lifts the API server's limits on concurrent requests.
	Throughput bool

	// EncryptionConfig is an EncryptionConfiguration in YAML, by which the API
	// server encrypts what it stores. nil stores as it is.
	EncryptionConfig []byte

	// APIServerArgs are more arguments for kube-apiserver. The last of equal flags wins.
	APIServerArgs []string

	// Log gets a line for each step of a start. nil is silence.
	Log io.Writer
}

// Cluster is a running control plane. Its methods are safe for concurrent use.
type Cluster struct {
	options   Options
	dir       string
	removeDir bool
	binaries  binaries
	pki       *pki
	tokens    tokens
	log       io.Writer

	mu        sync.Mutex // guards what follows and orders starts and stops
	etcdURL   string
	port      int // of the API server; stays for the life of the cluster
	etcd      *process
	apiserver *process // nil while stopped
	manager   *process
	closed    bool
}

// startAttempts is how often a program is started anew after another process
// took its port between the choice and the start.
const startAttempts = 5

// New starts a control plane and returns when it serves requests and has made
// the namespace default with its service account. ctx limits the start only; a
// deadline should allow some 30 seconds, and minutes where the programs are yet
// to be built. The cluster runs until Close. After an error nothing runs; the
// error holds the end of the log of the program that is to blame.
func New(ctx context.Context, o Options) (*Cluster, error) {
	c := &Cluster{options: o, log: o.Log}
	if c.log == nil {
		c.log = io.Discard
	}
	if err := c.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start test cluster: %w", err), c.Close())
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context) error {
	var err error
	if c.binaries, err = findBinaries(c.log); err != nil {
		return err
	}
	if err := c.makeDir(); err != nil {
		return err
	}
	if err := c.writeFiles(); err != nil {
		return err
	}
	began := time.Now()
	if err := c.startEtcd(ctx); err != nil {
		return err
	}
	if err := c.startAPIServer(ctx); err != nil {
		return err
	}
	if err := c.Apply(ctx, c.options.Manifests); err != nil {
		return err
	}
	if err := c.startControllerManager(ctx); err != nil {
		return err
	}
	c.logf("control plane ready in %.1f s at %s", time.Since(began).Seconds(), c.url())
	return nil
}

func (c *Cluster) makeDir() error {
	if c.options.Dir == "" {
		dir, err := os.MkdirTemp("", "testcluster-")
		c.dir, c.removeDir = dir, err == nil
		return err
	}
	dir, err := filepath.Abs(c.options.Dir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("folder %s is not empty", dir)
	}
	c.dir = dir
	return nil
}

// Close stops all programs, each with a signal and some seconds for it before it
// is killed, and removes a temporary folder. It returns an error if one of the
// programs had ended by itself, with the end of its log. The second call does
// nothing.
func (c *Cluster) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.closed = true
	var errs [3]error
	var front sync.WaitGroup
	front.Go(func() { errs[0] = c.manager.stop() })
	front.Go(func() { errs[1] = c.apiserver.stop() })
	front.Wait() // the API server's last words go to etcd
	errs[2] = c.etcd.stop()
	if c.removeDir {
		return errors.Join(append(errs[:], os.RemoveAll(c.dir))...)
	}
	return errors.Join(errs[:]...)
}

// startTimeout is for a machine that is busy with other tests.
const startTimeout = 3 * time.Minute

// Start is New for a test: it fails the test on an error and closes the cluster
// at its end. A test that failed gets the end of each program's log.
func Start(tb testing.TB, o Options) *Cluster {
	tb.Helper()
	if _, err := findBinaries(io.Discard); err != nil { // before the clock runs
		tb.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(tb.Context(), startTimeout)
	defer cancel()
	c, err := New(ctx, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		tails := c.logTails()
		if err := c.Close(); err != nil {
			tb.Errorf("close test cluster: %v", err)
		}
		if tb.Failed() {
			tb.Log(tails)
		}
	})
	return c
}

func (c *Cluster) logf(format string, args ...any) {
	fmt.Fprintf(c.log, "testcluster: "+format+"\n", args...)
}
