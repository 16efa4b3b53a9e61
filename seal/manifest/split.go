// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"bytes"
	"encoding/json"
	"slices"
)

// splitYAML cuts data before every "---" and after every "..." line. In YAML
// these always are markers when they stand at the start of a line and a blank
// follows, whatever surrounds them (YAML 1.2.2 section 9.1.2), so no parsing
// is needed and the pieces join to exactly data.
func (s *Stream) splitYAML(data []byte) {
	start, line, startLine := 0, 1, 1
	content, marker := false, false // the piece has something other than filler, a "---"
	cut := func(end int) {
		if end > start {
			s.add(data[start:end], startLine, content, false)
		}
		start, startLine, content, marker = end, line, false, false
	}
	for pos := 0; pos < len(data) && len(s.Documents) <= maxDocuments; {
		text := firstLine(data[pos:])
		switch {
		case isMarker(text, "---"):
			if content || marker {
				cut(pos)
			}
			content, marker = !isFiller(text[3:]), true
		case isMarker(text, "..."):
			content = content || !isFiller(text[3:])
			line++
			cut(pos + len(text))
			line--
		case !isFiller(text) && !isDirective(text):
			content = true
		}
		pos += len(text)
		line++
	}
	cut(len(data))
}

// add appends a piece. Pieces without content get no number.
func (s *Stream) add(raw []byte, line int, content, isJSON bool) {
	d := &Document{Line: line, raw: raw, json: isJSON}
	if content {
		d.Index = 1
		for i := len(s.Documents) - 1; i >= 0; i-- {
			if last := s.Documents[i].Index; last > 0 {
				d.Index = last + 1
				break
			}
		}
	}
	s.Documents = append(s.Documents, d)
}

// firstLine returns the first line of data with its line break.
func firstLine(data []byte) []byte {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return data[:i+1]
	}
	return data
}

func isMarker(line []byte, marker string) bool {
	rest, ok := bytes.CutPrefix(line, []byte(marker))
	return ok && (len(rest) == 0 || bytes.IndexByte([]byte(" \t\r\n"), rest[0]) >= 0)
}

// isFiller reports whether a line is blank or a comment.
func isFiller(line []byte) bool {
	line = bytes.Trim(line, blanks)
	return len(line) == 0 || line[0] == '#' && !bytes.ContainsAny(line, oldBreaks)
}

func isDirective(line []byte) bool {
	return line[0] == '%' && !bytes.ContainsAny(bytes.TrimRight(line, blanks), oldBreaks)
}

const (
	blanks = " \t\r\n"
	// oldBreaks end a line, and so a comment, for the YAML parser (YAML 1.1
	// section 4.2, yamlprivateh.go: is_break): "# x\rkind: Secret" is a Secret.
	oldBreaks = "\r\u0085\u2028\u2029"
)

// splitJSON cuts data into concatenated JSON objects and arrays, each with the
// blanks that follow it. It reports false, and leaves s alone, if data is not
// JSON: flow-style YAML may begin alike.
func (s *Stream) splitJSON(data []byte) bool {
	body := bytes.TrimLeft(data, blanks)
	lead := data[:len(data)-len(body)]
	line := 1 + bytes.Count(lead, []byte("\n"))
	for len(body) > 0 && len(s.Documents) <= maxDocuments {
		end := jsonEnd(body)
		if !json.Valid(body[:end]) {
			s.Documents = nil
			return false
		}
		end = len(body) - len(bytes.TrimLeft(body[end:], blanks))
		s.add(body[:end], line, true, true)
		line += bytes.Count(body[:end], []byte("\n"))
		body = body[end:]
	}
	s.prefix = slices.Concat(s.prefix, lead)
	return true
}

// jsonEnd returns the length of the object or array that data begins with, 0
// if there is none. It only counts brackets.
func jsonEnd(data []byte) int {
	depth := 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			for i++; i < len(data) && data[i] != '"'; i++ {
				if data[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			if depth == 0 {
				return i + 1
			}
		}
		if depth == 0 {
			return 0
		}
	}
	return 0
}
