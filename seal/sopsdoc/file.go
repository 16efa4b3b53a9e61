// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
)

// MetadataKey is the top-level key of the metadata in a SOPS document.
const MetadataKey = "sops"

// reservedRoot is the root key of everything under seal in an envelope. No
// SOPS document may use it: its ciphertext would open here too.
const reservedRoot = "signet"

// FileMAC returns the mac of a SOPS-encrypted document as it is written, which
// is the same in all documents that were encrypted together.
func FileMAC(n *yaml.Node) string {
	return manifest.GetString(manifest.Root(n), MetadataKey, "mac")
}

// File is a SOPS-encrypted file: one or more documents that were encrypted
// together, share a data key and are covered by one MAC. It is well formed,
// not yet authenticated, and is not changed after it was parsed.
type File struct {
	Metadata *Metadata

	documents []*yaml.Node // document nodes without metadata
	selector  selector
}

// ParseFile reads the documents of one SOPS file, in order. It keeps copies.
// The metadata of the first counts, as in SOPS; the others must carry
// metadata with the same mac. The error is an *InvalidError.
func ParseFile(documents ...*yaml.Node) (*File, error) {
	f := &File{}
	if len(documents) == 0 {
		return nil, invalid("", "there is no document")
	}
	for i, doc := range documents {
		doc, err := checkedCopy(doc)
		if err != nil {
			return nil, err
		}
		block := manifest.Get(manifest.Root(doc), MetadataKey)
		if i == 0 {
			md, err := metadataReader{}.read(block)
			if err != nil {
				return nil, err
			}
			f.Metadata = md
		}
		if FileMAC(doc) != f.Metadata.MAC() {
			return nil, invalid("sops.mac", "differs between documents of one file")
		}
		takeMetadata(doc)
		f.documents = append(f.documents, doc)
	}
	var err error
	f.selector, err = compileSelector(f.Metadata.Selector)
	return f, err
}

// checkedCopy returns a copy of n as a document node.
func checkedCopy(n *yaml.Node) (*yaml.Node, error) {
	if n == nil {
		return nil, invalid("", "the document is empty")
	}
	if err := manifest.Check(n); err != nil {
		return nil, &InvalidError{Reason: err.Error()}
	}
	n = manifest.Clone(n)
	if n.Kind != yaml.DocumentNode {
		n = &yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{n}}
	}
	return n, nil
}

// takeMetadata removes the metadata from doc. Comments before it belong to the
// document: they go to what stands next, as stock SOPS sees it.
func takeMetadata(doc *yaml.Node) {
	root := manifest.Root(doc)
	i := 2 * slices.Index(manifest.Keys(root), MetadataKey)
	key := root.Content[i]
	to := &doc.FootComment
	if i+2 < len(root.Content) {
		to = &root.Content[i+2].HeadComment
	}
	*to = joinComments(key.HeadComment, key.LineComment, key.FootComment, *to)
	root.Content = slices.Delete(root.Content, i, i+2)
}

func joinComments(comments ...string) string {
	return strings.Join(slices.DeleteFunc(comments, func(c string) bool { return c == "" }), "\n")
}

// Decrypt returns the documents in clear, without metadata, after it has
// authenticated all of them under the data key k. Comments are decrypted where
// they open. The error is a *TamperedError or an *InvalidError.
func (f *File) Decrypt(k keys.DataKey) ([]*yaml.Node, error) {
	return f.decrypt(k, nil)
}

// decrypt calls seen, unless it is nil, for everything that was decrypted.
func (f *File) decrypt(k keys.DataKey, seen func(at place, sealed string)) ([]*yaml.Node, error) {
	c, err := NewCipher(k)
	if err != nil {
		return nil, err
	}
	d := &fileDecrypter{Cipher: c, seen: seen, onlyEncrypted: f.Metadata.MACOnlyEncrypted, mac: newMAC(f.Metadata.MACOnlyEncrypted)}
	w := newWalker(visitor{d.comment, d.value}, f.selector)
	out := make([]*yaml.Node, 0, len(f.documents))
	for _, doc := range f.documents {
		doc = manifest.Clone(doc)
		if err := w.document(doc); err != nil {
			return nil, err
		}
		out = append(out, doc)
	}
	if err := d.mac.verify(c, f.Metadata); err != nil {
		return nil, err
	}
	if !d.found {
		return nil, invalid("", "nothing in it is encrypted: the selector matches no value")
	}
	return out, nil
}

// fileDecrypter decrypts the values of a file and hashes them.
type fileDecrypter struct {
	*Cipher
	mac           mac
	onlyEncrypted bool
	found         bool // some value is selected for encryption
	seen          func(at place, sealed string)
}

// place is what must be equal for a ciphertext to be kept.
type place struct {
	aad  string
	kind ValueType
	text string // as SOPS encrypts it
}

func (d *fileDecrypter) saw(path []string, t ValueType, text, sealed string) {
	if d.seen != nil {
		d.seen(place{aad(path...), t, text}, sealed)
	}
}

// checkReserved refuses what would let the values of an envelope open as those
// of a SOPS document: the additional data of a value is its joined path.
func checkReserved(path []string) error {
	if len(path) > 0 && strings.HasPrefix(path[0]+":", reservedRoot+":") {
		return invalid(manifest.JoinPath(path), "the root key %q is reserved for SealedSecrets", reservedRoot)
	}
	return nil
}

func (d *fileDecrypter) value(n *yaml.Node, path []string, encrypted bool) error {
	if err := checkReserved(path); err != nil {
		return err
	}
	if !encrypted {
		if d.onlyEncrypted {
			return nil
		}
		return d.hash(n, path)
	}
	d.found = true
	if n.ShortTag() != "!!str" {
		return invalid(manifest.JoinPath(path), "must be encrypted by the selector but is a clear value that is no string")
	}
	if n.Value == "" {
		return nil
	}
	return d.decrypt(n, path)
}

func (d *fileDecrypter) decrypt(n *yaml.Node, path []string) error {
	sealed := n.Value
	v, err := ParseValue(sealed)
	if err != nil {
		return invalid(manifest.JoinPath(path), "%v", err)
	}
	plain, err := d.Decrypt(v, aad(path...))
	if err != nil {
		return &TamperedError{Path: manifest.JoinPath(path), Reason: err.Error()}
	}
	text, err := setTyped(n, v.Type, string(plain))
	if err != nil {
		return &TamperedError{Path: manifest.JoinPath(path), Reason: err.Error()}
	}
	d.mac.add(text) // nothing for a comment
	d.saw(path, v.Type, string(plain), sealed)
	return nil
}

func (d *fileDecrypter) hash(n *yaml.Node, path []string) error {
	text, err := hashText(n)
	if err != nil {
		return invalid(manifest.JoinPath(path), "%v", err)
	}
	d.mac.add(text)
	return nil
}

// comment decrypts a comment. SOPS does not authenticate comments, so one that
// does not open becomes an empty one instead of an error. YAML writers move
// comments: one that stood behind a mapping comes back as part of it, so the
// paths above are tried too.
func (d *fileDecrypter) comment(text string, path []string, encrypted bool) (string, error) {
	if err := checkReserved(path); err != nil {
		return "", err
	}
	v, err := ParseValue(text)
	if !encrypted || err != nil {
		return text, nil
	}
	for n := len(path); n >= 0; n-- {
		plain, err := d.Decrypt(v, aad(path[:n]...))
		if err == nil && isCommentLine(string(plain)) {
			d.saw(path[:n], v.Type, string(plain), text)
			return string(plain), nil
		}
	}
	return "", nil
}

// isCommentLine reports whether s stays within the line of its comment for
// readers of YAML 1.1 and 1.2.
func isCommentLine(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsAny(s, "\n\r\u0085\u2028\u2029")
}
