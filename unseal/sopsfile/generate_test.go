// SPDX-License-Identifier: Apache-2.0

package sopsfile_test

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/signet-secrets/signet/unseal/sopsfile"
)

// generator writes files as people do, and some as nobody does.
type generator struct {
	*rand.Rand
	b    strings.Builder
	next int
}

func newGenerator(seed uint64) *generator {
	return &generator{Rand: rand.New(rand.NewPCG(seed, 7))}
}

func (g *generator) pick(from []string) string { return from[g.IntN(len(from))] }

// rule returns a selector for a creation rule; most files have none.
func (g *generator) rule() []string {
	rules := [][]string{
		nil, nil, nil, nil,
		{"encrypted_regex: ^(secret|data)"}, {"unencrypted_regex: ^(plain|note)"},
		{"encrypted_suffix: _enc"}, {"unencrypted_suffix: _clear"},
		{"encrypted_comment_regex: sops:enc"}, {"unencrypted_comment_regex: sops:plain"},
		{"encrypted_regex: ^(secret|data)", "mac_only_encrypted: true"},
		{"encrypted_comment_regex: sops:enc", "mac_only_encrypted: true"},
	}
	return rules[g.IntN(len(rules))]
}

func (g *generator) file(f sopsfile.Format) string {
	g.b.Reset()
	switch f {
	case sopsfile.YAML:
		g.yaml()
	case sopsfile.JSON:
		g.json(0)
	case sopsfile.Dotenv:
		g.dotenv()
	case sopsfile.INI:
		g.ini()
	default:
		for range g.IntN(200) {
			g.b.WriteByte(byte(g.Uint32()))
		}
	}
	return g.b.String()
}

var generatedKeys = []string{
	"secret", "data", "plain", "note_unencrypted", "token_enc", "x_clear", "password", "a.b/c", "비밀", "with space", "x-y",
}

func (g *generator) key() string {
	g.next++
	return g.pick(generatedKeys) + fmt.Sprint(g.next)
}

var generatedComments = []string{
	" a comment", " sops:enc", " sops:plain", "한국어", "", "  indented", " key: value", "#double", " trailing: ", "\ttab", " ENC[no]", " a=b", " [x]",
}

// words of the kinds that some reader takes for something else.
var generatedWords = []string{
	"text", "42", "0777", "-7", "1.10", "1e21", "true", "False", "null", "~", "2026-01-31", "yes", "no", "한국어", "🔑",
	"a#b", "x;y", "a=b", "c:d", "two words", "ENC[no]", "\\n", "\\", "%(x)s", "<a&b>", "'q'", "!x", "*y", "-", "=", "<<",
}

var generatedYAML = []string{
	`"quoted text"`, `'single'`, `""`, "''", "0x1F", ".5", "-0.5", "1_000", "", "2001-12-14t21:59:43.10-05:00", `"1234"`,
	`"tab\tnul\0end"`, "{}", "[]", "{flow: 1, two: x}", "[1, two, {three: 3}]", ".inf", `" leading"`, `"trailing "`,
	`"\u0085\u2028"`, "0o17", "190:20:30", `"line\nline"`, `"line\n"`, `"\n"`, `"  x\n y\n"`, "!!binary aGk=", "!x y", `"# no"`, `"\uFEFF"`, `"a: b"`,
}

func (g *generator) yaml() {
	for i := range 1 + g.IntN(4)/3*(1+g.IntN(2)) {
		if i > 0 || g.IntN(8) == 0 {
			g.b.WriteString("---\n")
		}
		g.comment("")
		g.yamlMapping("", 0)
		g.blank()
		g.comment("")
	}
}

func (g *generator) comment(indent string) {
	if g.IntN(3) > 0 {
		return
	}
	for range 1 + g.IntN(2) {
		g.b.WriteString(indent + "#" + g.pick(generatedComments) + "\n")
	}
	g.blank()
}

func (g *generator) blank() {
	if g.IntN(4) == 0 {
		g.b.WriteString("\n")
	}
}

func (g *generator) inline() string {
	if g.IntN(5) == 0 {
		return " #" + g.pick(generatedComments)
	}
	return ""
}

func (g *generator) yamlMapping(indent string, depth int) {
	for range 1 + g.IntN(4) {
		g.comment(indent)
		g.b.WriteString(indent + g.key() + ":")
		g.yamlValue(indent, depth)
		g.comment(indent + strings.Repeat(" ", g.IntN(3)))
	}
}

func (g *generator) yamlValue(indent string, depth int) {
	switch n := g.IntN(10); {
	case n == 0 && depth < 3:
		g.b.WriteString(g.inline() + "\n")
		g.yamlMapping(indent+"  ", depth+1)
	case n == 1 && depth < 3:
		g.b.WriteString(g.inline() + "\n")
		for range 1 + g.IntN(3) {
			g.comment(indent + "  ")
			g.b.WriteString(indent + "  -")
			g.yamlItem(indent+"  ", depth+1)
			g.comment(indent + "  ")
		}
	case n == 2:
		g.b.WriteString(" " + g.pick([]string{"|", "|-", "|+", ">", ">-"}) + "\n")
		for range 1 + g.IntN(3) {
			g.b.WriteString(indent + "    " + g.pick(generatedWords) + "\n")
			g.blank()
		}
	default:
		g.b.WriteString(" " + g.yamlScalar() + g.inline() + "\n")
	}
}

func (g *generator) yamlItem(indent string, depth int) {
	if g.IntN(3) > 0 {
		g.b.WriteString(" " + g.yamlScalar() + g.inline() + "\n")
		return
	}
	g.b.WriteString(" " + g.key() + ":")
	g.yamlValue(indent+"  ", depth)
	if g.IntN(2) == 0 {
		g.yamlMapping(indent+"  ", depth)
	}
}

func (g *generator) yamlScalar() string {
	if g.IntN(2) == 0 {
		return g.pick(generatedYAML)
	}
	return g.pick(generatedWords)
}

var generatedJSON = []string{
	"1", "-0", "1.5", "1e3", "1e21", "9007199254740993", "123456789012345678901", "true", "false", "null", `""`,
	`"\u2028\ud83d\udd11"`, `"\t\n\\\""`, `"\ud800"`, "{}", "[]", `"<&>"`, "0.000001", "1e-7",
}

func (g *generator) json(depth int) {
	g.b.WriteString("{")
	for i := range g.IntN(5) {
		if i > 0 {
			g.b.WriteString(g.pick([]string{",", ", ", ",\n  "}))
		}
		fmt.Fprintf(&g.b, "%q: ", g.key())
		g.jsonValue(depth)
	}
	g.b.WriteString("}")
}

func (g *generator) jsonValue(depth int) {
	switch n := g.IntN(8); {
	case n == 0 && depth < 4:
		g.json(depth + 1)
	case n == 1 && depth < 4:
		g.b.WriteString("[")
		for i := range g.IntN(4) {
			if i > 0 {
				g.b.WriteString(", ")
			}
			g.jsonValue(depth + 1)
		}
		g.b.WriteString("]")
	case n < 5:
		g.b.WriteString(g.pick(generatedJSON))
	default:
		fmt.Fprintf(&g.b, "%q", g.pick(generatedWords))
	}
}

func (g *generator) dotenv() {
	for range g.IntN(12) {
		end := g.pick([]string{"\n", "\n", "\n", "\r\n", "\n\n"})
		if g.IntN(4) == 0 {
			g.b.WriteString("#" + g.pick(generatedComments) + end)
			continue
		}
		value := g.pick(generatedWords)
		if g.IntN(6) == 0 {
			value = string([]byte{byte(g.Uint32()), 'x', byte(g.Uint32())})
			value = strings.ReplaceAll(value, "\n", "")
		}
		g.b.WriteString(g.pick([]string{"", "", "export ", " "}) + g.key() + "=" + g.pick([]string{"", " ", `"`}) + value + g.pick([]string{"", " ", `"`}) + end)
	}
}

func (g *generator) ini() {
	end := g.pick([]string{"\n", "\n", "\n", "\r\n"})
	comment := func() {
		if g.IntN(4) == 0 {
			g.b.WriteString(g.pick([]string{"; ", "#", ";"}) + g.pick(generatedComments) + end)
		}
	}
	for i := range g.IntN(4) {
		comment()
		if i > 0 || g.IntN(3) > 0 {
			g.b.WriteString("[" + g.pick([]string{"a", "b.c", "DEFAULT", g.key()}) + "]" + g.inline() + end)
		}
		for range g.IntN(5) {
			comment()
			g.b.WriteString(g.key() + g.pick([]string{"=", " = ", ":"}) + g.iniValue() + g.pick([]string{"", "", " ; inline", " # more"}) + end)
		}
	}
	comment()
}

func (g *generator) iniValue() string {
	word := g.pick(generatedWords)
	return g.pick([]string{word, word, word, `"` + word + `"`, "`" + word + "`", `"""` + word + "\n" + word + `"""`, "one \\\n  " + word, ""})
}
