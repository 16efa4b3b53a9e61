// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"runtime/debug"
	"testing"

	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/unseal"
)

// Errors of the Go API hold no secrets either, whatever prints them, and
// neither does what a panic prints.
func TestCanaryAPI(t *testing.T) {
	isolate(t)
	alice, mallory := newKeyFile(t), newKeyFile(t)
	c := newCanaries(alice, mallory)
	unwrapper := agekey.NewUnwrapper(agekey.Sources{Identities: []agekey.Identity{mallory.identity}})
	sealOptions := seal.Options{Wrapper: keys.Wrappers{keys.Age: agekey.NewWrapper(nil)},
		Recipients: keys.Recipients{Groups: []keys.Group{{keys.AgeEntry{Recipient: alice.recipient}}}}}
	var errs []error
	for _, row := range append(sealLeaks(alice), openLeaks(t, alice, mallory)...) {
		n, err := manifest.Parse([]byte(row.stdin))
		errs = append(errs, err)
		if err != nil {
			continue
		}
		for _, o := range []seal.Options{sealOptions, {}} {
			errs = append(errs, guarded(func() error { _, err := seal.Seal(t.Context(), n, nil, o); return err }))
			errs = append(errs, guarded(func() error {
				_, err := seal.SealSOPS(t.Context(), nodes(n), nil, seal.SOPSOptions{Options: o})
				return err
			}))
		}
		for _, o := range []unseal.Options{{Unwrapper: unwrapper}, {Unwrapper: keys.Unwrappers{}}, {}} {
			errs = append(errs, guarded(func() error { _, err := unseal.Open(t.Context(), n, o); return err }))
			errs = append(errs, guarded(func() error { _, err := unseal.OpenFile(t.Context(), nodes(n), o); return err }))
		}
	}
	count := 0
	for _, err := range errs {
		for ; err != nil; err = errors.Unwrap(err) {
			count++
			for _, verb := range []string{"%v", "%+v", "%#v", "%q", "%s", "%x", "%d"} {
				if _, ok := err.(*keys.NoKeyError); ok && (verb == "%#v" || verb == "%d") {
					continue // dumps the entries, which are the document's
				}
				if part := c.in(fmt.Sprintf(verb, err)); part != "" {
					t.Errorf("%s of a %T holds %q: %.500s", verb, err, part, fmt.Sprintf(verb, err))
				}
			}
		}
	}
	t.Logf("%d errors", count)
}

// guarded turns a panic into an error with all that the runtime would print.
func guarded(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return f()
}
