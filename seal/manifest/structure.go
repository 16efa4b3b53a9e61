// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"bytes"
	"regexp"
	"strings"
	"sync"
)

// structure bounds what parsing data makes, without parsing it: it never
// returns less than half of the nodes. It counts the characters that can begin
// or end a node, except in the text of scalars that it can be sure of, which
// may hold a whole table or program: the lines of a block scalar and strings in
// double quotes on one line, each directly behind a plain key.
//
// To be sure, it must know that it does not stand within quotes itself. It does
// as long as no line before has a quote that it did not understand. Within
// brackets a "|" behind a key ends parsing with an error.
func structure(data []byte) int {
	if bytes.ContainsAny(data, "\r\u0085\u2028\u2029") {
		return marks(data) // lines that end in another way than we think
	}
	n := 0
	for len(data) > 0 {
		line := firstLine(data)
		data = data[len(line):]
		kind, indent := classify(line)
		switch kind {
		case unsure:
			return n + marks(line) + marks(data)
		case quotedLine:
			n += 2
		case blockHeader:
			n += marks(line)
			data = data[deeper(data, indent):]
		default:
			n += marks(line)
		}
	}
	return n
}

// JSONNodes returns a bound for the nodes that parsing a JSON text makes, without
// parsing it: their number, and one more for each empty object or list.
func JSONNodes(text []byte) int {
	n, quoted := 1, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{', c == '[', c == ',', c == ':':
			n++
		}
	}
	return n
}

// marks counts the characters that can begin or end a node.
func marks(text []byte) int {
	n := 0
	for _, c := range text {
		switch c {
		case '\n', '\r', ',', '[', '{', ':', '?', '-': // "- - - a": lists in one line
			n++
		}
	}
	return n
}

type lineKind int

const (
	ordinary    lineKind = iota
	unsure               // holds a quote that may reach into the next line
	quotedLine           // key: "text"
	blockHeader          // key: |
)

var keyLine = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^( *)[-._/a-zA-Z0-9]+: +(?:([|>][-+0-9]{0,2}) *(?:#.*)?|("(?:[^"\\]|\\.)*") *)\n?$`)
})

// maxKeyBytes bounds the work on lines that only might be of interest.
const maxKeyBytes = 300

// classify tells what a line is, and how far its key is indented.
func classify(line []byte) (kind lineKind, indent int) {
	text := strings.TrimLeft(string(line[:min(len(line), maxKeyBytes)]), " ")
	if strings.HasPrefix(text, "#") {
		return ordinary, 0
	}
	if colon := strings.IndexByte(text, ':'); colon > 0 && colon+1 < len(text) {
		switch rest := strings.TrimLeft(text[colon+1:], " "); {
		case strings.HasPrefix(rest, "|"), strings.HasPrefix(rest, ">"), strings.HasPrefix(rest, `"`):
			if m := keyLine().FindSubmatchIndex(line); m != nil && m[4] >= 0 {
				return blockHeader, m[3] - m[2]
			} else if m != nil {
				return quotedLine, 0
			}
		}
	}
	if bytes.ContainsAny(line, `"'`) {
		return unsure, 0
	}
	return ordinary, 0
}

// deeper returns the length of the lines at the start of data that are blank or
// indented by more than indent spaces.
func deeper(data []byte, indent int) int {
	size := 0
	for size < len(data) {
		line := firstLine(data[size:])
		spaces := len(line) - len(bytes.TrimLeft(line, " "))
		if len(bytes.TrimSpace(line)) > 0 && spaces <= indent {
			return size
		}
		size += len(line)
	}
	return size
}
