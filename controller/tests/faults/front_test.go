// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/signet-secrets/signet/internal/controllertest"
	"github.com/signet-secrets/signet/internal/testcluster"
)

// front stands before the KMS of the lab. It can refuse connections, which the
// KMS can't, and hang for one key only.
type front struct {
	address string
	proxy   http.Handler
	hangs   atomic.Pointer[string]
	server  *http.Server // nil while connections are refused
}

// newFront returns one that lets everything through.
func newFront(t *testing.T) *front {
	target, err := url.Parse(lab.KMS.URL())
	if err != nil {
		t.Fatal(err)
	}
	addresses, err := testcluster.FreeAddresses(1) // to which the server can come back
	if err != nil {
		t.Fatal(err)
	}
	f := &front{address: addresses[0], proxy: &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // it is signed
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}}
	f.open(t)
	t.Cleanup(f.refuse)
	return f
}

// env makes a controller call the KMS by way of f.
func (f *front) env() []string { return []string{"AWS_ENDPOINT_URL_KMS=http://" + f.address} }

// open ends refuse.
func (f *front) open(t *testing.T) {
	t.Helper()
	controllertest.Until(t, "listen at "+f.address, func(context.Context) error {
		listener, err := net.Listen("tcp", f.address)
		if err != nil {
			return err
		}
		f.server = &http.Server{Handler: f}
		go func(s *http.Server) { _ = s.Serve(listener) }(f.server)
		return nil
	})
}

// refuse closes all connections and takes no more.
func (f *front) refuse() {
	if f.server != nil {
		_ = f.server.Close()
		f.server = nil
	}
}

// hang makes requests for a key hang; "" ends that.
func (f *front) hang(key string) {
	if key == "" {
		f.hangs.Store(nil)
		return
	}
	f.hangs.Store(&key)
}

// ServeHTTP implements http.Handler.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if key := f.hangs.Load(); key != nil && strings.Contains(string(body), *key) {
		<-r.Context().Done() // the client has left, or the server was closed
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	f.proxy.ServeHTTP(w, r)
}
