// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/signet-secrets/signet/unseal"
)

// profileVersion is that of the rules by which documents are read. It changes
// when a document that was good may not be any more.
const profileVersion = "v1"

// policy digests everything beside the object that decides whether a document
// may be opened, and what may come out of it.
type policy struct {
	base string
	ring *unseal.Keyring
}

func newPolicy(o Options, ring *unseal.Keyring) *policy {
	types, metadata := slices.Clone(o.Deny.Types), slices.Clone(o.Deny.Metadata)
	slices.Sort(types)
	slices.Sort(metadata)
	return &policy{base: digest([]any{profileVersion, o.AllowList, types, metadata}), ring: ring}
}

// digest returns the digest for a document that was opened with a key as
// keyName names it. Of SealingKeys only that one plays a part: that others come
// and go is no reason to open the document anew. A document that no key has
// opened hangs on all of them.
func (p *policy) digest(key string) string {
	if key != "" && !strings.Contains(key, sealingKeyPrefix) {
		return p.base
	}
	var restrictions []any
	for _, k := range p.ring.SealingKeys() {
		if key == "" || slices.Contains(strings.Split(key, ", "), sealingKeyPrefix+k.Name) {
			restrictions = append(restrictions, k.Name, k.Recipient, k.Namespaces)
		}
	}
	return digest([]any{p.base, restrictions})
}

// digest is the SHA-256, in hex, of the JSON of v.
func digest(v any) string {
	text, err := json.Marshal(v)
	if err != nil { // of strings and lists: it can't fail
		panic("digest: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
