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
const profileVersion = "v2"

// policy digests everything beside the object that decides whether a document
// may be opened, and what may come out of it.
type policy struct {
	base    string
	keyring *unseal.Keyring
}

func newPolicy(o Options, keyring *unseal.Keyring) *policy {
	types, metadata := slices.Clone(o.Deny.Types), slices.Clone(o.Deny.Metadata)
	slices.Sort(types)
	slices.Sort(metadata)
	return &policy{base: digest([]any{profileVersion, o.AllowList, types, metadata}), keyring: keyring}
}

// now returns the policy as it is, with the SealingKeys that there are.
func (p *policy) now() rules { return rules{p.base, p.keyring.SealingKeys()} }

// rules are the policy at one time. Who opens a document takes them before: if
// they change meanwhile, the result is that of rules which are past, and says so.
type rules struct {
	base string
	keys []unseal.Key
}

// digest returns the digest for a document that was opened with a key as
// keyName names it. Of SealingKeys only that one plays a part: that others come
// and go is no reason to open the document anew. A document that no key has
// opened hangs on all of them, and on which keys they can be opened with.
func (r rules) digest(key string) string {
	if key != "" && !strings.Contains(key, sealingKeyPrefix) {
		return r.base
	}
	var restrictions []any
	for _, k := range r.keys {
		if key == "" || openedBy(key, k.Name) {
			restrictions = append(restrictions, k.Name, k.Recipient, k.Namespaces)
		}
		if key == "" {
			restrictions = append(restrictions, k.Metadata.Recipients, k.Metadata.MAC())
		}
	}
	return digest([]any{r.base, restrictions})
}

// digest is the SHA-256, in hex, of the JSON of v.
func digest(v any) string {
	text, err := json.Marshal(v)
	if err != nil { // of strings, numbers, lists and maps: it can't fail
		panic("digest: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
