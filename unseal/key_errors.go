// SPDX-License-Identifier: Apache-2.0

package unseal

import (
	"errors"
	"fmt"
	"strings"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// KeyError says why a SealingKey was of no use.
type KeyError struct {
	Key Key
	// Err is the cause: one of OpenKey, or that of the identity in the
	// SealingKey for the entry that it was to open.
	Err error
}

// Error names the SealingKey and its place. What has several lines is indented
// to stand in the list of a *keys.NoKeyError.
func (e *KeyError) Error() string {
	return e.Key.String() + ": " + strings.ReplaceAll(e.Err.Error(), "\n", "\n  ")
}

// Unwrap returns the cause.
func (e *KeyError) Unwrap() error { return e.Err }

// KeyNamespaceError says that the spec.namespaces of a SealingKey do not list
// the namespace of a document. The SealingKey was not opened for it. The error
// wraps keys.ErrNoIdentity: for that document no identity is at hand.
type KeyNamespaceError struct {
	Key       Key
	Namespace string // "" for a SOPS document, which has none
}

func (e *KeyNamespaceError) Error() string {
	if e.Namespace == "" {
		return fmt.Sprintf("%s may not open SOPS documents, which belong to no namespace: its spec.namespaces are not [%q]", e.Key, sopsdoc.Any)
	}
	return fmt.Sprintf("%s may not open documents of namespace %s", e.Key, e.Namespace)
}

// Unwrap returns keys.ErrNoIdentity.
func (e *KeyNamespaceError) Unwrap() error { return keys.ErrNoIdentity }

// failed makes a cause of what the key failed with, nil of nil.
func (k *ringKey) failed(err error) error {
	if err == nil {
		return nil
	}
	return &KeyError{Key: k.Key, Err: err}
}

// entryError makes the error for an entry of the causes why no SealingKey has
// opened it, nil if there is none.
func entryError(e keys.Entry, causes ...error) error {
	err := errors.Join(causes...)
	if err == nil {
		return nil
	}
	recipient := e.ID()
	if len(recipient) > maxShownBytes {
		recipient = recipient[:maxShownBytes] + "..."
	}
	if len(causes) == 1 {
		return fmt.Errorf("unwrap with age recipient %q: %w", recipient, causes[0])
	}
	return &keyErrors{recipient: recipient, causes: causes}
}

// maxShownBytes is what is shown of a recipient: a classic one as a whole.
const maxShownBytes = 62

// keyErrors is that several SealingKeys of one recipient were of no use.
type keyErrors struct {
	recipient string
	causes    []error
}

func (e *keyErrors) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "unwrap with age recipient %q, which %d SealingKeys have:", e.recipient, len(e.causes))
	for _, cause := range e.causes {
		b.WriteString("\n    " + strings.ReplaceAll(cause.Error(), "\n", "\n  "))
	}
	return b.String()
}

func (e *keyErrors) Unwrap() []error { return e.causes }

var (
	_ error = (*KeyError)(nil)
	_ error = (*KeyNamespaceError)(nil)
)
