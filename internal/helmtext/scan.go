// SPDX-License-Identifier: Apache-2.0

package helmtext

import (
	"regexp"
	"strings"
	"sync"
)

// entry takes a line apart: how far it is set in, its key and its value.
var entry = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^( *)((?:- +)*)["']?([^\s"':{}\[\],#][^"':{}\[\],]*?)["']?[ \t]*:(?:[ \t]+(.*))?$`)
})

// line is an entry of a mapping that stands on a line of its own.
type line struct {
	indent     int // of the key
	key, value string
}

func parseLine(text string) (l line, ok bool) {
	found := entry().FindStringSubmatch(strings.TrimRight(text, " \t"))
	if found == nil {
		return line{}, false
	}
	return line{len(found[1]) + len(found[2]), found[3], found[4]}, true
}

// entry is parseLine for a line of the template. It remembers the result: each
// object is looked for in all lines around it.
func (d document) entry(i int) (l line, ok bool) {
	if d.entries == nil {
		d.entries = make([]*line, len(d.lines))
	}
	if d.entries[i] == nil {
		l, ok := parseLine(d.lines[i])
		if !ok {
			l.indent = -1
		}
		d.entries[i] = &l
	}
	return *d.entries[i], d.entries[i].indent >= 0
}

// scanned reads a document that is no YAML line by line. It knows mappings in
// block style only.
func (d document) scanned() []Secret {
	var all []Secret
	past := map[int]int{} // the end of the last object, by how far its keys are set in
	for i := d.first; i < d.end; i++ {
		l, ok := d.entry(i)
		if !ok || l.key != "kind" || i < past[l.indent] || strings.Trim(withoutComment(l.value), `"' `) != "Secret" {
			continue
		}
		s, end := d.around(i, l.indent)
		past[l.indent] = end
		if len(s.Literals) > 0 {
			all = append(all, s)
		}
	}
	return all
}

// around reads the object one of whose keys is on line at. It ends before line
// end.
func (d document) around(at, indent int) (s Secret, end int) {
	first := at
	end = at + 1
	for first > d.first && d.within(first-1, indent) && !d.startsItem(first, indent) {
		first--
	}
	for end < d.end && d.within(end, indent) && !d.startsItem(end, indent) {
		end++
	}
	for first < at && strings.TrimSpace(d.lines[first]) == "" {
		first++
	}
	s = Secret{Line: d.at[first]}
	for i := first; i < end; i++ {
		l, ok := d.entry(i)
		if !ok || l.indent != indent {
			continue
		}
		switch {
		case l.key == "metadata":
			s.Name = d.name(i+1, end, indent)
		case isField(l.key) && l.value == "":
			s.Literals = append(s.Literals, d.literals(i+1, end, indent, l.key)...)
		case isField(l.key) && d.literal(withoutComment(l.value)):
			s.Literals = append(s.Literals, Written{Line: d.at[i], Field: l.key})
		}
	}
	return s, end
}

// within reports whether a line is empty or set in as far.
func (d document) within(i, indent int) bool {
	text := d.lines[i]
	if strings.TrimSpace(text) == "" || strings.HasPrefix(strings.TrimSpace(text), "#") {
		return true
	}
	l, ok := d.entry(i)
	if ok && l.indent >= indent {
		return true
	}
	return len(text)-len(strings.TrimLeft(text, " ")) >= indent
}

// startsItem reports whether a line begins the item of a list whose keys are set
// in by indent.
func (d document) startsItem(i, indent int) bool {
	l, ok := d.entry(i)
	return ok && l.indent == indent && strings.HasPrefix(strings.TrimLeft(d.lines[i], " "), "- ")
}

func (d document) name(from, end, indent int) string {
	for i := from; i < end; i++ {
		l, ok := d.entry(i)
		switch {
		case !ok:
		case l.indent <= indent:
			return ""
		case l.key == "name":
			if name := strings.Trim(withoutComment(l.value), `"'`); !strings.Contains(name, markBegin) {
				return name
			}
			return ""
		}
	}
	return ""
}

// literals returns the literals among the lines that are set in further than
// indent.
func (d document) literals(from, end, indent int, field string) []Written {
	var all []Written
	inner := -1
	for i := from; i < end; i++ {
		l, ok := d.entry(i)
		if !ok || inner >= 0 && l.indent > inner {
			continue
		}
		if l.indent <= indent {
			break
		}
		inner = l.indent
		value := withoutComment(l.value)
		if strings.TrimLeft(value, "|>+-0123456789") == "" {
			value = d.block(i+1, end, inner)
		}
		if d.literal(value) {
			all = append(all, Written{d.at[i], field, l.key})
		}
	}
	return all
}

// block returns the lines that are set in further than indent.
func (d document) block(from, end, indent int) string {
	var text []string
	for i := from; i < end; i++ {
		bare := strings.TrimLeft(d.lines[i], " ")
		if bare != "" && len(d.lines[i])-len(bare) <= indent {
			break
		}
		text = append(text, bare)
	}
	return strings.Join(text, "\n")
}

func withoutComment(value string) string {
	if strings.HasPrefix(value, "#") {
		return ""
	}
	if i := strings.Index(value, " #"); i >= 0 {
		value = value[:i]
	}
	return strings.TrimSpace(value)
}
