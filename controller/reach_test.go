// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
)

// An API server that nobody listens at is told at once and then now and then,
// and nothing else is: client-go logs that.
func TestRefusedConnectionsAreTold(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	now := time.Unix(1e9, 0)
	var lines []string
	r := &refusals{host: "https://10.0.0.1:443", now: func() time.Time { return now },
		log: funcr.New(func(_, args string) { lines = append(lines, args) }, funcr.Options{})}
	for _, test := range []struct {
		name  string
		after time.Duration
		err   error
		want  int // records
	}{
		{"time-out", 0, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ETIMEDOUT}, 0},
		{"refused", 0, refused, 1},
		{"again at once", 0, fmt.Errorf("x: %w", refused), 1},
		{"again a little later", refusedEvery - 1, refused, 1},
		{"again later", 1, refused, 2},
		{"another error later", refusedEvery, errors.New("other"), 2},
	} {
		now = now.Add(test.after)
		if r.tell(test.err); len(lines) != test.want {
			t.Errorf("%s: %d records, want %d: %q", test.name, len(lines), test.want, lines)
		}
	}
	if len(lines) == 0 || !strings.Contains(lines[0], "https://10.0.0.1:443") || !strings.Contains(lines[0], "dial tcp: connection refused") {
		t.Errorf("records %q, want server and cause", lines)
	}
}

// Every client that is made from the configuration tells.
func TestRefusedConnectionsOfAClient(t *testing.T) {
	const address = "127.0.0.1:1"
	var lines []string
	cfg := &rest.Config{Host: "http://" + address, BearerToken: "correct-horse-battery-staple"}
	tellRefused(cfg, funcr.New(func(_, args string) { lines = append(lines, args) }, funcr.Options{}))
	client, err := rest.HTTPClientFor(rest.CopyConfig(cfg))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Get(cfg.Host + "/version")
	if err == nil {
		resp.Body.Close()
		t.Skip("somebody else listens there now")
	}
	if len(lines) != 1 || !strings.Contains(lines[0], address) || strings.Contains(lines[0], "correct") {
		t.Errorf("records %q, want one that names %s and not the token", lines, address)
	}
}

// A cluster that doesn't know our kinds is told from one that refuses.
func TestMissingDefinitionsAreExplained(t *testing.T) {
	const remedy = "kubectl apply --server-side -k controller/config/crd"
	of := schema.GroupResource{Group: "signet.dev", Resource: "sealedsecrets"}
	missing := apierrors.NewGenericServerResponse(http.StatusNotFound, "list", of, "", "404 page not found", 0, true)
	got := explainWatch(fmt.Errorf("failed to list *v1alpha1.SealedSecret: %w", missing))
	if !strings.Contains(got.Error(), "the server could not find the requested resource") || !strings.Contains(got.Error(), remedy) {
		t.Errorf("missing: %v", got)
	}
	forbidden := apierrors.NewForbidden(of, "", errors.New("no"))
	if got := explainWatch(forbidden); got != error(forbidden) {
		t.Errorf("forbidden: %v", got)
	}
}
