// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestCallError(t *testing.T) {
	cause := errors.New("AccessDeniedException")
	tests := []struct {
		name string
		err  CallError
		want string
	}{
		{"unwrap", CallError{Operation: Unwrapping, Entry: KMSEntry{ARN: arn1, Enc: "canary"}, Err: cause},
			"unwrap with kms " + arn1 + ": AccessDeniedException"},
		{"wrap", CallError{Operation: Wrapping, Entry: AzureKVEntry{VaultURL: "https://v", Name: "k"}, Err: cause, Permanent: true, Hint: "canary"},
			"wrap for azure_kv https://v/keys/k/: AccessDeniedException"},
		{"line break in the ID", CallError{Operation: Unwrapping, Entry: PGPEntry{Fingerprint: "a\nb"}, Err: cause}, `unwrap with pgp "a\nb": AccessDeniedException`},
		{"private key for an ID", CallError{Operation: Wrapping, Entry: PGPEntry{Fingerprint: "AGE-SECRET-KEY-1QQ"}, Err: cause},
			"wrap for pgp (a private key): AccessDeniedException"},
		{"long ID", CallError{Operation: Unwrapping, Entry: PGPEntry{Fingerprint: strings.Repeat("a", 3000)}, Err: cause},
			"unwrap with pgp " + strings.Repeat("a", 200) + "...: AccessDeniedException"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.err.Error(); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if !errors.Is(&tt.err, cause) {
				t.Error("the cause is out of reach")
			}
		})
	}
}

func TestPermanent(t *testing.T) {
	call := func(permanent bool, err error) error {
		return &CallError{Operation: Unwrapping, Entry: secretA, Err: err, Permanent: permanent}
	}
	none := func(errs ...error) error {
		e := &NoKeyError{}
		for _, err := range errs {
			e.Attempts = append(e.Attempts, Attempt{secretA, err})
		}
		return e
	}
	x := errors.New("x")
	notAllowed, unsupported := &NotAllowedError{Entry: secretA}, &UnsupportedError{Type: PGP}
	tests := []struct {
		name string
		err  error
		want bool
	}{
		{"nil", nil, false},
		{"any", x, false},
		{"context", context.DeadlineExceeded, false},
		{"no identity", ErrNoIdentity, false},
		{"permanent call", call(true, x), true},
		{"transient call", call(false, x), false},
		{"what the call says counts, not its cause", call(false, unsupported), false},
		{"permanent call for a transient cause", call(true, context.DeadlineExceeded), true},
		{"not allowed", notAllowed, true},
		{"not supported", unsupported, true},
		{"wrapped", fmt.Errorf("x: %w", call(true, x)), true},
		{"wrapped twice", fmt.Errorf("x: %w", fmt.Errorf("x: %w", notAllowed)), true},
		{"wrapped, transient", fmt.Errorf("x: %w", call(false, x)), false},
		{"no key at all", none(), false},
		{"all keys", none(call(true, x), notAllowed, fmt.Errorf("x: %w", unsupported)), true},
		{"one transient", none(call(true, x), call(false, x)), false},
		{"one transient, first", none(call(false, x), call(true, x)), false},
		{"one without identity", none(notAllowed, ErrNoIdentity), false},
		{"joined", errors.Join(call(true, x), notAllowed), true},
		{"joined with another", errors.Join(call(true, x), x), false},
		{"no key, wrapped", fmt.Errorf("open: %w", none(call(true, x))), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Permanent(tt.err); got != tt.want {
				t.Errorf("got %t", got)
			}
		})
	}
}

// refusal is a cause as a provider has it.
type refusal struct{ refused bool }

func (r refusal) Error() string { return "answer" }
func (r refusal) Refused() bool { return r.refused }

// foreigner is a cause that says that a ciphertext is not that of the key.
type foreigner struct{ refusal }

func (foreigner) Foreign() bool { return true }

func TestForeign(t *testing.T) {
	call := func(cause error) error { return &CallError{Operation: Unwrapping, Entry: secretA, Err: cause} }
	for err, want := range map[error]bool{
		call(foreigner{}): true, fmt.Errorf("x: %w", call(foreigner{})): true,
		call(refusal{true}): false, errors.New("x"): false,
	} {
		if got := Foreign(err); got != want {
			t.Errorf("Foreign(%v) = %v, want %v", err, got, want)
		}
	}
}

func TestRefused(t *testing.T) {
	call := func(cause error) error { return &CallError{Operation: Unwrapping, Entry: secretA, Err: cause} }
	tests := []struct {
		name string
		err  error
		want bool
	}{
		{"nil", nil, false},
		{"any", errors.New("x"), false},
		{"refused", call(refusal{true}), true},
		{"answered otherwise", call(refusal{false}), false},
		{"wrapped cause", call(fmt.Errorf("x: %w", refusal{true})), true},
		{"wrapped", fmt.Errorf("x: %w", call(refusal{true})), true},
		{"one of several", &NoKeyError{Attempts: []Attempt{{secretA, ErrNoIdentity}, {secretA, call(refusal{true})}}}, true},
		{"none of several", &NoKeyError{Attempts: []Attempt{{secretA, ErrNoIdentity}, {secretA, call(refusal{false})}}}, false},
		{"not allowed", &NotAllowedError{Entry: secretA}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Refused(tt.err); got != tt.want {
				t.Errorf("Refused(%v) = %v, want %v", tt.err, got, tt.want)
			}
		})
	}
}
