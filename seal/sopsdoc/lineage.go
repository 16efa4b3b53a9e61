// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/keys"
)

// lineageKey is the key of the list in the `sops` block of an envelope.
const lineageKey = "lineage"

// maxLineage bounds the list. A merge of three versions writes three entries.
const maxLineage = 8

// lineageLabel separates the entries from any other use of a data key.
const lineageLabel = "signet lineage v1\x00"

// lineageEntry shows that whoever made the data key k had the data key former:
// it can be neither made nor checked without both (FORMAT.md 2.3).
func lineageEntry(former, k keys.DataKey) string {
	h := hmac.New(sha256.New, former.Bytes())
	h.Write([]byte(lineageLabel))
	h.Write(k.Bytes())
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// lineage returns the entries of a document under the data key k that takes the
// place of documents under former ones.
func lineage(k keys.DataKey, former []keys.DataKey) []string {
	var entries []string
	for _, f := range former {
		entry := lineageEntry(f, k)
		if !f.IsZero() && !f.Equal(k) && !slices.Contains(entries, entry) && len(entries) < maxLineage {
			entries = append(entries, entry)
		}
	}
	slices.Sort(entries) // the order of the versions means nothing
	return entries
}

// Succeeds reports whether the envelope, which opens with the data key k, was made
// by somebody who had the data key former: it has the same one, or says so in its
// lineage. Whoever knows only public keys can't make one that does.
func (e *Envelope) Succeeds(former, k keys.DataKey) bool {
	return !former.IsZero() && (former.Equal(k) || slices.Contains(e.Metadata.lineage, lineageEntry(former, k)))
}

func (r metadataReader) lineage(m *Metadata, v *yaml.Node) error {
	const path = "sops." + lineageKey
	if !r.strict {
		return invalid(path, "unknown field")
	}
	if v.Kind != yaml.SequenceNode || len(v.Content) == 0 || len(v.Content) > maxLineage {
		return invalid(path, "must be a list of 1 to %d entries", maxLineage)
	}
	for _, n := range v.Content {
		var entry string
		if err := readString(&entry, path, n); err != nil {
			return err
		}
		sum, err := base64.StdEncoding.Strict().DecodeString(entry)
		if err != nil || len(sum) != sha256.Size || base64.StdEncoding.EncodeToString(sum) != entry {
			return invalid(path, "must hold base64 of %d bytes", sha256.Size)
		}
		m.lineage = append(m.lineage, entry)
	}
	return nil
}

// lineageNode writes the entries.
func (m *Metadata) lineageNode() *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for _, entry := range m.lineage {
		n.Content = append(n.Content, scalar(entry))
	}
	return n
}
