// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"errors"
	"time"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
)

// clearFields is what stands in clear beside the mapping "signet", in the forms
// in which binding and mac authenticate it.
type clearFields struct {
	kind  string   // of document, for errors
	names string   // of all that json covers, for errors
	json  []byte   // canonical
	above []string // values whose keys sort before "signet", in order
	below []string // and after it
}

// binding returns the plaintext of the binding.
func (c clearFields) binding(md *Metadata) string {
	return joinBinding(hexSum(c.json), hexSum(md.unsigned))
}

// mac hashes every value of a document in key order.
func (c clearFields) mac(binding string, content Content) mac {
	m := newMAC(false)
	add := func(texts []string) {
		for _, text := range texts {
			m.add(text)
		}
	}
	add(c.above)
	m.add(binding)
	add(sortedValues(content.Data))
	add(sortedValues(content.StringData))
	add(c.below)
	return m
}

// sortedValues returns the values of m in the order of their keys.
func sortedValues(m map[string]string) []string {
	values := make([]string, 0, len(m))
	for _, key := range sortedKeys(m) {
		values = append(values, m[key])
	}
	return values
}

// open decrypts everything and authenticates it together with what stands in
// clear. The error is a *TamperedError or an *InvalidError.
func (s *sealed) open(k keys.DataKey, md *Metadata, clear clearFields) (Content, error) {
	c, err := NewCipher(k)
	if err != nil {
		return Content{}, err
	}
	binding, err := c.open("signet.binding", sealedValue{Value: s.binding}, "signet", "binding")
	if err != nil {
		return Content{}, err
	}
	if err := checkBinding(binding, md, clear); err != nil {
		return Content{}, err
	}
	var out Content
	if out.Data, err = c.openMap("data", s.data); err != nil {
		return Content{}, err
	}
	if out.StringData, err = c.openMap("stringData", s.stringData); err != nil {
		return Content{}, err
	}
	if err := clear.mac(binding, out).verify(c, md); err != nil {
		return Content{}, err
	}
	if err := out.check(); err != nil {
		return Content{}, err
	}
	return out, nil
}

func (c *Cipher) openMap(name string, m map[string]sealedValue) (map[string]string, error) {
	out := make(map[string]string, len(m))
	for _, key := range sortedKeys(m) {
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

func checkCount(recipients keys.Recipients) error {
	if n := len(recipients.Entries()); n == 0 || n > maxRecipients {
		return invalid("sops", "%d recipients, there must be 1 to %d", n, maxRecipients)
	}
	return nil
}

// newMetadata returns the block of a document that is going to be sealed: all
// but its mac.
func newMetadata(recipients keys.Recipients, now time.Time, version string, lineage []string) *Metadata {
	md := &Metadata{
		Recipients:   recipients,
		LastModified: lastModified(now),
		Selector:     keys.Selector{Kind: keys.EncryptedRegex, Pattern: envelopeSelector},
		Version:      version,
		lineage:      lineage,
	}
	md.unsigned = canonicalJSON(md.unsignedNode())
	return md
}

// sealer encrypts values under one data key. It keeps those of prev, unless
// that is nil, that stand unchanged in the same place.
type sealer struct {
	*Cipher
	prev *Previous
}

// seal encrypts content and binding, and completes md with the mac.
func (s sealer) seal(content Content, md *Metadata, clear clearFields) sealed {
	binding := clear.binding(md)
	code := clear.mac(binding, content).sum()
	md.mac = s.Encrypt([]byte(code), TypeString, md.macAAD())
	return sealed{
		binding:    s.binding(binding),
		data:       s.values("data", content.Data),
		stringData: s.values("stringData", content.StringData),
	}
}

func (s sealer) binding(text string) Value {
	for _, p := range s.prev.versions() {
		if p.binding() == text {
			return p.Envelope.sealed.binding
		}
	}
	return s.Encrypt([]byte(text), TypeString, aad("signet", "binding"))
}

func (s sealer) values(name string, values map[string]string) map[string]sealedValue {
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
	for _, p := range s.prev.versions() {
		sealed, plain := p.Envelope.sealed.data, p.Content.Data
		if name == "stringData" {
			sealed, plain = p.Envelope.sealed.stringData, p.Content.StringData
		}
		if old, ok := plain[key]; ok && old == text {
			return sealed[key], true
		}
	}
	return sealedValue{}, false
}
