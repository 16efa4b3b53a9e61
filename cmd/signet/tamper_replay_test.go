// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/seal/manifest"
)

// replay is a SOPS document that is put together from the parts of a
// SealedSecret: its wrapped data key opens, so nothing but the rules of the
// format stands between the ciphertext and whoever wrote the document.
type replay struct {
	name string
	edit change // of the object with the victim's sops block at its top
	want string
}

// object is where replays start: an object whose sops block is the victim's.
func replayObject(v *victim, kind string) *yaml.Node {
	root := manifest.Mapping(
		manifest.String("apiVersion"), manifest.String("v1"),
		manifest.String("kind"), manifest.String(kind),
		manifest.String("metadata"), manifest.Mapping(manifest.String("name"), manifest.String("loot"), manifest.String("namespace"), manifest.String("prod")),
	)
	manifest.Set(root, "sops", cloneNode(step(v.root, "spec/sealed/sops")))
	return root
}

func replays(v *victim) []replay {
	sealed := step(v.root, "spec/sealed/signet")
	password := step(v.root, "spec/sealed/signet/stringData/password")
	list := func(n ...*yaml.Node) *yaml.Node {
		return &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: n}
	}
	mapping := func(key string, value *yaml.Node) *yaml.Node { return manifest.Mapping(doubleQuoted(key), value) }
	comment := doubleQuoted("x")
	comment.HeadComment = "#" + password.Value
	typed := cloneNode(password)
	typed.Value = strings.Replace(typed.Value, "type:str", "type:comment", 1)
	typedComment := doubleQuoted("x")
	typedComment.HeadComment = "#" + typed.Value
	const reserved = `: the root key "signet" is reserved for SealedSecrets`
	return []replay{
		{"root signet", put("signet", sealed), "signet.binding" + reserved},
		{"root signet with one value", put("signet", mapping("stringData", mapping("password", password))), "signet.stringData.password" + reserved},
		{"key of one joint", put("signet:stringData", mapping("password", password)), `["signet:stringData"].password` + reserved},
		{"key of two joints", put("signet:stringData:password", password), `["signet:stringData:password"]` + reserved},
		{"joint further down", put("signet", mapping("stringData:password", password)), `signet["stringData:password"]` + reserved},
		{"list in the path", put("signet", mapping("stringData", mapping("password", list(password)))), "signet.stringData.password" + reserved},
		{"list at the root key", put("signet", list(mapping("stringData", mapping("password", password)))), "signet.stringData.password" + reserved},
		{"key signet that holds a value", put("signet", password), "signet" + reserved},
		{"key signet in clear", put("signet", doubleQuoted("x")), "signet" + reserved},
		{"key signet, empty value", put("signet", doubleQuoted("")), "signet" + reserved},
		{"comment under signet", put("signet", mapping("stringData", mapping("password", comment))), reserved},
		{"encrypted comment under signet", put("signet", mapping("stringData", mapping("password", mapping("y", typedComment)))), reserved},
		{"comment at the top", func(root *yaml.Node) { root.Content[0].HeadComment = "#" + typed.Value }, ""},
		{"under data", put("data", mapping("password", password)), "data.password"},
		{"under stringData", put("stringData", mapping("password", password)), "stringData.password"},
		{"joint under stringData", put("stringData", mapping("signet:stringData:password", password)), "stringData"},
		{"under a key without a name", put("", mapping("signet:stringData:password", password)), `[""]["signet:stringData:password"]: does not authenticate`},
		{"key that begins with signet", put("signet2", password), "signet2"},
		{"key with a colon at the end", put("signet:", mapping("stringData", mapping("password", password))), reserved},
		{"Signet in capitals", put("Signet", mapping("stringData", mapping("password", password))), "Signet"},
		{"envelope lifted out", func(root *yaml.Node) {
			e := step(v.root, "spec/sealed")
			for i := 0; i < len(e.Content); i += 2 {
				if e.Content[i].Value != "sops" {
					put(e.Content[i].Value, e.Content[i+1])(root)
				}
			}
		}, reserved},
		{"envelope lifted out, without the values of the object", func(root *yaml.Node) {
			*root = *cloneNode(step(v.root, "spec/sealed"))
			putText("kind", "Secret")(root)
			putText("apiVersion", "v1")(root)
		}, reserved},
	}
}

// Ciphertext of a SealedSecret opens in no other document, whatever selector
// that document brings and whether or not its mac has to cover anything.
func TestTamperReplay(t *testing.T) {
	isolate(t)
	v := newVictim(t)
	selectors := []struct {
		name string
		edit change
	}{
		{"its selector", func(*yaml.Node) {}},
		{"no selector", remove("sops/encrypted_regex")},
		{"all keys", putText("sops/encrypted_regex", "")},
		{"regex of everything", putText("sops/encrypted_regex", ".")},
		{"regex of nothing", all(remove("sops/encrypted_regex"), putText("sops/unencrypted_regex", "^(apiVersion|kind|metadata|name|namespace)$"))},
		{"suffix", all(remove("sops/encrypted_regex"), putText("sops/encrypted_suffix", "password"))},
		{"comments", all(remove("sops/encrypted_regex"), putText("sops/encrypted_comment_regex", "ENC"))},
	}
	for _, r := range replays(v) {
		for _, kind := range []string{"Secret", "ConfigMap"} {
			for _, s := range selectors {
				for _, macOnly := range []bool{false, true} {
					t.Run(r.name+"/"+kind+"/"+s.name, func(t *testing.T) {
						root := replayObject(v, kind)
						r.edit(root)
						s.edit(root)
						if macOnly {
							putYAML("sops/mac_only_encrypted", "true")(root)
						}
						refuseReplay(t, v, root, r.want)
					})
				}
			}
		}
	}
}

// refuseReplay expects a refusal that names the place. Which check comes first
// depends on the selector.
func refuseReplay(t *testing.T, v *victim, root *yaml.Node, want string) {
	t.Helper()
	o := runSignet(t, encodeLoose(t, root), "unseal", "--age-key-file", v.first.path, "-")
	places := []string{want, "sops.mac: does not match", "must be encrypted by the selector", "nothing in it is encrypted", "is not an encrypted value"}
	named := slices.ContainsFunc(places, func(p string) bool { return p != "" && strings.Contains(o.stderr, p) })
	if o.code != exitcode.NotOpened || o.stdout != "" || !named {
		t.Errorf("exit %d, want %d; stderr must contain one of %q:\n%s%s", o.code, exitcode.NotOpened, places, o.stderr, o.stdout)
	}
	for _, plain := range victimPlain {
		if strings.Contains(o.stdout+o.stderr, plain) {
			t.Errorf("the output holds plaintext:\n%s%s", o.stdout, o.stderr)
		}
	}
}

// The same in other places of a stream, and where SOPS itself looks.
func TestTamperReplayPlaces(t *testing.T) {
	isolate(t)
	v := newVictim(t)
	loot := replayObject(v, "Secret")
	put("signet", step(v.root, "spec/sealed/signet"))(loot)
	items := func(kind string, n ...*yaml.Node) *yaml.Node {
		return manifest.Mapping(manifest.String("apiVersion"), manifest.String("v1"), manifest.String("kind"), manifest.String(kind),
			manifest.String("items"), &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: n})
	}
	sealed := encodeLoose(t, v.root)
	both := cloneNode(v.root)
	put("signet", step(v.root, "spec/sealed/signet"))(both)
	top := cloneNode(both)
	put("sops", step(v.root, "spec/sealed/sops"))(top)
	foreign := cloneNode(top)
	putText("apiVersion", "example.org/v1")(foreign)
	for _, row := range []struct{ name, document, want string }{
		{"item of a List", encodeLoose(t, items("List", loot)), ", item 1, prod/loot: open: signet.binding: the root key"},
		{"item of a SecretList", encodeLoose(t, items("SecretList", loot)), ", item 1, prod/loot: open: signet.binding: the root key"},
		{"after the SealedSecret", sealed + "---\n" + encodeLoose(t, loot), ", document 2, prod/loot: open: signet.binding: the root key"},
		{"second document of a SOPS file", encodeLoose(t, replayObject(v, "Secret")) + "---\n" + encodeLoose(t, loot), ", document 1, prod/loot: open: signet.binding: the root key"},
		{"in the SealedSecret itself", encodeLoose(t, both), "signet: unknown field"},
		{"in the SealedSecret itself with sops", encodeLoose(t, top), "signet: unknown field"},
		{"in a SealedSecret of another group", encodeLoose(t, foreign), "spec.sealed.signet.binding: does not authenticate"},
	} {
		t.Run(row.name, func(t *testing.T) { refuse(t, v, "doc.yaml", row.document, row.want) })
	}
	t.Run("with --as sops", func(t *testing.T) {
		o := runSignet(t, "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: b}\nsignet: {a: b}\n", "seal", "--as", "sops", "-a", v.first.recipient, "-")
		if o.code != exitcode.Failed || o.stdout != "" || !strings.Contains(o.stderr, "signet: a Secret has no such field") {
			t.Errorf("exit %d, stdout %q, stderr %s", o.code, o.stdout, o.stderr)
		}
	})
}
