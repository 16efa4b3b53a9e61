// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	kubectl "sigs.k8s.io/yaml"
)

func TestStringStyle(t *testing.T) {
	tests := []struct{ in, want string }{
		{"", `""`}, {"admin", "admin"}, {"a-b_c.d/e", "a-b_c.d/e"}, {"prod/db", "prod/db"}, {"^signet$", "^signet$"},
		{"arn:aws:kms:eu-1:1:key/a", "arn:aws:kms:eu-1:1:key/a"}, {"YQ==", "YQ=="}, {"a b", "a b"}, {"a: b", `"a: b"`}, {"a #b", `"a #b"`}, {"1.2.3", "1.2.3"}, {"yes", `"yes"`}, {"N", `"N"`},
		{"true", `"true"`}, {"5432", `"5432"`}, {"1:30", `"1:30"`}, {"+1:30", `"+1:30"`}, {"0x_", `"0x_"`}, {"._", `"._"`}, {"_", "_"}, {"10.0.0.1", "10.0.0.1"}, {"2001-12-14 21:59:43.10 -5", `"2001-12-14 21:59:43.10 -5"`}, {"0x1f", `"0x1f"`}, {"1e400", "1e400"}, {"2001-01-01", `"2001-01-01"`},
		{"a:", `"a:"`}, {"-a", `"-a"`}, {"a\nb", "|-\n  a\n  b"}, {"a\nb\n", "|\n  a\n  b"}, {"a\n\n", "|+\n  a\n"}, {" a\nb", `" a\nb"`},
		{"a \nb", `"a \nb"`}, {"a\r\nb", `"a\r\nb"`}, {"a\u2028b", `"a\Lb"`}, {"한국어", `"한국어"`}, {"😀", `"\U0001F600"`}, {"\x7f", `"\x7F"`},
	}
	for _, test := range tests {
		t.Run(test.in, func(t *testing.T) {
			got, err := EncodeYAML(Mapping(String("k"), String(test.in)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff("k: "+test.want+"\n", string(got)); diff != "" {
				t.Errorf("YAML (-want +got):\n%s", diff)
			}
		})
	}
}

func TestString(t *testing.T) {
	for _, s := range corpus() {
		if utf8.ValidString(s) {
			checkString(t, s)
		}
	}
}

// checkString writes s as a value, a key, an item and a document and has
// yaml.v3 and kubectl's reader read them.
func checkString(t *testing.T, s string) {
	t.Helper()
	seq := &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{String(s), Mapping(String("k"), String(s))}}
	flow := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle, Content: []*yaml.Node{String(s), String("z")}}
	whole := Mapping(String("v"), String(s), String("list"), seq, String("flow"), flow, String("m"), StringMap(map[string]string{s: s}))
	want := map[string]any{
		"v": s, "list": []any{s, map[string]any{"k": s}}, "flow": []any{s, "z"}, "m": map[string]any{s: s},
	}
	out, err := EncodeYAML(whole)
	if err != nil {
		t.Fatalf("EncodeYAML of %q: %v", s, err)
	}
	var got map[string]any
	if err := yaml.Unmarshal(out, &got); err != nil || !cmp.Equal(got, want) {
		t.Errorf("%q: yaml.v3 reads %v, error %v:\n%s", s, got, err, out)
	}
	got = nil
	if err := kubectl.Unmarshal(out, &got); err != nil || !cmp.Equal(got, want) {
		t.Errorf("%q: kubectl reads %v, error %v:\n%s", s, got, err, out)
	}
	read, err := Parse(out)
	if err != nil || !IsString(Get(Root(read), "v")) || GetString(Root(read), "m", s) != s {
		t.Errorf("%q: Parse reads something else: %v\n%s", s, err, out)
	}
	alone, err := EncodeYAML(String(s))
	if err != nil {
		t.Fatalf("EncodeYAML of %q alone: %v", s, err)
	}
	var v any
	if err := kubectl.Unmarshal(alone, &v); err != nil || v != s {
		t.Errorf("%q as a document: kubectl reads %v, error %v:\n%s", s, v, err, alone)
	}
	checkJSONString(t, s)
}

func checkJSONString(t *testing.T, s string) {
	t.Helper()
	var v map[string]string
	out, err := EncodeJSON(StringMap(map[string]string{s: s}), "")
	if err != nil || json.Unmarshal(out, &v) != nil || !cmp.Equal(v, map[string]string{s: s}) {
		t.Errorf("%q: JSON %q, error %v", s, out, err)
	}
	n, err := Parse(out)
	if strings.ContainsRune(s, '\uFFFD') {
		return // may look like half of a surrogate pair
	}
	if err != nil || GetString(Root(n), s) != s {
		t.Errorf("%q: Parse of the JSON: %v", s, err)
	}
}

// What IsString lets through is the same string for kubectl.
func TestIsStringLikeKubectl(t *testing.T) {
	for _, s := range corpus() {
		for _, in := range []string{"k: " + s + "\n", "k: ! " + s + "\n", "k: !!str " + s + "\n"} {
			n, err := Parse([]byte(in))
			v := Get(Root(n), "k")
			if err != nil || v == nil || !IsString(v) {
				continue
			}
			var got map[string]any
			if err := kubectl.Unmarshal([]byte(in), &got); err != nil || got["k"] != v.Value {
				t.Errorf("%q: a string %q, kubectl reads %v, error %v", in, v.Value, got["k"], err)
			}
		}
		in := s + ": 1\n"
		n, err := Parse([]byte(in))
		if err != nil || len(Keys(Root(n))) != 1 {
			continue
		}
		var got map[string]any
		if err := kubectl.Unmarshal([]byte(in), &got); err != nil || got[Keys(Root(n))[0]] == nil {
			t.Errorf("%q: key %q, kubectl reads %v, error %v", in, Keys(Root(n))[0], got, err)
		}
	}
}

func FuzzString(f *testing.F) {
	for _, s := range specials {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if utf8.ValidString(s) {
			checkString(t, s)
			return
		}
		if out, err := EncodeYAML(Mapping(String("k"), String(s))); err == nil {
			t.Errorf("invalid UTF-8 %q was written: %q", s, out)
		}
	})
}
