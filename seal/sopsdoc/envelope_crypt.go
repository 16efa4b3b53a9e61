// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"errors"
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
}

// Open decrypts and authenticates the whole envelope under the data key k.
// The error is a *TamperedError, or an *InvalidError for content that could
// not have been sealed.
func (e *Envelope) Open(k keys.DataKey) (Content, error) {
	c, err := NewCipher(k)
	if err != nil {
		return Content{}, err
	}
	binding, err := c.open("signet.binding", sealedValue{Value: e.binding}, "signet", "binding")
	if err != nil {
		return Content{}, err
	}
	if err := checkBinding(binding, bindClear(e.Clear, e.DataKeys(), e.StringDataKeys()), hexSum(e.Metadata.unsigned)); err != nil {
		return Content{}, err
	}
	var out Content
	if out.Data, err = c.openMap("data", e.data); err != nil {
		return Content{}, err
	}
	if out.StringData, err = c.openMap("stringData", e.stringData); err != nil {
		return Content{}, err
	}
	if err := envelopeMAC(e.Clear, binding, out).verify(c, e.Metadata); err != nil {
		return Content{}, err
	}
	if err := out.check(); err != nil {
		return Content{}, err
	}
	return out, nil
}

func (c *Cipher) openMap(name string, m map[string]sealedValue) (map[string]string, error) {
	out := make(map[string]string, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		text, err := c.open(manifest.ChildPath("signet."+name, key), m[key], "signet", name, key)
		if err != nil {
			return nil, err
		}
		out[key] = text
	}
	return out, nil
}

func (c *Cipher) open(path string, v sealedValue, at ...string) (string, error) {
	if v.empty {
		return "", nil
	}
	plain, err := c.Decrypt(v.Value, aad(at...))
	if errors.Is(err, errAuthentication) {
		return "", &TamperedError{Path: path, Reason: "does not authenticate: it was changed, moved here or encrypted with another data key"}
	}
	if err != nil {
		return "", invalid(path, "%v", err)
	}
	return string(plain), nil
}

// envelopeMAC hashes every value of an envelope in key order.
func envelopeMAC(clear Clear, binding string, content Content) mac {
	m := newMAC(false)
	addMap := func(values map[string]string) {
		for _, key := range slices.Sorted(maps.Keys(values)) {
			m.add(values[key])
		}
	}
	addMap(clear.Annotations)
	m.add(sopsBool(clear.Immutable))
	addMap(clear.Labels)
	m.add(clear.Scope.String())
	m.add(binding)
	addMap(content.Data)
	addMap(content.StringData)
	m.add(clear.Type)
	return m
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
// changed changes, and returns prev's envelope itself if nothing did. now
// becomes lastmodified. The caller has checked names and policy.
func SealEnvelope(clear Clear, content Content, k keys.DataKey, recipients keys.Recipients, now time.Time, prev *Previous) (*Envelope, error) {
	if err := checkSealable(clear, content); err != nil {
		return nil, err
	}
	if n := len(recipients.Entries()); n == 0 || n > maxRecipients {
		return nil, invalid("sops", "%d recipients, there must be 1 to %d", n, maxRecipients)
	}
	c, err := NewCipher(k)
	if err != nil {
		return nil, err
	}
	e := &Envelope{Clear: clear, Metadata: &Metadata{
		Recipients:   recipients,
		LastModified: lastModified(now),
		Selector:     keys.Selector{Kind: keys.EncryptedRegex, Pattern: envelopeSelector},
		Version:      Version,
	}}
	e.Metadata.keepVersion(prev)
	e.Metadata.unsigned = canonicalJSON(e.Metadata.unsignedNode())
	s := sealer{c, prev}
	e.data = s.seal("data", content.Data)
	e.stringData = s.seal("stringData", content.StringData)
	binding := joinBinding(bindClear(clear, e.DataKeys(), e.StringDataKeys()), hexSum(e.Metadata.unsigned))
	kept := prev != nil && prev.binding() == binding
	if kept && prev.Content.Equal(content) {
		return prev.Envelope, nil
	}
	e.binding = c.Encrypt([]byte(binding), TypeString, aad("signet", "binding"))
	if kept {
		e.binding = prev.Envelope.binding
	}
	code := envelopeMAC(clear, binding, content).sum()
	e.Metadata.mac = c.Encrypt([]byte(code), TypeString, e.Metadata.macAAD())
	return e, nil
}

// keepVersion keeps the version of an envelope that is only changed, so that a
// new Signet does not touch more than it has to.
func (m *Metadata) keepVersion(prev *Previous) {
	if prev != nil {
		m.Version = prev.Envelope.Metadata.Version
	}
}

// binding returns the plaintext of the envelope's binding. Open has compared
// it, so it need not be decrypted again.
func (p *Previous) binding() string {
	e := p.Envelope
	return joinBinding(bindClear(e.Clear, e.DataKeys(), e.StringDataKeys()), hexSum(e.Metadata.unsigned))
}

type sealer struct {
	*Cipher
	prev *Previous
}

func (s sealer) seal(name string, values map[string]string) map[string]sealedValue {
	out := make(map[string]sealedValue, len(values))
	for key, text := range values {
		out[key] = s.value(name, key, text)
	}
	return out
}

func (s sealer) value(name, key, text string) sealedValue {
	if text == "" {
		return sealedValue{empty: true}
	}
	if old, ok := s.kept(name, key, text); ok {
		return old
	}
	return sealedValue{Value: s.Encrypt([]byte(text), TypeString, aad("signet", name, key))}
}

// kept returns the ciphertext of an unchanged value. A nonce is only ever used
// again together with the plaintext and the path it was made for.
func (s sealer) kept(name, key, text string) (sealedValue, bool) {
	if s.prev == nil {
		return sealedValue{}, false
	}
	sealed, plain := s.prev.Envelope.data, s.prev.Content.Data
	if name == "stringData" {
		sealed, plain = s.prev.Envelope.stringData, s.prev.Content.StringData
	}
	old, ok := plain[key]
	return sealed[key], ok && old == text
}

func checkSealable(clear Clear, content Content) error {
	if _, err := ParseScope(clear.Scope.String()); err != nil {
		return invalid("scope", "%v", err)
	}
	if clear.Type == "" {
		return invalid("type", "is empty")
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
