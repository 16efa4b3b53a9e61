// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"crypto/tls"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/seal/keys"
)

// overTLS puts TLS before a KMS, with a certificate that only AWS_CA_BUNDLE
// makes good, and points the environment at it.
func overTLS(t testing.TB, srv *kmstest.Server) *httptest.Server {
	t.Helper()
	to := must(url.Parse(srv.URL()))
	front := httptest.NewUnstartedServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host // it is signed
	}})
	front.TLS = &tls.Config{MinVersion: tls.VersionTLS10}
	front.EnableHTTP2 = true
	front.Config.ErrorLog = log.New(io.Discard, "", 0)
	front.StartTLS()
	t.Cleanup(front.Close)
	bundle := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw})
	setenv(t, "AWS_ENDPOINT_URL_KMS="+front.URL, "AWS_ENDPOINT_URL_STS="+front.URL,
		"AWS_CA_BUNDLE="+write(t, filepath.Join(t.TempDir(), "ca.pem"), string(bundle)))
	return front
}

func TestTLS(t *testing.T) {
	srv := start(t)
	front := overTLS(t, srv)
	arn := srv.CreateKey(kmstest.Key{})
	var protocol atomic.Value
	inner := front.Config.Handler
	front.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		protocol.Store(r.Proto)
		inner.ServeHTTP(w, r)
	})
	e := mustWrap(t, open(t, Options{}), keys.KMSEntry{ARN: arn})
	if got := protocol.Load(); got != "HTTP/1.1" {
		t.Errorf("spoke %v", got)
	}
	t.Run("old version", func(t *testing.T) {
		front.TLS.MaxVersion = tls.VersionTLS11
		defer func() { front.TLS.MaxVersion = 0 }()
		_, err := open(t, Options{MaxAttempts: 1}).Unwrap(t.Context(), e)
		mustFail(t, err, "tls: ")
	})
	t.Run("unknown certificate", func(t *testing.T) {
		setenv(t, "AWS_CA_BUNDLE=")
		_, err := open(t, Options{}).Unwrap(t.Context(), e)
		call := mustFail(t, err, "certificate", "(region eu-west-1)", "AWS_CA_BUNDLE") // at the first attempt
		if !call.Permanent {
			t.Error("not permanent")
		}
	})
	t.Run("no such bundle", func(t *testing.T) {
		setenv(t, "AWS_CA_BUNDLE=/signet/no/such/bundle")
		_, err := open(t, Options{}).Unwrap(t.Context(), e)
		if call := mustFail(t, err, "the AWS configuration cannot be used: open /signet/no/such/bundle"); !call.Permanent {
			t.Error("not permanent")
		}
	})
}

// Callers at once keep their connections: there is no dialling for every call.
func TestConnectionsAreKept(t *testing.T) {
	const atOnce = 32
	srv := start(t)
	to := must(url.Parse(srv.URL()))
	var dialled atomic.Int32
	front := httptest.NewUnstartedServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host
		},
		Transport: &http.Transport{MaxIdleConnsPerHost: atOnce},
	})
	front.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			dialled.Add(1)
		}
	}
	front.Start()
	defer front.Close()
	setenv(t, "AWS_ENDPOINT_URL_KMS="+front.URL)
	s := open(t, Options{Rate: -1})
	e := mustWrap(t, s, keys.KMSEntry{ARN: srv.CreateKey(kmstest.Key{})})
	srv.SetFaults(kmstest.Faults{Latency: 5 * time.Millisecond})
	for _, err := range all(20*atOnce, atOnce, func(int) error {
		_, err := s.Unwrap(t.Context(), e)
		return err
	}) {
		t.Error(err)
	}
	// net/http may dial for a call that then gets a connection that was freed.
	if n := dialled.Load(); n > 3*atOnce {
		t.Errorf("%d connections for %d calls, %d at once", n, 20*atOnce, atOnce)
	}
}
