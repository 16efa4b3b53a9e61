// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

func TestRetryAfter(t *testing.T) {
	for _, tt := range []struct {
		name, header string
		want         time.Duration
	}{
		{"none", "", 0},
		{"seconds", "2", 2 * time.Second},
		{"a day", "86400", 24 * time.Hour},
		{"as much as 32 bits", "4294967295", 4294967295 * time.Second},
		{"more", "4294967296", 0},
		{"negative", "-1", 0},
		{"date", "Wed, 21 Oct 2026 07:28:00 GMT", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := http.Header{}
			h.Set("Retry-After", tt.header)
			if got := RetryAfter(h); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestPause(t *testing.T) {
	errCanary := errors.New("canary")
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		if err := Pause(t.Context(), time.Hour); err != nil || time.Since(begin) != time.Hour {
			t.Errorf("got %v after %v", err, time.Since(begin))
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errCanary)
		begin = time.Now()
		if err := Pause(ctx, time.Hour); err != errCanary || time.Since(begin) != 0 {
			t.Errorf("got %v after %v, want the cause at once", err, time.Since(begin))
		}
		ctx, cancelTimeout := context.WithTimeoutCause(t.Context(), time.Second, errCanary)
		defer cancelTimeout()
		begin = time.Now()
		if err := Pause(ctx, time.Second+1); err != errCanary || time.Since(begin) != time.Second {
			t.Errorf("got %v after %v, want the cause when the time is over", err, time.Since(begin))
		}
	})
}

// HTTP/2 is not spoken also where a server offers it, and redirects are answers.
func TestTransport(t *testing.T) {
	server := httptest.NewUnstartedServer(http.RedirectHandler("/elsewhere", http.StatusTemporaryRedirect))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	transport := NewTransport(time.Minute)
	defer transport.CloseIdleConnections()
	transport.TLSClientConfig.RootCAs = server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	client := &http.Client{Transport: transport, CheckRedirect: NoRedirect}
	resp, err := client.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.ProtoMajor != 1 || resp.StatusCode != http.StatusTemporaryRedirect {
		t.Errorf("%s, status %d", resp.Proto, resp.StatusCode)
	}
}
