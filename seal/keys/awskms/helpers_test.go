// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/seal/keys"
)

const (
	account = "111122223333" // of kmstest
	other   = "444455556666"
)

// dataKey is the secret of these tests, obviously fake and of the right length.
var dataKey = []byte("correct horse battery staple 32!")

// start runs a KMS and points the environment of the test at it, and at nothing
// that belongs to whoever runs the test.
func start(t testing.TB) *kmstest.Server {
	t.Helper()
	srv := kmstest.Start(t, kmstest.Options{})
	setenv(t, srv.Env()...)
	setenv(t, "HOME="+t.TempDir())
	return srv
}

func setenv(t testing.TB, env ...string) {
	t.Helper()
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		t.Setenv(name, value)
	}
}

// configure makes text the AWS configuration.
func configure(t testing.TB, text string) {
	t.Helper()
	setenv(t, "AWS_CONFIG_FILE="+write(t, filepath.Join(t.TempDir(), "config"), text))
}

func write(t testing.TB, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// open returns a Service that leaves no connections behind.
func open(t testing.TB, o Options) *Service {
	t.Helper()
	s := New(o)
	t.Cleanup(s.CloseIdleConnections)
	return s
}

func mustWrap(t testing.TB, s *Service, e keys.KMSEntry) keys.KMSEntry {
	t.Helper()
	wrapped, err := s.Wrap(t.Context(), e, dataKey)
	if err != nil {
		t.Fatal(err)
	}
	return wrapped.(keys.KMSEntry)
}

func mustUnwrap(t testing.TB, s *Service, e keys.Entry) {
	t.Helper()
	secret, err := s.Unwrap(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(secret, dataKey) {
		t.Fatal("unwrapped something else than was wrapped")
	}
}

// mustFail returns the *keys.CallError that err is.
func mustFail(t testing.TB, err error, parts ...string) *keys.CallError {
	t.Helper()
	call := new(keys.CallError)
	if !errors.As(err, &call) {
		t.Fatalf("got %v, want a *keys.CallError", err)
	}
	for _, p := range parts {
		if !strings.Contains(call.Error()+"\n"+call.Hint, p) {
			t.Errorf("error %q with hint %q does not say %q", call, call.Hint, p)
		}
	}
	return call
}

// all runs f n times, so many at once, and returns the errors that there were.
func all(n, atOnce int, f func(i int) error) []error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	slots := make(chan struct{}, atOnce)
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := f(i); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
			}
		})
	}
	wg.Wait()
	return errs
}

// patience is how long a test waits for what takes no time on an idle machine.
const patience = 30 * time.Second

// poll reports whether a condition comes true.
func poll(ok func() bool) bool {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// eventually waits for a condition.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	if !poll(ok) {
		t.Fatalf("waited %v in vain for %s", patience, what)
	}
}

// ended returns what a call that was cancelled sends.
func ended(t testing.TB, done <-chan error) error {
	t.Helper()
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		t.Fatalf("the call goes on %v after it was cancelled", patience)
		return nil
	}
}

// quick fails the test unless f takes less than limit in one of a few tries: a
// busy machine slows some of them, a wait slows all.
func quick(t testing.TB, limit time.Duration, f func()) {
	t.Helper()
	const tries = 5
	least := time.Duration(math.MaxInt64)
	for range tries {
		begin := time.Now()
		f()
		if least = min(least, time.Since(begin)); least < limit {
			return
		}
	}
	t.Errorf("took %v at least in %d tries, want less than %v", least, tries, limit)
}

// noLeak returns a function that waits until there are no more goroutines than
// now.
func noLeak(t testing.TB) func() {
	t.Helper()
	before := runtime.NumGoroutine()
	return func() {
		t.Helper()
		if !poll(func() bool { return runtime.NumGoroutine() <= before }) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, there were %d:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}
