// SPDX-License-Identifier: Apache-2.0

package unseal

import (
	"fmt"
	"slices"
	"sync"

	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// Key is a SealingKey with the place it comes from.
type Key struct {
	*sopsdoc.SealingKey
	// Place stands in messages behind the name: the path of a file, or ""
	// where the name says enough.
	Place string
}

func (k Key) String() string {
	if k.Place == "" {
		return sopsdoc.KeyKind + " " + k.Name
	}
	return sopsdoc.KeyKind + " " + k.Name + " (" + k.Place + ")"
}

// same reports whether both are one SealingKey, with nothing changed.
func (k Key) same(o Key) bool {
	return k.Place == o.Place && k.Name == o.Name && manifest.Equal(k.Node(), o.Node())
}

// Keyring is a set of SealingKeys: identities that are fetched when a document
// needs them. Each is opened at most once, however many documents ask at the
// same time, and stays open for as long as it belongs to the ring. Of what
// went wrong only a failure that will last is remembered, for some seconds.
//
// Beside the identities the ring keeps nothing, least of all data keys of
// documents: whoever puts a cache around Options.Unwrapper caches none that a
// SealingKey gave. So a SealingKey that leaves the ring takes along everything
// that it could open.
//
// A Keyring is safe for concurrent use.
type Keyring struct {
	open KeyOptions

	mu          sync.RWMutex
	keys        []*ringKey
	byRecipient map[string][]*ringKey
}

// maxPerRecipient is how many SealingKeys of one recipient are looked at: one
// key pair needs no more than its copies for a few places. Whoever may put
// SealingKeys into a repository must not be able to slow down every document.
const maxPerRecipient = 8

// NewKeyring returns a ring of SealingKeys. Nothing is opened yet. Two keys
// may have the same recipient, as copies do with other namespaces; they are
// tried in order, at most 8.
func NewKeyring(o KeyOptions, keys ...Key) *Keyring {
	r := &Keyring{open: o}
	r.Replace(keys...)
	return r
}

// Replace makes keys the content of the ring. A SealingKey that was in it
// unchanged, in the same place, stays open; one that was changed, in its
// namespaces too, is closed. Documents that are being opened meanwhile may
// still be opened with the previous ones.
func (r *Keyring) Replace(keys ...Key) {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := make([]*ringKey, 0, len(keys))
	for _, k := range keys {
		i := slices.IndexFunc(r.keys, func(old *ringKey) bool { return old.same(k) })
		if i < 0 {
			next = append(next, &ringKey{Key: k, options: r.open})
			continue
		}
		next = append(next, r.keys[i])
	}
	r.set(next)
}

func (r *Keyring) set(keys []*ringKey) {
	r.keys, r.byRecipient = keys, map[string][]*ringKey{}
	for _, k := range keys {
		if same := r.byRecipient[k.Recipient]; len(same) < maxPerRecipient {
			r.byRecipient[k.Recipient] = append(same, k)
		}
	}
}

// Remove takes the SealingKeys of a name out of the ring, as Replace without
// them would.
func (r *Keyring) Remove(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.set(slices.DeleteFunc(slices.Clone(r.keys), func(k *ringKey) bool { return k.Name == name }))
}

// Format writes how many SealingKeys there are, for every verb.
func (r *Keyring) Format(f fmt.State, _ rune) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	_, _ = fmt.Fprintf(f, "[%d SealingKeys]", len(r.keys))
}

var _ fmt.Formatter = (*Keyring)(nil)

// SealingKeys returns the keys in the ring, in order.
func (r *Keyring) SealingKeys() []Key {
	r.mu.RLock()
	defer r.mu.RUnlock()
	found := make([]Key, len(r.keys))
	for i, k := range r.keys {
		found[i] = k.Key
	}
	return found
}

// withRecipient returns the keys for a recipient, in order.
func (r *Keyring) withRecipient(recipient string) []*ringKey {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.byRecipient[recipient]
}
