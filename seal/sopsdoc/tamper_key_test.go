// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"context"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/manifest"
)

// tamperKeys returns two SealingKeys under one data key and the same
// recipients: what an attacker has at best. Both hold the classic identity.
func tamperKeys(tb testing.TB) (base, other *SealingKey, dk keys.DataKey) {
	tb.Helper()
	dk = keys.GenerateDataKey()
	var group keys.Group
	for range 2 {
		id, err := agekey.GenerateClassicIdentity()
		if err != nil {
			tb.Fatal(err)
		}
		group = append(group, keys.AgeEntry{Recipient: id.Recipient()})
	}
	r, err := keys.WrapAll(context.Background(), agekey.NewWrapper(nil), keys.Recipients{Groups: []keys.Group{group}}, dk)
	if err != nil {
		tb.Fatal(err)
	}
	r = oneTimed(r)
	kms := fakeKMS
	kms.Context = map[string]string{"signet-sealing-key": "prod", "app": "shop"}
	r.Groups[0] = append(r.Groups[0], kms)
	clear, id := keyPair(tb, classicKeyFile, "prod", "a", "b")
	base = sealKeyForTest(tb, clear, id, dk, r)
	clear.Name = "other"
	pair, err := agekey.GenerateClassicIdentity()
	if err != nil {
		tb.Fatal(err)
	}
	clear.Recipient = pair.Recipient()
	if id, err = ParseIdentity(pair.Reveal()); err != nil {
		tb.Fatal(err)
	}
	return base, sealKeyForTest(tb, clear, id, dk, r), dk
}

// TestSealingKeyNoticesTampering protects the private key that everything of an
// environment may be sealed for.
func TestSealingKeyNoticesTampering(t *testing.T) {
	base, other, dk := tamperKeys(t)
	secret := testIdentity(t, classicKeyFile).Reveal()
	for _, c := range keyTampers(t, other.Node()) {
		t.Run(c.name, func(t *testing.T) {
			root := base.Node()
			c.edit(root)
			id, err := openKeyTree(root, dk)
			if kind, path := errorAt(err); kind != c.kind || path != c.path {
				t.Errorf("got %s at %q, want %s at %q: %v", kind, path, c.kind, c.path, err)
			}
			if id.Reveal() != "" {
				t.Error("the identity came out together with the error")
			}
			checkHides(t, err, secret[len(classicIdentity):])
		})
	}
}

// keyTampers are changes of a SealingKey. other is one under the same data key.
func keyTampers(tb testing.TB, other *yaml.Node) []tamper {
	var out []tamper
	for _, c := range blockTampers(get(other, "spec/sealed"), "signet/stringData/identity", "signet-sealing-key") {
		out = append(out, tamper{c.name, func(root *yaml.Node) { c.edit(get(root, "spec/sealed")) }, c.kind, "spec.sealed." + c.path})
	}
	return slices.Concat(out, keyClearTampers(tb, other), keyValueTampers(other))
}

func keyClearTampers(tb testing.TB, other *yaml.Node) []tamper {
	const tampered, invalid, binding = "TamperedError", "InvalidError", "spec.sealed.signet.binding"
	const recipient, atRecipient = "spec/sealed/recipient", "spec.sealed.recipient"
	hybrid := testIdentity(tb, hybridKeyFile).Recipient()
	return []tamper{
		{"name", set("metadata/name", "prod2"), tampered, binding},
		{"name of another key", copyFromTree("metadata/name", other), tampered, binding},
		{"recipient of another key", copyFromTree(recipient, other), tampered, binding},
		{"recipient of another kind", set(recipient, hybrid), tampered, binding},

		{"name missing", remove("metadata/name"), invalid, "metadata.name"},
		{"name empty", set("metadata/name", ""), invalid, "metadata.name"},
		{"name in capitals", set("metadata/name", "PROD"), invalid, "metadata.name"},
		{"name number", raw("metadata/name", "1"), invalid, "metadata.name"},
		{"metadata missing", remove("metadata"), invalid, "metadata.name"},
		{"namespace", set("metadata/namespace", "a"), invalid, "metadata.namespace"},
		{"namespace empty", set("metadata/namespace", ""), invalid, "metadata.namespace"},
		{"namespace null", raw("metadata/namespace", "null"), invalid, "metadata.namespace"},
		{"kind", set("kind", "SealedSecret"), invalid, ""},
		{"apiVersion", set("apiVersion", "signet.dev/v1"), invalid, ""},
		{"unknown field", set("extra", "x"), invalid, "extra"},
		{"data", raw("data", "{}"), invalid, "data"},
		{"sops at the top", copyFrom("sops", "spec/sealed/sops"), invalid, "sops"},
		{"spec missing", remove("spec"), invalid, "spec"},
		{"unknown field in spec", set("spec/extra", "x"), invalid, "spec.extra"},
		{"suspend", raw("spec/suspend", "true"), invalid, "spec.suspend"},

		{"namespaces missing", remove("spec/namespaces"), invalid, "spec.namespaces"},
		{"namespaces null", raw("spec/namespaces", "null"), invalid, "spec.namespaces"},
		{"namespaces empty", raw("spec/namespaces", "[]"), invalid, "spec.namespaces"},
		{"namespaces string", set("spec/namespaces", "*"), invalid, "spec.namespaces"},
		{"namespaces mapping", raw("spec/namespaces", "{a: b}"), invalid, "spec.namespaces"},
		{"any beside a name", raw("spec/namespaces", `["*", a]`), invalid, "spec.namespaces[0]"},
		{"any twice", raw("spec/namespaces", `["*", "*"]`), invalid, "spec.namespaces[0]"},
		{"namespace twice", raw("spec/namespaces", "[a, b, a]"), invalid, "spec.namespaces[2]"},
		{"namespace in capitals", raw("spec/namespaces", "[a, B]"), invalid, "spec.namespaces[1]"},
		{"namespace pattern", raw("spec/namespaces", `["a*"]`), invalid, "spec.namespaces[0]"},
		{"empty namespace", raw("spec/namespaces", `[""]`), invalid, "spec.namespaces[0]"},
		{"namespace with line end", raw("spec/namespaces", `["a\n"]`), invalid, "spec.namespaces[0]"},
		{"namespace null in the list", raw("spec/namespaces", "[null]"), invalid, "spec.namespaces[0]"},
		{"namespace number", raw("spec/namespaces", "[1]"), invalid, "spec.namespaces[0]"},
		{"namespace list", raw("spec/namespaces", "[[a]]"), invalid, "spec.namespaces[0]"},

		{"sealed missing", remove("spec/sealed"), invalid, "spec.sealed"},
		{"sealed null", raw("spec/sealed", "null"), invalid, "spec.sealed"},
		{"sealed list", raw("spec/sealed", "[]"), invalid, "spec.sealed"},
		{"unknown field in sealed", set("spec/sealed/extra", "x"), invalid, "spec.sealed.extra"},
		{"scope", set("spec/sealed/scope", "*/*"), invalid, "spec.sealed.scope"},
		{"type", set("spec/sealed/type", "Opaque"), invalid, "spec.sealed.type"},
		{"immutable", raw("spec/sealed/immutable", "false"), invalid, "spec.sealed.immutable"},
		{"labels", raw("spec/sealed/labels", "{}"), invalid, "spec.sealed.labels"},
		{"annotations", raw("spec/sealed/annotations", "{}"), invalid, "spec.sealed.annotations"},
		{"namespaces in sealed", raw("spec/sealed/namespaces", "[a]"), invalid, "spec.sealed.namespaces"},
		{"recipient missing", remove(recipient), invalid, atRecipient},
		{"recipient null", raw(recipient, "null"), invalid, atRecipient},
		{"recipient empty", set(recipient, ""), invalid, atRecipient},
		{"recipient list", raw(recipient, "[]"), invalid, atRecipient},
		{"recipient in capitals", edited(recipient, strings.ToUpper), invalid, atRecipient},
		{"recipient with line end", edited(recipient, func(s string) string { return s + "\n" }), invalid, atRecipient},
		{"recipient of a plugin", set(recipient, "age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t"), invalid, atRecipient},
		{"SSH recipient", set(recipient, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), invalid, atRecipient},
		{"duplicate key", func(root *yaml.Node) {
			s := get(root, "spec")
			s.Content = append(s.Content, manifest.String("namespaces"), manifest.Clone(get(root, "spec/namespaces")))
		}, invalid, ""},
		{"anchor", func(root *yaml.Node) { get(root, "spec/namespaces").Anchor = "a" }, invalid, ""},
		{"alias", func(root *yaml.Node) {
			setNode("metadata/labels", &yaml.Node{Kind: yaml.AliasNode, Alias: get(root, "metadata")})(root)
		}, invalid, ""},
		{"no mapping", func(root *yaml.Node) { *root = *manifest.String("x") }, invalid, ""},
	}
}

func keyValueTampers(other *yaml.Node) []tamper {
	const tampered, invalid, binding = "TamperedError", "InvalidError", "spec.sealed.signet.binding"
	const identity, atIdentity = "spec/sealed/signet/stringData/identity", "spec.sealed.signet.stringData.identity"
	foreign := func(p string) edit { return copyFromTree(p, other) }
	return []tamper{
		{"identity ciphertext", part(identity, "data", flip), tampered, atIdentity},
		{"identity nonce", part(identity, "iv", flip), tampered, atIdentity},
		{"identity tag", part(identity, "tag", flip), tampered, atIdentity},
		{"identity truncated", part(identity, "data", short1), tampered, atIdentity},
		{"identity of another key", foreign(identity), tampered, "spec.sealed.sops.mac"},
		{"identity and recipient of another key", all(foreign(identity), foreign("spec/sealed/recipient")), tampered, binding},
		{"all but the binding of another key", all(foreign(identity), foreign("spec/sealed/recipient"), foreign("spec/sealed/sops/mac"), foreign("metadata/name")), tampered, binding},
		{"envelope of another key", foreign("spec/sealed"), tampered, binding},
		{"binding ciphertext", part("spec/sealed/signet/binding", "data", flip), tampered, binding},
		{"binding of another key", foreign("spec/sealed/signet/binding"), tampered, binding},
		{"identity as binding", copyFrom("spec/sealed/signet/binding", identity), tampered, binding},
		{"binding as identity", copyFrom(identity, "spec/sealed/signet/binding"), tampered, atIdentity},

		{"identity missing", remove(identity), invalid, atIdentity},
		{"identity empty", set(identity, ""), invalid, atIdentity},
		{"identity null", raw(identity, "null"), invalid, atIdentity},
		{"identity in clear", set(identity, "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"), invalid, atIdentity},
		{"identity of type bytes", replace(identity, "type:str", "type:bytes"), invalid, atIdentity},
		{"identity renamed", rename(identity, "key"), invalid, "spec.sealed.signet.stringData.key"},
		{"second value", copyFrom("spec/sealed/signet/stringData/more", identity), invalid, "spec.sealed.signet.stringData.more"},
		{"second value empty", set("spec/sealed/signet/stringData/more", ""), invalid, "spec.sealed.signet.stringData.more"},
		{"stringData missing", remove("spec/sealed/signet/stringData"), invalid, atIdentity},
		{"identity in data", rename("spec/sealed/signet/stringData", "data"), invalid, "spec.sealed.signet.data"},
		{"data empty", raw("spec/sealed/signet/data", "{}"), invalid, "spec.sealed.signet.data"},
		{"unknown sealed field", copyFrom("spec/sealed/signet/extra", identity), invalid, "spec.sealed.signet.extra"},
		{"binding missing", remove("spec/sealed/signet/binding"), invalid, binding},
		{"binding empty", set("spec/sealed/signet/binding", ""), invalid, binding},
		{"signet missing", remove("spec/sealed/signet"), invalid, "spec.sealed.signet"},
		{"too large", set("spec/sealed/sops/version", strings.Repeat("A", MaxEnvelopeBytes)), invalid, "spec.sealed"},
	}
}

func copyFromTree(p string, other *yaml.Node) edit {
	return func(root *yaml.Node) { setNode(p, manifest.Clone(get(other, p)))(root) }
}

func edited(p string, f func(string) string) edit {
	return func(root *yaml.Node) { set(p, f(get(root, p).Value))(root) }
}

// TestSealingKeyEveryScalar protects what the tables have forgotten: no scalar
// but those of spec.namespaces can be changed, emptied or removed.
func TestSealingKeyEveryScalar(t *testing.T) {
	base, _, dk := tamperKeys(t)
	edits := map[string]func(parent *yaml.Node, i int){
		"first character": func(p *yaml.Node, i int) {
			v := p.Content[i]
			v.Value = string(rune(v.Value[0]^1)) + v.Value[1:]
		},
		"last character": func(p *yaml.Node, i int) {
			v := p.Content[i]
			v.Value = v.Value[:len(v.Value)-1] + string(rune(v.Value[len(v.Value)-1]^1))
		},
		"extended": func(p *yaml.Node, i int) { p.Content[i].Value += "a" },
		"emptied":  func(p *yaml.Node, i int) { p.Content[i].Value = "" },
		"removed":  func(p *yaml.Node, i int) { p.Content = slices.Delete(p.Content, i-i%2, i+1) },
	}
	count := 0
	for name, edit := range edits {
		for n := 0; ; n++ {
			root := base.Node()
			parent, i, path := nthScalar(root, n)
			if parent == nil {
				break
			}
			if parent.Kind != yaml.MappingNode || parent.Content[i].Value == "" && name != "removed" {
				continue
			}
			count++
			edit(parent, i)
			if _, err := openKeyTree(root, dk); err == nil {
				t.Errorf("%s %s: it opens", path, name)
			}
		}
	}
	if count < 80 {
		t.Errorf("only %d changes were tried", count)
	}
}

// nthScalar returns the mapping or list that the nth value stands in, its index
// there, and its path; nil if there are fewer.
func nthScalar(root *yaml.Node, n int) (parent *yaml.Node, index int, at string) {
	var walk func(node *yaml.Node, path string)
	walk = func(node *yaml.Node, path string) {
		for i, c := range node.Content {
			below := path
			if node.Kind == yaml.MappingNode {
				if i%2 == 0 {
					continue
				}
				below += "/" + node.Content[i-1].Value
			}
			if c.Kind != yaml.ScalarNode {
				walk(c, below)
				continue
			}
			if n == 0 {
				parent, index, at = node, i, below
			}
			n--
		}
	}
	walk(root, "")
	return parent, index, at
}

// TestKeyReplay protects the separation of the kinds of document: what is under
// seal in one must not open as another, however it is dressed.
func TestKeyReplay(t *testing.T) {
	dk := keys.GenerateDataKey()
	r := wrapFor(t, dk, classicKeyFile)
	clear, id := keyPair(t, hybridKeyFile, "db", Any)
	key := sealKeyForTest(t, clear, id, dk, r).Node()
	secret := sealForTest(t, Clear{Scope: Scope{"prod", "db"}, Type: "Opaque"},
		Content{StringData: map[string]string{"identity": id.Reveal()}}, dk, r, nil).Node()

	asSecret := manifest.Mapping(
		manifest.String("apiVersion"), manifest.String(APIVersion), manifest.String("kind"), manifest.String(Kind),
		manifest.String("metadata"), manifest.StringMap(map[string]string{"name": "db"}),
		manifest.String("spec"), manifest.Mapping(manifest.String("sealed"), manifest.Clone(get(key, "spec/sealed"))),
	)
	if _, err := ParseSealedSecret(asSecret); err == nil {
		t.Error("a SealingKey parses as a SealedSecret")
	}
	all(remove("spec/sealed/recipient"), set("spec/sealed/scope", "*/*"), set("spec/sealed/type", "Opaque"), raw("spec/sealed/immutable", "false"))(asSecret)
	s, err := ParseSealedSecret(asSecret)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Envelope.Open(dk)
	expect(t, "a SealingKey dressed as a SealedSecret", err, "TamperedError", "signet.binding")

	asKey := manifest.Clone(key)
	setNode("spec/sealed", manifest.Clone(secret))(asKey)
	if _, err := ParseSealingKey(asKey); err == nil {
		t.Error("an envelope parses as a SealingKey")
	}
	for _, field := range []string{"annotations", "immutable", "labels", "scope", "type"} {
		remove("spec/sealed/" + field)(asKey)
	}
	set("spec/sealed/recipient", clear.Recipient)(asKey)
	_, err = openKeyTree(asKey, dk)
	expect(t, "an envelope dressed as a SealingKey", err, "TamperedError", "spec.sealed.signet.binding")
}

// TestKeyReplayAsFile protects the same against the third kind: SOPS documents.
func TestKeyReplayAsFile(t *testing.T) {
	dk := keys.GenerateDataKey()
	clear, id := keyPair(t, hybridKeyFile, "db", Any)
	key := sealKeyForTest(t, clear, id, dk, wrapFor(t, dk, classicKeyFile)).Node()
	_, err := openFileTree(dk, manifest.Clone(get(key, "spec/sealed")))
	expect(t, "spec.sealed as a SOPS document", err, "InvalidError", "signet.binding")

	whole := manifest.Clone(key)
	manifest.Set(whole, "signet", get(whole, "spec/sealed/signet"))
	manifest.Set(whole, MetadataKey, get(whole, "spec/sealed/sops"))
	manifest.Delete(whole, "spec")
	_, err = openFileTree(dk, whole)
	expect(t, "its parts at the root of a SOPS document", err, "InvalidError", "signet.binding")

	file := manifest.Mapping(manifest.String("apiVersion"), manifest.String("v1"))
	s := FileSettings{Recipients: keys.Recipients{Groups: []keys.Group{{fakeKMS}}}, Selector: keys.Selector{Kind: keys.EncryptedRegex, Pattern: envelopeSelector}, Now: sealedAt}
	manifest.Set(file, "signet", manifest.StringMap(map[string]string{"identity": "x"}))
	_, _, err = EncryptFile([]*yaml.Node{file}, dk, s, nil)
	expect(t, "encrypting a SOPS document that could be taken for one", err, "InvalidError", "signet.identity")
}

func expect(t *testing.T, what string, err error, kind, path string) {
	t.Helper()
	if gotKind, gotPath := errorAt(err); gotKind != kind || gotPath != path {
		t.Errorf("%s: got %s at %q, want %s at %q: %v", what, gotKind, gotPath, kind, path, err)
	}
}
