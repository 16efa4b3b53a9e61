// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"strings"
	"unicode"
)

// The files of Git, and of pre-commit, that init looks at.
const (
	attributesFile = ".gitattributes"
	ignoreFile     = ".gitignore"
	preCommitFile  = ".pre-commit-config.yaml"
)

// The marks around the lines of signet in a file of somebody else.
const (
	markBegin = "# signet: begin"
	markEnd   = "# signet: end"
)

// markedLines puts lines between the marks.
func markedLines(lines []string) string {
	return markBegin + "\n" + strings.Join(lines, "\n") + "\n" + markEnd + "\n"
}

// findMarked returns the lines between the marks, nil if there are no marks. whole
// is false if they are there in another number or order than once each.
func findMarked(data []byte) (lines []string, whole bool) {
	begins, ends := 0, 0
	for line := range strings.Lines(string(data)) {
		line = strings.TrimRight(line, "\r\n\t ")
		switch {
		case line == markBegin:
			begins++
		case line == markEnd:
			ends++
		case begins == 1 && ends == 0:
			lines = append(lines, line)
		}
		if ends > begins || begins > 1 {
			return nil, false
		}
	}
	if begins != ends {
		return nil, false
	}
	if begins == 1 && lines == nil {
		lines = []string{}
	}
	return lines, true
}

// withMarked is a file with lines added at its end.
func withMarked(before []byte, text string) []byte {
	out := append([]byte{}, before...)
	if len(out) > 0 && out[len(out)-1] != '\n' {
		out = append(out, '\n')
	}
	return append(out, text...)
}

// setsDrivers reports whether a line of .gitattributes makes Git compare and merge
// with signet.
func setsDrivers(line string) bool {
	words := strings.Fields(line)
	diff, merge := false, false
	for _, word := range words[min(1, len(words)):] {
		diff = diff || word == "diff=signet"
		merge = merge || word == "merge=signet"
	}
	return diff && merge && !strings.HasPrefix(words[0], "#")
}

// attributesOf returns the last line of .gitattributes for just this pattern that
// is about diff or merge, word by word.
func attributesOf(data []byte, pattern string) []string {
	var last []string
	for line := range strings.Lines(string(data)) {
		words := strings.Fields(line)
		if len(words) < 2 || words[0] != pattern {
			continue
		}
		for _, word := range words[1:] {
			if isDriver(word) {
				last = words
			}
		}
	}
	return last
}

// isDriver reports whether a word of .gitattributes says how Git compares or
// merges.
func isDriver(word string) bool {
	name, _, _ := strings.Cut(strings.TrimLeft(word, "-!"), "=")
	return name == "diff" || name == "merge" || name == "binary"
}

// checkPattern accepts what stands for itself at the beginning of a line of
// .gitattributes.
func checkPattern(pattern string) error {
	special := func(c rune) bool { return unicode.IsSpace(c) || !unicode.IsPrint(c) || c == '"' }
	switch {
	case pattern == "":
		return errors.New("a pattern is empty")
	case strings.ContainsFunc(pattern, special):
		return errors.New("a pattern holds white space, quotes or what cannot be printed; ? stands for any character")
	case strings.HasPrefix(pattern, "!"), strings.HasPrefix(pattern, "#"), strings.HasPrefix(pattern, "[attr]"):
		return errors.New("a pattern begins with !, # or [attr], which .gitattributes does not take for one")
	}
	return nil
}
