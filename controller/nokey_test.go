// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"errors"
	"fmt"
	"testing"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// Of a message kubectl shows the first line alone. It says what to look at; what
// the other keys say is below.
func TestFirstLineSaysWhatHelps(t *testing.T) {
	arn, recipient := keys.KMSEntry{ARN: "arn:k"}, keys.AgeEntry{Recipient: "age1r"}
	called := func(cause string) keys.Attempt {
		return keys.Attempt{Entry: arn, Err: &keys.CallError{Operation: keys.Unwrapping, Entry: arn, Err: errors.New(cause)}}
	}
	noIdentity := keys.Attempt{Entry: recipient, Err: fmt.Errorf("age1r: %w", keys.ErrNoIdentity)}
	notAllowed := keys.Attempt{Entry: arn, Err: &keys.NotAllowedError{Entry: arn}}
	refused := keys.Attempt{Entry: arn, Err: &keys.CallError{Operation: keys.Unwrapping, Entry: arn, Err: answer{refused: true}}}
	key := unseal.Key{SealingKey: &sopsdoc.SealingKey{KeyClear: sopsdoc.KeyClear{Name: "prod"}}}
	closed := keys.Attempt{Entry: recipient, Err: fmt.Errorf("age1r: %w", &unseal.KeyError{
		Key: key, Err: &keys.NoKeyError{Attempts: []keys.Attempt{noIdentity, called("down")}}})}
	sealingKey := key.String()
	const none, noID, down = "no key could unwrap the data key", "age1r: ", "unwrap with kms arn:k: down"
	missing := noID + keys.ErrNoIdentity.Error()
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"nothing tried", &keys.NoKeyError{}, none},
		{"one", &keys.NoKeyError{Attempts: []keys.Attempt{called("down")}}, none + ": " + down},
		{"identity that is kept elsewhere, and a service that is down", &keys.NoKeyError{Attempts: []keys.Attempt{noIdentity, called("down")}},
			none + ": " + down + "\n  " + missing},
		{"down and refused", &keys.NoKeyError{Attempts: []keys.Attempt{called("down"), refused}},
			none + ": unwrap with kms arn:k: answer\n  " + down},
		{"identity that is kept elsewhere, and not allowed", &keys.NoKeyError{Attempts: []keys.Attempt{noIdentity, notAllowed}},
			none + ": " + notAllowed.Err.Error() + "\n  " + missing},
		{"key groups", &keys.NoKeyError{Attempts: []keys.Attempt{called("down")}, Opened: 1, Needed: 2},
			none + ": 1 of the 2 key groups that are needed gave their share: " + down},
		{"SealingKey", &keys.NoKeyError{Attempts: []keys.Attempt{closed}},
			none + ": age1r: " + sealingKey + ": " + none + ": " + down +
				"\n  age1r: " + sealingKey + ": " + none + "\n    " + missing + "\n    " + down},
		{"in time", fmt.Errorf("took too long: %w", &keys.NoKeyError{Attempts: []keys.Attempt{noIdentity, called("down")}}),
			"took too long: " + none + ": " + down + "\n  " + missing},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := openFailure(test.err)
			if got := f.Error(); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
			if !errors.As(f, new(*keys.NoKeyError)) {
				t.Error("the keys can't be found in the error any more")
			}
		})
	}
}
