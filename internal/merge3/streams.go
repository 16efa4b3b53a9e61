// SPDX-License-Identifier: Apache-2.0

package merge3

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/signet-secrets/signet/seal/manifest"
)

// ErrConflict says that a version of a file is itself one that could not be
// merged.
var ErrConflict = errors.New("is a file in conflict")

// SideError says that a version of a file cannot be merged.
type SideError struct {
	Side string // "ours" or "theirs"
	Err  error  // ErrConflict, manifest.ErrTooLarge, a *manifest.SyntaxError or another
}

// Error returns the side and the cause. It holds no piece of the file.
func (e *SideError) Error() string { return "read " + e.Side + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *SideError) Unwrap() error { return e.Err }

// Streams are three versions of a file with the sealed documents cut out.
type Streams struct {
	// Base, Ours and Theirs are the versions with a line in the place of each
	// sealed document, to be merged as text. The lines are equal for versions of
	// one document that both sides have, and wherever the document is equal.
	Base, Ours, Theirs []byte

	sealed    bool
	documents map[string]*known // by token
}

// Document is a sealed document in the versions of a file.
type Document struct {
	// ID is zero for a document that is taken from a version as it is.
	ID ID
	// Base, Ours and Theirs are nil where the version does not have it. A Base
	// that does not open is to be taken for nil.
	Base, Ours, Theirs *Part

	sops bool
	out  *manifest.Document // in the merged stream
	ends bool               // the stream ends with it, and no blank line
	done bool               // out was replaced
}

// NewStreams cuts what is sealed out of three versions of a file: SealedSecrets,
// documents that SOPS encrypted, and, as they are, SealingKeys and Lists with
// any of these. Documents are the same if kind, namespace and the name of the
// Secret are; where several in one version are, also the name of the object
// counts. A base that cannot be read or is in conflict itself counts as text
// without sealed documents. The error is a *SideError.
func NewStreams(base, ours, theirs []byte) (*Streams, error) {
	var versions [3]version
	for i, data := range [][]byte{base, ours, theirs} {
		v, err := readVersion(data)
		switch {
		case err == nil:
			versions[i] = v
		case i == 0:
			versions[i] = version{data: data}
		default:
			return nil, &SideError{[]string{"base", "ours", "theirs"}[i], err}
		}
	}
	s := &Streams{documents: map[string]*known{}}
	s.match(versions, newTokens(base, ours, theirs))
	for i, text := range []*[]byte{&s.Base, &s.Ours, &s.Theirs} {
		*text = versions[i].cut()
		s.sealed = s.sealed || len(versions[i].parts) > 0
	}
	for i, side := range []string{"ours", "theirs"} {
		text := [][]byte{s.Ours, s.Theirs}[i]
		if !standAlone(text, versions[i+1].parts) {
			return nil, &SideError{side, errors.New("a sealed document shares a line with another document")}
		}
	}
	return s, nil
}

// Sealed reports whether anything is sealed in any version. If not, the file is
// for Git to merge as it is.
func (s *Streams) Sealed() bool { return s.sealed }

// version is one of a file.
type version struct {
	data   []byte
	stream *manifest.Stream // nil for text
	parts  []*Part
}

func readVersion(data []byte) (version, error) {
	if _, ok := ParseConflict(data); ok {
		return version{}, ErrConflict
	}
	stream, err := manifest.Split(data)
	if err != nil {
		return version{}, err
	}
	parts, err := partsOf(stream)
	return version{data, stream, parts}, err
}

// cut returns the version with placeholders.
func (v version) cut() []byte {
	if len(v.parts) == 0 {
		return v.data
	}
	at := map[int]*Part{}
	for _, p := range v.parts {
		at[p.at] = p
	}
	for _, doc := range v.stream.Documents {
		if p := at[doc.Index]; p != nil && doc.Index > 0 {
			doc.ReplaceBody([]byte(placeholder(p.token, p.json)))
		}
	}
	return v.stream.Bytes()
}

// standAlone reports whether every placeholder is a line of its own, as a merge
// by lines needs it.
func standAlone(text []byte, parts []*Part) bool {
	left := map[string]int{}
	for _, p := range parts {
		left[p.token]++
	}
	for line := range bytes.Lines(text) {
		if token := tokenOf(withoutBreak(line)); left[token] > 0 {
			left[token]--
		}
	}
	for _, n := range left {
		if n > 0 {
			return false
		}
	}
	return true
}

// match gives the parts their tokens and documents.
func (s *Streams) match(versions [3]version, t tokens) {
	var counts [3]map[ID]int
	for i, v := range versions {
		counts[i] = map[ID]int{}
		for _, p := range v.parts {
			counts[i][p.id]++
			if p.object != p.id {
				counts[i][p.object]++
			}
		}
	}
	for i, v := range versions {
		for _, p := range v.parts {
			p.id = unique(p, counts)
			if p.id != (ID{}) && counts[1][p.id] > 0 && counts[2][p.id] > 0 {
				p.token = t.of("id", p.id.Group, p.id.Kind, p.id.Namespace, p.id.Name, p.id.Object, fmt.Sprint(p.id.JSON))
			} else {
				digest := p.digest()
				p.token = t.of("text", fmt.Sprint(p.json), string(digest[:]))
			}
			s.add(i, p)
		}
	}
}

// unique returns by which ID no two parts of a version are the same, or none.
func unique(p *Part, counts [3]map[ID]int) ID {
	for _, id := range []ID{p.id, p.object} {
		if id != (ID{}) && counts[0][id] <= 1 && counts[1][id] <= 1 && counts[2][id] <= 1 {
			return id
		}
	}
	return ID{}
}

func (s *Streams) add(i int, p *Part) {
	d := s.documents[p.token]
	if d == nil {
		d = &known{id: p.id, sops: p.sops}
		s.documents[p.token] = d
	}
	d.parts[i] = append(d.parts[i], p)
}

// known is what is known by one token. Only documents without ID may stand
// several times in a version.
type known struct {
	id    ID
	parts [3][]*Part
	sops  bool
}

// document returns the nth document of the token.
func (k *known) document(n int) *Document {
	nth := func(parts []*Part) *Part {
		if len(parts) == 0 {
			return nil
		}
		return parts[min(n, len(parts)-1)]
	}
	return &Document{ID: k.id, Base: nth(k.parts[0]), Ours: nth(k.parts[1]), Theirs: nth(k.parts[2]), sops: k.sops}
}

// tokens makes what placeholders hold. It depends on all of the three versions,
// so that none of them can hold one.
type tokens struct{ seed []byte }

func newTokens(versions ...[]byte) tokens { return tokens{hashOf(versions...)} }

func (t tokens) of(parts ...string) string {
	fields := [][]byte{t.seed}
	for _, p := range parts {
		fields = append(fields, []byte(p))
	}
	return hex.EncodeToString(hashOf(fields...)[:tokenBytes])
}

// hashOf hashes byte strings together so that their borders count.
func hashOf(fields ...[]byte) []byte {
	h := sha256.New()
	for _, f := range fields {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(f))))
		h.Write(f)
	}
	return h.Sum(nil)
}

const (
	tokenBytes     = 16
	tokenWord      = "signet-merge"
	yamlHead       = tokenWord + ": "
	jsonHead       = `{"` + tokenWord + `":"`
	jsonTail       = `"}`
	tokenHexDigits = 2 * tokenBytes
)

// placeholder returns the line that stands for a document: a document itself,
// in the same language, so that the merged text can be cut again.
func placeholder(token string, json bool) string {
	if json {
		return jsonHead + token + jsonTail
	}
	return yamlHead + token + "\n"
}

// tokenOf returns the token of a placeholder without line break, or "".
func tokenOf(line []byte) string {
	rest, isYAML := bytes.CutPrefix(line, []byte(yamlHead))
	if !isYAML {
		var ok bool
		if rest, ok = bytes.CutPrefix(line, []byte(jsonHead)); !ok || !bytes.HasSuffix(rest, []byte(jsonTail)) {
			return ""
		}
		rest = rest[:len(rest)-len(jsonTail)]
	}
	if len(rest) != tokenHexDigits {
		return ""
	}
	return string(rest)
}
