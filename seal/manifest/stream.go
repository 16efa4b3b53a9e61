// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Stream is a sequence of manifests as read from one file or pipe.
type Stream struct {
	Documents []*Document

	data   []byte // all, as read
	prefix []byte // byte order mark, blanks before the first JSON document
}

// Document is one document of a stream.
type Document struct {
	// Index is the 1-based number of the document among those that are not
	// blank.
	Index int
	// Line is the 1-based line of the stream on which the document begins.
	Line int

	raw  []byte     // as read, with its separator; what Bytes writes unless replaced
	out  []byte     // replacement
	node *yaml.Node // parsed on first use
	err  error      // of parsing
	done bool       // node and err are set
	json bool
}

// ErrTooLarge says that a stream exceeds MaxStreamBytes.
var ErrTooLarge = fmt.Errorf("input is larger than %d MiB", MaxStreamBytes>>20)

// Read cuts the stream r into documents. It does not parse them. Errors are
// ErrTooLarge, a *SyntaxError for text that is not UTF-8, or the reader's.
func Read(r io.Reader) (*Stream, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxStreamBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxStreamBytes {
		return nil, ErrTooLarge
	}
	return Split(data)
}

// Split is Read for bytes, which the stream keeps.
func Split(data []byte) (*Stream, error) {
	if !utf8.Valid(data) {
		return nil, notUTF8(data)
	}
	s := &Stream{data: data}
	if body, ok := bytes.CutPrefix(data, []byte("\uFEFF")); ok {
		s.prefix, data = data[:len(data)-len(body)], body
	}
	if !looksLikeJSON(data) || !s.splitJSON(data) {
		s.splitYAML(data)
	}
	if len(s.Documents) > maxDocuments {
		return nil, &SyntaxError{Reason: fmt.Sprintf("stream has more than %d documents", maxDocuments)}
	}
	return s, nil
}

func notUTF8(data []byte) error {
	if bytes.HasPrefix(data, []byte{0xFF, 0xFE}) || bytes.HasPrefix(data, []byte{0xFE, 0xFF}) {
		return &SyntaxError{Reason: "text is UTF-16, save it as UTF-8"}
	}
	return &SyntaxError{Line: lineOf(data, isInvalid), Reason: "not valid UTF-8"}
}

// Bytes writes the stream: documents that were not replaced as they were read.
// The caller must not change it: it may be what was read.
func (s *Stream) Bytes() []byte {
	if !slices.ContainsFunc(s.Documents, func(d *Document) bool { return d.out != nil }) {
		return s.data
	}
	size := len(s.prefix)
	for _, d := range s.Documents {
		size += len(d.written())
	}
	out := append(make([]byte, 0, size), s.prefix...)
	for _, d := range s.Documents {
		out = append(out, d.written()...)
	}
	return out
}

func (d *Document) written() []byte {
	if d.out != nil {
		return d.out
	}
	return d.raw
}

// Empty reports whether the stream has nothing but blanks, comments and markers.
func (s *Stream) Empty() bool {
	return !slices.ContainsFunc(s.Documents, func(d *Document) bool { return d.Index > 0 })
}

// Raw returns the document as it was read. The caller must not change it.
func (d *Document) Raw() []byte { return d.raw }

// JSON reports whether the document is written in JSON.
func (d *Document) JSON() bool { return d.json }

// Node parses the document on the first call. It is nil for a document
// without content. Lines in errors and nodes are those of the stream.
func (d *Document) Node() (*yaml.Node, error) {
	if d.done {
		return d.node, d.err
	}
	d.done = true
	if d.Index == 0 {
		return nil, nil
	}
	d.node, d.err = Parse(d.raw)
	var syntax *SyntaxError
	if errors.As(d.err, &syntax) && syntax.Line > 0 {
		syntax.Line += d.Line - 1
	}
	if d.node != nil {
		moveLines(d.node, d.Line-1)
	}
	return d.node, d.err
}

func moveLines(n *yaml.Node, by int) {
	n.Line += by
	for _, c := range n.Content {
		moveLines(c, by)
	}
}

// Forget drops the parsed tree, which Node makes anew.
func (d *Document) Forget() { d.node, d.err, d.done = nil, nil, false }

// Replace puts n in the place of the document, in the same language, with the
// same separator and the blank lines that followed it.
func (d *Document) Replace(n *yaml.Node) error {
	if d.json {
		out, err := EncodeJSON(n, jsonIndent(d.raw))
		if err != nil {
			return err
		}
		trimmed := bytes.TrimRight(d.raw, blanks)
		d.out = slices.Concat(bytes.TrimRight(out, "\n"), d.raw[len(trimmed):])
		return nil
	}
	out, err := EncodeYAML(n)
	if err != nil {
		return err
	}
	head, _ := separator(d.raw)
	tail, end := blankTail(d.raw), endMarker(d.raw)
	out = withoutComments(out, head)
	if bytes.Contains(d.raw, []byte("\r\n")) {
		out = bytes.ReplaceAll(out, []byte("\n"), []byte("\r\n"))
	}
	// Blank lines belong to a block scalar that ends the document and keeps its
	// line breaks (|+).
	for _, tail := range [][]byte{tail, nil} {
		whole := slices.Concat(head, out, tail, end)
		if readsBack(whole, n) {
			d.out = whole
			return nil
		}
	}
	return errors.New("write YAML: the result does not read back as what was written")
}

// separator returns what raw begins with up to its "---" line, or nothing, and
// what follows. Content on that line follows.
func separator(raw []byte) (head, rest []byte) {
	for pos := 0; pos < len(raw); {
		line := firstLine(raw[pos:])
		end := pos + len(line)
		switch {
		case isMarker(line, "---") && isFiller(line[3:]):
			return raw[:end], raw[end:]
		case isMarker(line, "---"):
			marker := "---\n"
			if bytes.HasSuffix(line, []byte("\r\n")) {
				marker = "---\r\n"
			}
			return slices.Concat(raw[:pos], []byte(marker)), raw[pos+len("---"):]
		case !isFiller(line) && !isDirective(line):
			return nil, raw
		}
		pos = end
	}
	return nil, raw
}

// withoutComments drops from the beginning of out the comments that head has:
// a parsed document brings those above and on its "---" line with it.
func withoutComments(out, head []byte) []byte {
	rest := out
	for line := range bytes.Lines(head) {
		_, comment, found := bytes.Cut(line, []byte("#"))
		if !found || isDirective(line) {
			continue
		}
		first := firstLine(rest)
		if !bytes.Equal(bytes.TrimSpace(first), bytes.TrimSpace(append([]byte("#"), comment...))) {
			return out
		}
		rest = bytes.TrimLeft(rest[len(first):], "\n")
	}
	return rest
}

// endMarker returns the "..." line at the end of raw, which the next document
// may need, or nothing.
func endMarker(raw []byte) []byte {
	line := raw[bytes.LastIndexByte(bytes.TrimSuffix(raw, []byte("\n")), '\n')+1:]
	if isMarker(line, "...") {
		return line
	}
	return nil
}

// blankTail returns the blank lines at the end of raw.
func blankTail(raw []byte) []byte {
	raw = bytes.TrimSuffix(raw, endMarker(raw))
	end := len(bytes.TrimRight(raw, blanks))
	tail := raw[end:]
	if i := bytes.IndexByte(tail, '\n'); i >= 0 {
		return tail[i+1:]
	}
	return nil
}

// jsonIndent guesses the indent of a JSON document from its second line.
func jsonIndent(raw []byte) string {
	raw = bytes.TrimSpace(raw)
	i := bytes.IndexByte(raw, '\n')
	if i < 0 {
		return ""
	}
	line := raw[i+1:]
	indent := line[:len(line)-len(bytes.TrimLeft(line, " \t"))]
	if len(indent) == 0 || len(indent) > 8 {
		return "  "
	}
	return string(indent)
}

// Body returns the document as it was read without its separator, without
// the blank lines after it and without a final "...".
func (d *Document) Body() []byte {
	if d.json {
		return bytes.Trim(d.raw, blanks)
	}
	_, body := separator(bytes.TrimSuffix(d.raw, endMarker(d.raw)))
	return body[:len(body)-len(blankTail(body))]
}

// ReplaceBody puts text, a document in the same language as Body returns it,
// in the place of the document.
func (d *Document) ReplaceBody(text []byte) {
	if d.json {
		trimmed := bytes.TrimRight(d.raw, blanks)
		d.out = slices.Concat(bytes.TrimRight(text, blanks), d.raw[len(trimmed):])
		return
	}
	head, _ := separator(d.raw)
	d.out = slices.Concat(head, text, blankTail(d.raw), endMarker(d.raw))
}
