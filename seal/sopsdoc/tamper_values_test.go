// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
)

// valueTampers change what is under seal. other is an envelope with the same
// data key.
func valueTampers(other *yaml.Node) []tamper {
	const tampered, invalid, binding = "TamperedError", "InvalidError", "signet.binding"
	const password, user = "signet/stringData/password", "signet/stringData/username"
	const atPassword, atCert = "signet.stringData.password", "signet.data.cert"
	foreign := func(p string) edit { return setNode(p, manifest.Clone(get(other, p))) }
	return []tamper{
		{"key of stringData renamed", rename(user, "user"), tampered, binding},
		{"key of data renamed", rename("signet/data/cert", "crt"), tampered, binding},
		{"key of an empty value renamed", rename("signet/stringData/empty", "void"), tampered, binding},
		{"keys of stringData swapped", swap(password, user), tampered, atPassword},
		{"keys of data swapped", swap("signet/data/cert", "signet/data/store"), tampered, atCert},
		{"values of data and stringData swapped", swap(password, "signet/data/cert"), tampered, atCert},
		{"key moved to data", all(copyFrom("signet/data/password", password), remove(password)), tampered, binding},
		{"key moved to stringData", all(copyFrom("signet/stringData/cert", "signet/data/cert"), remove("signet/data/cert")), tampered, binding},
		{"data and stringData exchanged", swap("signet/data", "signet/stringData"), tampered, binding},
		{"key removed", remove(password), tampered, binding},
		{"empty key removed", remove("signet/stringData/empty"), tampered, binding},
		{"stringData removed", remove("signet/stringData"), tampered, binding},
		{"data removed", remove("signet/data"), tampered, binding},
		{"key added", copyFrom("signet/stringData/new", password), tampered, binding},
		{"empty key added", set("signet/stringData/new", ""), tampered, binding},
		{"value emptied", set(password, ""), tampered, "sops.mac"},
		{"empty value filled", copyFrom("signet/stringData/empty", password), tampered, "signet.stringData.empty"},
		{"value of another envelope", foreign(password), tampered, "sops.mac"},
		{"all values of another envelope", foreign("signet"), tampered, binding},
		{"all stringData of another envelope", foreign("signet/stringData"), tampered, "sops.mac"},
		{"values, mac and binding of another envelope", all(foreign("signet"), foreign("sops")), tampered, binding},
		{"binding of another envelope", foreign("signet/binding"), tampered, binding},
		{"binding as a value", copyFrom(password, "signet/binding"), tampered, atPassword},
		{"value as binding", copyFrom("signet/binding", password), tampered, binding},
		{"mac as binding", copyFrom("signet/binding", "sops/mac"), tampered, binding},

		{"nonce", part(password, "iv", flip), tampered, atPassword},
		{"nonce of 32 bytes", part(password, "iv", func([]byte) []byte { return make([]byte, 32) }), tampered, atPassword},
		{"tag", part(password, "tag", flip), tampered, atPassword},
		{"ciphertext", part(password, "data", flip), tampered, atPassword},
		{"ciphertext truncated", part(password, "data", short1), tampered, atPassword},
		{"ciphertext extended", part(password, "data", func(b []byte) []byte { return append(b, 0) }), tampered, atPassword},
		{"ciphertext of data", part("signet/data/cert", "data", flip), tampered, atCert},
		{"binding ciphertext", part("signet/binding", "data", flip), tampered, binding},

		{"nonce truncated", part(password, "iv", short1), invalid, atPassword},
		{"nonce empty", part(password, "iv", func([]byte) []byte { return nil }), invalid, atPassword},
		{"nonce of 16 bytes", part(password, "iv", func([]byte) []byte { return make([]byte, 16) }), invalid, atPassword},
		{"tag truncated", part(password, "tag", short1), invalid, atPassword},
		{"tag of 12 bytes", part(password, "tag", func(b []byte) []byte { return b[:12] }), invalid, atPassword},
		{"ciphertext empty", part(password, "data", func([]byte) []byte { return nil }), invalid, atPassword},
		{"base64 with line break", replace(password, ",iv:", "\n,iv:"), invalid, atPassword},
		{"base64 without padding", replace(password, "==,type", ",type"), invalid, atPassword},
		{"base64 with stray bits", strayBits(password), invalid, atPassword},
		{"text behind", replace(password, "type:str]", "type:str]x"), invalid, atPassword},
		{"line end behind", replace(password, "type:str]", "type:str]\n"), invalid, atPassword},
		{"text before", replace(password, "ENC[", " ENC["), invalid, atPassword},
		{"bracket missing", replace(password, "type:str]", "type:str"), invalid, atPassword},
		{"other algorithm", replace(password, "AES256_GCM", "AES128_GCM"), invalid, atPassword},
		{"tag missing", replace(password, ",tag:", ",gat:"), invalid, atPassword},
		{"type int", replace("signet/stringData/port", "type:str", "type:int"), invalid, "signet.stringData.port"},
		{"type bytes", replace(password, "type:str", "type:bytes"), invalid, atPassword},
		{"type bool", replace(password, "type:str", "type:bool"), invalid, atPassword},
		{"type comment", replace(password, "type:str", "type:comment"), invalid, atPassword},
		{"type unknown", replace(password, "type:str", "type:text"), invalid, atPassword},
		{"type empty", replace(password, "type:str", "type:"), invalid, atPassword},
		{"binding type int", replace("signet/binding", "type:str", "type:int"), invalid, binding},
		{"clear text", set(password, "hunter2"), invalid, atPassword},
		{"clear base64", set("signet/data/cert", "aHVudGVyMg=="), invalid, atCert},
		{"value null", raw(password, "null"), invalid, atPassword},
		{"value number", raw(password, "1"), invalid, atPassword},
		{"value list", raw(password, "[]"), invalid, atPassword},
		{"value mapping", raw(password, "{}"), invalid, atPassword},
		{"null key added", raw("signet/stringData/new", "null"), invalid, "signet.stringData.new"},
		{"key in both maps", copyFrom("signet/stringData/cert", "signet/data/cert"), invalid, "signet.stringData.cert"},
		{"key with colon", rename(password, "pass:word"), invalid, `signet.stringData["pass:word"]`},
		{"key with blank", rename(password, "pass word"), invalid, `signet.stringData["pass word"]`},
		{"key with line end", rename(password, "password\n"), invalid, `signet.stringData["password\n"]`},
		{"key that leads up", rename(password, "..data"), invalid, `signet.stringData["..data"]`},
		{"key empty", rename(password, ""), invalid, `signet.stringData[""]`},
		{"key too long", rename(password, strings.Repeat("k", 254)), invalid, manifest.ChildPath("signet.stringData", strings.Repeat("k", 254))},
		{"binding missing", remove("signet/binding"), invalid, binding},
		{"binding empty", set("signet/binding", ""), invalid, binding},
		{"binding null", raw("signet/binding", "null"), invalid, binding},
		{"unknown sealed field", copyFrom("signet/extra", "signet/binding"), invalid, "signet.extra"},
		{"data list", raw("signet/data", "[]"), invalid, "signet.data"},
		{"data null", raw("signet/data", "null"), invalid, "signet.data"},
		{"signet missing", remove("signet"), invalid, "signet"},
		{"signet list", raw("signet", "[]"), invalid, "signet"},
		{"too large", set(password, strings.Repeat("A", MaxEnvelopeBytes)), invalid, ""},
	}
}

// strayBits gives the tag another spelling of the same 16 bytes.
func strayBits(p string) edit {
	return func(root *yaml.Node) {
		text := get(root, p).Value
		i := strings.Index(text, "==,type:")
		if i < 0 {
			panic("the tag has no padding")
		}
		const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
		last := strings.IndexByte(alphabet, text[i-1])
		set(p, text[:i-1]+string(alphabet[last|1])+text[i:])(root)
	}
}
