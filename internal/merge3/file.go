// SPDX-License-Identifier: Apache-2.0

package merge3

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/signet-secrets/signet/seal/manifest"
)

// ConflictFile is a file that could not be merged: its three versions as a
// whole, sealed as they are.
//
//	# signet: conflict in prod/db: password (changed on both sides)
//	<<<<<<< ours: @signet
//	...
//	||||||| base
//	...
//	=======
//	...
//	>>>>>>> theirs
//
// Nothing can begin with @ in YAML, so that every parser stops at the first
// line after the notes, whatever the versions are. In JSON it stops at #.
type ConflictFile struct {
	// Notes say what is in conflict and what to do, one line each. They are for
	// people: nobody may act on them.
	Notes []string
	// Base is empty if both sides made the file on their own.
	Base, Ours, Theirs []byte
}

// The limits of a conflict file.
const (
	minMarker = 7 // as Git has it
	// maxMarker is more than a marker can need: versions of
	// 3 x manifest.MaxStreamBytes have lines for fewer than 20,000 sizes.
	maxMarker    = 1 << 16
	maxNotes     = 20
	maxNoteRunes = 500
	notePrefix   = "# signet: "
	// maxHeaderBytes is more than the notes can take.
	maxHeaderBytes = maxNotes * (maxNoteRunes*utf8.UTFMax + len(notePrefix) + 100)
)

// The lines that begin each version, and the one after the last.
const (
	oursLabel   = " ours: @signet"
	baseLabel   = " base"
	theirsLabel = " theirs"
)

// Bytes writes the file. Markers have markerSize characters, or more if a line
// of a version could be taken for one. Versions that end without a line break
// get one. Of long notes and of too many only the first part is written, in one
// line each and without control characters.
func (f *ConflictFile) Bytes(markerSize int) []byte {
	size := freeSize(markerSize, f.Base, f.Ours, f.Theirs)
	var b bytes.Buffer
	for i, note := range f.Notes {
		if i == maxNotes-1 && len(f.Notes) > maxNotes {
			note = fmt.Sprintf("%d more", len(f.Notes)-i)
		}
		if i == maxNotes {
			break
		}
		b.WriteString(notePrefix + visible(note) + "\n")
	}
	if len(f.Notes) == 0 {
		b.WriteString(notePrefix + "conflict\n")
	}
	marker := func(char, label string) { b.WriteString(strings.Repeat(char, size) + label + "\n") }
	side := func(text []byte) {
		b.Write(text)
		if len(text) > 0 && text[len(text)-1] != '\n' {
			b.WriteByte('\n')
		}
	}
	marker("<", oursLabel)
	side(f.Ours)
	marker("|", baseLabel)
	side(f.Base)
	marker("=", "")
	side(f.Theirs)
	marker(">", theirsLabel)
	return b.Bytes()
}

// visible returns a note in one line of printable characters.
func visible(note string) string {
	runes := 0
	return strings.Map(func(r rune) rune {
		runes++
		switch {
		case runes > maxNoteRunes:
			return -1
		case runes == maxNoteRunes:
			return '…'
		case !unicode.IsPrint(r):
			return '?'
		}
		return r
	}, note)
}

// freeSize returns the smallest size from size on that no line of the texts
// could be taken for a marker of.
func freeSize(size int, texts ...[]byte) int {
	size = min(max(size, minMarker), maxMarker/2)
	taken := map[int]struct{}{}
	for _, text := range texts {
		for line := range bytes.Lines(text) {
			taken[runOf(line)] = struct{}{}
		}
	}
	for {
		if _, ok := taken[size]; !ok {
			return size
		}
		size++
	}
}

// runOf returns how often a line repeats its first character if it is one of
// those of markers, else 0.
func runOf(line []byte) int {
	if len(line) == 0 || strings.IndexByte("<|=>", line[0]) < 0 {
		return 0
	}
	return len(line) - len(bytes.TrimLeft(line, string(line[:1])))
}

// ParseConflict reads a file that ConflictFile.Bytes wrote, also one whose line
// breaks became CRLF, and reports false for any other. The result shares memory
// with data. Its versions are whatever data says: they are to be opened before
// they are believed.
func ParseConflict(data []byte) (*ConflictFile, bool) {
	notes, rest := cutNotes(data)
	f := &ConflictFile{Notes: notes}
	size := runOf(firstLine(rest))
	if len(notes) == 0 || len(notes) > maxNotes || len(data)-len(rest) > maxHeaderBytes || size < minMarker || size > maxMarker {
		return nil, false
	}
	for _, part := range []struct {
		char, label string
		before      *[]byte // the version that ends here
	}{
		{"<", oursLabel, nil},
		{"|", baseLabel, &f.Ours},
		{"=", "", &f.Base},
		{">", theirsLabel, &f.Theirs},
	} {
		text, marker, after, ok := nextMarker(rest, size)
		switch {
		case !ok || string(marker) != strings.Repeat(part.char, size)+part.label:
			return nil, false
		case part.before != nil && len(text) <= manifest.MaxStreamBytes+1:
			*part.before = text
		case len(text) > 0:
			return nil, false
		}
		rest = after
	}
	return f, len(rest) == 0
}

// cutNotes cuts off the notes that data begins with, or too many of them.
func cutNotes(data []byte) (notes []string, rest []byte) {
	for rest = data; len(notes) <= maxNotes; {
		line := firstLine(rest)
		note, ok := bytes.CutPrefix(line, []byte(notePrefix))
		if !ok {
			break
		}
		notes, rest = append(notes, string(withoutBreak(note))), rest[len(line):]
	}
	return notes, rest
}

// nextMarker cuts text at the first line with a marker of exactly this size.
func nextMarker(text []byte, size int) (before, marker, after []byte, ok bool) {
	pos := 0
	for line := range bytes.Lines(text) {
		if runOf(line) == size {
			return text[:pos:pos], withoutBreak(line), text[pos+len(line):], true
		}
		pos += len(line)
	}
	return nil, nil, nil, false
}

func firstLine(text []byte) []byte {
	if i := bytes.IndexByte(text, '\n'); i >= 0 {
		return text[:i+1]
	}
	return text
}

func withoutBreak(line []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
}
