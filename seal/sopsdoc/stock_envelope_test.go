// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
)

type envelopeCase struct {
	name    string
	clear   Clear
	content Content
}

// withTime is the name of the case whose entries have a time, as seal writes
// them. The others are as documents were before age entries had one.
const withTime = "created at"

func (c envelopeCase) wrapFor(t *testing.T, k keys.DataKey, files ...string) keys.Recipients {
	t.Helper()
	if c.name == withTime {
		return wrapFor(t, k, files...).WithCreated(sealedAt)
	}
	return wrapFor(t, k, files...)
}

// envelopeCases are envelopes of every kind that can be sealed.
func envelopeCases() []envelopeCase {
	clear := Clear{Scope: Scope{Namespace: "prod", Name: "db"}, Type: "Opaque"}
	with := func(f func(*Clear)) Clear {
		c := clear
		f(&c)
		return c
	}
	binary := make([]byte, 256)
	for i := range binary {
		binary[i] = byte(i)
	}
	many := Content{StringData: map[string]string{}}
	for i := range 500 {
		many.StringData[fmt.Sprintf("key-%03d", i)] = fmt.Sprintf("value %d", i)
	}
	return []envelopeCase{
		{"no data", clear, Content{}},
		{withTime, clear, Content{StringData: map[string]string{"x": "y"}}},
		{"basic auth", with(func(c *Clear) { c.Type = "kubernetes.io/basic-auth" }), Content{StringData: map[string]string{"username": "app", "password": "hunter2"}}},
		{"binary", clear, Content{Data: map[string]string{"keystore.p12": base64.StdEncoding.EncodeToString(binary)}}},
		{"empty values", clear, Content{Data: map[string]string{"a": "", "b": "Yg=="}, StringData: map[string]string{"c": "", "d": "d"}}},
		{"many keys", clear, many},
		{"unicode", with(func(c *Clear) {
			c.Annotations = map[string]string{"example.com/note": "비밀 🔑 \u2028 \u0085 \ufeff", "비밀": "key"}
		}), Content{StringData: map[string]string{"greeting": "안녕하세요 🔑\u2028\u00a0"}}},
		{"control characters", with(func(c *Clear) {
			c.Annotations = map[string]string{"c": "\x00\x01\x1f\x7f\t\n\r\b\f", "quote": `"\'`, "slash": "</script>&"}
		}), Content{StringData: map[string]string{"c": "\x00\x01\x1f\x7f\t\n\r\b\f"}}},
		{"labels", with(func(c *Clear) {
			c.Labels = map[string]string{"app": "db", "app.kubernetes.io/part-of": "shop", "zero": "", "Upper": "x", "number": "1", "bool": "true", "yes": "yes", "null": "null", "date": "2026-01-31"}
			c.Annotations = map[string]string{"k": "line one\nline two\n", "empty": "", "float": "1e3", "octal": "0777", "tilde": "~"}
			c.Immutable = true
		}), Content{StringData: map[string]string{"n": "0777", "b": "yes", "f": "1e3", "nul": "null", "t": "2026-01-31", "multi": "a\n  b\n\n"}}},
		{"any scope", with(func(c *Clear) { c.Scope = Scope{Any, Any} }), Content{StringData: map[string]string{"x": "ENC[AES256_GCM,data:x]"}}},
		{"merge", with(func(c *Clear) { c.Labels, c.Merge = map[string]string{"app": "db"}, true }), Content{StringData: map[string]string{"x": "y"}}},
		{"odd keys", clear, Content{Data: map[string]string{"-": "LQ==", "_": "Xw==", "1": "MQ=="}, StringData: map[string]string{"true": "t", "null": "n", "0x1": "h", ".dot": "d", "y": "y", "1e3": "e", strings.Repeat("k", 253): "long"}}},
	}
}

// TestStockReadsEnvelope protects invariant I5: the stock sops opens an
// envelope as it is written, and after the API server and clients have sorted
// its keys and turned it into JSON.
func TestStockReadsEnvelope(t *testing.T) {
	for _, c := range envelopeCases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			k := keys.GenerateDataKey()
			e := sealForTest(t, c.clear, c.content, k, c.wrapFor(t, k, classicKeyFile, hybridKeyFile), nil)
			asYAML := encodeYAML(t, e.Node())
			asJSON := throughGoMaps(t, e.Node())
			for format, doc := range map[string][]byte{"yaml": asYAML, "json": asJSON} {
				plain, ok := sopsDecrypt(t, format, doc)
				if !ok {
					t.Fatalf("%s: %s", format, plain)
				}
				checkEnvelopePlain(t, c, parseRoot(t, plain))
				checkOpensHere(t, c, doc)
			}
			// JSON is YAML to sops, but its YAML parser knows no surrogate pairs.
			if plain, ok := sopsDecrypt(t, "yaml", asJSON); ok {
				checkEnvelopePlain(t, c, parseRoot(t, plain))
			}
		})
	}
}

// throughGoMaps does what the API server and Go clients do to an object.
func throughGoMaps(t *testing.T, n *yaml.Node) []byte {
	t.Helper()
	first, err := manifest.EncodeJSON(n, "")
	if err != nil {
		t.Fatal(err)
	}
	var object map[string]any
	if err := json.Unmarshal(first, &object); err != nil {
		t.Fatal(err)
	}
	out, err := json.MarshalIndent(object, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func checkEnvelopePlain(t *testing.T, c envelopeCase, got *yaml.Node) {
	t.Helper()
	plain := map[string]any{}
	if err := got.Decode(&plain); err != nil {
		t.Fatal(err)
	}
	signet := plain["signet"].(map[string]any)
	if binding, _ := signet["binding"].(string); !strings.HasPrefix(binding, "v1:") {
		t.Errorf("binding is %q", binding)
	}
	delete(signet, "binding")
	want := map[string]any{
		"annotations": asAny(c.clear.Annotations), "labels": asAny(c.clear.Labels),
		"immutable": c.clear.Immutable, "scope": c.clear.Scope.String(), "type": c.clear.Type,
		"signet": map[string]any{},
	}
	if c.clear.Merge {
		want["merge"] = true
	}
	if len(c.content.Data) > 0 {
		want["signet"].(map[string]any)["data"] = asAny(c.content.Data)
	}
	if len(c.content.StringData) > 0 {
		want["signet"].(map[string]any)["stringData"] = asAny(c.content.StringData)
	}
	if diff := cmp.Diff(want, plain); diff != "" {
		t.Errorf("stock sops gives other data (-want +got):\n%s", diff)
	}
}

func asAny(m map[string]string) map[string]any {
	out := map[string]any{}
	for k, v := range m {
		out[k] = v
	}
	return out
}

func checkOpensHere(t *testing.T, c envelopeCase, doc []byte) {
	t.Helper()
	e, err := ParseEnvelope(parseRoot(t, doc))
	if err != nil {
		t.Fatal(err)
	}
	got, err := e.Open(unwrap(t, e.Metadata.Recipients))
	if err != nil {
		t.Fatal(err)
	}
	if !got.Equal(c.content) {
		t.Errorf("other content (-want +got):\n%s", cmp.Diff(c.content, got))
	}
}
