// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"errors"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
)

// fields returns what the binding and the mac of a SealingKey cover beside the
// identity.
func (k KeyClear) fields() clearFields {
	return clearFields{
		kind:  "SealingKey",
		names: "metadata.name or recipient",
		json:  k.json(),
		above: []string{k.Recipient},
	}
}

// json returns the canonical JSON of the authenticated fields.
func (k KeyClear) json() []byte {
	return canonicalJSON(manifest.Mapping(
		scalar("kind"), scalar(KeyKind),
		scalar("name"), scalar(k.Name),
		scalar("recipient"), scalar(k.Recipient),
		scalar("v"), &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: "1"},
	))
}

// Open decrypts and authenticates the SealingKey under the data key dk. That
// the identity is the one of the recipient is for the caller to find out:
// whoever makes a SealingKey can put any two together. The error is a
// *TamperedError, or an *InvalidError for content that could not have been
// sealed.
func (k *SealingKey) Open(dk keys.DataKey) (Identity, error) {
	content, err := k.sealed.open(dk, k.Metadata, k.fields())
	if err != nil {
		return Identity{}, Below(sealedPath, err)
	}
	id, err := ParseIdentity(content.StringData[identityKey])
	if err == nil && !id.fits(k.Recipient) {
		err = errors.New("is of another kind than the recipient")
	}
	if err != nil {
		return Identity{}, invalid(identityPath, "%v", err)
	}
	return id, nil
}

const identityPath = sealedPath + ".signet.stringData." + identityKey

// CheckSealingKey returns the *InvalidError that SealSealingKey would return,
// for those who want it before they wrap the data key.
func CheckSealingKey(clear KeyClear, id Identity, recipients keys.Recipients) error {
	if err := clear.check(); err != nil {
		return err
	}
	if _, err := ParseIdentity(id.Reveal()); err != nil {
		return invalid(identityPath, "%v", err)
	}
	if !id.fits(clear.Recipient) {
		return invalid(identityPath, "is of another kind than the recipient")
	}
	for _, e := range recipients.Entries() {
		if e.Type() == keys.Age && strings.TrimSpace(e.ID()) == clear.Recipient {
			return invalid(sealedPath+".sops.age", "names the recipient of the SealingKey itself, which would be needed to open it")
		}
	}
	return Below(sealedPath, checkCount(recipients))
}

// SealSealingKey puts the identity of a key pair under seal with the data key
// dk, which recipients wrap. now becomes lastmodified. What breaks the format
// is an *InvalidError.
func SealSealingKey(clear KeyClear, id Identity, dk keys.DataKey, recipients keys.Recipients, now time.Time) (*SealingKey, error) {
	if err := CheckSealingKey(clear, id, recipients); err != nil {
		return nil, err
	}
	c, err := NewCipher(dk)
	if err != nil {
		return nil, err
	}
	clear.Namespaces = slices.Clone(clear.Namespaces)
	md := newMetadata(recipients, now, Version, nil)
	content := Content{StringData: map[string]string{identityKey: id.Reveal()}}
	return &SealingKey{KeyClear: clear, Metadata: md, sealed: sealer{Cipher: c}.seal(content, md, clear.fields())}, nil
}
