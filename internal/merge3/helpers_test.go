// SPDX-License-Identifier: Apache-2.0

package merge3

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// makeVersion makes a version of: "key=text", "key:base64", "label k=v",
// "annotation k=v", "type T", "scope a/b", "immutable", "merge". Scope and type
// need not be named.
func makeVersion(fields ...string) Version {
	v := Version{Clear: sopsdoc.Clear{Type: "Opaque", Scope: sopsdoc.Scope{Namespace: "prod", Name: "db"}}}
	for _, field := range fields {
		word, rest, _ := strings.Cut(field, " ")
		switch word {
		case "label":
			set(&v.Clear.Labels, rest)
		case "annotation":
			set(&v.Clear.Annotations, rest)
		case "type":
			v.Clear.Type = rest
		case "scope":
			v.Clear.Scope.Namespace, v.Clear.Scope.Name, _ = strings.Cut(rest, "/")
		case "immutable":
			v.Clear.Immutable = true
		case "merge":
			v.Clear.Merge = true
		default:
			if strings.Contains(field, "=") && !strings.Contains(field, ":") {
				set(&v.Content.StringData, field)
			} else {
				set(&v.Content.Data, strings.Replace(field, ":", "=", 1))
			}
		}
	}
	return v
}

func set(m *map[string]string, assignment string) {
	if *m == nil {
		*m = map[string]string{}
	}
	key, value, _ := strings.Cut(assignment, "=")
	(*m)[key] = value
}

// object is a version with an object around it.
func object(t testing.TB, text string, fields ...string) Version {
	t.Helper()
	v := makeVersion(fields...)
	return NewVersion(parse(t, text), v.Clear, v.Content)
}

func parse(t testing.TB, text string) *yaml.Node {
	t.Helper()
	if text == "" {
		return nil
	}
	n, err := manifest.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return n
}

func encode(t testing.TB, n *yaml.Node) string {
	t.Helper()
	if n == nil {
		return ""
	}
	text, err := manifest.EncodeYAML(n)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// diffVersions compares versions, with absent maps like empty ones, and what is
// around as it would be written.
func diffVersions(t testing.TB, want, got Version) string {
	t.Helper()
	wantAround, gotAround := encode(t, want.Around), encode(t, got.Around)
	want.Around, got.Around = nil, nil
	return cmp.Diff(want, got, cmpopts.EquateEmpty()) + cmp.Diff(wantAround, gotAround)
}

// shown is a list of conflicts in short.
func shown(all []Conflict) []string {
	var texts []string
	for _, c := range all {
		texts = append(texts, c.Path+": "+string(c.Kind))
	}
	return texts
}

// replacer returns a function that replaces parts of a text, each of which must
// be there.
func replacer(t testing.TB, text string) func(oldNew ...string) string {
	return func(oldNew ...string) string {
		t.Helper()
		for i := 0; i < len(oldNew); i += 2 {
			if !strings.Contains(text, oldNew[i]) {
				t.Fatalf("no %q in\n%s", oldNew[i], text)
			}
		}
		return strings.NewReplacer(oldNew...).Replace(text)
	}
}
