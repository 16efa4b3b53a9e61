// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	ctrl "sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/signet-secrets/signet/internal/testtool"
)

// children are programs that TestMain runs in place of the tests.
func children() map[string]func() {
	return map[string]func(){
		"crash":    crash,
		"hardened": hardened,
	}
}

// crash panics in a goroutine of a Kubernetes library.
func crash() {
	l := newLogger(os.Stderr, levelDebug, formatText)
	if err := prepare(l, &options{logLevel: levelDebug}); err != nil {
		os.Exit(3)
	}
	go func() {
		defer utilruntime.HandleCrash()
		panic(canarySecret())
	}()
	select {}
}

// A panic in an informer ends the process, as it has to, but Go does not get to
// print what was passed to panic.
func TestCrashShowsNoValue(t *testing.T) {
	c := startChild(t, "crash", nil)
	code, text := c.exit(t), c.stderr.String()
	if code != exitFailed || strings.Contains(text, canary) || !strings.Contains(text, "type=*v1.Secret") || !strings.Contains(text, "crash.func1") {
		t.Errorf("exit %d:\n%s", code, text)
	}
}

// controller-runtime makes an error of one object from a panic, with what was
// passed to panic in it.
func TestRecoveredPanicShowsNoValue(t *testing.T) {
	handlers := utilruntime.PanicHandlers
	defer func() { utilruntime.PanicHandlers = handlers }()
	var b testtool.Buffer
	l := newLogger(&b, levelDebug, formatJSON)
	handlePanics(l, func(code int) { t.Errorf("exit %d", code) })
	c, err := ctrl.NewUnmanaged("test", ctrl.Options{
		Logger: logr.FromSlogHandler(l.Handler()),
		Reconciler: reconcile.Func(func(context.Context, reconcile.Request) (reconcile.Result, error) {
			panic(canary)
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Reconcile(t.Context(), reconcile.Request{})
	if err == nil || !strings.Contains(err.Error(), canary) {
		t.Fatalf("error = %v: controller-runtime is not as it was, and this test proves nothing", err)
	}
	logr.FromSlogHandler(l.Handler()).Error(err, "Reconciler error") // as it does
	got := b.String()
	if strings.Contains(got, canary) || !strings.Contains(got, `"type":"string"`) || !strings.Contains(got, "TestRecoveredPanicShowsNoValue") {
		t.Errorf("log:\n%s", got)
	}
}
