// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// yamlGenerator writes YAML documents as people do: comments everywhere, all
// the scalars that SOPS can hold, in every style.
type yamlGenerator struct {
	*rand.Rand
	b    strings.Builder
	next int
}

func newGenerator(seed uint64) *yamlGenerator {
	return &yamlGenerator{Rand: rand.New(rand.NewPCG(seed, 1))}
}

// text returns one or, rarely, several documents.
func (g *yamlGenerator) text() string {
	g.b.Reset()
	for i := range 1 + g.IntN(5)/4 {
		if i > 0 {
			g.b.WriteString("---\n")
		}
		g.comment("")
		g.b.WriteString("apiVersion: v1\nkind: Secret\n")
		g.mapping("", 0)
		g.b.WriteString("data_encrypted: always\n")
		g.blank()
		g.comment("")
	}
	return g.b.String()
}

var generatedKeys = []string{
	"data", "stringData", "password", "note_unencrypted", "token_encrypted", "plain_unencrypted",
	"a.b/c", "비밀", "with space", "quoted: yes", "x-y", "secret",
}

var generatedScalars = []string{
	"text", `"quoted text"`, `'single'`, `""`, "''", "42", "0777", "0x1F", "-7", "1.10", "1e21", ".5", "-0.0",
	"1_000", "true", "False", "null", "~", "", "2024-01-31", "2001-12-14t21:59:43.10-05:00", `"yes"`, "no",
	`"1234"`, `"2024-01-31"`, `"tab\tnul\0end"`, "한국어 값", `"emoji \U0001F511"`, "a#b", `"# no comment"`, "{}", "[]",
	"{flow: 1, two: x}", "[1, two, {three: 3}]", `"ENC[no]"`, "9007199254740993", "1.0", ".inf", "-.Inf",
	`" leading"`, `"trailing "`, `"\u0085\u2028"`, "null_text", "0o17", "190:20:30",
}

var generatedComments = []string{
	"a comment", "sops:enc", "sops:plain", "한국어", "", "  indented", "key: value", "#double", "trailing: ", "\ttab",
}

func (g *yamlGenerator) mapping(indent string, depth int) {
	for range 1 + g.IntN(4) {
		g.comment(indent)
		g.next++
		key := generatedKeys[g.IntN(len(generatedKeys))]
		fmt.Fprintf(&g.b, "%s\"%s%d\":", indent, strings.ReplaceAll(key, `"`, ""), g.next)
		g.value(indent, depth)
		g.foot(indent)
	}
}

func (g *yamlGenerator) value(indent string, depth int) {
	switch n := g.IntN(10); {
	case n < 2 && depth < 3:
		g.line()
		g.mapping(indent+"  ", depth+1)
	case n < 4 && depth < 3:
		g.line()
		g.list(indent+"  ", depth+1)
	case n == 4:
		fmt.Fprintf(&g.b, " |\n%s  line one\n%s  line two\n", indent, indent)
	case n == 5:
		fmt.Fprintf(&g.b, " >-\n%s  folded\n%s  text\n", indent, indent)
	default:
		g.b.WriteString(" " + generatedScalars[g.IntN(len(generatedScalars))])
		g.line()
	}
}

func (g *yamlGenerator) list(indent string, depth int) {
	for range 1 + g.IntN(3) {
		g.comment(indent)
		g.b.WriteString(indent + "-")
		if g.IntN(4) == 0 && depth < 3 {
			g.next++
			fmt.Fprintf(&g.b, " item%d: 1\n%s  second%d: two\n", g.next, indent, g.next)
			continue
		}
		g.b.WriteString(" " + generatedScalars[g.IntN(len(generatedScalars))])
		g.line()
		g.foot(indent)
	}
}

// line ends a line, sometimes with a comment.
func (g *yamlGenerator) line() {
	if g.IntN(5) == 0 {
		g.b.WriteString(" #" + g.words())
	}
	g.b.WriteString("\n")
}

func (g *yamlGenerator) comment(indent string) {
	for g.IntN(4) == 0 {
		g.b.WriteString(indent + "#" + g.words() + "\n")
	}
}

// foot writes a comment that belongs to what stands before it.
func (g *yamlGenerator) foot(indent string) {
	if g.IntN(6) == 0 {
		g.b.WriteString(indent + "#" + g.words() + "\n\n")
	}
	g.blank()
}

func (g *yamlGenerator) blank() {
	if g.IntN(8) == 0 {
		g.b.WriteString("\n")
	}
}

func (g *yamlGenerator) words() string {
	return " " + generatedComments[g.IntN(len(generatedComments))]
}
