// SPDX-License-Identifier: Apache-2.0

package controllertest

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/signet-secrets/signet/controller/v1alpha1"
)

// Patience is how long a test waits for something that takes no time by rights.
const Patience = 60 * time.Second

// Main runs the tests of a package with one lab, which use gets before, and
// returns the exit code. It is for TestMain.
func Main(m *testing.M, o Options, use func(*Lab) error) int {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	ctrllog.SetLogger(logr.Discard()) // that of the client; without one it complains
	if o.Log == nil {
		o.Log = os.Stderr
	}
	lab, err := Open(ctx, o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "set up the lab:", err)
		return 1
	}
	code := 1
	if err := use(lab); err != nil {
		fmt.Fprintln(os.Stderr, "prepare the lab:", err)
	} else {
		code = m.Run()
	}
	if err := lab.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "close the lab:", err)
		return max(code, 1)
	}
	return code
}

// RunController starts a controller until the test ends, and waits until it
// serves. A test that failed gets its log.
func (l *Lab) RunController(tb testing.TB, args ...string) *Controller {
	tb.Helper()
	return l.LaunchController(tb, Launch{Args: args})
}

// LaunchController is RunController with other ways to start.
func (l *Lab) LaunchController(tb testing.TB, o Launch) *Controller {
	tb.Helper()
	c, err := l.Launch(tb.Context(), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = c.Stop()
		if tb.Failed() {
			tb.Logf("log of controller %d:\n%s", c.PID(), c.Log())
		}
	})
	ctx, cancel := context.WithTimeout(tb.Context(), Patience)
	defer cancel()
	if err := c.WaitServing(ctx); err != nil {
		tb.Fatal(err)
	}
	return c
}

// Namespace makes a namespace with a name that is the test's alone.
func (l *Lab) Namespace(tb testing.TB) string {
	tb.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}
	l.Create(tb, ns)
	return ns.Name
}

// Create makes an object as the administrator.
func (l *Lab) Create(tb testing.TB, o client.Object) {
	tb.Helper()
	if err := l.Admin.Create(tb.Context(), o); err != nil {
		tb.Fatalf("create %T %s: %v", o, o.GetName(), err)
	}
}

// MustSeal is Seal for a test.
func (l *Lab) MustSeal(tb testing.TB, s Secret) *unstructured.Unstructured {
	tb.Helper()
	o, err := l.Seal(tb.Context(), s)
	if err != nil {
		tb.Fatal(err)
	}
	return o
}

// Replace puts a new spec into an object that is there.
func (l *Lab) Replace(tb testing.TB, o *unstructured.Unstructured) {
	tb.Helper()
	l.Update(tb, o.GetNamespace(), o.GetName(), func(now *unstructured.Unstructured) { now.Object["spec"] = o.Object["spec"] })
}

// Update changes a SealedSecret.
func (l *Lab) Update(tb testing.TB, namespace, name string, change func(*unstructured.Unstructured)) {
	tb.Helper()
	Until(tb, "update "+name, func(ctx context.Context) error {
		o := NewSealedSecret(namespace, name)
		if err := l.Admin.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
			return err
		}
		change(o)
		return l.Admin.Update(ctx, o)
	})
}

// NewSealedSecret returns an object to read a SealedSecret into.
func NewSealedSecret(namespace, name string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("SealedSecret"))
	o.SetNamespace(namespace)
	o.SetName(name)
	return o
}

// SealedSecret reads a SealedSecret.
func (l *Lab) SealedSecret(ctx context.Context, namespace, name string) (*v1alpha1.SealedSecret, error) {
	s := &v1alpha1.SealedSecret{}
	return s, l.Admin.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, s)
}

// Secret reads a Secret; nil if there is none.
func (l *Lab) Secret(ctx context.Context, namespace, name string) (*corev1.Secret, error) {
	s := &corev1.Secret{}
	err := l.Admin.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, s)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return s, err
}

// Until waits until check returns nil, and fails the test with its last error.
func Until(tb testing.TB, what string, check func(context.Context) error) {
	tb.Helper()
	UntilWithin(tb, Patience, what, check)
}

// UntilWithin is Until with a limit.
func UntilWithin(tb testing.TB, limit time.Duration, what string, check func(context.Context) error) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), limit)
	defer cancel()
	var last error
	for {
		err := check(ctx)
		if err == nil {
			return
		}
		if ctx.Err() == nil || last == nil { // what came before the deadline says more
			last = err
		}
		select {
		case <-ctx.Done():
			tb.Fatalf("%s: %v", what, last)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// WaitReason waits until a SealedSecret, as it is now, has Ready with a reason,
// and returns it.
func (l *Lab) WaitReason(tb testing.TB, namespace, name, reason string) *v1alpha1.SealedSecret {
	tb.Helper()
	var found *v1alpha1.SealedSecret
	Until(tb, fmt.Sprintf("SealedSecret %s/%s becomes %s", namespace, name, reason), func(ctx context.Context) error {
		s, err := l.SealedSecret(ctx, namespace, name)
		if err != nil {
			return err
		}
		ready := meta.FindStatusCondition(s.Status.Conditions, "Ready")
		if ready == nil || s.Status.ObservedGeneration != s.Generation || ready.Reason != reason {
			return fmt.Errorf("generation %d, status %+v", s.Generation, s.Status)
		}
		found = s
		return nil
	})
	return found
}

// WaitReady waits until a SealedSecret, as it is now, is unsealed.
func (l *Lab) WaitReady(tb testing.TB, namespace, name string) *v1alpha1.SealedSecret {
	tb.Helper()
	return l.WaitReason(tb, namespace, name, "Unsealed")
}

// WaitData waits until a Secret holds exactly the given values, and returns it.
func (l *Lab) WaitData(tb testing.TB, namespace, name string, data map[string]string) *corev1.Secret {
	tb.Helper()
	var found *corev1.Secret
	Until(tb, fmt.Sprintf("Secret %s/%s has the values", namespace, name), func(ctx context.Context) error {
		s, err := l.Secret(ctx, namespace, name)
		if err != nil {
			return err
		}
		if s == nil {
			return fmt.Errorf("there is none")
		}
		if len(s.Data) != len(data) {
			return fmt.Errorf("it has %d keys, want %d", len(s.Data), len(data))
		}
		for key, want := range data {
			if string(s.Data[key]) != want {
				return fmt.Errorf("%s is %q, want %q", key, s.Data[key], want)
			}
		}
		found = s
		return nil
	})
	return found
}
