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

// FileSettings says how a SOPS file is encrypted.
type FileSettings struct {
	Recipients       keys.Recipients // with the wrapped data key
	Selector         keys.Selector
	MACOnlyEncrypted bool
	Now              time.Time // becomes lastmodified
}

// PreviousFile is a file with its data key: what EncryptFile may keep.
type PreviousFile struct {
	File    *File
	DataKey keys.DataKey
	// Also are other versions of the file, whose ciphertext may be kept too,
	// where they have the same data key. Their own Also plays no part.
	Also []*PreviousFile
}

// EncryptFile encrypts documents together by the rules of SOPS and returns
// copies that carry the metadata as their last key. With prev, a file under
// the same data key k, it keeps the ciphertext of values that stand unchanged
// in the same place; unchanged is true if nothing at all has changed, and then
// there are no documents. A selector that selects nothing is an error, and so
// are comments that would select something else once written.
func EncryptFile(documents []*yaml.Node, k keys.DataKey, s FileSettings, prev *PreviousFile) (out []*yaml.Node, unchanged bool, err error) {
	c, err := NewCipher(k)
	if err != nil {
		return nil, false, err
	}
	sel, err := compileSelector(s.Selector)
	if err != nil {
		return nil, false, err
	}
	e := &fileEncrypter{Cipher: c, selector: sel, onlyEncrypted: s.MACOnlyEncrypted, mac: newMAC(s.MACOnlyEncrypted)}
	if prev != nil && prev.DataKey.Equal(k) {
		if unchanged, err := e.keep(prev, documents, s); unchanged || err != nil {
			return nil, unchanged, err
		}
	}
	if out, err = e.documents(documents); err != nil {
		return nil, false, err
	}
	if err := e.addMetadata(out, s); err != nil {
		return nil, false, err
	}
	if sel.byComment() && !opensAsWritten(out, documents, k) {
		return nil, false, errors.New("the YAML writer would move comments that select values: put each on its own line right above its key")
	}
	return out, false, nil
}

// opensAsWritten reports whether encrypted documents, written and read again,
// open to the same data. Where comments select values that is not certain: the
// writer may attach a comment to something else.
func opensAsWritten(encrypted, documents []*yaml.Node, k keys.DataKey) bool {
	read := make([]*yaml.Node, len(encrypted))
	for i, doc := range encrypted {
		text, err := manifest.EncodeYAML(doc)
		if err != nil {
			return false
		}
		if read[i], err = manifest.Parse(text); err != nil {
			return false
		}
	}
	f, err := ParseFile(read...)
	if err != nil {
		return false
	}
	plain, err := f.Decrypt(k)
	return err == nil && slices.EqualFunc(plain, documents, func(a, b *yaml.Node) bool {
		return sameData(manifest.Root(a), manifest.Root(b))
	})
}

// fileEncrypter encrypts the values of a file and hashes them.
type fileEncrypter struct {
	*Cipher
	selector      selector
	mac           mac
	onlyEncrypted bool
	found         bool
	kept          map[place][]string
}

// keep decrypts prev and remembers its ciphertexts. It reports whether the
// documents and settings are those of prev.
func (e *fileEncrypter) keep(prev *PreviousFile, documents []*yaml.Node, s FileSettings) (unchanged bool, err error) {
	e.kept = map[place][]string{}
	plain, err := prev.File.decrypt(prev.DataKey, func(at place, sealed string) {
		e.kept[at] = append(e.kept[at], sealed)
	})
	if err != nil {
		return false, err
	}
	md := prev.File.Metadata
	same := slices.EqualFunc(plain, documents, sameDocument)
	if same && md.Selector == s.Selector && md.MACOnlyEncrypted == s.MACOnlyEncrypted && sameWrapped(md.Recipients, s.Recipients) {
		return true, nil
	}
	return false, e.keepAlso(prev)
}

// keepAlso remembers the ciphertexts of the other versions. What several of
// them have is taken once.
func (e *fileEncrypter) keepAlso(prev *PreviousFile) error {
	for _, also := range prev.Also {
		if !also.DataKey.Equal(prev.DataKey) {
			continue
		}
		_, err := also.File.decrypt(also.DataKey, func(at place, sealed string) {
			if !slices.Contains(e.kept[at], sealed) {
				e.kept[at] = append(e.kept[at], sealed)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// sameWrapped reports whether both hold the same keys with the same that they
// have wrapped.
func sameWrapped(a, b keys.Recipients) bool {
	wrapped := func(r keys.Recipients) []string {
		var all []string
		for _, e := range r.Entries() {
			all = append(all, e.Wrapped())
		}
		return slices.Sorted(slices.Values(all))
	}
	return a.Same(b) && slices.Equal(wrapped(a), wrapped(b))
}

func (e *fileEncrypter) documents(documents []*yaml.Node) (out []*yaml.Node, err error) {
	w := newWalker(visitor{e.comment, e.value}, e.selector)
	for _, doc := range documents {
		doc, err := checkedCopy(doc)
		if err != nil {
			return nil, err
		}
		if manifest.Get(manifest.Root(doc), MetadataKey) != nil {
			return nil, invalid(MetadataKey, "is there already: the document is encrypted or uses a reserved key")
		}
		if err := w.document(doc); err != nil {
			return nil, err
		}
		out = append(out, doc)
	}
	if !e.found {
		return nil, errors.New("the selector matches no value, everything would stay in clear")
	}
	return out, nil
}

func (e *fileEncrypter) value(n *yaml.Node, path []string, encrypted bool) error {
	if err := checkReserved(path); err != nil {
		return err
	}
	t, text, err := typed(n)
	if err != nil {
		return invalid(manifest.JoinPath(path), "%v", err)
	}
	if encrypted || !e.onlyEncrypted {
		e.mac.add(text)
	}
	if !encrypted {
		return nil
	}
	e.found = true
	if t == TypeString && text == "" {
		return nil
	}
	sealed, err := e.seal(path, t, text)
	if err != nil {
		return invalid(manifest.JoinPath(path), "%v", err)
	}
	n.Tag, n.Value, n.Style = "!!str", sealed, 0
	return nil
}

func (e *fileEncrypter) comment(text string, path []string, encrypted bool) (string, error) {
	if err := checkReserved(path); err != nil {
		return "", err
	}
	if !encrypted || text == "" {
		return text, nil
	}
	sealed, err := e.seal(path, TypeComment, text)
	if err != nil {
		return "", err
	}
	if e.selector.kind == keys.UnencryptedCommentRegex && e.selector.match(sealed) {
		return "", errors.New("unencrypted_comment_regex matches an encrypted comment, which could never be opened")
	}
	return sealed, nil
}

// seal encrypts text, or takes a ciphertext of the same text in the same place.
// Each is taken once: items of a list share their place.
func (e *fileEncrypter) seal(path []string, t ValueType, text string) (string, error) {
	at := place{aad(path...), t, text}
	if old := e.kept[at]; len(old) > 0 {
		e.kept[at] = old[1:]
		return old[0], nil
	}
	v, err := e.EncryptSOPS([]byte(text), t, at.aad)
	return v.String(), err
}

// sameDocument reports whether both hold the same data for SOPS, which takes
// 0777 and 511 for the same, and the same comments in the same order.
func sameDocument(a, b *yaml.Node) bool {
	return sameData(manifest.Root(a), manifest.Root(b)) && slices.Equal(comments(a), comments(b))
}

func sameData(a, b *yaml.Node) bool {
	if a == nil || b == nil || a.Kind != b.Kind || len(a.Content) != len(b.Content) {
		return false
	}
	if a.Kind == yaml.ScalarNode {
		return sameScalar(a, b)
	}
	for i := range a.Content {
		if !sameData(a.Content[i], b.Content[i]) {
			return false
		}
	}
	return true
}

func sameScalar(a, b *yaml.Node) bool {
	if a.ShortTag() == "!!null" || b.ShortTag() == "!!null" {
		return a.ShortTag() == b.ShortTag()
	}
	t, text, err := typed(a)
	u, other, err2 := typed(b)
	// A number that was 1.0 comes back as 1.
	number := (t == TypeInt || t == TypeFloat) && (u == TypeInt || u == TypeFloat)
	return err == nil && err2 == nil && text == other && (t == u || number)
}

// comments returns the lines of all comments of a document in order.
func comments(n *yaml.Node) []string {
	all := commentLines(nil, n)
	return slices.DeleteFunc(all, func(line string) bool { return line == "" })
}

func commentLines(all []string, n *yaml.Node) []string {
	all = append(all, strings.Split(n.HeadComment, "\n")...)
	all = append(all, strings.Split(n.LineComment, "\n")...)
	for _, c := range n.Content {
		all = commentLines(all, c)
	}
	return append(all, strings.Split(n.FootComment, "\n")...)
}

// withoutAgeTimes takes out what SOPS does not write.
func withoutAgeTimes(r keys.Recipients) keys.Recipients {
	out := keys.Recipients{Threshold: r.Threshold}
	for _, g := range r.Groups {
		group := slices.Clone(g)
		for i, e := range group {
			if e, ok := e.(keys.AgeEntry); ok {
				e.CreatedAt = ""
				group[i] = e
			}
		}
		out.Groups = append(out.Groups, group)
	}
	return out
}

func (e *fileEncrypter) addMetadata(documents []*yaml.Node, s FileSettings) error {
	md := &Metadata{
		Recipients:       withoutAgeTimes(s.Recipients),
		LastModified:     lastModified(s.Now),
		Selector:         s.Selector,
		MACOnlyEncrypted: s.MACOnlyEncrypted,
		Version:          Version,
	}
	code, err := e.EncryptSOPS([]byte(e.mac.sum()), TypeString, md.macAAD())
	if err != nil {
		return err
	}
	md.mac = code
	for _, doc := range documents {
		manifest.Set(manifest.Root(doc), MetadataKey, md.node())
	}
	return nil
}
