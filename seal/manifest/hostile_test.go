// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// deepYAML, deepFlow, ... nest n levels.
func deepYAML(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i))
		b.WriteString("a:\n")
	}
	return b.String()
}

func deepFlow(n int) string { return "a: " + strings.Repeat("[", n) + strings.Repeat("]", n) }
func deepJSON(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }

func TestParseRefuses(t *testing.T) {
	const c = canary
	tests := []struct {
		name string
		in   string
		want SyntaxError
	}{
		// What two readers could take differently.
		{"anchor on a value", "a: 1\nb: &" + c + " 2\n", SyntaxError{2, "b", "anchors are not supported"}},
		{"anchor on a mapping", "a: &x\n  b: " + c + "\n", SyntaxError{1, "a", "anchors are not supported"}},
		{"anchor on a key", "&x a: 1\n", SyntaxError{1, "", "anchors are not supported"}},
		{"anchor on the document", "--- &x\na: 1\n", SyntaxError{1, "", "anchors are not supported"}},
		{"alias", "a: 1\nb: &x 2\nc: *x\n", SyntaxError{2, "b", "anchors are not supported"}},
		{"alias as a key", "a: {b: &x c}\n*x : 1\n", SyntaxError{1, "a.b", "anchors are not supported"}},
		{"alias without anchor", "a: *" + c + "\n", SyntaxError{0, "", "not valid YAML: an alias without its anchor"}},
		{"anchor that contains itself", "&x\na: [*x]\n", SyntaxError{1, "", "anchors are not supported"}},
		{"list that contains itself", "a: &x [*x]\n", SyntaxError{1, "a", "anchors are not supported"}},
		{"merge key", "a: 1\n<<: {b: " + c + "}\n", SyntaxError{2, "", "merge keys (<<) are not supported"}},
		{"merge key in a list", "a:\n- b: 1\n- <<: {}\n", SyntaxError{3, "a", "merge keys (<<) are not supported"}},
		{"merge as a value", "a: <<\n", SyntaxError{1, "a", "unsupported tag"}},
		{"duplicate key", "a: 1\nb: 2\na: " + c + "\n", SyntaxError{3, "", `duplicate key "a"`}},
		{"duplicate key, nested", "x:\n  y.z:\n    a: 1\n    a: 2\n", SyntaxError{4, `x["y.z"]`, `duplicate key "a"`}},
		{"duplicate key in a list", "x:\n- a: 1\n- a: 1\n  a: 2\n", SyntaxError{4, "x", `duplicate key "a"`}},
		{"duplicate key, quoted", "a: 1\n'a': 2\n", SyntaxError{2, "", `duplicate key "a"`}},
		{"duplicate key, escaped", "a: 1\n\"\\u0061\": 2\n", SyntaxError{2, "", `duplicate key "a"`}},
		{"duplicate key, tagged", "a: 1\n!!str a: 2\n", SyntaxError{2, "", `duplicate key "a"`}},
		{"duplicate key, flow", "{a: 1, a: 2}\n", SyntaxError{1, "", `duplicate key "a"`}},
		{"duplicate key in JSON", "{\n\"a\": 1,\n\"a\": \"" + c + "\"}", SyntaxError{3, "", `duplicate key "a"`}},
		{"duplicate key in JSON, nested", "{\"x\": [\n{\"a\": 1, \"a\": 2}]}", SyntaxError{2, `x["[]"]`, `duplicate key "a"`}},
		{"duplicate key in JSON, escaped", "{\"a\": 1,\n\n\"\\u0061\": 2}", SyntaxError{3, "", `duplicate key "a"`}},
		{"number as a key", "1: " + c + "\n", SyntaxError{1, "", "a key that is not a string"}},
		{"boolean as a key", "a:\n  true: 1\n", SyntaxError{2, "a", "a key that is not a string"}},
		{"null as a key", "~: 1\n", SyntaxError{1, "", "a key that is not a string"}},
		{"no key", "?\n: 1\n", SyntaxError{1, "", "a key that is not a string"}},
		{"date as a key", "2001-01-01: 1\n", SyntaxError{1, "", "a key that is not a string"}},
		{"list as a key", "? [" + c + "]\n: 1\n", SyntaxError{1, "", "a key that is not a string"}},
		{"mapping as a key", "? {a: 1}\n: 1\n", SyntaxError{1, "", "a key that is not a string"}},
		{"old boolean as a key", "a: 1\non: 1\n", SyntaxError{2, "", `key "on" is true or false to some readers, put it in quotes`}},
		{"custom tag", "a: !" + c + " 1\n", SyntaxError{1, "a", "unsupported tag"}},
		{"custom tag on a mapping", "a: !x {b: 1}\n", SyntaxError{1, "a", "unsupported tag"}},
		{"custom tag on a list", "a: !x [1]\n", SyntaxError{1, "a", "unsupported tag"}},
		{"custom tag on a key", "!x a: 1\n", SyntaxError{1, "", "a key that is not a string"}},
		{"verbatim tag", "a: !<tag:" + c + "> 1\n", SyntaxError{1, "a", "unsupported tag"}},
		{"binary", "a: !!binary " + c + "\n", SyntaxError{1, "a", "unsupported tag"}},
		{"binary as a key", "!!binary YQ==: 1\n", SyntaxError{1, "", "a key that is not a string"}},
		{"set", "a: !!set {b: null}\n", SyntaxError{1, "a", "unsupported tag"}},
		{"wrong kind of tag", "a: !!seq {b: 1}\n", SyntaxError{1, "a", "unsupported tag"}},
		{"mapping as null", "a: !!null {b: 1}\n", SyntaxError{1, "a", "unsupported tag"}},
		{"%TAG that makes !!str something else", "%TAG !! tag:x,2000:\n---\na: !!str 1\n", SyntaxError{3, "a", "unsupported tag"}},
		{"%TAG that hides !!binary", "%TAG !e! tag:yaml.org,2002:bin\n---\na: !e!ary YQ==\n", SyntaxError{3, "a", "unsupported tag"}},
		{"tag with an escape", "a: !!%62inary YQ==\n", SyntaxError{1, "a", "unsupported tag"}},
		{"boolean that is none", "a: !!bool yes\n", SyntaxError{1, "a", "tag !!bool does not fit the value"}},
		{"null that is none", "a: !!null " + c + "\n", SyntaxError{1, "a", "tag !!null does not fit the value"}},
		{"number that is none", "a: !!int '{\"x\":1}'\n", SyntaxError{1, "a", "tag !!int does not fit the value"}},
		{"integer that is a fraction", "a: !!int 1.5\n", SyntaxError{1, "a", "tag !!int does not fit the value"}},
		{"two documents", "a: 1\n---\nb: " + c + "\n", SyntaxError{2, "", "more than one document where one is expected"}},
		{"two documents, lone CR", "a: 1\r---\rb: 2\n", SyntaxError{2, "", "more than one document where one is expected"}},
		{"two JSON documents", "{}{}", SyntaxError{1, "", "not valid YAML: did not find expected <document start>"}},

		// What is no YAML or JSON.
		{"invalid UTF-8", "a: 1\nb: " + c + "\xff", SyntaxError{2, "", "not valid UTF-8"}},
		{"NUL", "a: 1\nb: " + c + "\x00\n", SyntaxError{2, "", "not valid YAML: control characters are not allowed"}},
		{"escape character", "\n\na: \x1b[31m" + c + "\n", SyntaxError{3, "", "not valid YAML: control characters are not allowed"}},
		{"DEL in JSON-like YAML", "{a: \x7f}", SyntaxError{1, "", "not valid YAML: control characters are not allowed"}},
		{"control character in JSON", "{\"a\": \"\x01" + c + "\"}", SyntaxError{1, "", "not valid YAML: control characters are not allowed"}},
		{"lone surrogate in JSON", "{\"a\": 1,\n\"b\": \"\\ud83d" + c + "\"}", SyntaxError{2, "", "half of a surrogate pair in a JSON string"}},
		{"lone surrogate in JSON, low", "{\"a\": \"\\uDE00\"}", SyntaxError{1, "", "half of a surrogate pair in a JSON string"}},
		{"lone surrogate in a JSON key", "{\"\\uD83D\": \"" + c + "\"}", SyntaxError{1, "", "half of a surrogate pair in a JSON string"}},
		{"surrogates in YAML", "a: \"\\ud83d\\ude00\"\n", SyntaxError{1, "", "not valid YAML: found invalid Unicode character escape code"}},
		{"tab as indentation", "a:\n\tb: " + c + "\n", SyntaxError{2, "", "not valid YAML: found character that cannot start any token"}},
		{"quote not closed", "a: 1\nb: \"" + c + "\nc: 1\n", SyntaxError{2, "", "not valid YAML: found unexpected end of stream"}},
		{"list not closed", "a: [" + c + "\nb: 1\n", SyntaxError{2, "", "not valid YAML: did not find expected ',' or ']'"}},
		{"mapping not closed", "\na: {" + c + ": 1\n", SyntaxError{2, "", "not valid YAML: did not find expected ',' or '}'"}},
		{"text after a value", "a: \"" + c + "\" x\n", SyntaxError{1, "", "not valid YAML: did not find expected key"}},
		{"two values", "a: " + c + ": x\n", SyntaxError{1, "", "not valid YAML: mapping values are not allowed in this context"}},
		{"value on a line of its own", "a: 1\n" + c + "\nb: 1\n", SyntaxError{2, "", "not valid YAML: could not find expected ':'"}},
		{"unknown escape", "a: 1\nb: \"\\q" + c + "\"\n", SyntaxError{2, "", "not valid YAML: found unknown escape character"}},
		{"at sign", "a: 1\nb: @" + c + "\n", SyntaxError{2, "", "not valid YAML: found character that cannot start any token"}},
		{"unknown tag handle", "a: !x!" + c + " 1\n", SyntaxError{1, "", "not valid YAML: found undefined tag handle"}},
		{"unknown directive", "%FOO " + c + "\n---\na: 1\n", SyntaxError{1, "", "not valid YAML: found unknown directive name"}},
		{"YAML 3", "%YAML 3.0\n---\na: 1\n", SyntaxError{1, "", "not valid YAML: found incompatible YAML document"}},
		{"%TAG twice", "%TAG ! x\n%TAG ! y\n---\na: 1\n", SyntaxError{2, "", "not valid YAML: found duplicate %TAG directive"}},
		{"JSON cut off", "{\"a\": \"" + c + "\",\n", SyntaxError{1, "", "not valid YAML: did not find expected node content"}},

		// What is too much.
		{"too large", "a: " + strings.Repeat("x", MaxDocumentBytes), SyntaxError{0, "", "document has 8388611 bytes, the limit is 8388608"}},
		{"too many lines", strings.Repeat("a\n", 1_000_000), SyntaxError{0, "", "document has up to 1000000 nodes, the limit is 200000"}},
		{"flow list bomb", "[" + strings.Repeat("a,", 4_000_000) + "]", SyntaxError{0, "", "document has up to 4000001 nodes, the limit is 200000"}},
		{"flow mapping bomb", "{" + strings.Repeat("a,", 4_000_000), SyntaxError{0, "", "document has up to 4000001 nodes, the limit is 200000"}},
		{"block list bomb", strings.Repeat("- ", 4_000_000), SyntaxError{0, "", "document has up to 4000000 nodes, the limit is 200000"}},
		{"key bomb", strings.Repeat("? ", 4_000_000), SyntaxError{0, "", "document has up to 4000000 nodes, the limit is 200000"}},
		{"comment bomb", strings.Repeat("#\n", 4_000_000), SyntaxError{0, "", "document has up to 4000000 nodes, the limit is 200000"}},
		{"directive bomb", strings.Repeat("%TAG !a! x\n", 101), SyntaxError{0, "", "too many %TAG directives"}},
		{"101 levels of blocks", deepYAML(101), SyntaxError{101, strings.Repeat(".a", 101)[1:], "nested deeper than 100 levels"}},
		{"101 levels of flow", deepFlow(101), SyntaxError{1, "a", "nested deeper than 100 levels"}},
		{"101 levels of JSON", deepJSON(101), SyntaxError{1, "a.a.a.a.a", "nested deeper than 100 levels"}},
		{"10,000 levels of blocks", strings.Repeat("- ", 10_000), SyntaxError{1, "", "nested deeper than 100 levels"}},
		{"10,000 levels of keys", strings.Repeat("? ", 10_000), SyntaxError{1, "", "a key that is not a string"}},
		{"10,000 levels of flow", deepFlow(9_999), SyntaxError{1, "a", "nested deeper than 100 levels"}},
		{"more levels than the parser takes", deepFlow(20_000), SyntaxError{1, "", "not valid YAML: exceeded max depth of 10000"}},
		{"10,000 levels of JSON", deepJSON(10_000), SyntaxError{1, "a.a.a.a.a", "nested deeper than 100 levels"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			n, err := Parse([]byte(test.in))
			if n != nil || err == nil {
				t.Fatal("no error")
			}
			noLeak(t, err)
			if diff := cmp.Diff(&test.want, syntaxError(t, err)); diff != "" {
				t.Errorf("error %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestParseAccepts(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"tagged string", "a: !!str 1\n", `{"a":"1"}`},
		{"verbatim string tag", "a: !<tag:yaml.org,2002:str> 1\n", `{"a":"1"}`},
		{"%TAG for a known tag", "%TAG ! tag:yaml.org,2002:\n---\na: !str 1\n", `{"a":"1"}`},
		{"integer as float", "a: !!float 1\n", `{"a":1}`},
		{"quoted merge key", "'<<': 1\n", `{"<<":1}`},
		{"quoted old boolean", "'on': 1\n", `{"on":1}`},
		{"100 levels", deepFlow(99), `{"a":` + strings.Repeat("[", 99) + strings.Repeat("]", 99) + "}"},
		{"100 levels of JSON", deepJSON(100), deepJSON(100)},
		{"surrogate pair in JSON", `{"a":"\ud83d\ude00"}`, `{"a":"😀"}`},
		{"replacement character in JSON", `{"a":"` + "\uFFFD" + `"}`, `{"a":"` + "\uFFFD" + `"}`},
		{"byte order mark", "\uFEFFa: 1\n", `{"a":1}`},
		{"JSON with a tab and CR", "{\t\"a\":\r\n1}\r\n", `{"a":1}`},
		{"8 MiB scalar", "a: " + strings.Repeat("x", MaxDocumentBytes-4), `{"a":"` + strings.Repeat("x", MaxDocumentBytes-4) + `"}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := EncodeJSON(mustParse(t, test.in), "")
			if err != nil || string(got) != test.want+"\n" {
				t.Errorf("got %.100q, error %v, want %.100q", got, err, test.want)
			}
		})
	}
	for _, in := range []string{"", "\n", "# c\n", "---\n# c\n", "--- # c"} {
		if n, err := Parse([]byte(in)); err != nil || !IsNull(Root(n)) {
			t.Errorf("Parse(%q) = %v, %v, want nothing", in, n, err)
		}
	}
}

// Documents that are broken at any byte give an error without their values.
func TestParseBrokenAnywhere(t *testing.T) {
	value := strings.Repeat(canary, 3)
	for _, whole := range []string{
		"apiVersion: v1\nkind: Secret\nstringData:\n  a: " + value + "\n  b: \"" + value + "\"\n  c: |\n    " + value + "\n    x\n",
		fmt.Sprintf("{\"apiVersion\": \"v1\",\n\"data\": {\"a\": %q, \"b\": [%q, %q]}}", value, value, value),
		"a: {b: [" + value + ", '" + value + "'], c: >-\n  " + value + "\n",
	} {
		for at := range len(whole) {
			for _, noise := range []string{"", "\"", "'", "\t", "\n", "{", "]", ":", ": ", " #", "*", "&", "!", "%", "\x00", "\xff", "\\", "- ", "? ", "|", "\r", "\u2028", "---\n"} {
				for _, in := range []string{whole[:at] + noise, whole[:at] + noise + whole[at:]} {
					_, err := Parse([]byte(in))
					if err == nil {
						continue
					}
					e := syntaxError(t, err)
					if key := "duplicate key"; !strings.Contains(err.Error(), key) && e.Path == "" {
						noLeak(t, err)
					}
				}
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, in := range streams {
		f.Add([]byte(in))
	}
	for _, in := range []string{
		"a: &x [*x]\n", "<<: {}\n", "a: !!binary YQ==\n", "{\"a\":1,\"\\u0061\":2}", "{\"a\":\"\\ud83d\"}", "? [a]\n: b\n",
		"%TAG !! x\n---\na: !!str b\n", "a: \"\\q\"\n", "a: 1\r---\rb: 2", "\t- a", deepFlow(120), deepJSON(101), "{\"a\":1e400}",
	} {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		n, err := Parse(in)
		if err != nil {
			e := syntaxError(t, err)
			if lines := 1 + strings.Count(string(in), "\n") + strings.Count(string(in), "\r") + strings.Count(string(in), "\u0085") +
				strings.Count(string(in), "\u2028") + strings.Count(string(in), "\u2029"); e.Line > lines {
				t.Errorf("line %d of %d: %v", e.Line, lines, err)
			}
			return
		}
		if n == nil {
			return
		}
		if got, bound := countNodes(n), 2*structure(in)+2; got > bound {
			t.Errorf("%d nodes, structure promised at most %d", got, bound)
		}
		if err := Check(n); err != nil {
			t.Errorf("Parse let through what Check refuses: %v", err)
		}
		if _, err := Objects(n); err != nil {
			syntaxError(t, err)
		}
		out, err := EncodeYAML(n)
		if err != nil {
			return // a number that YAML does not have, such as 1e400
		}
		got, err := Parse(out)
		if err != nil || !Equal(got, n) {
			t.Errorf("reads back as something else: %v\n%s", err, out)
		}
	})
}

func countNodes(n *yaml.Node) int {
	count := 1
	for _, c := range n.Content {
		count += countNodes(c)
	}
	return count
}
