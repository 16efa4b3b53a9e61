// SPDX-License-Identifier: Apache-2.0

package helmtext

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// mark is what is known of one action of a template.
type mark struct {
	control   bool   // it prints nothing: a condition, a loop, a comment, a definition
	reference bool   // something in it comes from elsewhere
	literal   bool   // it can bring a text of its own
	text      string // that it prints, if that is all it can print
}

// add notes what another action brings to the same place.
func (m *mark) add(other mark) {
	m.reference = m.reference || other.reference
	m.literal = m.literal || other.literal
}

// shortest is how long a text must be to count where a mark brings it: shorter
// ones are separators, sizes and the like.
const shortest = 4

// variables are those of a template to which texts were assigned.
type variables map[string]string

// isControl reports whether a word makes its action one that prints nothing.
func isControl(word string) bool {
	switch word {
	case "if", "else", "end", "range", "with", "define", "block", "break", "continue",
		"for", "endfor", "elif", "endif", "endset", "macro", "endmacro", "import", "from", "extends",
		"endblock", "call", "endcall", "filter", "endfilter", "raw", "endraw", "do":
		return true
	}
	return false
}

// gives reports whether a function hands on the texts that it is called with,
// be it in another form.
func gives(function string) bool {
	switch function {
	case "b64enc", "b64encode", "b32enc", "quote", "squote", "default", "d", "coalesce", "ternary", "print", "println", "trim",
		"upper", "lower", "title", "toString", "string", "cat", "list", "dict", "toYaml", "toJson", "to_yaml", "to_json", "htpasswd",
		"password_hash", "bcrypt", "sha256sum", "indent", "nindent", "printf", "format", "base64Encode", "base64encode", "tpl", "html", "urlquery", "squeeze":
		return true
	}
	return false
}

// judge tells what an action is, given what stands between its delimiters.
func (v variables) judge(action string) mark {
	action = strings.TrimSpace(strings.Trim(strings.TrimSpace(action), "-+~"))
	if action == "" || strings.HasPrefix(action, "/*") || strings.HasPrefix(action, "#") {
		return mark{control: true}
	}
	words := tokens(action)
	if len(words) == 0 {
		return mark{reference: true}
	}
	if name, right, ok := assignment(words); ok {
		delete(v, name)
		if m := v.pipeline(right, 0); m.literal && !m.reference {
			v[name] = m.text
		}
		return mark{control: true}
	}
	if !words[0].quoted && isControl(words[0].text) {
		return mark{control: true}
	}
	return v.pipeline(words, 0)
}

// assignment takes `$x := "text"`, `$x = "text"` and Jinja's `set x = "text"`
// apart.
func assignment(words []token) (name string, right []token, ok bool) {
	if len(words) > 0 && !words[0].quoted && words[0].text == "set" {
		words = words[1:]
	}
	if len(words) < 3 || words[0].quoted || words[1].quoted || words[1].text != ":=" && words[1].text != "=" {
		return "", nil, false
	}
	return words[0].text, words[2:], true
}

// maxParens bounds how deep parentheses are looked into.
const maxParens = 50

// pipeline judges stages that hand their result on to the next. depth is that of
// the parentheses around them.
func (v variables) pipeline(words []token, depth int) mark {
	if depth > maxParens {
		return mark{reference: true}
	}
	var all mark
	first := true
	for len(words) > 0 {
		end := before("|", words)
		m := v.stage(words[:end], !first, depth)
		all.add(m)
		if first {
			all.text = m.text
		}
		first, words = false, words[min(end+1, len(words)):]
	}
	return all
}

// before returns how many words stand before the first one that is in no
// parentheses and is a given sign: all of them if there is none.
func before(sign string, words []token) int {
	depth := 0
	for i, w := range words {
		switch {
		case w.quoted:
		case w.text == sign && depth <= 0:
			return i
		case w.text == "(":
			depth++
		case w.text == ")":
			depth--
		}
	}
	return len(words)
}

// stage judges one stage. piped says that another one comes before it, so that a
// function without arguments takes its value from there.
func (v variables) stage(words []token, piped bool, depth int) mark {
	if len(words) == 0 {
		return mark{}
	}
	switch head := words[0]; {
	case head.quoted:
		return literal(head.text)
	case head.text == "(":
		inner, _ := group(words)
		return v.pipeline(inner, depth+1)
	case gives(head.text):
		return v.arguments(words[1:], depth)
	default:
		if text, ok := v[head.text]; ok {
			return literal(text)
		}
		return mark{reference: !piped}
	}
}

// arguments judges what a function is called with that hands it on.
func (v variables) arguments(words []token, depth int) mark {
	var all mark
	for len(words) > 0 {
		var m mark
		switch w := words[0]; {
		case w.quoted:
			m, words = literal(w.text), words[1:]
		case w.text == "(":
			var inner []token
			inner, words = group(words)
			m = v.list(inner, depth+1)
		case w.text == "," || w.text == ")" || isNumber(w.text):
			words = words[1:]
		default:
			if text, ok := v[w.text]; ok {
				m = literal(text)
			} else {
				m.reference = true
			}
			words = words[1:]
		}
		all.add(m)
	}
	return all
}

// list judges what stands in parentheses: a pipeline, or with commas between
// them several, as Jinja has them.
func (v variables) list(words []token, depth int) mark {
	var all mark
	for len(words) > 0 {
		end := before(",", words)
		m := v.pipeline(words[:end], depth)
		all.add(m)
		words = words[min(end+1, len(words)):]
	}
	return all
}

// group returns the words in the parentheses that words begin with, and those
// behind them.
func group(words []token) (inner, rest []token) {
	depth := 0
	for i, w := range words {
		switch {
		case w.quoted:
		case w.text == "(":
			depth++
		case w.text == ")":
			if depth--; depth == 0 {
				return words[1:i], words[i+1:]
			}
		}
	}
	return words[1:], nil
}

// literal is a text in an action. One that is itself an action is for another
// template, and one with verbs of printf is known by what it is called with.
func literal(text string) mark {
	bare := withoutVerbs(text)
	if strings.Contains(text, "{{") || strings.Contains(text, "${") || utf8.RuneCountInString(bare) < shortest {
		return mark{text: text}
	}
	if bare != text && !looksSecret(text, func(s string) bool { return strings.Contains(s, "%") }) {
		return mark{text: text}
	}
	return mark{literal: true, text: text}
}

// withoutVerbs cuts %s and its like.
func withoutVerbs(text string) string {
	for _, verb := range []string{"%s", "%d", "%v", "%q", "%t", "%x"} {
		text = strings.ReplaceAll(text, verb, "")
	}
	return text
}

func isNumber(word string) bool {
	return word != "" && strings.TrimFunc(word, unicode.IsDigit) == ""
}
