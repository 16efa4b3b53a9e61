// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"go.yaml.in/yaml/v3"
)

// words mean something to a reader of YAML 1.1 or 1.2.
var words = []string{
	"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nil", "none", "inf", "nan", ".inf", "-.inf", "+.inf", ".nan",
	"0o17", "0x1f", "0b101", "1e3", "1.5e-3", "1_000", "0x_1", "12e03", "e", "e1", "0e0", "infinity",
}

// specials are strings that are something else, or nothing, without quotes.
var specials = []string{
	"", "~", "-", "--", "---", "--- a", "...", "... a", "?", ":", "::", "<<", "=", "|", ">", "|+", ">-", "!", "!!str", "! a", "&a", "*a",
	"- a", "? b", ": c", "#x", "a #b", "a: b", "a:", ":a", "%x", "%YAML 1.1", "@x", "`x", "{}", "[]", "{a: b}", "[a", "]", "}", ",", "a,b",
	"'", "\"", "'a'", "\"a\"", "it's", "a\"b", "\\", "\\n", "a\\", "0", "-0", "+0", "00", "007", "08", "0.", ".0", ".", "..", "1.", "+1", "-1",
	"+.5", "-.5", ".5e1", "1e", "1e+", "1e400", "-1e400", "1:30", "1:30:00", "1:30.5", "-1:30", "190:20:30", "0:0", "12:59:59.99",
	"2001-01-01", "2001-1-1", "2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43.10 -5", "2001-12-15 2:59:43.10", "20010101",
	"9223372036854775807", "9223372036854775808", "18446744073709551616", "123456789012345678901234567890", "0x", "0o", "0b", "0o8", "0b2",
	"1__0", "1_", "_1", "_", "0x1_f", "-0x1", "-0b1", "-0o7", "+0x1", "+.inf.", "ENC[AES256_GCM,data:YQ==,iv:YQ==,tag:YQ==,type:str]",
	" a", "a ", " a ", "\ta", "a\t", "a\tb", " ", "  ", "\t", "\n", "\n\n", "a\n", "a\n\n", "\na", "a\nb", "a\nb\n", "a\n\nb", "a \nb", "a\n b",
	" a\nb", "a\n\tb", "\ta\nb", "a\nb ", "a\nb\t\n", "a\n \n", "a\n \nb", "#a\nb", "a\n#b", "- a\n- b", "a: b\nc: d", "---\na", "a\n---\nb", "a\n...\n",
	"\r", "\r\n", "a\rb", "a\r\nb", "a\r", "\ra", "a\u0085b", "a\u2028b", "a\u2029b", "\u0085", "\u2028", "\uFEFF", "\uFEFFa", "a\uFEFF", "a\uFEFF\nb\n",
	"a\u00a0", "\u00a0a", "a\u00a0\nb", "\u3000a", "a\u3000\n", "\u200ba", "\u00ad", "e\u0301", "😀", "a😀\nb", "한국어", "한국어\n비밀\n", "\u202eabc",
	"\U0001F469\u200D\U0001F4BB", "\U0010FFFF", "\uE000", "\uFFFD", "\uFFFE", "\uFFFF", "\uFFFEa\nb", "\x00", "a\x00b", "\x1b[31m", "\x7f", "a\x7f\nb",
	"-----BEGIN A-----\nYQ==\n-----END A-----\n", "key=value; other=\"x y\"", "postgres://u:p@h:5432/db?sslmode=disable", "$2y$10$abc/def.", "C:\\dir",
	"a  b", "a   ", "$(VAR)", "${x}", "$$", "^signet$", "prod/db", "*/db", "age1qqq", "arn:aws:kms:eu-1:1:key/a-b", "a:b:c", "a::", "x=y", "=x", "-x", "x-",
}

// corpus is every string that String has to write so that all readers agree.
func corpus() []string {
	all := append([]string(nil), specials...)
	for _, w := range words {
		title := strings.ToUpper(w[:1]) + w[1:]
		all = append(all, w, title, strings.ToUpper(w), "+"+w, "-"+w, w+" ", " "+w, w+":", w+"\n", "a\n"+w)
	}
	for r := rune(0); r <= 0x100; r++ {
		c := string(r)
		all = append(all, c, "a"+c, c+"a", "a"+c+"b", "a "+c, c+" a", "a\n"+c, c+"\nb", "a"+c+"\nb\n", "1"+c+"1")
	}
	for i := range 4 {
		c := strings.Repeat("x y ", 1<<(4*i))
		all = append(all, c, c+"z", c+"\n"+c+"z\n", strings.ReplaceAll(c, " ", ": "))
	}
	return append(all, strings.Repeat("k", 200), strings.Repeat("k", 1100), strings.Repeat("한", 700), strings.Repeat("a\n", 500))
}

// tree makes a random document with comments and styles in odd places.
func tree(r *rand.Rand, strs []string, depth int) *yaml.Node {
	n := &yaml.Node{}
	switch kind := r.IntN(10); {
	case depth > 0 && kind < 4:
		n = Mapping()
		for i := range r.IntN(4) {
			key := String(fmt.Sprintf("%s%d", strs[r.IntN(len(strs))], i))
			decorate(r, key)
			n.Content = append(n.Content, key, tree(r, strs, depth-1))
		}
	case depth > 0 && kind < 6:
		n = &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for range r.IntN(4) {
			n.Content = append(n.Content, tree(r, strs, depth-1))
		}
	case kind == 6:
		plain := []string{"1", "-1.5", "true", "False", "null", "~", "0x1f", "1_000", ".inf", "2001-01-01", "1e3", "0o7"}
		n = &yaml.Node{Kind: yaml.ScalarNode, Value: plain[r.IntN(len(plain))]}
	default:
		n = String(strs[r.IntN(len(strs))])
	}
	decorate(r, n)
	return n
}

func decorate(r *rand.Rand, n *yaml.Node) {
	comments := []string{"# c", "# c\n# d", "#", "# a: b", "# ---", "# c\n\n# d"}
	for _, at := range []*string{&n.HeadComment, &n.LineComment, &n.FootComment} {
		if r.IntN(8) == 0 {
			*at = comments[r.IntN(len(comments))]
		}
	}
	isString := n.Kind == yaml.ScalarNode && n.ShortTag() == "!!str"
	switch styles := []yaml.Style{yaml.LiteralStyle, yaml.FoldedStyle, yaml.SingleQuotedStyle, yaml.TaggedStyle, yaml.DoubleQuotedStyle, 0}; {
	case n.Kind != yaml.ScalarNode && r.IntN(5) == 0:
		n.Style = yaml.FlowStyle
	case isString && r.IntN(4) == 0:
		n.Tag, n.Style = "!!str", styles[r.IntN(len(styles))]
	}
}
