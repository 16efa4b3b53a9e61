// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// A lenient reader takes what kubectl takes, and sees all that Git shows.
func TestLenient(t *testing.T) {
	tests := []struct {
		name, text string
		want       string // the same without what is lenient, "" if it fails
	}{
		{"plain", "a: b", "{a: b}"},
		{"anchors", "a: &x {b: c}\nd: *x", "{a: {b: c}, d: {b: c}}"},
		{"merge key", "a: &x {b: c}\nd: {<<: *x, e: f}", "{a: {b: c}, d: {b: c, e: f}}"},
		{"merge key that is covered", "a: &x {b: c}\nd: {b: g, <<: *x}", "{a: {b: c}, d: {b: g}}"},
		{"list of merge keys", "a: &x {b: c}\nd: {<<: [*x, *x]}", "{a: {b: c}, d: {b: c}}"},
		{"merge key of a text", "a: &x b\nd: {<<: *x}", "{a: b, d: {}}"},
		{"same key twice", "a: {b: c}\na: {d: e}", "{a: {b: c, d: e}}"},
		{"same key twice, below, too", "a: {b: }\na: {b: c}", "{a: {b: c}}"},
		{"tags", "a: !!binary YQ==\nb: !x y", "{a: YQ==, b: y}"},
		{"nothing", "# a", ""},
		{"malformed", "a: [", ""},
		{"endless", "a: &x [*x]", ""},
		{"laughs", "a: &a [b,b,b,b,b,b,b,b,b]\n" + laughs(9), ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := lenient([]byte(test.text), 1)
			if test.want == "" {
				if got != nil {
					t.Errorf("%+v, error %v", got, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if want := manifest.Root(parseDocument(t, test.want)); !manifest.Equal(want, got) {
				t.Errorf("got\n%swant %s", encodeLoose(t, got), test.want)
			}
		})
	}
}

// laughs are lists of nine of the list before.
func laughs(n int) string {
	var b strings.Builder
	for i := range n {
		name, before := rune('b'+i), rune('a'+i)
		fmt.Fprintf(&b, "%c: &%c [%s]\n", name, name, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c,", before), 9), ","))
	}
	return b.String()
}

// Lines are those of the file.
func TestLenientLines(t *testing.T) {
	n, err := lenient([]byte("a: &x {b: c}\nd: *x\n"), 11)
	if err != nil {
		t.Fatal(err)
	}
	if got := []int{manifest.Get(n, "a").Line, manifest.Get(n, "d").Line}; !cmp.Equal(got, []int{11, 12}) {
		t.Errorf("lines %v", got)
	}
}

func FuzzLenient(f *testing.F) {
	f.Add("a: &x {b: c}\nd: {<<: *x, e: *x}")
	f.Add("a: &x [*x]")
	f.Add("? {a: b}\n: c\n? [d]\n")
	f.Fuzz(func(t *testing.T, text string) {
		n, err := lenient([]byte(text), 1)
		if n != nil && err != nil {
			t.Error("both a tree and an error")
		}
		if n != nil {
			nestedSecrets(input{name: "f"}, lenientFound(&manifest.Document{Index: 1}, n))
		}
		parseKust([]byte(text))
		conflictLine([]byte(text))
		allowances([]byte(text))
		fromUTF16([]byte(text))
	})
}

func TestConflictLine(t *testing.T) {
	const ours, middle, theirs = "<<<<<<< HEAD\n", "=======\n", ">>>>>>> theirs\n"
	tests := []struct {
		name, text string
		want       int
	}{
		{"conflict", "a\n" + ours + "b\n" + middle + "c\n" + theirs, 2},
		{"with the base", ours + "||||||| base\n" + middle + theirs, 1},
		{"longer markers", "<<<<<<<<<< a\n==========\n>>>>>>>>>>\n", 1},
		{"Windows", strings.ReplaceAll(ours+middle+theirs, "\n", "\r\n"), 1},
		{"not ended", ours + middle, 0},
		{"another order", theirs + middle + ours, 0},
		{"set in", " " + ours + middle + theirs, 0},
		{"no blank", "<<<<<<<HEAD\n" + middle + theirs, 0},
		{"headline", "a\n" + middle, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := conflictLine([]byte(test.text)); got != test.want {
				t.Errorf("line %d, want %d", got, test.want)
			}
		})
	}
}

func TestAllowances(t *testing.T) {
	text := strings.Join([]string{
		"# signet:allow clear-secret an example",
		"a: b # signet:allow scope,recipients moved by hand",
		"{{/* signet:allow clear-template filled in by the tests */}}",
		"{{- /* signet:allow clear-template */ -}}",
		"# signet:allow clear-secret",
		"# signet:allow",
		"a: signet:allow clear-secret in a text",
		"<!-- signet:allow unreadable of old -->\r",
	}, "\n")
	want := []allowance{
		{1, "clear-secret", "an example"}, {2, "scope", "moved by hand"}, {2, "recipients", "moved by hand"},
		{3, "clear-template", "filled in by the tests"}, {4, "clear-template", ""}, {5, "clear-secret", ""}, {8, "unreadable", "of old"},
	}
	if diff := cmp.Diff(want, allowances([]byte(text)), cmp.AllowUnexported(allowance{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A comment counts for what is near it, and for its own rule.
func TestAllow(t *testing.T) {
	by := []allowance{{10, ruleScope, "moved"}}
	tests := []struct {
		rule rule
		line int
		want bool
	}{
		{ruleScope, 10, true}, {ruleScope, 14, true}, {ruleScope, 6, true},
		{ruleScope, 15, false}, {ruleScope, 5, false}, {ruleScope, 0, false}, {ruleInvalid, 10, false},
	}
	for _, test := range tests {
		all := []finding{{Rule: test.rule, Line: test.line}}
		allow(all, by)
		if got := all[0].suppressed != ""; got != test.want {
			t.Errorf("%s on line %d: %v", test.rule, test.line, got)
		}
	}
}

func TestSkipMatches(t *testing.T) {
	tests := []struct {
		pattern, path string
		want          bool
	}{
		{"docs", "docs/a/b.yaml", true}, {"docs/", "docs/b.yaml", true}, {"docs/*.yaml", "docs/b.yaml", true},
		{"docs/*.yaml", "docs/a/b.yaml", false}, {"doc", "docs/b.yaml", false}, {"*/examples", "a/examples/b.yaml", true},
	}
	for _, test := range tests {
		if got := (skip{pattern: test.pattern}).matches(test.path); got != test.want {
			t.Errorf("%s, %s: %v", test.pattern, test.path, got)
		}
	}
}

func TestPatched(t *testing.T) {
	tests := []struct {
		name   string
		target patchKinds
		text   string
		want   string
	}{
		{"replace", secretKind, "- {op: replace, path: /data/password, value: YQ==}", "password"},
		{"all", secretKind, "- {op: add, path: /stringData, value: {a: b, c: ''}}", "a"},
		{"all, no mapping", secretKind, "- {op: add, path: /data, value: b}", "operation 0"},
		{"escaped", secretKind, "- {op: add, path: /data/a~1b, value: x}", "a/b"},
		{"remove", secretKind, "- {op: remove, path: /data/password}", ""},
		{"other field", secretKind, "- {op: add, path: /metadata/labels/a, value: b}", ""},
		{"field with a longer name", secretKind, "- {op: add, path: /database, value: b}", ""},
		{"empty", secretKind, "- {op: add, path: /data, value: {}}", ""},
		{"reference", secretKind, "- {op: add, path: /data/a, value: '${A}'}", ""},
		{"no list", secretKind, "op: add", ""},
		{"stringData of whatever has a name", anyKind, "- {op: add, path: /stringData/a, value: b}", "a"},
		{"data in base64 of whatever has a name", anyKind, "- {op: add, path: /data/a, value: aHVudGVyMg==}", "a"},
		{"all data in base64 of whatever has a name", anyKind, "- {op: add, path: /data, value: {a: aHVudGVyMg==}}", "a"},
		{"text in data of whatever has a name", anyKind, "- {op: add, path: /data/a, value: debug}", ""},
		{"a word in data of whatever has a name", anyKind, "- {op: add, path: /data/a, value: true}", ""},
		{"some text in data of whatever has a name", anyKind, "- {op: add, path: /data, value: {a: aHVudGVyMg==, b: a text}}", ""},
		{"data of other kinds", otherKinds, "- {op: add, path: /data/a, value: aHVudGVyMg==}", ""},
		{"stringData of other kinds", otherKinds, "- {op: add, path: /stringData/a, value: b}", "a"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := strings.Join(patched([]byte(test.text), test.target), ","); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

func TestTargetOf(t *testing.T) {
	tests := []struct {
		name, text string
		want       patchKinds
	}{
		{"Secret", "target: {kind: Secret}", secretKind},
		{"one of several", "target: {kind: ConfigMap|Secret}", secretKind},
		{"anchored", "target: {kind: ^(ConfigMap|Secret)$}", secretKind},
		{"class", "target: {kind: 'Secre[t]'}", secretKind},
		{"all", "target: {kind: .*}", secretKind},
		{"another", "target: {kind: ConfigMap}", otherKinds},
		{"longer name", "target: {kind: SecretStore}", otherKinds},
		{"no regular expression", "target: {kind: 'Secret['}", otherKinds},
		{"name alone", "target: {name: db}", anyKind},
		{"labels", "target: {labelSelector: app=db}", anyKind},
		{"none", "a: b", anyKind},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			n, err := lenient([]byte(test.text), 1)
			if err != nil {
				t.Fatal(err)
			}
			if got := targetOf(n); got != test.want {
				t.Errorf("%d, want %d", got, test.want)
			}
		})
	}
}

func TestAssigned(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"values", "A=b\nC='d'\n", "A,C"},
		{"without a value", "A=\nB=\"\"\nC\n\n# D=e\n", ""},
		{"references", "A=${B}\n", ""},
		{"encrypted", "A=ENC[AES256_GCM,data:x]\n", ""},
		{"by sops", "A=b\nsops_mac=x\n", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := strings.Join(assigned(strings.Split(test.text, "\n")), ","); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

func TestAllowsMore(t *testing.T) {
	scope := func(text string) sopsdoc.Scope {
		s, err := sopsdoc.ParseScope(text)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for pair, want := range map[[2]string]bool{
		{"a/b", "a/*"}: true, {"a/*", "*/*"}: true, {"a/b", "*/b"}: true,
		{"a/b", "c/b"}: true, {"a/b", "a/d"}: true, {"a/*", "b/*"}: true, {"*/b", "*/d"}: true, {"*/b", "a/*"}: true,
		{"a/b", "a/b"}: false, {"*/*", "a/b"}: false, {"a/*", "a/b"}: false, {"*/b", "a/b"}: false,
	} {
		if got := allowsMore(scope(pair[1]), scope(pair[0])); got != want {
			t.Errorf("from %s to %s: %v", pair[0], pair[1], got)
		}
	}
}
