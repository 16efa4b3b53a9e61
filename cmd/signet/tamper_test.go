// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// victim is a valid sealed document, and one more that was sealed with the
// same data key: the most that an attacker who cannot open it can have.
type victim struct {
	root, twin *yaml.Node // mappings
	first      keyFile
	second     keyFile
	stranger   keyFile // whose recipient is not in the document
}

const victimSecret = `apiVersion: v1
kind: Secret
metadata:
  name: db
  namespace: prod
  annotations: {note: north, team: south}
  labels: {app: db, tier: back}
data:
  keystore.p12: gIGCg4SFhoeIiYqLjI2Ojw==
  trust.p12: kJGSk5SVlpeYmZqbnJ2enw==
stringData:
  empty: ""
  password: plaintext-of-the-password
  username: plaintext-of-the-username
`

// victimPlain is what no refused document may show.
var victimPlain = []string{"plaintext-of-the", "gIGCg4SFhoeIiYqLjI2Ojw", "kJGSk5SVlpeYmZqbnJ2enw"}

func newVictim(t *testing.T) *victim {
	v := &victim{first: newKeyFile(t), second: newKeyFile(t), stranger: newKeyFile(t)}
	sealed := mustRun(t, victimSecret, "seal", "-", "-a", v.first.recipient, "-a", v.second.recipient)
	v.root = manifest.Root(parseDocument(t, sealed))
	opened, err := unseal.Open(t.Context(), v.root, unseal.Options{Unwrapper: keys.Unwrappers{
		keys.Age: agekey.NewUnwrapper(agekey.Sources{Identities: []agekey.Identity{v.first.identity}}),
	}})
	if err != nil {
		t.Fatal(err)
	}
	envelope := opened.Document.Envelope
	clear := envelope.Clear
	clear.Scope.Name = "cache"
	content := sopsdoc.Content{
		Data:       map[string]string{"keystore.p12": "AAEC", "trust.p12": "AwQF"},
		StringData: map[string]string{"empty": "full", "password": "of the twin", "username": "of the twin"},
	}
	twin, err := sopsdoc.SealEnvelope(clear, content, opened.DataKey, envelope.Metadata.Recipients, time.Now(), nil)
	if err != nil {
		t.Fatal(err)
	}
	v.twin = cloneNode(v.root)
	put("spec/sealed", twin.Node())(v.twin)
	put("spec/secretName", manifest.String("cache"))(v.twin)
	put("metadata/name", manifest.String("cache"))(v.twin)
	return v
}

// refuse checks that unseal refuses a document as a file: with the exit code
// of a document that cannot be opened, an error that names the place, and
// nothing of what is under seal.
func refuse(t *testing.T, v *victim, name, document, want string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	writeTestFile(t, path, document)
	o := runSignet(t, "", "unseal", "--age-key-file", v.first.path, path)
	if o.code != exitcode.NotOpened || o.stdout != "" || !strings.Contains(o.stderr, want) || want == "" {
		t.Errorf("%s: exit %d, want %d; %d bytes on stdout; stderr must contain %q:\n%s", name, o.code, exitcode.NotOpened, len(o.stdout), want, o.stderr)
		t.Logf("%s", document)
	}
	for _, plain := range victimPlain {
		if strings.Contains(o.stdout+o.stderr, plain) {
			t.Errorf("%s: the output holds plaintext:\n%s%s", name, o.stdout, o.stderr)
		}
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("%s: files were left behind: %v", name, left)
	}
}

// refuseTree is refuse for a tree, as YAML and as JSON.
func refuseTree(t *testing.T, v *victim, root *yaml.Node, want string) {
	t.Helper()
	refuse(t, v, "doc.yaml", encodeLoose(t, root), want)
	asJSON, err := manifest.EncodeJSON(root, "  ")
	if err != nil {
		t.Fatal(err)
	}
	refuse(t, v, "doc.json", string(asJSON), want)
}

// Every single edit of a sealed document is refused, in full and with the place.
func TestTamper(t *testing.T) {
	isolate(t)
	v := newVictim(t)
	rows := slices.Concat(clearTampers(), settingTampers(), valueTampers(), cipherTampers(v), recipientTampers(v), blockTampers(), objectTampers())
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			root := cloneNode(v.root)
			row.edit(root)
			refuseTree(t, v, root, row.want)
		})
	}
	if len(rows) < 90 {
		t.Errorf("the table has %d rows", len(rows))
	}
}

type tamper struct {
	name string
	edit change
	want string
}

// What cannot be said in a tree: YAML's own ways to say a thing twice.
func TestTamperSyntax(t *testing.T) {
	isolate(t)
	v := newVictim(t)
	valid := encodeLoose(t, v.root)
	for _, row := range []struct{ name, old, to, want string }{
		{"duplicate kind", "kind: SealedSecret\n", "kind: SealedSecret\nkind: SealedSecret\n", "duplicate key \"kind\""},
		{"duplicate spec", "spec:\n", "spec: {}\nspec:\n", "duplicate key \"spec\""},
		{"duplicate envelope", "  sealed:\n", "  sealed: {}\n  sealed:\n", "spec: duplicate key \"sealed\""},
		{"duplicate scope", "    scope: prod/db\n", "    scope: prod/db\n    scope: prod/cache\n", "spec.sealed: duplicate key \"scope\""},
		{"duplicate value", "        username: ENC", "        username: \"\"\n        username: ENC", "spec.sealed.signet.stringData: duplicate key \"username\""},
		{"duplicate sops", "    sops:\n", "    sops: {}\n    sops:\n", "spec.sealed: duplicate key \"sops\""},
		{"duplicate mac", "      mac: ENC", "      mac: \"\"\n      mac: ENC", "spec.sealed.sops: duplicate key \"mac\""},
		{"duplicate key in another spelling", "    scope: prod/db\n", "    scope: prod/db\n    \"sc\\x6fpe\": prod/cache\n", "duplicate key \"scope\""},
		{"anchor", "    scope: prod/db\n", "    scope: &a prod/db\n", "spec.sealed.scope: anchors are not supported"},
		{"alias", "    scope: prod/db\n", "    scope: &a prod/db\n    copy: *a\n", "spec.sealed.scope: anchors are not supported"},
		{"anchor on a key", "    scope: prod/db\n", "    &a scope: prod/db\n", "spec.sealed: anchors are not supported"},
		{"alias in an envelope, anchor before", "metadata:\n", "metadata: &m\n", "metadata: anchors are not supported"},
		{"merge key", "    scope: prod/db\n", "    scope: prod/db\n    <<: {scope: prod/cache}\n", "spec.sealed: merge keys (<<) are not supported"},
		{"tag on a value", "    scope: prod/db\n", "    scope: !!binary cHJvZC9kYg==\n", "spec.sealed.scope: unsupported tag"},
		{"local tag", "    scope: prod/db\n", "    scope: !x prod/db\n", "spec.sealed.scope: unsupported tag"},
		{"tag that changes the type", "    immutable: false\n", "    immutable: !!str false\n", "spec.sealed.immutable: must be true or false"},
		{"boolean of YAML 1.1", "    immutable: false\n", "    immutable: no\n", "spec.sealed.immutable: must be true or false"},
		{"key that is a number", "        username: ENC", "        7: \"\"\n        username: ENC", "spec.sealed.signet.stringData: a key that is not a string"},
		{"key that is null", "        username: ENC", "        ~: \"\"\n        username: ENC", "spec.sealed.signet.stringData: a key that is not a string"},
		{"key that is a mapping", "        username: ENC", "        ? {a: b}\n        : \"\"\n        username: ENC", "spec.sealed.signet.stringData: a key that is not a string"},
		{"key that is a boolean to kubectl", "        username: ENC", "        yes: \"\"\n        username: ENC", "spec.sealed.signet.stringData: key \"yes\""},
		{"second document without a marker", "apiVersion: signet.dev/v1alpha1\n", "{}\napiVersion: signet.dev/v1alpha1\n", "not valid YAML"},
	} {
		t.Run(row.name, func(t *testing.T) {
			document := strings.Replace(valid, row.old, row.to, 1)
			if document == valid {
				t.Fatalf("no %q in\n%s", row.old, valid)
			}
			refuse(t, v, "doc.yaml", document, row.want)
		})
	}
}

// One refused document keeps the whole stream back, wherever it stands and
// whatever surrounds it.
func TestTamperInStream(t *testing.T) {
	isolate(t)
	v := newVictim(t)
	valid := encodeLoose(t, v.root)
	bad := cloneNode(v.root)
	flipBit("spec/sealed/signet/stringData/password", "data")(bad)
	for _, at := range []int{0, 50, 99} {
		documents := slices.Repeat([]string{valid}, 100)
		documents[at] = encodeLoose(t, bad)
		refuse(t, v, "stream.yaml", strings.Join(documents, "---\n"), "stream.yaml, document "+strconv.Itoa(at+1)+", prod/db: open: spec.sealed.signet.stringData.password")
	}
	for _, kind := range []string{"List", "SealedSecretList", "SecretList"} {
		list := manifest.Mapping(
			manifest.String("apiVersion"), manifest.String("v1"), manifest.String("kind"), manifest.String(kind),
			manifest.String("items"), &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{cloneNode(v.root), bad}},
		)
		refuseTree(t, v, list, ", document 1, item 2, prod/db: open: spec.sealed.signet.stringData.password")
	}
}

// What the tests of this file refuse they do not refuse for another reason:
// the untouched document opens, and so does everything that the format allows.
func TestTamperControls(t *testing.T) {
	isolate(t)
	v := newVictim(t)
	want := unsealedValues(t, v, encodeLoose(t, v.root))
	if want["stringData/password"] != "plaintext-of-the-password" || want["data/keystore.p12"] == "" || want["metadata/labels/app"] != "db" {
		t.Fatalf("the untouched document gives %v", want)
	}
	for _, row := range []struct {
		name string
		edit change
	}{
		{"untouched", func(*yaml.Node) {}},
		{"keys in reverse order", reverseKeys},
		{"comments", func(root *yaml.Node) {
			step(root, "spec/sealed").HeadComment = "# a comment"
			step(root, "spec/sealed/scope").LineComment = "# another"
		}},
		{"labels and annotations of the object itself", all(putText("metadata/labels/app", "other"), putYAML("metadata/annotations", "{a: b}"))},
		{"status and operational fields", all(putYAML("status", "{observedGeneration: 3}"), putYAML("spec/suspend", "true"),
			putText("spec/creationPolicy", "Owner"), putText("spec/deletionPolicy", "Retain"))},
		{"no secretName beside the same name", remove("spec/secretName")},
		{"another name beside the same secretName", putText("metadata/name", "renamed")},
		{"no namespace", remove("metadata/namespace")},
		{"other styles", func(root *yaml.Node) {
			step(root, "spec/sealed/scope").Style = yaml.SingleQuotedStyle
			step(root, "spec/sealed/signet").Style = yaml.FlowStyle
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			root := cloneNode(v.root)
			row.edit(root)
			asJSON, err := manifest.EncodeJSON(root, "")
			if err != nil {
				t.Fatal(err)
			}
			for _, document := range []string{encodeLoose(t, root), string(asJSON)} {
				got := unsealedValues(t, v, document)
				for path, value := range want {
					if got[path] != value {
						t.Errorf("%s is %q, want %q", path, got[path], value)
					}
				}
				if len(got) != len(want) {
					t.Errorf("got %v, want %v", got, want)
				}
			}
		})
	}
}

// An absent map of the envelope is the same as an empty one.
func TestTamperAbsentMaps(t *testing.T) {
	isolate(t)
	v := newVictim(t)
	sealed := mustRun(t, "{apiVersion: v1, kind: Secret, metadata: {name: bare, namespace: prod}}", "seal", "-", "-a", v.second.recipient)
	root := manifest.Root(parseDocument(t, sealed))
	want := unsealedValues(t, v, sealed)
	for _, edit := range []change{
		all(remove("spec/sealed/annotations"), remove("spec/sealed/labels")),
		all(putYAML("spec/sealed/signet/data", "{}"), putYAML("spec/sealed/signet/stringData", "{}")),
	} {
		edited := cloneNode(root)
		edit(edited)
		if got := unsealedValues(t, v, encodeLoose(t, edited)); len(got) != len(want) || got["metadata/name"] != "bare" {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

// unsealedValues opens a document and returns every scalar by its path.
func unsealedValues(t *testing.T, v *victim, document string) map[string]string {
	t.Helper()
	out := map[string]string{}
	var collect func(n *yaml.Node, path string)
	collect = func(n *yaml.Node, path string) {
		if n.Kind == yaml.ScalarNode {
			out[path] = n.Value
		}
		for i := 0; n.Kind == yaml.MappingNode && i < len(n.Content); i += 2 {
			collect(n.Content[i+1], strings.TrimPrefix(path+"/"+n.Content[i].Value, "/"))
		}
	}
	collect(manifest.Root(parseDocument(t, mustRun(t, document, "unseal", "--age-key-file", v.second.path, "-"))), "")
	return out
}

func reverseKeys(n *yaml.Node) {
	if n.Kind == yaml.MappingNode {
		pairs := slices.Collect(slices.Chunk(n.Content, 2))
		slices.Reverse(pairs)
		n.Content = slices.Concat(pairs...)
	}
	for _, c := range n.Content {
		reverseKeys(c)
	}
}
