// SPDX-License-Identifier: Apache-2.0

package helmtext

import (
	"strconv"
	"strings"
)

// markBegin and markEnd stand around the number of a mark. They are private
// characters, which YAML takes as any other.
const (
	markBegin = "\uE000"
	markEnd   = "\uE001"
)

// marked is a template whose actions were replaced by marks.
type marked struct {
	lines []string // without line breaks
	at    []int    // the 1-based line of the template that each began on
	marks []mark

	entries []*line // what parseLine says of lines that were looked at; indent is -1 where it is none
}

// delimiters are what actions stand between.
func delimiters() [][2]string {
	return [][2]string{{"${{", "}}"}, {"{{", "}}"}, {"{%", "%}"}, {"{#", "#}"}, {"<%", "%>"}, {"${", "}"}}
}

// replace puts marks in the place of actions.
func replace(text string) *marked {
	text = strings.NewReplacer(markBegin, "?", markEnd, "?", "\r\n", "\n", "\uFEFF", "").Replace(text)
	m := &marked{}
	vars := variables{}
	cut := cutter{left: min(maxFailed, maxReread*len(text))}
	var line strings.Builder
	begun, now := 1, 1
	flush := func() {
		m.lines, m.at = append(m.lines, line.String()), append(m.at, begun)
		line.Reset()
	}
	for text != "" {
		if text[0] == '\n' {
			flush()
			now++
			begun, text = now, text[1:]
			continue
		}
		action, length, open := cut.action(text)
		if length == 0 {
			n := strings.IndexAny(text[1:], "\n{$<") + 1
			if n == 0 {
				n = len(text)
			}
			line.WriteString(text[:n])
			text = text[n:]
			continue
		}
		line.WriteString(markBegin + strconv.Itoa(len(m.marks)) + markEnd)
		m.marks = append(m.marks, vars.action(open, action))
		now += strings.Count(text[:length], "\n")
		text = text[length:]
	}
	flush()
	return m
}

// maxFailed bounds how many bytes are read in vain: behind delimiters that begin
// no action, or in quotes that do not end. What follows is text. maxReread bounds
// how often that is all of a text: one file may have many texts.
const (
	maxFailed = 16 << 20
	maxReread = 256
)

// cutter cuts actions off a text.
type cutter struct {
	left   int             // bytes that may still be read in vain
	closed map[string]bool // delimiters of which no end is left
}

// action returns what stands between the delimiters that text begins with;
// length is that of all of it, 0 if there is no action.
func (c *cutter) action(text string) (action string, length int, open string) {
	for _, d := range delimiters() {
		if c.left < 0 || !strings.HasPrefix(text, d[0]) || c.closed[d[1]] {
			continue
		}
		n := actionEnd(text[len(d[0]):], d)
		if n >= 0 {
			return text[len(d[0]) : len(d[0])+n], len(d[0]) + n + len(d[1]), d[0]
		}
		if !strings.Contains(text, d[1]) {
			if c.closed == nil {
				c.closed = map[string]bool{}
			}
			c.closed[d[1]] = true
		}
		c.left -= failedLen(text, d)
	}
	return "", 0, ""
}

// failedLen is how much of a text was read to see that it begins with no action.
func failedLen(text string, d [2]string) int {
	if n := strings.Index(text, d[1]); d[0] == "${" && n >= 0 {
		return n
	}
	return len(text)
}

// actionEnd finds the end of an action, -1 if there is none. Delimiters in
// quotes and comments do not count.
func actionEnd(text string, d [2]string) int {
	if d[0] == "{#" || d[0] == "${" {
		n := strings.Index(text, d[1])
		if d[0] == "${" && n >= 0 && strings.ContainsAny(text[:n], "\n \"'") {
			return -1
		}
		return n
	}
	if rest := strings.TrimLeft(text, "- \t\n"); strings.HasPrefix(rest, "/*") {
		from := len(text) - len(rest)
		end := strings.Index(rest, "*/")
		if end < 0 {
			return -1
		}
		n := strings.Index(rest[end:], d[1])
		if n < 0 {
			return -1
		}
		return from + end + n
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case strings.HasPrefix(text[i:], d[1]):
			return i
		case c == '"' || c == '`' || c == '\'':
			i += quotedLen(text[i:]) - 1
		}
	}
	return -1
}

// action judges one action by what it begins with.
func (v variables) action(open, action string) mark {
	switch open {
	case "{#":
		return mark{control: true}
	case "${":
		name, other, _ := strings.Cut(action, ":")
		m := literal(strings.TrimLeft(other, "-="))
		return mark{reference: name != "", literal: m.literal}
	case "<%":
		if !strings.HasPrefix(action, "=") {
			return mark{control: true}
		}
		action = action[1:]
	case "{%":
		m := v.judge(action)
		return mark{control: true, literal: m.literal && !m.control}
	}
	return v.judge(action)
}

// markAt returns the number of the mark that text begins with, and its length,
// 0 if there is none.
func markAt(text string) (number, length int) {
	if !strings.HasPrefix(text, markBegin) {
		return 0, 0
	}
	end := strings.Index(text, markEnd)
	if end < 0 {
		return 0, 0
	}
	n, err := strconv.Atoi(text[len(markBegin):end])
	if err != nil {
		return 0, 0
	}
	return n, end + len(markEnd)
}

// split returns the pieces of a text: between marks, and the marks.
func (m *marked) split(text string) (texts []string, marks []mark) {
	for {
		i := strings.Index(text, markBegin)
		if i < 0 {
			return append(texts, text), marks
		}
		n, length := markAt(text[i:])
		if length == 0 || n >= len(m.marks) {
			return append(texts, text), marks
		}
		texts, marks = append(texts, text[:i]), append(marks, m.marks[n])
		text = text[i+length:]
	}
}
