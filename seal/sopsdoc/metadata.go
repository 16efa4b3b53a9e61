// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"slices"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
)

// Version is the SOPS version that Signet writes into documents: the release
// whose format it follows.
const Version = "3.13.3"

// maxRecipients bounds the key calls that one document can cause.
const maxRecipients = 64

// Metadata is the `sops` block of a document (sops: stores/stores.go, type
// metadata). It is not changed after it was parsed or made.
type Metadata struct {
	// Recipients holds the wrapped data key.
	Recipients keys.Recipients
	// LastModified is the time of the last change as written, RFC 3339.
	LastModified string
	// Selector is the zero value if the document names none.
	Selector keys.Selector
	// MACOnlyEncrypted says that values in clear are not authenticated.
	MACOnlyEncrypted bool
	// Version is the SOPS version that wrote the document.
	Version string

	mac     Value
	lineage []string // of an envelope: entries as lineageEntry makes them
	// unsigned is the canonical form of the block as it was read or made,
	// without the two fields that every change of a value changes.
	unsigned []byte
}

// macAAD returns the additional data of the mac: the time in the form in which
// Go writes it back (sops: cmd/sops/common/common.go, DecryptTree).
func (m *Metadata) macAAD() string {
	t, err := time.Parse(time.RFC3339, m.LastModified)
	if err != nil {
		return ""
	}
	return t.Format(time.RFC3339)
}

// MAC returns the mac as written.
func (m *Metadata) MAC() string { return m.mac.String() }

// metadataReader reads a `sops` block. Strict is the profile of envelopes,
// which forbids everything that the writer of envelopes does not write.
type metadataReader struct {
	strict bool
}

func (r metadataReader) read(n *yaml.Node) (*Metadata, error) {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil, invalid("sops", "must be a mapping")
	}
	m := &Metadata{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if err := r.field(m, n.Content[i].Value, n.Content[i+1]); err != nil {
			return nil, err
		}
	}
	groups, err := r.recipients(n)
	if err != nil {
		return nil, err
	}
	m.Recipients.Groups = groups
	m.unsigned = unsigned(n)
	return m, r.complete(m, n)
}

func (r metadataReader) field(m *Metadata, name string, v *yaml.Node) error {
	path := "sops." + name
	switch name {
	case "mac":
		return r.mac(m, v)
	case "lastmodified":
		return r.lastModified(m, v)
	case "version":
		return readString(&m.Version, path, v)
	case "mac_only_encrypted":
		return r.macOnly(m, v)
	case "shamir_threshold":
		return r.threshold(m, v)
	case "key_groups":
		return nil
	case lineageKey:
		return r.lineage(m, v)
	}
	if slices.Contains(keys.SelectorKinds, keys.SelectorKind(name)) {
		return r.selector(m, keys.SelectorKind(name), v)
	}
	if slices.Contains(keys.Types, keys.Type(name)) {
		return nil
	}
	return invalid(manifest.ChildPath("sops", name), "unknown field")
}

func (r metadataReader) mac(m *Metadata, v *yaml.Node) error {
	var text string
	if err := readString(&text, "sops.mac", v); err != nil {
		return err
	}
	mac, err := ParseValue(text)
	if err != nil {
		return invalid("sops.mac", "%v", err)
	}
	if mac.Type != TypeString {
		return invalid("sops.mac", "must have type:str")
	}
	m.mac = mac
	return nil
}

func (r metadataReader) lastModified(m *Metadata, v *yaml.Node) error {
	// A YAML timestamp without quotes is what some tools make of it.
	if v.Kind != yaml.ScalarNode || v.ShortTag() != "!!str" && (r.strict || v.ShortTag() != "!!timestamp") {
		return invalid("sops.lastmodified", "must be a string")
	}
	t, err := time.Parse(time.RFC3339, v.Value)
	if err != nil || r.strict && lastModified(t) != v.Value {
		return invalid("sops.lastmodified", "must be a time like 2026-01-31T09:30:00Z")
	}
	m.LastModified = v.Value
	return nil
}

func (r metadataReader) macOnly(m *Metadata, v *yaml.Node) error {
	if r.strict {
		return invalid("sops.mac_only_encrypted", "is not allowed: the mac must cover the whole envelope")
	}
	if v.Kind != yaml.ScalarNode || v.ShortTag() != "!!bool" {
		return invalid("sops.mac_only_encrypted", "must be true or false")
	}
	m.MACOnlyEncrypted = v.Value == "true" || v.Value == "True" || v.Value == "TRUE"
	return nil
}

func (r metadataReader) threshold(m *Metadata, v *yaml.Node) error {
	n, err := strconv.Atoi(v.Value)
	if v.Kind != yaml.ScalarNode || v.ShortTag() != "!!int" || err != nil || strconv.Itoa(n) != v.Value || n < 0 || n > maxRecipients {
		return invalid("sops.shamir_threshold", "must be a small whole number")
	}
	m.Recipients.Threshold = n
	return nil
}

func (r metadataReader) selector(m *Metadata, kind keys.SelectorKind, v *yaml.Node) error {
	path := "sops." + string(kind)
	var pattern string
	if !r.strict && manifest.IsNull(v) {
		return nil
	}
	if err := readString(&pattern, path, v); err != nil {
		return err
	}
	if r.strict && (kind != keys.EncryptedRegex || pattern != envelopeSelector) {
		return invalid(path, "must be encrypted_regex: %s", envelopeSelector)
	}
	if pattern == "" {
		return nil // SOPS takes it as not given
	}
	if m.Selector.Kind != "" {
		return invalid(path, "more than one selector: %s is given too", m.Selector.Kind)
	}
	m.Selector = keys.Selector{Kind: kind, Pattern: pattern}
	return nil
}

func (r metadataReader) complete(m *Metadata, n *yaml.Node) error {
	for _, name := range []string{"lastmodified", "mac", "version"} {
		if manifest.Get(n, name) == nil {
			return invalid("sops."+name, "is missing")
		}
	}
	if r.strict && m.Selector.Kind == "" {
		return invalid("sops.encrypted_regex", "is missing")
	}
	switch entries := len(m.Recipients.Entries()); {
	case entries == 0:
		return invalid("sops", "names no key that could open the document")
	case entries > maxRecipients:
		return invalid("sops", "names %d keys, the limit is %d", entries, maxRecipients)
	case m.Recipients.Threshold > len(m.Recipients.Groups):
		return invalid("sops.shamir_threshold", "is larger than the number of key groups")
	case r.strict && len(m.Recipients.Groups) == 1 && manifest.Get(n, "shamir_threshold") != nil:
		return invalid("sops.shamir_threshold", "has no meaning without key groups")
	}
	return nil
}

func readString(to *string, path string, v *yaml.Node) error {
	if v.Kind != yaml.ScalarNode || v.ShortTag() != "!!str" {
		return invalid(path, "must be a string")
	}
	*to = v.Value
	return nil
}

// node writes the block with sorted keys.
func (m *Metadata) node() *yaml.Node {
	n := m.unsignedNode()
	manifest.Set(n, "lastmodified", manifest.String(m.LastModified))
	manifest.Set(n, "mac", scalar(m.mac.String()))
	sortKeys(n)
	return n
}

// unsigned returns the canonical JSON of a block without mac and lastmodified.
func unsigned(n *yaml.Node) []byte {
	rest := &yaml.Node{Kind: n.Kind, Tag: n.Tag, Content: slices.Clone(n.Content)}
	manifest.Delete(rest, "mac")
	manifest.Delete(rest, "lastmodified")
	return canonicalJSON(rest)
}

// unsignedNode writes everything except mac and lastmodified.
func (m *Metadata) unsignedNode() *yaml.Node {
	n := manifest.Mapping()
	switch groups := m.Recipients.Groups; {
	case len(groups) == 1:
		addGroup(n, groups[0])
	default:
		manifest.Set(n, "key_groups", groupsNode(groups))
		if t := m.Recipients.Threshold; t != 0 {
			manifest.Set(n, "shamir_threshold", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.Itoa(t)})
		}
	}
	if m.Selector.Kind != "" {
		manifest.Set(n, string(m.Selector.Kind), scalar(m.Selector.Pattern))
	}
	if len(m.lineage) > 0 {
		manifest.Set(n, lineageKey, m.lineageNode())
	}
	if m.MACOnlyEncrypted {
		manifest.Set(n, "mac_only_encrypted", manifest.Bool(true))
	}
	manifest.Set(n, "version", manifest.String(m.Version))
	sortKeys(n)
	return n
}

// scalar returns a string node in whose style the writer decides: plain for
// the texts of SOPS.
func scalar(s string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
}

// sortKeys brings the mapping n into bytewise key order.
func sortKeys(n *yaml.Node) {
	type pair struct{ key, value *yaml.Node }
	pairs := make([]pair, 0, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		pairs = append(pairs, pair{n.Content[i], n.Content[i+1]})
	}
	slices.SortStableFunc(pairs, func(a, b pair) int {
		switch {
		case a.key.Value < b.key.Value:
			return -1
		case a.key.Value > b.key.Value:
			return 1
		}
		return 0
	})
	for i, p := range pairs {
		n.Content[2*i], n.Content[2*i+1] = p.key, p.value
	}
}
