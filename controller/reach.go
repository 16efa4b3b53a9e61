// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"

	"github.com/signet-secrets/signet/seal/keys"
)

// refusedEvery is the shortest time between two records about an API server that
// refuses connections.
const refusedEvery = 15 * time.Second

// tellRefused has all clients of cfg log when nobody listens where the API server
// should be. Watches do not tell: they try again without a word, for ever
// (client-go: tools/cache/reflector.go, isWatchErrorRetriable). Whatever else goes
// wrong between us and the API server they do tell.
func tellRefused(cfg *rest.Config, l logr.Logger) {
	t := &refusals{log: l, host: cfg.Host, now: time.Now}
	cfg.Wrap(func(next http.RoundTripper) http.RoundTripper { return &refusalTripper{next, t} })
}

// refusals logs connections that were refused. It is safe for concurrent use.
type refusals struct {
	log  logr.Logger
	host string
	now  func() time.Time

	mu   sync.Mutex
	last time.Time // of the last record
}

// tell logs err if it is a connection that was refused, and not too soon after
// the record before.
func (r *refusals) tell(err error) {
	if !utilnet.IsConnectionRefused(err) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if !r.last.IsZero() && now.Sub(r.last) < refusedEvery {
		return
	}
	r.last = now
	r.log.Error(nil, "Cannot reach the API server: connection refused", "server", keys.ForeignText(r.host), "cause", keys.ForeignText(err.Error()))
}

// refusalTripper tells of connections that were refused.
type refusalTripper struct {
	next http.RoundTripper
	to   *refusals
}

var _ http.RoundTripper = (*refusalTripper)(nil)

// RoundTrip implements http.RoundTripper.
func (t *refusalTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		t.to.tell(err)
	}
	return resp, err
}

// WrappedRoundTripper lets client-go find the transport below.
func (t *refusalTripper) WrappedRoundTripper() http.RoundTripper { return t.next }

// watchFailed is the cache.WatchErrorHandlerWithContext of this controller: that
// of client-go, which logs, with what to do about an API server that doesn't know
// our kinds.
func watchFailed(ctx context.Context, r *toolscache.Reflector, err error) {
	toolscache.DefaultWatchErrorHandler(ctx, r, explainWatch(err))
}

// explainWatch returns err with what to do about it, or as it is.
func explainWatch(err error) error {
	// Secrets are known to every cluster, and of a namespace that is missing the
	// API server lists nothing, without an error.
	if apierrors.IsNotFound(err) {
		return fmt.Errorf("%w: the definitions are not installed: kubectl apply --server-side -k controller/config/crd", err)
	}
	return err
}
