// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// answer is the cause of a call that failed, as providers have it.
type answer struct{ refused, foreign bool }

func (a answer) Error() string { return "answer" }
func (a answer) Refused() bool { return a.refused }
func (a answer) Foreign() bool { return a.foreign }

// Which reason a document gets that no key has opened: what has to happen before
// one of them does.
func TestKeyReason(t *testing.T) {
	arn, recipient := keys.KMSEntry{ARN: "arn"}, keys.AgeEntry{Recipient: "age1"}
	called := func(e keys.Entry, a answer) keys.Attempt {
		return keys.Attempt{Entry: e, Err: &keys.CallError{Operation: keys.Unwrapping, Entry: arn, Err: a}}
	}
	noIdentity := keys.Attempt{Entry: recipient, Err: fmt.Errorf("x: %w", keys.ErrNoIdentity)}
	notAllowed := keys.Attempt{Entry: arn, Err: &keys.NotAllowedError{Entry: arn}}
	elsewhere := keys.Attempt{Entry: recipient, Err: fmt.Errorf("x: %w", &unseal.KeyNamespaceError{})}
	down, refused, foreign := called(arn, answer{}), called(arn, answer{refused: true}), called(arn, answer{foreign: true})
	tests := []struct {
		name     string
		attempts []keys.Attempt
		want     Reason
	}{
		{"nothing tried", nil, KeyUnavailable},
		{"no identity", []keys.Attempt{noIdentity}, KeyUnavailable},
		{"not allowed", []keys.Attempt{notAllowed}, KeyNotAllowed},
		{"not allowed, and an identity that is kept elsewhere", []keys.Attempt{noIdentity, notAllowed, noIdentity}, KeyNotAllowed},
		{"SealingKey of other namespaces", []keys.Attempt{elsewhere}, KeyNotAllowed},
		{"service down", []keys.Attempt{noIdentity, down, notAllowed}, KeyUnavailable},
		{"refused", []keys.Attempt{notAllowed, refused}, KeyAccessDenied},
		{"down and refused", []keys.Attempt{down, refused}, KeyAccessDenied},
		{"wrapped for another place", []keys.Attempt{noIdentity, foreign}, TamperedDocument},
		{"wrapped for another place, another key is down", []keys.Attempt{foreign, down}, KeyUnavailable},
		{"SealingKey that is wrapped for another one", []keys.Attempt{called(recipient, answer{foreign: true})}, KeyUnavailable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := openFailure(&keys.NoKeyError{Attempts: tt.attempts}).reason; got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

// What an operator has denied is not taken for a rule of Signet's.
func TestDenyListNamesItsOwner(t *testing.T) {
	o := &opener{deny: denyList(sopsdoc.Policy{Types: []string{"Opaque"}})}
	_, err := o.open(t.Context(), newDocument(sealed(t, 1, map[string]string{"password": "correct horse battery staple"})))
	f := new(failure)
	if !errors.As(err, &f) || f.reason != TypeDenied || !strings.Contains(err.Error(), "is on the deny-list of this controller, whose operator added it") {
		t.Errorf("got %v", err)
	}
}

func TestOpenedBy(t *testing.T) {
	for _, test := range []struct {
		name, key string
		want      bool
	}{
		{"none", "", false},
		{"that one", "SealingKey/prod", true},
		{"one of several", "kms:arn, SealingKey/prod", true},
		{"longer name", "SealingKey/prod-2", false},
		{"shorter name", "SealingKey/pro", false},
		{"no SealingKey", "age:prod", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := openedBy(test.key, "prod"); got != test.want {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}

func TestKeyName(t *testing.T) {
	long := strings.Repeat("x", 300)
	kms, age := keys.KMSEntry{ARN: "arn:x"}, keys.AgeEntry{Recipient: "age1x"}
	for _, test := range []struct {
		name string
		used []unseal.UsedKey
		want string
	}{
		{"none", nil, ""},
		{"key of a service", []unseal.UsedKey{{Entry: kms}}, "kms:arn:x"},
		{"identity", []unseal.UsedKey{{Entry: age}}, "age:age1x"},
		{"SealingKey", []unseal.UsedKey{{Entry: age, SealingKey: "prod"}}, "SealingKey/prod"},
		{"two groups", []unseal.UsedKey{{Entry: age, SealingKey: "prod"}, {Entry: kms}}, "SealingKey/prod, kms:arn:x"},
		{"hybrid identity", []unseal.UsedKey{{Entry: keys.AgeEntry{Recipient: "age1pq1qqqqqqqqqqqqq" + long + "zzzzzzzz"}}}, "age:age1pq1qqqqqqqqqqqqq...zzzzzzzz"},
		{"identity as long as may be", []unseal.UsedKey{{Entry: keys.AgeEntry{Recipient: long[:70]}}}, "age:" + long[:70]},
		{"long", []unseal.UsedKey{{Entry: keys.KMSEntry{ARN: long}}}, "kms:" + long[:maxKeyNameBytes] + "..."},
		{"as long as may be", []unseal.UsedKey{{Entry: keys.KMSEntry{ARN: long[:maxKeyNameBytes]}}}, "kms:" + long[:maxKeyNameBytes]},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := keyName(test.used); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}
