// SPDX-License-Identifier: Apache-2.0

// Package faults tests the controller while what it depends on fails: key
// services, the API server, other replicas and the controller's own process.
//
// The tests run one after the other, each with controllers of its own. All use
// one control plane with the API server's defaults, priority and fairness
// included, and its audit log; only TestKilledTwentyTimes has one of its own,
// without limits on requests.
package faults

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/signet-secrets/signet/controller/v1alpha1"
	"github.com/signet-secrets/signet/internal/controllertest"
	"github.com/signet-secrets/signet/internal/testcluster"
)

// lab is shared by the tests: each has namespaces of its own.
var lab *controllertest.Lab

func TestMain(m *testing.M) {
	o := controllertest.Options{Cluster: testcluster.Options{Audit: true}}
	os.Exit(controllertest.Main(m, o, func(l *controllertest.Lab) error { lab = l; return nil }))
}

// alone are the arguments for a controller of some namespaces that has no
// replicas.
func alone(args []string, namespaces ...string) []string {
	return append([]string{"--watch-namespaces", strings.Join(namespaces, ","), "--leader-elect=false"}, args...)
}

// each calls f for 0 to n-1, 8 at a time, and returns the first errors.
func each(n int, f func(i int) error) error {
	var workers sync.WaitGroup
	next := make(chan int)
	errs := make([]error, 8)
	for w := range errs {
		workers.Go(func() {
			for i := range next {
				if errs[w] == nil {
					errs[w] = f(i)
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	workers.Wait()
	return errors.Join(errs...)
}

// createAll seals and makes n documents.
func createAll(t *testing.T, l *controllertest.Lab, n int, secret func(i int) controllertest.Secret) {
	t.Helper()
	err := each(n, func(i int) error {
		o, err := l.Seal(t.Context(), secret(i))
		if err != nil {
			return err
		}
		return l.Admin.Create(t.Context(), o)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// states are the SealedSecrets of a namespace, and what is wrong with each: ""
// if it is done with as it is now.
func states(ctx context.Context, l *controllertest.Lab, namespace string) (map[string]string, error) {
	list := &v1alpha1.SealedSecretList{}
	if err := l.Admin.List(ctx, list, client.InNamespace(namespace)); err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, s := range list.Items {
		ready := meta.FindStatusCondition(s.Status.Conditions, "Ready")
		switch {
		case ready == nil || s.Status.ObservedGeneration != s.Generation:
			found[s.Name] = "new"
		case ready.Reason == "Unsealed":
			found[s.Name] = ""
		default:
			found[s.Name] = ready.Reason
		}
	}
	return found, nil
}

// waitAll waits until all SealedSecrets of a namespace are in a state.
func waitAll(t *testing.T, l *controllertest.Lab, limit time.Duration, namespace, state string) {
	t.Helper()
	controllertest.UntilWithin(t, limit, fmt.Sprintf("all of %s become %q", namespace, state), func(ctx context.Context) error {
		now, err := states(ctx, l, namespace)
		if err != nil {
			return err
		}
		others := map[string]int{}
		for _, s := range now {
			if s != state {
				others[s]++
			}
		}
		if len(others) > 0 || len(now) == 0 {
			return fmt.Errorf("of %d, others are %v", len(now), others)
		}
		return nil
	})
}

// version tells one state of a Secret from all others.
type version struct {
	UID types.UID
	RV  string
}

// versions are those of the Secrets of a namespace.
func versions(t *testing.T, l *controllertest.Lab, namespace string) map[string]version {
	t.Helper()
	list := &corev1.SecretList{}
	if err := l.Admin.List(t.Context(), list, client.InNamespace(namespace)); err != nil {
		t.Fatal(err)
	}
	found := map[string]version{}
	for _, s := range list.Items {
		found[s.Name] = version{s.UID, s.ResourceVersion}
	}
	return found
}

// keyCalls is how often a controller has called the KMS, refused connections
// included.
func keyCalls(t *testing.T, c *controllertest.Controller) int {
	t.Helper()
	return metric(t, c, `signet_controller_key_calls_total{type="kms"}`)
}

// metric is the value of a metric, 0 if it is not there.
func metric(t *testing.T, c *controllertest.Controller, name string) int {
	t.Helper()
	text, err := c.Metrics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				t.Fatal(err)
			}
			return int(n)
		}
	}
	return 0
}

// checkPanics wants none in the log of a controller.
func checkPanics(t *testing.T, c *controllertest.Controller) {
	t.Helper()
	if log := c.Log(); strings.Contains(log, "Panic") || strings.Contains(log, "goroutine ") {
		t.Errorf("a panic:\n%s", log)
	}
}
