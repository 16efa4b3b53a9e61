// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	kubectl "sigs.k8s.io/yaml"
)

func TestEncodeYAML(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"order and quoting stay", "b: 'x'\na: \"y\"\nc: z\n", "b: 'x'\na: \"y\"\nc: z\n"},
		{"indent of two, lists at their key", "a:\n    b:\n        - c\n        -   d: 1\n", "a:\n  b:\n  - c\n  - d: 1\n"},
		{"comments stay", "# h\na: 1 # l\n# f\nb:\n  # i\n  - c\n", "# h\na: 1 # l\n# f\nb:\n# i\n- c\n"},
		{"flow stays", "a: [1, {b: 2}]\n", "a: [1, {b: 2}]\n"},
		{"block scalars stay", "a: |-\n  x\n  y\nb: >\n  z\n", "a: |-\n  x\n  y\nb: >\n  z\n"},
		{"numbers keep their text", "a: 0x10\nb: 1_000\nc: 1.50\nd: ~\ne: True\n", "a: 0x10\nb: 1_000\nc: 1.50\nd: ~\ne: True\n"},
		{"empty value", "a:\nb: 1\n", "a:\nb: 1\n"},
		{"empty collections", "a: {}\nb: []\n", "a: {}\nb: []\n"},
		{"tag", "a: !!str 1\n", "a: !!str 1\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := EncodeYAML(mustParse(t, test.in))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(got)); diff != "" {
				t.Errorf("YAML (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEncodeYAMLErrors(t *testing.T) {
	text := func(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }
	tests := []struct {
		name string
		n    *yaml.Node
	}{
		{"invalid UTF-8", text(canary + "\xff")},
		{"unknown kind", Mapping(String("a"), &yaml.Node{Kind: 77, Value: canary})},
		{"key without value", Mapping(String("a"), text(canary), String("b"))},
		{"key twice", Mapping(String("a"), text(canary), String("a"), text(canary))},
		{"number that is none", Mapping(String("a"), &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: canary})},
		{"foreign tag", Mapping(String("a"), &yaml.Node{Kind: yaml.ScalarNode, Tag: "!x", Value: canary})},
		{"alias", Mapping(String("a"), &yaml.Node{Kind: yaml.AliasNode, Value: canary, Alias: String("b")})},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			out, err := EncodeYAML(test.n)
			if err == nil {
				t.Errorf("written: %q", out)
			}
			noLeak(t, err)
		})
	}
}

// Whatever the comments and styles are, the data comes back or there is an
// error; and there is none for data that Parse takes.
func TestEncodeYAMLReadsBack(t *testing.T) {
	var strs []string
	for _, s := range corpus() {
		if utf8.ValidString(s) && len(s) < 50 {
			strs = append(strs, s)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 1500 {
		n := tree(r, strs, 4)
		out, err := EncodeYAML(n)
		if err != nil {
			t.Fatalf("tree %d: %v", i, err)
		}
		got, err := Parse(out)
		if err != nil || !Equal(got, n) {
			t.Fatalf("tree %d: reads back as something else: %v\n%s", i, err, out)
		}
		var v any
		if err := kubectl.Unmarshal(out, &v); err != nil && !strings.Contains(string(out), ".inf") {
			t.Errorf("tree %d: kubectl: %v\n%s", i, err, out)
		}
		again, err := EncodeYAML(got)
		if err != nil || !Equal(mustParse(t, string(again)), n) {
			t.Errorf("tree %d: not the same when written again: %v\n%s\n%s", i, err, out, again)
		}
	}
}

func TestEncodeJSON(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"object", "b: 1\na: x\n", `{"b":1,"a":"x"}`},
		{"nested", "a: [{b: []}, {}]\n", `{"a":[{"b":[]},{}]}`},
		{"words", "[true, False, null, ~, '~', yes, 'true']\n", `[true,false,null,null,"~","yes","true"]`},
		{"no value", "a:\n", `{"a":null}`},
		{"big integer", "a: 123456789012345678901234567890\n", `{"a":123456789012345678901234567890}`},
		{"fraction", "a: 1.50\n", `{"a":1.50}`},
		{"exponent", "a: 1e3\n", `{"a":1e3}`},
		{"minus zero", "a: -0\n", `{"a":-0}`},
		{"too large a number in JSON", `{"a":1e400}`, `{"a":1e400}`},
		{"too large a number in YAML is a string", "a: 1e400\n", `{"a":"1e400"}`},
		{"hexadecimal", "a: 0x10\n", `{"a":16}`},
		{"octal", "[0o7, 010]\n", `[7,8]`},
		{"binary", "a: 0b101\n", `{"a":5}`},
		{"no digit before the point", "[.5, -.5, +1, 1.]\n", `[0.5,-0.5,1,1]`},
		{"underscores", "a: 1_000\n", `{"a":1000}`},
		{"largest unsigned", "a: 0xffffffffffffffff\n", `{"a":18446744073709551615}`},
		{"timestamp", "a: 2001-01-01\n", `{"a":"2001-01-01"}`},
		{"quoted number with a tag", "a: !!int '5'\n", `{"a":5}`},
		{"HTML", "a: '<b>&'\n", `{"a":"<b>&"}`},
		{"line separators", "a: \"\\L\\P\"\n", `{"a":"\u2028\u2029"}`},
		{"control characters", "a: \"\\0\\e\\n\\t\\x7f\"\n", `{"a":"\u0000\u001b\n\t` + "\x7f" + `"}`},
		{"quotes and backslash", `a: "\"\\/"` + "\n", `{"a":"\"\\/"}`},
		{"emoji", "a: 😀\n", `{"a":"😀"}`},
		{"scalar", "x\n", `"x"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := EncodeJSON(mustParse(t, test.in), "")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want+"\n", string(got)); diff != "" {
				t.Errorf("JSON (-want +got):\n%s", diff)
			}
		})
	}
	got, err := EncodeJSON(mustParse(t, "a: [1]\nb: {}\n"), "\t")
	if want := "{\n\t\"a\": [\n\t\t1\n\t],\n\t\"b\": {}\n}\n"; err != nil || string(got) != want {
		t.Errorf("indented: %q, error %v, want %q", got, err, want)
	}
}

func TestEncodeJSONErrors(t *testing.T) {
	scalar := func(tag, value string) *yaml.Node {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: value}
	}
	tests := []struct {
		name string
		n    *yaml.Node
	}{
		{"infinity", scalar("", ".inf")},
		{"minus infinity", scalar("", "-.Inf")},
		{"no number", scalar("", ".nan")},
		{"object as a number", scalar("!!int", `{"a":"`+canary+`"}`)},
		{"list as a number", scalar("!!float", `["`+canary+`"]`)},
		{"text as a number", scalar("!!int", canary)},
		{"text as a boolean", scalar("!!bool", `"`+canary+`"`)},
		{"merge", scalar("!!merge", "<<")},
		{"binary", scalar("!!binary", canary+"!")},
		{"foreign tag", scalar("!x", canary)},
		{"alias", &yaml.Node{Kind: yaml.AliasNode, Value: canary, Alias: String("a")}},
		{"unknown kind", &yaml.Node{Kind: 77, Value: canary}},
	}
	for _, test := range tests {
		for _, indent := range []string{"", "  "} {
			t.Run(test.name, func(t *testing.T) {
				out, err := EncodeJSON(Mapping(String("a"), test.n), indent)
				if err == nil {
					t.Errorf("written: %q", out)
				}
				noLeak(t, err)
			})
		}
	}
}

// For trees, EncodeJSON writes what kubectl makes of the YAML.
func TestEncodeJSONLikeKubectl(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	strs := []string{"a", "b c", "<&>", "\u2028", "1", "x\ny", "한국어"}
	for i := range 1000 {
		n := tree(r, strs, 4)
		text, err := EncodeYAML(n)
		if err != nil {
			t.Fatal(err)
		}
		want, err := kubectl.YAMLToJSON(text)
		if err != nil {
			continue // infinity
		}
		got, err := EncodeJSON(n, "")
		if err != nil {
			t.Fatalf("tree %d: %v\n%s", i, err, text)
		}
		var g, w any
		if json.Unmarshal(got, &g) != nil || json.Unmarshal(want, &w) != nil || !cmp.Equal(g, w) {
			t.Errorf("tree %d: %s\nwant %s", i, got, want)
		}
		compact, err := Parse(got)
		if err != nil || len(Keys(Root(compact))) != len(Keys(n)) {
			t.Errorf("tree %d: Parse of %s: %v", i, got, err)
		}
	}
}
