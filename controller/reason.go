// SPDX-License-Identifier: Apache-2.0

package controller

// The types of conditions.
const (
	// Ready says whether the Secret is as sealed. It is always there.
	Ready = "Ready"
	// Stalled is there while trying again is in vain: only a change of the
	// object, of a SealingKey or of the configuration helps.
	Stalled = "Stalled"
)

// Reason is the reason of a condition or an event: a CamelCase word that tools
// may rely on.
type Reason string

// The reasons of Ready. README.md says for each of them what to do.
const (
	// Unsealed: the Secret is as sealed.
	Unsealed Reason = "Unsealed"
	// Suspended: spec.suspend is set, and the Secret is left alone.
	Suspended Reason = "Suspended"

	// Only a change helps with these; Stalled is set too.

	// ScopeMismatch: the document was sealed for another place.
	ScopeMismatch Reason = "ScopeMismatch"
	// InvalidDocument: the object breaks the format.
	InvalidDocument Reason = "InvalidDocument"
	// TamperedDocument: the document was changed after it was sealed.
	TamperedDocument Reason = "TamperedDocument"
	// TypeDenied: the type, a label or an annotation may not come out.
	TypeDenied Reason = "TypeDenied"
	// KeyNotAllowed: every key of the document that the controller could use is
	// outside the allow-list, or is a SealingKey that is not for this namespace.
	KeyNotAllowed Reason = "KeyNotAllowed"

	// These are tried again, for ever.

	// KeyUnavailable: no key opened the document: the service doesn't answer,
	// or no identity or SealingKey is there.
	KeyUnavailable Reason = "KeyUnavailable"
	// KeyAccessDenied: a key service refused the controller.
	KeyAccessDenied Reason = "KeyAccessDenied"
	// SecretNotOwned: there is a Secret of that name that belongs to somebody
	// else and doesn't consent.
	SecretNotOwned Reason = "SecretNotOwned"
	// SecretNotFound: there is no Secret to merge into.
	SecretNotFound Reason = "SecretNotFound"
	// SecretIncompatible: the Secret has another type, or is immutable, and may
	// not be deleted and made anew for that.
	SecretIncompatible Reason = "SecretIncompatible"
	// KeyConflict: a key, label or annotation that is to be merged is there
	// already and belongs to somebody else, or an owner claims a key that an
	// addition to its Secret holds.
	KeyConflict Reason = "KeyConflict"
	// QuotaExceeded: the namespace has no room for another Secret.
	QuotaExceeded Reason = "QuotaExceeded"
	// NamespaceTerminating: the namespace is being deleted.
	NamespaceTerminating Reason = "NamespaceTerminating"
	// WriteRefused: the API server, or an admission policy, refused the Secret.
	WriteRefused Reason = "WriteRefused"
	// APIError: the API server could not be reached, or failed.
	APIError Reason = "APIError"
)

// The reason of the Ready condition of a SealingKey, beside InvalidDocument,
// TamperedDocument, KeyUnavailable, KeyAccessDenied and KeyNotAllowed.
const (
	// Closed: the SealingKey is well formed; no document has needed it yet.
	Closed Reason = "Closed"
	// Opened: documents are opened with it.
	Opened Reason = "Opened"
)

// The reasons of events, beside those of conditions.
const (
	// Updated: the Secret was written, for another reason than those below.
	Updated Reason = "Updated"
	// Healed: the Secret was put back to what is sealed.
	Healed Reason = "Healed"
	// Recreated: the Secret was deleted and made anew, because its type or its
	// being immutable left no other way.
	Recreated Reason = "Recreated"
	// Adopted: the Secret consented to being taken over.
	Adopted Reason = "Adopted"
	// Deleted: a Secret that the document no longer names was deleted.
	Deleted Reason = "Deleted"
)

// stalled reports whether only a change helps.
func (r Reason) stalled() bool {
	switch r {
	case ScopeMismatch, InvalidDocument, TamperedDocument, TypeDenied, KeyNotAllowed:
		return true
	}
	return false
}
