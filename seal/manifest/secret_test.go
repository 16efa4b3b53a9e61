// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"encoding/base64"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestParseSecret(t *testing.T) {
	const head = "apiVersion: v1\nkind: Secret\n"
	tests := []struct {
		name, in string
		want     Secret
		dropped  []string
	}{
		{"smallest", head + "metadata: {name: a}\n", Secret{Name: "a"}, nil},
		{
			"everything",
			head + "metadata:\n  name: a\n  namespace: b\n  labels: {l: '1'}\n  annotations: {x/y: ''}\ntype: t/u\nimmutable: true\n" +
				"data: {k: aGk=, empty: ''}\nstringData: {s: hi}\n",
			Secret{
				Name: "a", Namespace: "b", Type: "t/u", Immutable: true, Labels: map[string]string{"l": "1"}, Annotations: map[string]string{"x/y": ""},
				Data: map[string][]byte{"k": []byte("hi"), "empty": {}}, StringData: map[string]string{"s": "hi"},
			}, nil,
		},
		{
			"fields of the server",
			head + "metadata:\n  name: a\n  uid: u\n  resourceVersion: '1'\n  creationTimestamp: null\n  managedFields: [{manager: m}]\n" +
				"  ownerReferences: []\n  finalizers: [x]\n  generation: 1\n  selfLink: /a\n  deletionTimestamp: null\n  deletionGracePeriodSeconds: 0\n",
			Secret{Name: "a"},
			[]string{
				"metadata.uid", "metadata.resourceVersion", "metadata.creationTimestamp", "metadata.managedFields", "metadata.ownerReferences",
				"metadata.finalizers", "metadata.generation", "metadata.selfLink", "metadata.deletionTimestamp", "metadata.deletionGracePeriodSeconds",
			},
		},
		{"base64 in lines", head + "metadata: {name: a}\ndata:\n  k: |\n    aGVs\n    bG8=\n", Secret{Name: "a", Data: map[string][]byte{"k": []byte("hello")}}, nil},
		{"base64 folded", head + "metadata: {name: a}\ndata:\n  k: aGVs\n    bG8=\n", Secret{Name: "a", Data: map[string][]byte{"k": []byte("hello")}}, nil},
		{"null maps", head + "metadata: {name: a, labels: null, annotations: }\ndata: ~\nstringData:\nimmutable: null\n", Secret{Name: "a"}, nil},
		{"immutable: False", head + "metadata: {name: a}\nimmutable: False\n", Secret{Name: "a"}, nil},
		{"number as text by its tag", head + "metadata: {name: a}\nstringData: {port: !!str 5432}\n", Secret{Name: "a", StringData: map[string]string{"port": "5432"}}, nil},
		{"JSON", `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"},"stringData":{"yes":"on"}}`, Secret{Name: "a", StringData: map[string]string{"yes": "on"}}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, dropped, err := ParseSecret(mustParse(t, test.in))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&test.want, s, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("Secret (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.dropped, dropped); diff != "" {
				t.Errorf("dropped (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseSecretErrors(t *testing.T) {
	const c, quotes = canary, "is not a string, put it in quotes"
	const oldQuotes = "is true or false to some readers, put it in quotes"
	tests := []struct {
		name, in string // after apiVersion, kind and a name on lines 1 to 3
		want     SyntaxError
	}{
		{"number", "stringData:\n  port: 5432\n", SyntaxError{5, "stringData.port", quotes}},
		{"number in data", "data:\n  pin: 1234\n", SyntaxError{5, "data.pin", quotes}},
		{"boolean", "stringData:\n  a: x\n  b: true\n", SyntaxError{6, "stringData.b", quotes}},
		{"old boolean", "stringData:\n  b: yes\n", SyntaxError{5, "stringData.b", oldQuotes}},
		{"null", "stringData:\n  b:\n", SyntaxError{5, "stringData.b", quotes}},
		{"null in data", "data: {b: ~}\n", SyntaxError{4, "data.b", quotes}},
		{"date", "stringData: {b: 2001-01-01}\n", SyntaxError{4, "stringData.b", quotes}},
		{"mapping as a value", "stringData:\n  b:\n    " + c + ": x\n", SyntaxError{6, "stringData.b", quotes}},
		{"list as a value", "stringData:\n  b: [" + c + "]\n", SyntaxError{5, "stringData.b", quotes}},
		{"list as a map", "stringData: [" + c + "]\n", SyntaxError{4, "stringData", "must be a mapping"}},
		{"text as a map", "data: " + c + "\n", SyntaxError{4, "data", "must be a mapping"}},
		{"not base64", "data:\n  a: aGk=\n  b: " + c + "!\n", SyntaxError{6, "data.b", "is not base64"}},
		{"base64 without padding", "data: {b: aGk}\n", SyntaxError{4, "data.b", "is not base64"}},
		{"base64 with bits after its end", "data: {b: aGl=}\n", SyntaxError{4, "data.b", "is not base64"}},
		{"URL base64", "data: {b: _-8=}\n", SyntaxError{4, "data.b", "is not base64"}},
		{"odd key", "data: {a b/ü: '" + c + "!'}\n", SyntaxError{4, `data["a b/ü"]`, "is not base64"}},
		{"key in both maps", "data: {a: aGk=, b: aGk=}\nstringData: {b: " + c + "}\n", SyntaxError{5, "stringData.b", "stands in data too, remove one"}},
		{"unknown field", "stringdata: {a: " + c + "}\n", SyntaxError{4, "stringdata", "a Secret has no such field"}},
		{"status", "status: " + c + "\n", SyntaxError{4, "status", "a Secret has no such field"}},
		{"sops", "sops: {mac: x}\n", SyntaxError{4, "sops", "a Secret has no such field"}},
		{"type is no string", "type: 1\n", SyntaxError{4, "type", quotes}},
		{"immutable is text", "immutable: 'true'\n", SyntaxError{4, "immutable", "must be true or false"}},
		{"immutable is an old boolean", "immutable: yes\n", SyntaxError{4, "immutable", "must be true or false"}},
		{"immutable is a number", "immutable: 1\n", SyntaxError{4, "immutable", "must be true or false"}},
		{"immutable is a mapping", "immutable: {}\n", SyntaxError{4, "immutable", "must be true or false"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			secretError(t, "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n"+test.in, test.want)
		})
	}
}

func TestParseSecretMetadataErrors(t *testing.T) {
	const quotes = "is not a string, put it in quotes"
	tests := []struct {
		name, in string
		want     SyntaxError
	}{
		{"no metadata", "kind: Secret\n", SyntaxError{1, "metadata.name", "is missing"}},
		{"no name", "metadata: {namespace: a}\n", SyntaxError{1, "metadata.name", "is missing"}},
		{"empty name", "metadata: {name: ''}\n", SyntaxError{1, "metadata.name", "is missing"}},
		{"generateName", "metadata:\n  generateName: a-\n", SyntaxError{2, "metadata.generateName", "is not supported in a Secret to be sealed"}},
		{"unknown field", "metadata:\n  name: a\n  lables: {}\n", SyntaxError{3, "metadata.lables", "is not supported in a Secret to be sealed"}},
		{"list", "metadata: [{name: a}]\n", SyntaxError{1, "metadata", "must be a mapping"}},
		{"null", "metadata:\n", SyntaxError{1, "metadata", "must be a mapping"}},
		{"name is a number", "metadata: {name: 1}\n", SyntaxError{1, "metadata.name", quotes}},
		{"name is null", "metadata: {name: null}\n", SyntaxError{1, "metadata.name", quotes}},
		{"namespace is an old boolean", "metadata: {name: a, namespace: no}\n", SyntaxError{1, "metadata.namespace", "is true or false to some readers, put it in quotes"}},
		{"label is a boolean", "metadata:\n  name: a\n  labels:\n    x/y: true\n", SyntaxError{4, `metadata.labels.x/y`, quotes}},
		{"annotations are a list", "metadata: {annotations: [a]}\n", SyntaxError{1, "metadata.annotations", "must be a mapping"}},
		{"a list", "- a\n", SyntaxError{0, "", "a Secret must be a mapping"}},
		{"nothing", "", SyntaxError{0, "", "a Secret must be a mapping"}},
		{"JSON", "{\n\"metadata\":{\"name\":\"a\"},\n\"stringData\":\n{\"a\": 5}}", SyntaxError{4, "stringData.a", quotes}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { secretError(t, test.in, test.want) })
	}
}

func secretError(t *testing.T, in string, want SyntaxError) {
	t.Helper()
	s, _, err := ParseSecret(mustParse(t, in))
	if s != nil || err == nil {
		t.Fatalf("Secret %v, error %v, want only an error", s, err)
	}
	noLeak(t, err)
	if diff := cmp.Diff(&want, syntaxError(t, err)); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}

// Lines in errors are those of the stream, for JSON too.
func TestParseSecretLines(t *testing.T) {
	const secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  a: 1\n"
	const object = "{\n\"metadata\": {\"name\": \"a\"},\n\"data\": {\"a\": \"!\"}\n}\n"
	tests := []struct {
		name, in string
		at, want int
	}{
		{"second document", "a: 1\n---\n" + secret, 1, 7},
		{"after comments", "# x\n\n---\n# y\n" + secret, 0, 9},
		{"CRLF", strings.ReplaceAll("a: 1\n---\n"+secret, "\n", "\r\n"), 1, 7},
		{"JSON", object + "\n" + object, 1, 8},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			n, err := contents(mustSplit(t, test.in))[test.at].Node()
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = ParseSecret(n)
			if got := syntaxError(t, err).Line; got != test.want {
				t.Errorf("line %d, want %d: %v", got, test.want, err)
			}
		})
	}
}

func TestSecretNode(t *testing.T) {
	s := &Secret{
		Name: "a", Namespace: "b", Type: "Opaque", Immutable: true, Labels: map[string]string{"y": "1", "a": "b"},
		Data: map[string][]byte{"k": {0, 1}}, StringData: map[string]string{"z": "a\nb\n", "b": "yes"},
	}
	const want = `apiVersion: v1
kind: Secret
metadata:
  name: a
  namespace: b
  labels:
    a: b
    "y": "1"
type: Opaque
immutable: true
data:
  k: AAE=
stringData:
  b: "yes"
  z: |
    a
    b
`
	got, err := EncodeYAML(s.Node())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("YAML (-want +got):\n%s", diff)
	}
}

// A Secret comes back from its manifest, in YAML and in JSON.
func TestSecretRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	strs := corpus()
	for range 500 {
		checkSecret(t, generateSecret(r, strs))
	}
}

func generateSecret(r *rand.Rand, strs []string) *Secret {
	text := func() string { return strings.ToValidUTF8(strs[r.IntN(len(strs))], "?") }
	texts := func(prefix string) map[string]string {
		m := map[string]string{}
		for range r.IntN(4) {
			m[prefix+text()] = text()
		}
		return m
	}
	s := &Secret{
		Name: "n" + text(), Namespace: text(), Type: text(), Immutable: r.IntN(2) == 0,
		Labels: texts(""), Annotations: texts(""), StringData: texts("s"), Data: map[string][]byte{},
	}
	for key, value := range texts("d") {
		s.Data[key] = append([]byte(value), byte(r.IntN(256)))
	}
	return s
}

func checkSecret(t *testing.T, s *Secret) {
	t.Helper()
	text, err := EncodeYAML(s.Node())
	if err != nil {
		t.Fatal(err)
	}
	object, err := EncodeJSON(s.Node(), "  ")
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range [][]byte{text, object} {
		n, err := Parse(in)
		if err != nil {
			if strings.Contains(string(in), "\uFFFD") {
				return // half of a surrogate pair, for all we know
			}
			t.Fatalf("Parse: %v\n%s", err, in)
		}
		objects, err := Objects(n)
		if err != nil || len(objects) != 1 || !objects[0].IsSecret() || objects[0].Name() != s.Name || objects[0].Namespace() != s.Namespace {
			t.Errorf("Objects: %v, error %v", objects, err)
		}
		got, dropped, err := ParseSecret(n)
		if err != nil || dropped != nil {
			t.Fatalf("ParseSecret: %v, dropped %v\n%s", err, dropped, in)
		}
		if diff := cmp.Diff(s, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("Secret (-want +got):\n%s\n%s", diff, in)
		}
	}
}

func FuzzSecret(f *testing.F) {
	f.Add("a", "b", "Opaque", "k", "v", []byte("\x00"), true)
	f.Add("on", "", "", "yes", "a\nb\n", []byte("x\ny"), false)
	f.Add("1", "~", "", "a b", " \u2028", []byte{0xff, 0xfe}, false)
	f.Fuzz(func(t *testing.T, name, namespace, kind, key, value string, data []byte, immutable bool) {
		for _, s := range []string{name, namespace, kind, key, value} {
			if !utf8.ValidString(s) {
				return
			}
		}
		if name == "" {
			return
		}
		checkSecret(t, &Secret{
			Name: name, Namespace: namespace, Type: kind, Immutable: immutable,
			Labels: map[string]string{key: value}, Annotations: map[string]string{value: key},
			Data: map[string][]byte{key: data}, StringData: map[string]string{key + "x": value},
		})
		// A value that is no base64 and one that is no string, never shown.
		bad := (&Secret{Name: "a", StringData: map[string]string{"k": canary + value}}).Node()
		Root(bad).Content[len(Root(bad).Content)-2].Value = "data"
		if _, err := base64.StdEncoding.DecodeString(canary + value); err != nil {
			_, _, err := ParseSecret(bad)
			noLeak(t, err)
		}
	})
}
