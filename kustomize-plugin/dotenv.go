// SPDX-License-Identifier: Apache-2.0

package kustomizeplugin

import (
	"errors"
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// readDotenv adds the variables of a dotenv file to vars, by the rules of the
// library that KSOPS reads them with (joho/godotenv v1.5.1: parser.go), which
// are not those of SOPS:
//
//	# comment
//	export A=unquoted, with $B and ${B}  # and a comment behind a blank
//	B: 'as it is, over lines'
//	C="\n and \r, ${B}, \$ for a dollar"
//
// A variable that is expanded is one that stands further up. Errors hold
// nothing of the file.
func readDotenv(text []byte, vars map[string]string) error {
	if !utf8.Valid(text) {
		return errNotUTF8
	}
	rest := strings.ReplaceAll(string(text), "\r\n", "\n")
	own := map[string]string{}
	for {
		rest = strings.TrimLeftFunc(rest, unicode.IsSpace)
		switch {
		case rest == "":
			for key, value := range own {
				vars[key] = value
			}
			return nil
		case rest[0] == '#':
			_, rest, _ = strings.Cut(rest, "\n")
			continue
		}
		key, value, err := dotenvKey(rest)
		if err != nil {
			return err
		}
		if own[key], rest, err = dotenvValue(value, own); err != nil {
			return err
		}
	}
}

// isBlank reports whether r separates within a line.
func isBlank(r rune) bool { return strings.ContainsRune("\t\v\f\r \u0085\u00a0", r) }

// dotenvKey returns the name that text begins with and what follows the = or
// colon behind it.
func dotenvKey(text string) (key, rest string, err error) {
	if word, found := strings.CutPrefix(text, "export"); found && strings.IndexFunc(word, isBlank) == 0 {
		text = strings.TrimLeftFunc(word, isBlank)
	}
	end := strings.IndexFunc(text, func(r rune) bool {
		return !isBlank(r) && r != '_' && r != '.' && !unicode.IsLetter(r) && !unicode.IsNumber(r)
	})
	if end < 0 || text[end] != '=' && text[end] != ':' {
		return "", "", errors.New("dotenv: a line is no NAME=VALUE")
	}
	return strings.TrimRightFunc(text[:end], unicode.IsSpace), strings.TrimLeftFunc(text[end+1:], isBlank), nil
}

// dotenvValue returns the value that text begins with and what follows it.
func dotenvValue(text string, vars map[string]string) (value, rest string, err error) {
	if text == "" || text[0] != '\'' && text[0] != '"' {
		end := strings.IndexAny(text, "\r\n")
		if end < 0 {
			end = len(text)
		}
		return expandVariables(strings.TrimFunc(withoutComment(text[:end]), isBlank), vars), text[end:], nil
	}
	quote := text[:1]
	end := closingQuote(text)
	if end < 0 {
		return "", "", errors.New("dotenv: a quote is not closed")
	}
	value = strings.Trim(text[:end], quote)
	if quote == `"` {
		value = expandVariables(expandEscapes(value), vars)
	}
	return value, text[end+1:], nil
}

// closingQuote finds the end of the quoted text that text begins with: the next
// quote without a backslash before it, -1 if there is none.
func closingQuote(text string) int {
	for i := 1; i < len(text); i++ {
		if text[i] == text[0] && text[i-1] != '\\' {
			return i
		}
	}
	return -1
}

// withoutComment cuts a line before the last # that has a blank before it.
func withoutComment(line string) string {
	for i := len(line) - 1; i > 0; i-- {
		if before, _ := utf8.DecodeLastRuneInString(line[:i]); line[i] == '#' && isBlank(before) {
			return line[:i]
		}
	}
	return line
}

// expandEscapes reads what a backslash stands before. \$ is left for
// expandVariables.
func expandEscapes(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			b.WriteByte(text[i])
			continue
		}
		i++
		switch text[i] {
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case '$':
			b.WriteString(`\$`)
		default:
			b.WriteByte(text[i])
		}
	}
	return b.String()
}

var variable = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\\?\$\(?\{?([A-Z0-9_]*)\}?`)
})

// expandVariables puts in the values of $NAME and ${NAME}, nothing for a name
// that is not known.
func expandVariables(text string, vars map[string]string) string {
	return variable().ReplaceAllStringFunc(text, func(found string) string {
		name := variable().FindStringSubmatch(found)[1]
		switch {
		case found[0] == '\\':
			return found[1:]
		case name == "":
			return found
		}
		return vars[name]
	})
}
