// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
)

// Content is what is under seal in an envelope: the values of a Secret.
type Content struct {
	// Data holds binary values in standard base64 without line breaks, as a
	// Secret's data does.
	Data map[string]string
	// StringData holds UTF-8 values. No key stands in both maps.
	StringData map[string]string
}

// Equal reports whether both hold the same values under the same keys.
func (c Content) Equal(o Content) bool {
	return maps.Equal(c.Data, o.Data) && maps.Equal(c.StringData, o.StringData)
}

// Previous is an envelope with what Open gave for it: what SealEnvelope may
// keep.
type Previous struct {
	Envelope *Envelope
	Content  Content
	// Also are other versions under the same data key, opened too: ciphertext
	// may come from them, in order, where this one has none. Their own Also
	// plays no part.
	Also []Previous
}

// versions returns p and what it has beside itself. A nil p has none.
func (p *Previous) versions() []*Previous {
	if p == nil {
		return nil
	}
	all := []*Previous{p}
	for i := range p.Also {
		all = append(all, &p.Also[i])
	}
	return all
}

// Has reports whether e is the envelope of p, or of one in p.Also.
func (p *Previous) Has(e *Envelope) bool {
	return slices.ContainsFunc(p.versions(), func(v *Previous) bool { return v.Envelope == e })
}

// Open decrypts and authenticates the whole envelope under the data key k.
// The error is a *TamperedError, or an *InvalidError for content that could
// not have been sealed.
func (e *Envelope) Open(k keys.DataKey) (Content, error) {
	return e.sealed.open(k, e.Metadata, e.fields(e.DataKeys(), e.StringDataKeys()))
}

// sopsBool writes a boolean as SOPS hashes and encrypts it: as Python did
// (sops: sops.go, ToBytes).
func sopsBool(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

// check refuses content that no Secret can hold.
func (c Content) check() error {
	for _, key := range slices.Sorted(maps.Keys(c.Data)) {
		if _, err := decodeBase64(c.Data[key]); err != nil {
			return invalid(manifest.ChildPath("signet.data", key), "is not base64 without line breaks")
		}
	}
	return checkTexts("signet.stringData", c.StringData)
}

// checkTexts refuses what neither YAML nor canonical JSON can hold.
func checkTexts(path string, texts map[string]string) error {
	for _, key := range slices.Sorted(maps.Keys(texts)) {
		if !utf8.ValidString(key) || !utf8.ValidString(texts[key]) {
			return invalid(manifest.ChildPath(path, key), "is not UTF-8 text")
		}
	}
	return nil
}

// SealEnvelope encrypts content under the data key k, which recipients wrap.
// With prev, an envelope under the same data key, it keeps the ciphertext of
// every value that stands unchanged in the same place, so that only what
// changed changes, and returns prev's envelope itself, or one of prev.Also, if
// that is the result already. Without prev k is new, and former are the data keys
// of those envelopes that were opened for it, which the new one is to succeed. now
// becomes lastmodified. The caller has checked names and policy.
func SealEnvelope(clear Clear, content Content, k keys.DataKey, recipients keys.Recipients, now time.Time, prev *Previous, former ...keys.DataKey) (*Envelope, error) {
	if err := checkSealable(clear, content); err != nil {
		return nil, err
	}
	if err := checkCount(recipients); err != nil {
		return nil, err
	}
	c, err := NewCipher(k)
	if err != nil {
		return nil, err
	}
	version, descent := Version, lineage(k, former)
	if prev != nil {
		version = prev.Envelope.Metadata.Version // a new Signet changes no more than it has to
		descent = prev.Envelope.Metadata.lineage
	}
	md := newMetadata(recipients, now, version, descent)
	fields := clear.fields(sortedKeys(content.Data), sortedKeys(content.StringData))
	for _, p := range prev.versions() {
		if p.binding() == fields.binding(md) && p.Content.Equal(content) {
			return p.Envelope, nil
		}
	}
	return &Envelope{Clear: clear, Metadata: md, sealed: sealer{c, prev}.seal(content, md, fields)}, nil
}

// binding returns the plaintext of the envelope's binding. Open has compared
// it, so it need not be decrypted again.
func (p *Previous) binding() string {
	e := p.Envelope
	return e.fields(e.DataKeys(), e.StringDataKeys()).binding(e.Metadata)
}

func checkSealable(clear Clear, content Content) error {
	if _, err := ParseScope(clear.Scope.String()); err != nil {
		return invalid("scope", "%v", err)
	}
	if clear.Type == "" {
		return invalid("type", "is empty")
	}
	if err := clear.check(); err != nil {
		return err
	}
	if err := checkTexts("labels", clear.Labels); err != nil {
		return err
	}
	if err := checkTexts("annotations", clear.Annotations); err != nil {
		return err
	}
	for _, values := range []map[string]string{content.Data, content.StringData} {
		for key := range values {
			if !ValidDataKey(key) {
				return invalid(manifest.ChildPath("", key), "is not a valid key of a Secret")
			}
		}
	}
	for key := range content.Data {
		if _, both := content.StringData[key]; both {
			return invalid(manifest.ChildPath("stringData", key), "stands in data too")
		}
	}
	return content.check()
}
