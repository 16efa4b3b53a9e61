// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// namespace is where the documents are.
const namespace = "bench"

// document is a sealed document, and what is in it.
type document struct {
	name   string
	body   []byte // JSON
	values map[string]string
}

// contender is a controller that is measured.
type contender interface {
	name() string
	// manifests is what has to be in a cluster before all else.
	manifests() ([]byte, error)
	// prepare gives a new cluster to the contender, with its keys.
	prepare(ctx context.Context, s *site) error
	// documents returns n of those that were sealed, all in namespace, and one
	// more to warm up with.
	documents(n int) (all []document, warm document)
	// collection is the path of the documents in the API, condition the type of
	// the condition that is True when one is done.
	collection() string
	condition() string
	// start starts the controller in the cluster that was prepared last.
	start(ctx context.Context) (process, error)
}

// process is a controller that runs.
type process interface {
	pid() int
	// serving waits until it is up.
	serving(ctx context.Context) error
	// done returns how many objects the controller is through with, and has
	// found or made ready, since it was started.
	done(ctx context.Context) (int, error)
	// ended is closed when the process has ended, log is what it has said.
	ended() <-chan struct{}
	log() string
	stop() error
}

// parallel calls work for 0 to n-1, by several workers, and returns the first
// error.
func parallel(ctx context.Context, workers, n int, work func(context.Context, int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(workers, n) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if err := work(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// sealAll makes n documents, the last of them to warm up with.
func sealAll(ctx context.Context, n int, seal func(ctx context.Context, name string, values map[string]string, last bool) ([]byte, error)) ([]document, error) {
	all := make([]document, n+1)
	err := parallel(ctx, runtime.NumCPU(), n+1, func(ctx context.Context, i int) error {
		d := document{name: fmt.Sprintf("secret-%05d", i), values: randomValues()}
		var err error
		d.body, err = seal(ctx, d.name, d.values, i == n)
		all[i] = d
		return err
	})
	return all, err
}
