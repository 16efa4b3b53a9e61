// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
)

// reseal seals over out.yaml for the recipients of the victim.
func (v *victim) reseal(t *testing.T, secrets string, args ...string) *yaml.Node {
	t.Helper()
	mustRun(t, secrets, append([]string{"seal", "-", "-o", "out.yaml", "--age-key-file", v.first.path, "-a", v.first.recipient, "-a", v.second.recipient}, args...)...)
	return manifest.Root(parseDocument(t, readTestFile(t, "out.yaml")))
}

func (v *victim) open(t *testing.T) string {
	t.Helper()
	return mustRun(t, "", "unseal", "--age-key-file", v.first.path, "out.yaml")
}

// Sealing over a document takes over from it only what cannot harm: somebody
// else may have written it.
func TestTamperReseal(t *testing.T) {
	isolate(t)
	v := newVictim(t)
	changed := strings.Replace(victimSecret, "plaintext-of-the-username", "other", 1)
	const username, password = "spec/sealed/signet/stringData/username", "spec/sealed/signet/stringData/password"

	t.Run("control: what is unchanged stays", func(t *testing.T) {
		writeTestFile(t, "out.yaml", encodeLoose(t, v.root))
		root := v.reseal(t, changed)
		if step(root, password).Value != step(v.root, password).Value || step(root, username).Value == step(v.root, username).Value {
			t.Error("the wrong values were encrypted anew")
		}
	})
	t.Run("fresh key", func(t *testing.T) {
		writeTestFile(t, "out.yaml", encodeLoose(t, v.root))
		root := v.reseal(t, changed, "--fresh-key")
		if step(root, password).Value == step(v.root, password).Value || step(root, "spec/sealed/sops/age/0/enc").Value == step(v.root, "spec/sealed/sops/age/0/enc").Value {
			t.Error("something of the old document was kept")
		}
	})
	for _, row := range []struct {
		name string
		edit change
	}{
		{"changed value", flipBit(password, "data")},
		{"appended recipient", func(root *yaml.Node) {
			other := cloneNode(step(root, "spec/sealed/sops/age/1"))
			manifest.Set(other, "recipient", manifest.String(v.stranger.recipient))
			list := step(root, "spec/sealed/sops/age")
			list.Content = append(list.Content, other)
		}},
		{"removed recipient", remove("spec/sealed/sops/age/1")},
		{"other scope", putText("spec/sealed/scope", "*/*")},
		{"not an envelope", putYAML("spec/sealed", "[]")},
		{"clear text", putText(password, "plaintext-of-the-password")},
	} {
		t.Run(row.name, func(t *testing.T) {
			old := cloneNode(v.root)
			row.edit(old)
			writeTestFile(t, "out.yaml", encodeLoose(t, old))
			root := v.reseal(t, victimSecret)
			if step(root, username).Value == step(v.root, username).Value {
				t.Error("a value of a document that does not authenticate was kept")
			}
			if list := step(root, "spec/sealed/sops/age"); len(list.Content) != 2 || strings.Contains(encodeLoose(t, list), v.stranger.recipient) {
				t.Error("recipients are not those asked for")
			}
			if out := v.open(t); !strings.Contains(out, "plaintext-of-the-password") {
				t.Error(out)
			}
		})
	}
}

// Which Secret comes out is said by the Secret that was sealed, not by the file.
func TestTamperResealName(t *testing.T) {
	isolate(t)
	v := newVictim(t)
	for _, scope := range []string{"strict", "namespace", "cluster"} {
		writeTestFile(t, "out.yaml", "")
		old := v.reseal(t, victimSecret, "--scope", "cluster")
		putText("spec/secretName", "planted")(old)
		writeTestFile(t, "out.yaml", encodeLoose(t, old))
		v.reseal(t, victimSecret, "--scope", scope)
		if out := v.open(t); !strings.Contains(out, "name: db\n") {
			t.Errorf("%s:\n%s", scope, out)
		}
	}
}

// Two Secrets of one name in a stream both find the same old document. Neither
// may get lost.
func TestTamperResealTwice(t *testing.T) {
	isolate(t)
	key := newKeyFile(t)
	secret := func(value string) string {
		return "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: prod}\nstringData: {a: " + value + "}\n"
	}
	args := []string{"seal", "-", "-o", "out.yaml", "--age-key-file", key.path, "-a", key.recipient}
	mustRun(t, secret("old"), args...)
	var all []string
	for i := range 40 {
		all = append(all, secret("v"+strings.Repeat("x", i)))
	}
	mustRun(t, strings.Join(all, "---\n"), args...)
	out := mustRun(t, "", "unseal", "--age-key-file", key.path, "out.yaml")
	for i := range all {
		if want := "  a: v" + strings.Repeat("x", i) + "\n"; strings.Count(out, want) != 1 {
			t.Errorf("%d times %q", strings.Count(out, want), want)
		}
	}
}

// Names in documents cannot steer the terminal, nor write lines of their own.
func TestTamperTerminal(t *testing.T) {
	isolate(t)
	v := newVictim(t)
	const evil = "a\x1b]0;title\x07\x1b[2K\rsignet: note: all is well\nsignet: note: all is well\u202e\u0085\u2028"
	sops := manifest.Root(parseDocument(t, mustRun(t, victimSecret, "seal", "-", "--as", "sops", "-a", v.first.recipient)))
	edited := func(from *yaml.Node, edits ...change) string {
		root := cloneNode(from)
		all(edits...)(root)
		return encodeLoose(t, root)
	}
	documents := map[string]string{
		"name":      edited(v.root, putText("metadata/name", evil)),
		"namespace": edited(v.root, putText("metadata/namespace", evil)),
		"kind":      edited(v.root, putText("kind", evil)),
		"version":   edited(v.root, putText("apiVersion", "signet.dev/"+evil)),
		"type":      edited(v.root, putText("spec/sealed/type", evil)),
		"field":     edited(v.root, putText("spec/"+strings.ReplaceAll(evil, "/", ""), "")),
		"label": edited(v.root, putYAML("spec/sealed/labels", "{}"), func(root *yaml.Node) {
			step(root, "spec/sealed/labels").Content = []*yaml.Node{doubleQuoted(evil), manifest.Bool(true)}
		}),
		"recipient": edited(v.root, putText("spec/sealed/sops/age/0/recipient", evil)),
		"KMS key": edited(v.root, func(root *yaml.Node) {
			putYAML("spec/sealed/sops/kms", "[{arn: x, created_at: '2026-01-01T00:00:00Z', enc: eA==, context: {kubernetes-namespace: prod, kubernetes-name: db}}]")(root)
			putText("spec/sealed/sops/kms/0/arn", evil)(root)
		}),
		"sops version":   edited(v.root, putText("spec/sealed/sops/version", evil)),
		"name in SOPS":   edited(sops, putText("metadata/name", evil)),
		"kind in SOPS":   edited(sops, putText("kind", evil)),
		"type in SOPS":   edited(sops, putText("type", evil)),
		"key in SOPS":    edited(sops, putText("stringData/"+evil, "")),
		"regex in SOPS":  edited(sops, putText("sops/encrypted_regex", "("+evil)),
		"name to seal":   "apiVersion: v1\nkind: Secret\nmetadata: {name: \"a\\e[2Kb\\nsignet: note: all is well\"}\n",
		"key to seal":    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n\"a\\e[2Kb\\nsignet: note: all is well\": x\n",
		"label to seal":  "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: b, labels: {\"x\\e[2K\\nsignet: note: all is well\": hunter2}}\nstringData: {a: hunter2}\n",
		"denied to seal": "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: b, annotations: {\"signet.dev/\\e[2K\\nsignet: note: all is well\": hunter2}}\nstringData: {a: b}\n",
	}
	for name, document := range documents {
		for _, args := range [][]string{{"unseal", "--age-key-file", v.first.path, "-"}, {"inspect", "-"}, {"seal", "-a", v.first.recipient, "-"}} {
			o := runSignet(t, document, args...)
			shown := o.stderr
			if args[0] == "inspect" {
				shown += o.stdout
			}
			if i := strings.IndexFunc(shown, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
				t.Errorf("%s of a document with an evil %s prints %q", args[0], name, shown[i:min(len(shown), i+20)])
			}
			if strings.Contains(shown, "\nsignet: note: all is well") {
				t.Errorf("%s of a document with an evil %s prints a line of its own:\n%s", args[0], name, shown)
			}
		}
	}
}
