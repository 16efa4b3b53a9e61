// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"sync"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// intake is the way into the queue of a controller for what no watch brings. It
// is safe for concurrent use.
type intake struct {
	mu    sync.Mutex
	queue queue
}

// source returns a source that takes hold of the queue as the controller starts.
func (i *intake) source() source.TypedSource[reconcile.Request] {
	return source.TypedFunc[reconcile.Request](func(_ context.Context, q queue) error {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.queue = q
		return nil
	})
}

// get returns the queue, or nil before the controller has started: then all
// objects are still to be looked at.
func (i *intake) get() queue {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.queue
}
