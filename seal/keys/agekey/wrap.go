// SPDX-License-Identifier: Apache-2.0

package agekey

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"

	"filippo.io/age"
	"filippo.io/age/armor"
	"filippo.io/age/plugin"

	"github.com/signet-secrets/signet/seal/keys"
)

// Wrapper wraps secrets for age recipients. It holds no key and reads nothing.
// It is safe for concurrent use. It remembers the recipients that it has
// parsed, which takes as long for a hybrid one as wrapping.
type Wrapper struct {
	plugins *plugin.ClientUI
	parsed  sync.Map // text of a recipient -> Recipient
}

var _ keys.Wrapper = (*Wrapper)(nil)

// NewWrapper returns a Wrapper that runs age-plugin-<name> from PATH for
// recipients that need it, with plugins for talking to the user. With nil it
// refuses them before anything is executed.
func NewWrapper(plugins *plugin.ClientUI) *Wrapper { return &Wrapper{plugins: plugins} }

// Wrap implements keys.Wrapper for keys.AgeEntry. The result is an AgeEntry
// whose Enc is laid out as SOPS writes it (sops: age/keysource.go, Encrypt):
//
//	-----BEGIN AGE ENCRYPTED FILE-----\n<base64, 64 columns>\n-----END AGE ENCRYPTED FILE-----\n
//
// The secret has 1 to MaxSecretBytes bytes. When ctx ends while a plugin runs,
// Wrap returns and leaves the plugin to itself.
func (w *Wrapper) Wrap(ctx context.Context, to keys.Entry, secret []byte) (keys.Entry, error) {
	e, ok := to.(keys.AgeEntry)
	if !ok {
		return nil, fmt.Errorf("wrap with age: entry is of type %q", string(to.Type()))
	}
	r, err := w.recipient(e.Recipient)
	if err != nil {
		return nil, err
	}
	if err := checkFIPS(); err != nil {
		return nil, fmt.Errorf("wrap for age recipient %s: %w", quote(r.text), err)
	}
	enc, err := w.encrypt(ctx, r, secret)
	if err != nil {
		return nil, fmt.Errorf("wrap for age recipient %s: %w", quote(r.text), err)
	}
	return keys.AgeEntry{Recipient: r.text, Enc: enc}, nil
}

func (w *Wrapper) recipient(text string) (Recipient, error) {
	if r, ok := w.parsed.Load(text); ok {
		return r.(Recipient), nil
	}
	r, err := ParseRecipient(text)
	if err == nil {
		w.parsed.Store(text, r)
	}
	return r, err
}

func (w *Wrapper) encrypt(ctx context.Context, r Recipient, secret []byte) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if len(secret) == 0 || len(secret) > MaxSecretBytes {
		return "", fmt.Errorf("secret has %d bytes, want 1 to %d", len(secret), MaxSecretBytes)
	}
	to, err := w.ageRecipient(r)
	if err != nil {
		return "", err
	}
	if r.kind != Plugin {
		return encryptTo(r, to, secret)
	}
	// A copy: the plugin may outlive this call, and secret is the caller's.
	secret = bytes.Clone(secret)
	return await(ctx, func() (string, error) { return encryptTo(r, to, secret) })
}

func (w *Wrapper) ageRecipient(r Recipient) (age.Recipient, error) {
	if r.kind != Plugin {
		return r.native, nil
	}
	if w.plugins == nil {
		return nil, fmt.Errorf("it needs the plugin %q, and plugins are not allowed here", r.plugin)
	}
	return plugin.NewRecipient(r.text, w.plugins)
}

func encryptTo(r Recipient, to age.Recipient, secret []byte) (string, error) {
	var file, text bytes.Buffer
	if err := encryptBinary(&file, to, secret); err != nil {
		if r.kind == Plugin {
			return "", pluginCause(r.plugin, err)
		}
		return "", err
	}
	// What a plugin returns must be what our reader accepts.
	if err := r.checkHeader(file.Bytes()); err != nil {
		return "", err
	}
	a := armor.NewWriter(&text)
	if _, err := a.Write(file.Bytes()); err != nil {
		return "", err
	}
	if err := a.Close(); err != nil {
		return "", err
	}
	if text.Len() > MaxEncBytes {
		return "", fmt.Errorf("age file has %d bytes, at most %d are allowed", text.Len(), MaxEncBytes)
	}
	return text.String(), nil
}

func encryptBinary(dst *bytes.Buffer, to age.Recipient, secret []byte) error {
	w, err := age.Encrypt(dst, to)
	if err != nil {
		return err
	}
	if _, err := w.Write(secret); err != nil {
		return err
	}
	return w.Close()
}

// pluginCause turns an error of age's plugin client into one that holds no
// foreign text beyond what the function foreign lets through.
func pluginCause(name string, err error) error {
	if e := new(plugin.NotFoundError); errors.As(err, &e) {
		return fmt.Errorf("age-plugin-%s is not in PATH", name)
	}
	return fmt.Errorf("age-plugin-%s: %s", name, foreign(err.Error()))
}

// await runs f, which cannot be stopped, and leaves it behind when ctx ends.
func await[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		v, err := f()
		done <- result{v, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}
