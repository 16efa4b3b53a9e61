// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
)

const tamperPlain = `apiVersion: v1
kind: Secret
metadata:
  name: db
  namespace: prod
type: Opaque
stringData:
  # ` + canary + ` comment
  password: ` + canary + ` password
  username: ` + canary + ` user
  port: "5432"
  empty: ""
data:
  list: [` + canary + ` one, ` + canary + ` two]
  int: 5432
  bool: true
  time: 2026-01-31T09:30:00Z
`

var tamperSelector = keys.Selector{Kind: keys.EncryptedRegex, Pattern: "^(data|stringData)$"}

func tamperFile(tb testing.TB, k keys.DataKey, macOnly bool) *yaml.Node {
	tb.Helper()
	s := FileSettings{Recipients: wrapFor(tb, k, classicKeyFile), Selector: tamperSelector, MACOnlyEncrypted: macOnly, Now: sealedAt}
	out, _, err := EncryptFile(parseDocuments(tb, []byte(tamperPlain)), k, s, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return out[0]
}

func openFileTree(k keys.DataKey, docs ...*yaml.Node) ([]*yaml.Node, error) {
	f, err := ParseFile(docs...)
	if err != nil {
		return nil, err
	}
	return f.Decrypt(k)
}

// TestFileNoticesTampering protects what SOPS promises, and what we add to it.
func TestFileNoticesTampering(t *testing.T) {
	k := keys.GenerateDataKey()
	for _, macOnly := range []bool{false, true} {
		doc := tamperFile(t, k, macOnly)
		tests := fileTampers()
		if !macOnly {
			tests = append(tests, fullMACTampers()...)
		}
		for _, c := range tests {
			t.Run(map[bool]string{false: "full/", true: "mac only/"}[macOnly]+c.name, func(t *testing.T) {
				doc := manifest.Clone(doc)
				c.edit(manifest.Root(doc))
				out, err := openFileTree(k, doc)
				if kind, path := errorAt(err); kind != c.kind || path != c.path {
					t.Errorf("got %s at %q, want %s at %q: %v", kind, path, c.kind, c.path, err)
				}
				if out != nil {
					t.Error("documents came out together with the error")
				}
				checkNoLeak(t, err)
			})
		}
	}
}

// fullMACTampers change what only the full mac covers.
func fullMACTampers() []tamper {
	const tampered = "TamperedError"
	return []tamper{
		{"clear value", set("metadata/namespace", "dev"), tampered, "sops.mac"},
		{"clear value removed", remove("metadata/namespace"), tampered, "sops.mac"},
		{"clear value added", set("metadata/uid", "x"), tampered, "sops.mac"},
		{"clear values swapped", swap("metadata/name", "kind"), tampered, "sops.mac"},
		{"mac only set", raw("sops/mac_only_encrypted", "true"), tampered, "sops.mac"},
		{"selector that leaves all in clear", set("sops/encrypted_regex", "^x$"), tampered, "sops.mac"},
	}
}

func fileTampers() []tamper {
	const tampered, invalid = "TamperedError", "InvalidError"
	const password, user, one = "stringData/password", "stringData/username", "data/list/0"
	item := func(f func([]*yaml.Node) []*yaml.Node) edit {
		return func(root *yaml.Node) { l := get(root, "data/list"); l.Content = f(l.Content) }
	}
	retype := func(p, from, to string) edit { return replace(p, "type:"+from+"]", "type:"+to+"]") }
	return []tamper{
		{"values swapped", swap(password, user), tampered, "stringData.password"},
		{"value copied", copyFrom("stringData/new", password), tampered, "stringData.new"},
		{"key renamed", rename(user, "user"), tampered, "stringData.user"},
		{"value moved out", all(copyFrom("data/password", password), remove(password)), tampered, "data.password"},
		{"value removed", remove(password), tampered, "sops.mac"},
		{"value emptied", set(password, ""), tampered, "sops.mac"},
		{"ciphertext", part(password, "data", flip), tampered, "stringData.password"},
		{"ciphertext truncated", part(password, "data", short1), tampered, "stringData.password"},
		{"nonce", part(password, "iv", flip), tampered, "stringData.password"},
		{"tag", part(password, "tag", flip), tampered, "stringData.password"},
		{"items swapped", item(func(l []*yaml.Node) []*yaml.Node { slices.Reverse(l); return l }), tampered, "sops.mac"},
		{"item removed", item(func(l []*yaml.Node) []*yaml.Node { return l[:1] }), tampered, "sops.mac"},
		{"item doubled", item(func(l []*yaml.Node) []*yaml.Node { return append(l, manifest.Clone(l[0])) }), tampered, "sops.mac"},
		{"item turned into a comment", func(root *yaml.Node) {
			v := get(root, one)
			v.Value = strings.Replace(v.Value, "type:str", "type:comment", 1)
		}, tampered, "sops.mac"},
		{"value turned into a comment", retype(password, "str", "comment"), tampered, "stringData.password"},
		{"text turned into a number", retype(password, "str", "int"), tampered, "stringData.password"},
		{"text turned into a float", retype(password, "str", "float"), tampered, "stringData.password"},
		{"text turned into a boolean", retype(password, "str", "bool"), tampered, "stringData.password"},
		{"text turned into a time", retype(password, "str", "time"), tampered, "stringData.password"},
		{"lastmodified", set("sops/lastmodified", "2026-01-31T09:30:01Z"), tampered, "sops.mac"},
		{"mac", part("sops/mac", "data", flip), tampered, "sops.mac"},
		{"a value as mac", copyFrom("sops/mac", password), tampered, "sops.mac"},

		{"selector removed", remove("sops/encrypted_regex"), invalid, "apiVersion"},
		{"selector of another kind", rename("sops/encrypted_regex", "unencrypted_regex"), invalid, "apiVersion"},
		{"second selector", set("sops/unencrypted_suffix", "_x"), invalid, "sops.unencrypted_suffix"},
		{"selector does not compile", set("sops/encrypted_regex", "("), invalid, "sops.encrypted_regex"},
		{"selector too complex", set("sops/encrypted_regex", "(a{0,99}b){0,9}(c{0,99}d){0,9}"), invalid, "sops.encrypted_regex"},
		{"clear text", set(password, "hunter2"), invalid, "stringData.password"},
		{"clear number", raw("data/int", "1"), invalid, "data.int"},
		{"clear boolean in a list", item(func(l []*yaml.Node) []*yaml.Node { return append(l, manifest.Bool(true)) }), invalid, "data.list"},
		{"text behind", replace(password, "type:str]", "type:str] "), invalid, "stringData.password"},
		{"nonce of 12 zero bytes", part(password, "iv", func([]byte) []byte { return make([]byte, 12) }), tampered, "stringData.password"},
		{"nonce of 16 bytes", part(password, "iv", func([]byte) []byte { return make([]byte, 16) }), invalid, "stringData.password"},
		{"unknown type", retype(password, "str", "text"), invalid, "stringData.password"},
		{"text marked as null", setNode("metadata/x", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "hunter2"}), invalid, "metadata.x"},
		{"keys too long", set("data/"+strings.Repeat("k", 5000), ""), invalid, manifest.ChildPath("data", strings.Repeat("k", 5000))},
		{"mac missing", remove("sops/mac"), invalid, "sops.mac"},
		{"mac empty", set("sops/mac", ""), invalid, "sops.mac"},
		{"lastmodified missing", remove("sops/lastmodified"), invalid, "sops.lastmodified"},
		{"lastmodified is no time", set("sops/lastmodified", "now"), invalid, "sops.lastmodified"},
		{"version missing", remove("sops/version"), invalid, "sops.version"},
		{"unknown field", set("sops/extra", "x"), invalid, "sops.extra"},
		{"no keys", raw("sops/age", "[]"), invalid, "sops"},
		{"sops missing", remove("sops"), invalid, "sops"},
		{"sops no mapping", set("sops", "x"), invalid, "sops"},
		{"mac only is text", set("sops/mac_only_encrypted", "true"), invalid, "sops.mac_only_encrypted"},
		{"threshold too large", raw("sops/shamir_threshold", "2"), invalid, "sops.shamir_threshold"},
		{"anchor", func(root *yaml.Node) { get(root, "data").Anchor = "a" }, invalid, ""},
	}
}

// TestFileAcceptsAsSOPS lists what SOPS does not authenticate, so that nobody
// takes a File for an Envelope.
func TestFileAcceptsAsSOPS(t *testing.T) {
	k := keys.GenerateDataKey()
	tests := []struct {
		name string
		edit edit
	}{
		{"version", set("sops/version", "3.9.0")},
		{"version of a broken release", set("sops/version", "3.13.2")},
		{"wrapped key", set("sops/age/0/enc", "x")},
		{"number turned into text", replace("data/int", "type:int", "type:str")},
		{"text turned into a number", replace("stringData/port", "type:str", "type:int")},
		{"empty value added", set("stringData/new", "")},
		{"null added", raw("stringData/new", "null")},
		{"empty mapping added", raw("metadata/labels", "{}")},
		{"comment removed", func(root *yaml.Node) { get(root, "stringData").Content[0].HeadComment = "" }},
		{"comment damaged", func(root *yaml.Node) {
			c := &get(root, "stringData").Content[0].HeadComment
			*c = strings.Replace(*c, "tag:", "tag:AAAA", 1)
		}},
	}
	for _, macOnly := range []bool{false, true} {
		doc := tamperFile(t, k, macOnly)
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				doc := manifest.Clone(doc)
				test.edit(manifest.Root(doc))
				if _, err := openFileTree(k, doc); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestReservedRoot protects the separation of domains: ciphertext of an
// envelope opens in no SOPS document, however its path is spelled.
func TestReservedRoot(t *testing.T) {
	base, _, k := tamperPair(t)
	password := get(base.Node(), "signet/stringData/password").Value
	quoted := `"` + password + `"`
	tests := []struct {
		name, text, path string
	}{
		{"root mapping", "signet: {stringData: {password: " + quoted + "}}", "signet.stringData.password"},
		{"key with one colon", `"signet:stringData": {password: ` + quoted + "}", `["signet:stringData"].password`},
		{"key with two colons", `"signet:stringData:password": ` + quoted, `["signet:stringData:password"]`},
		{"list", `"signet:stringData:password": [` + quoted + "]", `["signet:stringData:password"]`},
		{"list in a list", `"signet:stringData": {password: [[` + quoted + "]]}", `["signet:stringData"].password`},
		{"list of mappings", `"signet": [{"stringData:password": ` + quoted + "}]", `signet["stringData:password"]`},
		{"comment", "\"signet:stringData:password\":\n  #" + password + "\n  x: null", `["signet:stringData:password"]`},
		{"comment of a nested mapping", "signet:\n  stringData:\n    password:\n      #" + password + "\n      x: null", "signet.stringData.password"},
		{"clear value", "signet: x", "signet"},
	}
	for _, macOnly := range []bool{false, true} {
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				for _, selector := range []keys.Selector{{}, {Kind: keys.EncryptedRegex, Pattern: "^x$"}} {
					doc := parseRoot(t, []byte("apiVersion: \"\"\n"+test.text+"\n"))
					r := wrapFor(t, k, classicKeyFile)
					md := &Metadata{Recipients: r, LastModified: lastModified(sealedAt), Selector: selector, MACOnlyEncrypted: macOnly, Version: Version}
					md.mac = base.Metadata.mac
					_, _, err := EncryptFile([]*yaml.Node{doc}, k, FileSettings{Recipients: r, Selector: selector, Now: sealedAt}, nil)
					checkReservedError(t, "EncryptFile", err, test.path)
					manifest.Set(doc, "sops", md.node())
					_, err = openFileTree(k, doc)
					checkReservedError(t, "Decrypt", err, test.path)
				}
			})
		}
	}
}

func checkReservedError(t *testing.T, verb string, err error, want string) {
	t.Helper()
	if kind, path := errorAt(err); kind != "InvalidError" || path != want || !strings.Contains(err.Error(), "reserved") {
		t.Errorf("%s: got %s at %q, want InvalidError at %q: %v", verb, kind, path, want, err)
	}
	checkNoLeak(t, err)
}
