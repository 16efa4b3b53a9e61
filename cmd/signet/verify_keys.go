// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/unseal"
)

// triedKey is a key of a document and whether it gives the data key.
type triedKey struct {
	recipient
	Result string `json:"result"` // resultOpens, resultElsewhere or resultFails
	Reason string `json:"reason,omitempty"`
}

const (
	resultOpens     = "opens it"
	resultElsewhere = "not at hand"
	resultFails     = "does not open it"
)

func (k triedKey) String() string {
	text := k.recipient.String() + ": " + k.Result
	if k.Result == resultFails {
		text += ": " + k.Reason
	}
	return text
}

// brokenKeysError says that keys are at hand that should open a document and do
// not.
type brokenKeysError struct{ keys []triedKey }

func (e *brokenKeysError) Error() string {
	names := make([]string, len(e.keys))
	for i, k := range e.keys {
		names[i] = k.String()
	}
	return strings.Join(names, "; ")
}

var errOtherKey = errors.New("what was wrapped for it is another data key")

// tryKeys tries every key of a document that was opened. The error is a
// *brokenKeysError, or that of ctx.
func (v *verifyCommand) tryKeys(ctx context.Context, d openedDocument) ([]triedKey, error) {
	var all, broken []triedKey
	groups := d.recipients.Groups
	for i, group := range groups {
		var want []byte // what each key of the group has to give
		if len(groups) == 1 && d.known {
			want = d.dataKey.Bytes()
		}
		for _, e := range group {
			secret, err := v.unwrap(ctx, e, d)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err == nil && want == nil {
				want = secret
			}
			if err == nil && !bytes.Equal(secret, want) {
				err = errOtherKey
			}
			k := triedWith(e, err)
			if len(groups) > 1 {
				k.Group = i + 1
			}
			k.SealingKey = v.opener.name(e)
			all = append(all, k)
			if k.Result == resultFails {
				broken = append(broken, k)
			}
		}
	}
	if len(broken) > 0 {
		return all, &brokenKeysError{broken}
	}
	return all, nil
}

func triedWith(e keys.Entry, err error) triedKey {
	k := triedKey{recipient: describe(e), Result: resultFails}
	switch {
	case err == nil:
		k.Result = resultOpens
		return k
	case errors.Is(err, keys.ErrNoIdentity), errors.As(err, new(*keys.NotAllowedError)), errors.As(err, new(*keys.UnsupportedError)), keys.Refused(err):
		k.Result = resultElsewhere
	}
	k.Reason, _, _ = strings.Cut(err.Error(), "\n")
	return k
}

// unwrap gives what one entry holds, with what is at hand, or else with the
// SealingKey that it is for.
func (v *verifyCommand) unwrap(ctx context.Context, e keys.Entry, d openedDocument) ([]byte, error) {
	if !d.ring {
		return v.keyring.Unwrapper.Unwrap(ctx, e)
	}
	secret, err := v.options.Unwrapper.Unwrap(ctx, e)
	if err == nil || !errors.Is(err, keys.ErrNoIdentity) {
		return secret, err
	}
	u, found, keyErr := v.opener.open(ctx, e, d.namespace)
	if !found {
		return nil, err
	}
	if keyErr != nil {
		return nil, keyErr
	}
	return u.Unwrap(ctx, e)
}

// keyOpener opens the SealingKeys of a Keyring, each once, for single entries.
type keyOpener struct {
	ring    *unseal.Keyring
	options unseal.KeyOptions

	mu     sync.Mutex
	opened map[string]*openedKey // by recipient
}

type openedKey struct {
	once sync.Once
	u    keys.Unwrapper
	err  error
}

// name is that of the SealingKey that an entry is for, or "".
func (o *keyOpener) name(e keys.Entry) string {
	for _, k := range o.ring.SealingKeys() {
		if e.Type() == keys.Age && k.Recipient == e.ID() {
			return k.Name
		}
	}
	return ""
}

// open returns what opens an entry for a SealingKey that may open documents of a
// namespace. found is false if there is none.
func (o *keyOpener) open(ctx context.Context, e keys.Entry, namespace string) (u keys.Unwrapper, found bool, err error) {
	for _, k := range o.ring.SealingKeys() {
		if e.Type() != keys.Age || k.Recipient != e.ID() || !k.Allows(namespace) {
			continue
		}
		o.mu.Lock()
		opened := o.opened[k.Recipient]
		if opened == nil {
			opened = new(openedKey)
			o.opened[k.Recipient] = opened
		}
		o.mu.Unlock()
		opened.once.Do(func() { opened.u, opened.err = o.use(ctx, k) })
		return opened.u, true, opened.err
	}
	return nil, false, nil
}

func (o *keyOpener) use(ctx context.Context, k unseal.Key) (keys.Unwrapper, error) {
	opened, err := unseal.OpenKey(ctx, k.Node(), o.options)
	if err != nil {
		return nil, &unseal.KeyError{Key: k, Err: err}
	}
	_, u, err := o.options.ParseIdentity(opened.Identity.Reveal())
	return u, err
}
