// SPDX-License-Identifier: Apache-2.0

package unseal_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

func parsedAgain(t *testing.T, k unseal.Key) *sopsdoc.SealingKey {
	t.Helper()
	key, err := sopsdoc.ParseSealingKey(k.Node())
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestConcurrentOpens protects the promise of one call for any number of
// documents, also when all of them come at once.
func TestConcurrentOpens(t *testing.T) {
	const documents = 200
	r := newRig(t, "*")
	docs := make([]*yaml.Node, documents)
	for i := range docs {
		docs[i] = sealed(t, seal.Strict, r.pair.Recipient())
	}
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		r.keys.before = func(context.Context, keys.Entry) error { <-gate; return nil }
		errs := make([]error, documents)
		var wg sync.WaitGroup
		for i, n := range docs {
			wg.Go(func() { errs[i] = r.open(n) })
		}
		synctest.Wait() // all documents wait for the SealingKey
		close(gate)
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Error(err)
		}
		r.wantCalls(t, 1)
	})
}

// TestCancelledCaller protects those who wait for the same SealingKey as
// somebody who gave up, be it the one whose call it is.
func TestCancelledCaller(t *testing.T) {
	for _, first := range []bool{true, false} {
		t.Run(fmt.Sprintf("first %v", first), func(t *testing.T) {
			r := newRig(t, "*")
			n := sealed(t, seal.Strict, r.pair.Recipient())
			synctest.Test(t, func(t *testing.T) {
				gate := make(chan struct{})
				r.keys.before = func(ctx context.Context, _ keys.Entry) error {
					select {
					case <-gate:
						return nil
					case <-ctx.Done():
						return ctx.Err()
					}
				}
				ctx, cancel := context.WithCancel(context.Background())
				contexts := []context.Context{context.Background(), ctx}
				if first {
					contexts = []context.Context{ctx, context.Background()}
				}
				results := map[context.Context]chan error{}
				for _, c := range contexts {
					done := make(chan error, 1)
					results[c] = done
					go func() {
						_, err := unseal.Open(c, manifest.Clone(n), r.options())
						done <- err
					}()
					synctest.Wait()
				}
				cancel()
				if err := <-results[ctx]; !errors.Is(err, context.Canceled) {
					t.Errorf("who gave up got %v", err)
				}
				close(gate)
				if err := <-results[context.Background()]; err != nil {
					t.Errorf("who waited got %v", err)
				}
				r.wantCalls(t, 1)
			})
		})
	}
}

// TestNothingForWhoHasGone protects against opening one SealingKey after the
// other for a caller that has given up.
func TestNothingForWhoHasGone(t *testing.T) {
	r := newRig(t)
	r.ring.Replace(r.key(t, "first", "*"), r.key(t, "second", "*"))
	n := sealed(t, seal.Strict, r.pair.Recipient())
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		r.keys.before = func(context.Context, keys.Entry) error { <-gate; return nil }
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() {
			_, err := unseal.Open(ctx, n, r.options())
			done <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		synctest.Wait()
		r.wantCalls(t, 1)
		close(gate)
	})
}

// TestFailures protects key services from being asked in vain for every
// document, and documents from a failure that is over.
func TestFailures(t *testing.T) {
	call := func(permanent bool) error {
		return &keys.CallError{Operation: keys.Unwrapping, Entry: kmsEntry(nil), Err: errors.New("AccessDeniedException"), Permanent: permanent}
	}
	tests := []struct {
		name  string
		err   error
		lasts bool
	}{
		{name: "permanent", err: call(true), lasts: true},
		{name: "not allowed", err: &keys.NotAllowedError{Entry: kmsEntry(nil)}, lasts: true},
		{name: "no identity", err: keys.ErrNoIdentity, lasts: true},
		{name: "transient", err: call(false)},
		{name: "unknown", err: errors.New("connection reset")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t, "*")
			n := sealed(t, seal.Strict, r.pair.Recipient())
			synctest.Test(t, func(t *testing.T) {
				failing := test.err
				r.keys.before = func(context.Context, keys.Entry) error { return failing }
				for range 3 {
					if err := r.open(n); !errors.Is(err, test.err) {
						t.Fatalf("got %v", err)
					}
				}
				want := int32(3)
				if test.lasts {
					want = 1
				}
				r.wantCalls(t, want)
				failing = nil
				err := r.open(n)
				if (err != nil) != test.lasts {
					t.Errorf("right after it was mended: %v", err)
				}
				time.Sleep(aWhile)
				if err := r.open(n); err != nil {
					t.Errorf("some time after it was mended: %v", err)
				}
				r.wantCalls(t, want+1)
			})
		})
	}
}

// TestSharedFailure protects key services from a crowd of documents while they
// are down.
func TestSharedFailure(t *testing.T) {
	r := newRig(t, "*")
	n := sealed(t, seal.Strict, r.pair.Recipient())
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		r.keys.before = func(context.Context, keys.Entry) error { <-gate; return errors.New("connection reset") }
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if err := r.open(manifest.Clone(n)); err == nil {
					t.Error("it opens")
				}
			})
		}
		synctest.Wait()
		close(gate)
		wg.Wait()
		r.wantCalls(t, 1)
	})
}

// TestTamperedKeyIsRemembered protects key services from a SealingKey that was
// changed: its data key can be had, for nothing.
func TestTamperedKeyIsRemembered(t *testing.T) {
	r := newRig(t)
	k := r.key(t, "prod", "*")
	k.SealingKey = parsedAgain(t, k)
	k.Name = "renamed"
	r.ring.Replace(k)
	n := sealed(t, seal.Strict, r.pair.Recipient())
	for range 3 {
		if err := r.open(n); !errors.As(err, new(*sopsdoc.TamperedError)) {
			t.Fatalf("got %v", err)
		}
	}
	r.wantCalls(t, 1)
}

// TestConcurrentChanges needs -race to say much.
func TestConcurrentChanges(t *testing.T) {
	r := newRig(t)
	prod, other := r.key(t, "prod", "*"), r.key(t, "other", "prod")
	n := sealed(t, seal.Strict, r.pair.Recipient())
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 10 {
				switch i {
				case 0:
					r.ring.Replace(prod, other)
				case 1:
					r.ring.Replace(other)
				case 2:
					r.ring.Remove("prod")
				default:
					if err := r.open(manifest.Clone(n)); err != nil && !errors.Is(err, keys.ErrNoIdentity) {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
}

// TestKeyErrors protects what a user reads when a key service refuses: which
// SealingKey, where it is, and the cause of each of its keys.
func TestKeyErrors(t *testing.T) {
	denied := &keys.CallError{Operation: keys.Unwrapping, Entry: kmsEntry(nil), Err: errors.New("AccessDeniedException"), Permanent: true, Hint: "allow kms:Decrypt"}
	r := newRig(t)
	r.ring.Replace(ringKey(t, r.pair, "prod", groupOf(r.master.Recipient(), r.master.Recipient()), "*"))
	r.keys.before = func(context.Context, keys.Entry) error { return denied }
	err := r.open(sealed(t, seal.Strict, r.pair.Recipient()))
	want := strings.Join([]string{
		"no key could unwrap the data key",
		`  unwrap with age recipient "` + r.pair.Recipient() + `": SealingKey prod (prod.yaml): no key could unwrap the data key`,
		"    unwrap with kms arn:aws:kms:eu-west-1:111122223333:key/x: AccessDeniedException",
		"    unwrap with kms arn:aws:kms:eu-west-1:111122223333:key/x: AccessDeniedException",
	}, "\n")
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	call, key := new(keys.CallError), new(unseal.KeyError)
	if !errors.As(err, &call) || call.Hint == "" || !errors.As(err, &key) || key.Key.Name != "prod" {
		t.Errorf("causes are lost in %T", err)
	}
	if inner := new(keys.NoKeyError); !errors.As(key.Err, &inner) || len(inner.Attempts) != 2 {
		t.Errorf("attempts are lost in %v", key.Err)
	}
}

// TestKeyringIsNeverPrinted protects the identities of SealingKeys that are
// open, and those in errors, against logs.
func TestKeyringIsNeverPrinted(t *testing.T) {
	r := newRig(t, "prod")
	if err := r.open(sealed(t, seal.Strict, r.pair.Recipient())); err != nil {
		t.Fatal(err)
	}
	damaged := sealed(t, seal.Strict, r.pair.Recipient())
	manifest.Set(manifest.Get(manifest.Root(damaged), "spec", "sealed", "sops", "age").Content[0], "enc", manifest.String("no age file"))
	errs := []error{r.open(damaged), r.open(inNamespace(sealed(t, seal.Cluster, r.pair.Recipient()), "b"))}
	for _, err := range errs {
		wantError(t, err, "SealingKey prod (prod.yaml)")
	}
	for _, v := range []any{r.ring, r.options(), errs} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
			checkHides(t, fmt.Sprintf(verb, v), secretPart(r.pair), secretPart(r.master), canary)
		}
	}
}
