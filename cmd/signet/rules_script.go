// SPDX-License-Identifier: Apache-2.0

package main

import (
	"regexp"
	"strings"
	"sync"

	"github.com/signet-secrets/signet/seal/manifest"
)

// block is a here-document of a shell script, or a here-string of PowerShell.
type block struct {
	text string // without what all of its lines are set in by
	line int    // 1-based, of the script, on which it begins
}

// hereBegin is what begins a here-document: <<EOF, <<-EOF, << 'EOF', <<\EOF.
var hereBegin = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?:^|[^<])<<[-~]?[ \t]*\\?["']?([A-Za-z_][A-Za-z0-9_.-]*)`)
})

// blocks returns the texts in a script that it hands to programs. One that does
// not end goes to the end of the script.
func blocks(script string) []block {
	if !strings.Contains(script, "<<") && !strings.Contains(script, "@\"") && !strings.Contains(script, "@'") {
		return nil
	}
	var all []block
	lines := strings.Split(strings.ReplaceAll(script, "\r\n", "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		end := blockEnd(lines[i])
		if end == "" {
			continue
		}
		first := i + 1
		for i++; i < len(lines); i++ {
			if strings.TrimSpace(lines[i]) == end || end[0] != '"' && end[0] != '\'' && strings.TrimLeft(lines[i], " \t") == end {
				break
			}
			if (end[0] == '"' || end[0] == '\'') && strings.HasPrefix(strings.TrimSpace(lines[i]), end) {
				break
			}
		}
		all = append(all, block{dedent(lines[min(first, len(lines)):min(i, len(lines))]), first + 1})
	}
	return all
}

// blockEnd returns what the last line of the block is that begins behind a line,
// "" if none does.
func blockEnd(line string) string {
	if found := hereBegin().FindStringSubmatch(line); found != nil {
		return found[1]
	}
	switch trimmed := strings.TrimSpace(line); {
	case strings.HasSuffix(trimmed, `@"`):
		return `"@`
	case strings.HasSuffix(trimmed, `@'`):
		return `'@`
	}
	return ""
}

// dedent joins lines without the blanks that all of them begin with.
func dedent(lines []string) string {
	least := -1
	for _, line := range lines {
		if rest := strings.TrimLeft(line, " \t"); rest != "" && (least < 0 || len(line)-len(rest) < least) {
			least = len(line) - len(rest)
		}
	}
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(line[min(max(least, 0), len(line)):] + "\n")
	}
	return b.String()
}

// shellNames finds what a shell replaces: commands, and variables in forms that
// helmtext does not know.
var shellNames = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile("\\$\\((?:[^()\n]|\\([^()\n]*\\))*\\)|`[^`\n]+`" +
		`|\$\{[A-Za-z_][A-Za-z0-9_]*:?\?[^}\n]*\}|\$env:[A-Za-z_][A-Za-z0-9_]*|\$[A-Za-z_][A-Za-z0-9_]*|\$[0-9]`)
})

// scriptSecrets returns findings about Secrets in a script.
func scriptSecrets(in input, text string) []finding {
	nothing := manifest.Mapping()
	n := &nested{in: in, of: lenientFound(&manifest.Document{}, nothing), left: maxLenient}
	n.script(text, position{1, true}, "", 0)
	return n.all
}

// script looks at the here-documents of a text; false if it has none.
func (n *nested) script(text string, at position, path string, depth int) bool {
	all := blocks(text)
	for _, b := range all {
		b.text = shellNames().ReplaceAllLiteralString(b.text, reference)
		n.manifest(b.text, at.below(b.line), path, depth)
	}
	return len(all) > 0
}
