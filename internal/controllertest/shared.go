// SPDX-License-Identifier: Apache-2.0

package controllertest

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"
)

// Shared is a lab with one controller for all tests of a package.
type Shared struct {
	*Lab
	running func() (*Controller, error)
}

// MainShared is Main for a package whose tests share one controller and run beside
// each other, atOnce of them: they mostly wait. use gets the lab before. The
// controller gets the arguments args; a machine that is busy with other tests
// doesn't cost it its Lease.
func MainShared(m *testing.M, atOnce int, use func(*Shared), args ...string) int {
	flag.Parse()
	if err := flag.Set("test.parallel", strconv.Itoa(atOnce)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return Main(m, Options{}, func(l *Lab) error {
		use(&Shared{l, sync.OnceValues(func() (*Controller, error) { return l.runShared(args) })})
		return nil
	})
}

func (l *Lab) runShared(args []string) (*Controller, error) {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	c, err := l.Run(ctx, append([]string{"--min-backoff", "100ms", "--max-backoff", "2s",
		"--leader-elect-lease-duration", "5m", "--leader-elect-renew-deadline", "4m"}, args...)...)
	if err != nil {
		return nil, err
	}
	return c, c.WaitServing(ctx)
}

// Controller returns the controller, which is started when it is first asked for.
func (s *Shared) Controller(tb testing.TB) *Controller {
	tb.Helper()
	c, err := s.running()
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// Start begins a test, with the controller and a namespace. A test that failed gets
// what the controller has written about it.
func (s *Shared) Start(tb testing.TB) (namespace string) {
	tb.Helper()
	c := s.Controller(tb)
	namespace = s.Namespace(tb)
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("what the controller says of %s:\n%s", namespace, c.LogAbout(namespace))
		}
	})
	return namespace
}
