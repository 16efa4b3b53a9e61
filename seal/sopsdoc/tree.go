// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
)

// Branch is a mapping as SOPS sees it in a file of any format: entries and
// comments in the order of the file (sops: sops.go, TreeBranch). A key may
// stand in it more than once.
type Branch []Item

// Item is one entry of a Branch, or a comment between them.
type Item struct {
	// Comment is nil for an entry, which has Key and Value instead.
	Comment *Comment
	Key     string
	// Value is nil, a string, int, float64, bool, time.Time, Branch or []any,
	// whose items are any of these or a Comment.
	Value any
}

// Comment is a comment in a Branch or a list.
type Comment struct {
	Text   string // without what introduces a comment
	Inline bool   // behind a value on its line
}

// ParseMetadata reads the metadata of a SOPS file of any format, given as the
// mapping that it is in YAML, by the rules of ParseFile. It keeps nothing of n.
// The error is an *InvalidError.
func ParseMetadata(n *yaml.Node) (*Metadata, error) {
	if n != nil {
		if err := manifest.Check(n); err != nil {
			return nil, invalid(MetadataKey, "%v", err)
		}
	}
	return metadataReader{}.read(n)
}

// DecryptTree decrypts branches, those of one file in order without metadata,
// in place, and authenticates them under the data key k: they are of no use
// where there is an error. It does exactly what SOPS does, also with comments:
// one that does not open stays as it is, for SOPS does not authenticate them.
// The error is a *TamperedError or an *InvalidError.
func DecryptTree(branches []Branch, md *Metadata, k keys.DataKey) error {
	c, err := NewCipher(k)
	if err != nil {
		return err
	}
	s, err := compileSelector(md.Selector)
	if err != nil {
		return err
	}
	t := &treeDecrypter{cipher: c, mac: newMAC(md.MACOnlyEncrypted), onlyEncrypted: md.MACOnlyEncrypted}
	w := newWalker(visitor{}, s)
	for _, b := range branches {
		if err := t.branch(&level{walker: w}, b); err != nil {
			return err
		}
	}
	return t.mac.verify(c, md)
}

// treeDecrypter decrypts the values of a tree and hashes them (sops: sops.go,
// Tree.Decrypt).
type treeDecrypter struct {
	cipher        *Cipher
	mac           mac
	onlyEncrypted bool
}

func (t *treeDecrypter) branch(l *level, b Branch) error {
	for i := range b {
		item := &b[i]
		if item.Comment != nil {
			c, err := t.comment(l, *item.Comment)
			if err != nil {
				return err
			}
			item.Comment = &c
			continue
		}
		below, err := l.below(item.Key)
		if err != nil {
			return err
		}
		if item.Value, err = t.value(below, item.Value, l.enter(below)); err != nil {
			return err
		}
		if _, ok := item.Value.(Comment); ok {
			return &TamperedError{Path: manifest.JoinPath(below.path), Reason: "is marked as a comment where a value stands"}
		}
	}
	return nil
}

func (t *treeDecrypter) list(l *level, items []any) error {
	for i, v := range items {
		if c, ok := v.(Comment); ok {
			encrypted := l.selector.encryptsComment(l.force, c.Text)
			c, err := t.comment(l, c)
			if err != nil {
				return err
			}
			items[i] = c
			if encrypted && c == (Comment{Inline: c.Inline}) {
				items[i] = "" // as SOPS has it
			}
			continue
		}
		below := *l
		opened, err := t.value(&below, v, l.enter(&below))
		if err != nil {
			return err
		}
		items[i] = opened
	}
	return nil
}

// enter ends the force of the comments before an item, whose level is below l.
// It reports whether the item, if it is a value, is encrypted.
func (l *level) enter(below *level) bool {
	here := below.force
	below.force.outer, below.force.inner = here.outer || here.inner, false
	l.force.inner = false
	return l.selector.encrypts(here)
}

func (t *treeDecrypter) value(l *level, v any, encrypted bool) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case Branch:
		return v, t.branch(l, v)
	case []any:
		return v, t.list(l, v)
	}
	if err := checkReserved(l.path); err != nil {
		return nil, err
	}
	if !encrypted {
		if t.onlyEncrypted {
			return v, nil
		}
		return v, t.hash(v, l.path)
	}
	sealed, ok := v.(string)
	switch {
	case !ok:
		return nil, invalid(manifest.JoinPath(l.path), "must be encrypted by the selector but is a clear value that is no string")
	case sealed == "":
		return "", nil
	}
	return t.open(sealed, l.path)
}

func (t *treeDecrypter) open(sealed string, path []string) (any, error) {
	v, err := ParseValue(sealed)
	switch {
	case err != nil:
		return nil, invalid(manifest.JoinPath(path), "%v", err)
	case v.Type == TypeBytes:
		return nil, invalid(manifest.JoinPath(path), "has type:bytes, which stock sops reads no more")
	}
	plain, err := t.cipher.Decrypt(v, aad(path...))
	if err != nil {
		return nil, &TamperedError{Path: manifest.JoinPath(path), Reason: err.Error()}
	}
	var opened any
	switch v.Type {
	case TypeComment:
		return Comment{Text: string(plain)}, nil
	case TypeString:
		opened = string(plain)
	default:
		if opened, err = parseTyped(v.Type, string(plain)); err != nil {
			return nil, &TamperedError{Path: manifest.JoinPath(path), Reason: "does not decrypt to the " + string(v.Type) + " that its type promises"}
		}
	}
	return opened, t.hash(opened, path)
}

func (t *treeDecrypter) hash(v any, path []string) error {
	if text, ok := v.(string); ok {
		t.mac.add(text)
		return nil
	}
	text, err := textOf(v)
	if err != nil {
		return invalid(manifest.JoinPath(path), "%v", err)
	}
	t.mac.add(text)
	return nil
}

func (t *treeDecrypter) comment(l *level, c Comment) (Comment, error) {
	if err := l.spend(c.Text, l.path); err != nil {
		return c, err
	}
	encrypted := l.selector.encryptsComment(l.force, c.Text)
	l.force = l.selector.withComment(l.force, c.Text)
	if err := checkReserved(l.path); err != nil {
		return c, err
	}
	if !encrypted || !strings.HasPrefix(c.Text, valueStart) {
		return c, nil
	}
	v, err := ParseValue(c.Text)
	if err != nil {
		return c, invalid(manifest.JoinPath(l.path), "a comment in it %v", err) // stock sops may read it
	}
	plain, err := t.cipher.Decrypt(v, aad(l.path...))
	switch {
	case err != nil:
		return c, nil
	case v.Type != TypeComment:
		return c, &TamperedError{Path: manifest.JoinPath(l.path), Reason: "a comment in it is not marked as one"}
	}
	return Comment{Text: string(plain)}, nil
}
