// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
)

func toJSON(t testing.TB, document string) string {
	t.Helper()
	out, err := manifest.EncodeJSON(parseDocument(t, document), "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// crypto is hostile in what it claims to have encrypted.
func crypto(t *testing.T, key keyFile) []hostile {
	sealed := manifest.Root(parseDocument(t, mustRun(t, victimSecret, "seal", "-", "-a", key.recipient)))
	sops := manifest.Root(parseDocument(t, mustRun(t, victimSecret, "seal", "-", "--as", "sops", "-a", key.recipient)))
	row := func(name, want string, from *yaml.Node, edits ...change) hostile {
		return hostile{name, func() string {
			root := cloneNode(from)
			all(edits...)(root)
			return encodeLoose(t, root)
		}, "", want, ""}
	}
	const password = "spec/sealed/signet/stringData/password"
	value := func(data string) string {
		return "ENC[AES256_GCM,data:" + data + ",iv:AAAAAAAAAAAAAAAA,tag:AAAAAAAAAAAAAAAAAAAAAA==,type:str]"
	}
	rows := []hostile{
		row("base64 cut off", "stringData.password: has a data part that is not base64", sealed, putText(password, value("AAA"))),
		row("base64 with a line break", "stringData.password: has a data part that is not base64", sealed, putText(password, value("AA\nAA"))),
		row("base64 with stray bits", "stringData.password: has a data part that is not base64", sealed, putText(password, value("AB=="))),
		row("value cut off", "stringData.password: is an encrypted value without its closing bracket", sealed, putText(password, value("AAAA")[:40])),
		row("2 MiB value", "stringData.password: does not authenticate", sealed, putText(password, value(strings.Repeat("AAAA", 1<<19)))),
		row("3 MiB value", "the envelope has", sealed, putText(password, value(strings.Repeat("AAAA", 3<<18)))),
		row("7 MiB value in a SOPS Secret", "stringData.password: does not authenticate", sops, putText("stringData/password", value(strings.Repeat("AAAA", 7<<18)))),
		row("10,000 recipients", "", sealed, put("spec/sealed/sops/age", entries(sealed, 10_000))),
		row("10,000 small recipients", "spec.sealed.sops: names 10000 keys, the limit is 64", sealed, put("spec/sealed/sops/age", smallEntries(10_000))),
		row("10,000 small recipients in a SOPS Secret", "sops: names 10000 keys, the limit is 64", sops, put("sops/age", smallEntries(10_000))),
		row("64 recipients", "binding: does not match the sops block", sealed, put("spec/sealed/sops/age", entries(sealed, 64))),
		row("recipient of 60 KiB", "no key could unwrap", sealed, putText("spec/sealed/sops/age/0/recipient", "age1"+strings.Repeat("q", 60<<10))),
		row("wrapped key of 70 KiB", "enc: has", sealed, putText("spec/sealed/sops/age/0/enc", strings.Repeat("A", 70<<10))),
		row("wrapped key that is an armored nothing", "no key could unwrap", sealed, putText("spec/sealed/sops/age/0/enc", "-----BEGIN AGE ENCRYPTED FILE-----\n-----END AGE ENCRYPTED FILE-----\n")),
		row("50,000 values", "", sealed, func(root *yaml.Node) {
			m := step(root, "spec/sealed/signet/stringData")
			for i := range 50_000 {
				m.Content = append(m.Content, manifest.String(fmt.Sprint("k", i)), manifest.String(""))
			}
		}),
		row("selector that takes long", "sops.encrypted_regex", sops, putText("sops/encrypted_regex", strings.Repeat("(a*)*", 1000))),
		row("selector that is large when compiled", "", sops, putText("sops/encrypted_regex", "((a{1,30}){1,30}){1,1}")),
		row("selector that does not compile", "sops.encrypted_regex", sops, putText("sops/encrypted_regex", "(")),
		row("10,000 keys under a slow selector", "", sops, putText("sops/encrypted_regex", "(x+x+)+y"), func(root *yaml.Node) {
			m := step(root, "metadata/labels")
			for i := range 10_000 {
				m.Content = append(m.Content, manifest.String(strings.Repeat("x", 100)+fmt.Sprint(i)), manifest.String(""))
			}
		}),
		row("Shamir threshold of a large number", "sops.shamir_threshold", sops, putYAML("sops/shamir_threshold", "99999999999999999999")),
		row("plugin recipient", "no key could unwrap", sealed, putText("spec/sealed/sops/age/0/recipient", "age1yubikey1qqqqqq")),
	}
	return append(rows, manyValid(t, sealed, sops)...)
}

// entries repeats the recipient of a document.
func entries(sealed *yaml.Node, n int) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for range n {
		list.Content = append(list.Content, step(sealed, "spec/sealed/sops/age/0"))
	}
	return list
}

// smallEntries are recipients that nothing is wrapped for.
func smallEntries(n int) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for i := range n {
		list.Content = append(list.Content, manifest.Mapping(manifest.String("recipient"), manifest.String(fmt.Sprint("age1", i)), manifest.String("enc"), manifest.String("x")))
	}
	return list
}

// manyValid are streams of documents that open.
func manyValid(t *testing.T, sealed, sops *yaml.Node) []hostile {
	text, sopsText := encodeLoose(t, sealed), encodeLoose(t, sops)
	const parsed = "has to be parsed"
	return []hostile{
		{"a million lines, valid SealedSecrets", func() string {
			return strings.Repeat("---\n"+text, 1_000_000/(1+strings.Count(text, "\n")))
		}, "", parsed, parsed},
		{"a million lines, valid SOPS Secrets", func() string {
			return strings.Repeat("---\n"+sopsText, 1_000_000/(1+strings.Count(sopsText, "\n")))
		}, parsed, parsed, parsed},
		{"1,000 valid SealedSecrets", func() string { return strings.Repeat("---\n"+text, 1000) }, "", "", ""},
	}
}
