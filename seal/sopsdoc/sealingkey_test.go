// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/manifest"
)

// keyPair returns the clear fields and the identity of a SealingKey for the key
// pair in a file.
func keyPair(tb testing.TB, file, name string, namespaces ...string) (KeyClear, Identity) {
	tb.Helper()
	pair := testIdentity(tb, file)
	id, err := ParseIdentity(pair.Reveal())
	if err != nil {
		tb.Fatal(err)
	}
	return KeyClear{Name: name, Namespaces: namespaces, Recipient: pair.Recipient()}, id
}

func sealKeyForTest(tb testing.TB, clear KeyClear, id Identity, dk keys.DataKey, r keys.Recipients) *SealingKey {
	tb.Helper()
	k, err := SealSealingKey(clear, id, dk, r, sealedAt)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

// openKeyTree parses and opens the SealingKey at root.
func openKeyTree(root *yaml.Node, dk keys.DataKey) (Identity, error) {
	k, err := ParseSealingKey(root)
	if err != nil {
		return Identity{}, err
	}
	return k.Open(dk)
}

// TestStockReadsSealingKey protects against a lock-in: the stock sops gives the
// identity out of spec.sealed, as written, and as JSON with sorted keys.
func TestStockReadsSealingKey(t *testing.T) {
	for pair, wrappedFor := range map[string]string{classicKeyFile: hybridKeyFile, hybridKeyFile: classicKeyFile} {
		t.Run(pair, func(t *testing.T) {
			clear, id := keyPair(t, pair, "prod", Any)
			dk := keys.GenerateDataKey()
			object := sealKeyForTest(t, clear, id, dk, wrapFor(t, dk, wrappedFor)).Node()
			sealed := get(object, "spec/sealed")
			for format, doc := range map[string][]byte{"yaml": encodeYAML(t, sealed), "json": throughGoMaps(t, sealed)} {
				text, ok := sopsDecrypt(t, format, doc)
				if !ok {
					t.Fatalf("%s: %s", format, text)
				}
				plain := parseRoot(t, text)
				if got := manifest.GetString(plain, "signet", "stringData", "identity"); got != id.Reveal() {
					t.Errorf("%s: stock sops gives another identity", format)
				}
				if got := manifest.GetString(plain, "recipient"); got != clear.Recipient {
					t.Errorf("%s: stock sops gives recipient %q", format, got)
				}
			}
		})
	}
}

// TestSealingKeyRoundTrip protects the way through a file and through an API
// server, which sorts keys and adds metadata and a status.
func TestSealingKeyRoundTrip(t *testing.T) {
	clear, id := keyPair(t, hybridKeyFile, "team-a.example", "a", "b")
	dk := keys.GenerateDataKey()
	object := sealKeyForTest(t, clear, id, dk, wrapFor(t, dk, classicKeyFile)).Node()
	if !Sorted(object) {
		t.Error("what is written is not sorted")
	}
	inCluster := parseRoot(t, throughGoMaps(t, object))
	all(
		raw("metadata/labels", "{a: b}"), raw("metadata/annotations", "{c: d}"), raw("metadata/generation", "7"),
		raw("status", "{conditions: [{type: Ready, status: \"True\"}]}"),
		func(root *yaml.Node) { reverseKeys(root) },
	)(inCluster)
	for name, root := range map[string]*yaml.Node{"file": parseRoot(t, encodeYAML(t, object)), "cluster": inCluster} {
		t.Run(name, func(t *testing.T) {
			k, err := ParseSealingKey(root)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(clear, k.KeyClear); diff != "" {
				t.Errorf("clear fields (-want +got):\n%s", diff)
			}
			if !manifest.Equal(k.Node(), object) {
				t.Errorf("is written differently:\n%s", encodeYAML(t, k.Node()))
			}
			got, err := k.Open(unwrap(t, k.Metadata.Recipients))
			if err != nil || got.Reveal() != id.Reveal() {
				t.Errorf("another identity, or %v", err)
			}
		})
	}
}

// TestSealSealingKeyRefuses protects against making what could not be read, and
// against saying so only after a key service was called.
func TestSealSealingKeyRefuses(t *testing.T) {
	classic := testIdentity(t, classicKeyFile)
	at := identityPath
	tests := []struct {
		name string
		edit func(*KeyClear, *Identity, *keys.Recipients)
		path string
	}{
		{"no name", func(c *KeyClear, _ *Identity, _ *keys.Recipients) { c.Name = "" }, "metadata.name"},
		{"invalid name", func(c *KeyClear, _ *Identity, _ *keys.Recipients) { c.Name = "Prod" }, "metadata.name"},
		{"no namespaces", func(c *KeyClear, _ *Identity, _ *keys.Recipients) { c.Namespaces = nil }, "spec.namespaces"},
		{"invalid namespace", func(c *KeyClear, _ *Identity, _ *keys.Recipients) { c.Namespaces = []string{"a", "b.c"} }, "spec.namespaces[1]"},
		{"any and more", func(c *KeyClear, _ *Identity, _ *keys.Recipients) { c.Namespaces = []string{"a", "*"} }, "spec.namespaces[1]"},
		{"namespace twice", func(c *KeyClear, _ *Identity, _ *keys.Recipients) { c.Namespaces = []string{"a", "b", "a"} }, "spec.namespaces[2]"},
		{"no recipient", func(c *KeyClear, _ *Identity, _ *keys.Recipients) { c.Recipient = "" }, "spec.sealed.recipient"},
		{"identity as recipient", func(c *KeyClear, i *Identity, _ *keys.Recipients) { c.Recipient = i.Reveal() }, "spec.sealed.recipient"},
		{"recipient of another kind", func(c *KeyClear, _ *Identity, _ *keys.Recipients) { c.Recipient = classic.Recipient() }, at},
		{"no identity", func(_ *KeyClear, i *Identity, _ *keys.Recipients) { *i = Identity{} }, at},
		{"wrapped for itself", func(c *KeyClear, _ *Identity, r *keys.Recipients) {
			r.Groups[0] = append(r.Groups[0], keys.AgeEntry{Recipient: c.Recipient + "\n", Enc: "x"})
		}, "spec.sealed.sops.age"},
		{"no recipients", func(_ *KeyClear, _ *Identity, r *keys.Recipients) { *r = keys.Recipients{} }, "spec.sealed.sops"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			clear, id := keyPair(t, hybridKeyFile, "prod", Any)
			secret := id.Reveal()
			r := keys.Recipients{Groups: []keys.Group{{fakeKMS}}}
			test.edit(&clear, &id, &r)
			_, err := SealSealingKey(clear, id, keys.GenerateDataKey(), r, sealedAt)
			for _, err := range []error{err, CheckSealingKey(clear, id, r)} {
				if kind, path := errorAt(err); kind != "InvalidError" || path != test.path {
					t.Errorf("got %s at %q, want InvalidError at %q: %v", kind, path, test.path, err)
				}
				checkHides(t, err, secret)
			}
		})
	}
}

func TestAllows(t *testing.T) {
	tests := []struct {
		namespaces []string
		namespace  string
		want       bool
	}{
		{[]string{"*"}, "a", true},
		{[]string{"*"}, "", true},
		{[]string{"a", "b"}, "b", true},
		{[]string{"a", "b"}, "c", false},
		{[]string{"a"}, "", false},
		{[]string{"a"}, "*", false},
		{nil, "", false},
		{[]string{""}, "", false},
	}
	for _, test := range tests {
		if got := (KeyClear{Namespaces: test.namespaces}).Allows(test.namespace); got != test.want {
			t.Errorf("%q allows %q: %v, want %v", test.namespaces, test.namespace, got, test.want)
		}
	}
}

// TestValidKeyRecipient protects against recipients whose identity is not a
// text that could be sealed.
func TestValidKeyRecipient(t *testing.T) {
	classic, hybrid := testIdentity(t, classicKeyFile).Recipient(), testIdentity(t, hybridKeyFile).Recipient()
	tests := []struct {
		name, text string
		want       bool
	}{
		{"classic", classic, true},
		{"hybrid", hybrid, true},
		{"upper case", strings.ToUpper(classic), false},
		{"line end", classic + "\n", false},
		{"blank before", " " + classic, false},
		{"short", classic[:61], false},
		{"long", hybrid + "q", false},
		{"character outside of bech32", classic[:61] + "b", false},
		{"hybrid of the length of a classic one", "age1pq1" + classic[4:59], false},
		{"plugin", "age1yubikey1" + classic[4:], false},
		{"tag", "age1tag1" + classic[4:], false},
		{"tag of the length of a classic one", "age1tag1" + classic[8:], false},
		{"SSH", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", false},
		{"identity", testIdentity(t, classicKeyFile).Reveal(), false},
		{"prefix alone", "age1", false},
		{"empty", "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := ValidKeyRecipient(test.text); got != test.want {
				t.Errorf("got %v", got)
			}
			if _, err := agekey.ParseRecipient(test.text); test.want && err != nil {
				t.Errorf("age takes another view: %v", err)
			}
		})
	}
}

func TestParseIdentity(t *testing.T) {
	pair := testIdentity(t, hybridKeyFile)
	secret := pair.Reveal()
	tests := []struct {
		name, text string
		ok         bool
	}{
		{"classic", testIdentity(t, classicKeyFile).Reveal(), true},
		{"hybrid", secret, true},
		{"lower case", strings.ToLower(secret), false},
		{"line end", secret + "\n", false},
		{"file", string(pair.File(sealedAt)), false},
		{"two", secret + secret, false},
		{"short", secret[:len(secret)-1], false},
		{"plugin", "AGE-PLUGIN-YUBIKEY-1" + secret[19:], false},
		{"recipient", pair.Recipient(), false},
		{"empty", "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			id, err := ParseIdentity(test.text)
			if (err == nil) != test.ok || id.Reveal() != "" != test.ok {
				t.Errorf("got %v", err)
			}
			checkHides(t, err, secret[19:])
		})
	}
}

// TestIdentityIsNeverPrinted protects invariant I1 against fmt, json and yaml.
func TestIdentityIsNeverPrinted(t *testing.T) {
	_, id := keyPair(t, classicKeyFile, "prod", Any)
	type private struct{ id Identity }
	type public struct{ ID Identity }
	values := []any{id, &id, private{id}, &private{id}, public{id}, []Identity{id}, map[string]Identity{"a": id}}
	var texts []string
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%w"} {
			texts = append(texts, fmt.Sprintf(verb, v))
		}
		for _, marshal := range []func(any) ([]byte, error){json.Marshal, yaml.Marshal} {
			if reflect.TypeOf(v).Kind() == reflect.Struct || reflect.TypeOf(v).Kind() == reflect.Pointer {
				out, _ := marshal(v)
				texts = append(texts, string(out))
			}
		}
	}
	for _, text := range texts {
		if strings.Contains(strings.ToUpper(text), strings.TrimPrefix(id.Reveal(), classicIdentity)) {
			t.Errorf("prints the identity: %s", text)
		}
	}
}
