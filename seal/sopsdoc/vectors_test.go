// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
)

const vectors = "testdata/vectors"

// TestVectors protects the ability to read what exists: documents that the
// stock sops named in testdata/vectors/README.md has written. No program runs
// unless -update is given.
func TestVectors(t *testing.T) {
	for _, c := range selectorRules {
		stockVector(t, c.name, "comments.plain.yaml", creationRule(t, c.selector, c.macOnly))
	}
	hybrid := []string{"age: " + testIdentity(t, hybridKeyFile).Recipient()}
	stockVector(t, "hybrid", "comments.plain.yaml", hybrid)
	stockVector(t, "multi", "multi.plain.yaml", creationRule(t, keys.Selector{}, false))
	stockVector(t, "multi-mac-only", "multi.plain.yaml", creationRule(t, tamperSelector, true))
	stockVector(t, "json", "json.plain.json", creationRule(t, keys.Selector{}, false))
	stockVector(t, "json-regex", "json.plain.json", creationRule(t, tamperSelector, false))
}

func stockVector(t *testing.T, name, input string, rule []string) {
	t.Run(name, func(t *testing.T) {
		format := strings.TrimPrefix(filepath.Ext(input), ".")
		encrypted := filepath.Join(vectors, "stock", name+".enc."+format)
		decrypted := filepath.Join(vectors, "stock", name+".dec.yaml")
		if *update {
			enc := sopsEncrypt(t, rule, "doc."+format, readFile(t, filepath.Join(vectors, "stock", input)))
			dec, ok := sopsDecrypt(t, format, enc)
			if !ok {
				t.Fatalf("%s", dec)
			}
			writeFile(t, encrypted, enc)
			writeFile(t, decrypted, dec)
		}
		enc := readFile(t, encrypted)
		got, err := openFile(t, enc)
		if err != nil {
			t.Fatal(err)
		}
		compareDocuments(t, 0, enc, got, readFile(t, decrypted))
	})
}

// TestGroupVector protects the reading of key groups, which Signet does not
// open yet.
func TestGroupVector(t *testing.T) {
	file := filepath.Join(vectors, "stock", "groups.enc.yaml")
	if *update {
		classic, hybrid := testIdentity(t, classicKeyFile).Recipient(), testIdentity(t, hybridKeyFile).Recipient()
		rule := []string{"shamir_threshold: 2", "key_groups:", "  - age: [" + classic + "]", "  - age: [" + hybrid + "]", "  - age: [" + classic + ", " + hybrid + "]"}
		writeFile(t, file, sopsEncrypt(t, rule, "doc.yaml", readFile(t, filepath.Join(vectors, "stock", "multi.plain.yaml"))))
	}
	f, err := ParseFile(parseDocuments(t, readFile(t, file))...)
	if err != nil {
		t.Fatal(err)
	}
	var sizes []int
	for _, g := range f.Metadata.Recipients.Groups {
		sizes = append(sizes, len(g))
	}
	if diff := cmp.Diff([]int{1, 1, 2}, sizes); diff != "" || f.Metadata.Recipients.Threshold != 2 {
		t.Errorf("groups (-want +got):\n%s, threshold %d", diff, f.Metadata.Recipients.Threshold)
	}
}

// TestEnvelopeVectors protects the format of envelopes: the texts under
// testdata/vectors/envelopes are normative.
func TestEnvelopeVectors(t *testing.T) {
	for _, c := range envelopeCases() {
		if c.name == "many keys" {
			continue // says no more, in 100 KiB
		}
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(vectors, "envelopes", strings.ReplaceAll(c.name, " ", "-"))
			if *update {
				writeEnvelopeVector(t, dir, c)
			}
			checkEnvelopeVector(t, dir, c)
		})
	}
}

func writeEnvelopeVector(t *testing.T, dir string, c envelopeCase) {
	k := keys.GenerateDataKey()
	e := sealForTest(t, c.clear, c.content, k, c.wrapFor(t, k, classicKeyFile), nil)
	content, err := json.MarshalIndent(map[string]any{"data": asAny(c.content.Data), "stringData": asAny(c.content.StringData)}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	clear := clearJSON(e.Clear, e.DataKeys(), e.StringDataKeys())
	for file, text := range map[string]string{
		"datakey.txt":  hex.EncodeToString(k.Bytes()),
		"sealed.yaml":  string(encodeYAML(t, e.Node())),
		"content.json": string(content),
		"clear.json":   string(clear),
		"sops.json":    string(e.Metadata.unsigned),
		"binding.txt":  joinBinding(hexSum(clear), hexSum(e.Metadata.unsigned)),
	} {
		writeFile(t, filepath.Join(dir, file), []byte(strings.TrimSuffix(text, "\n")+"\n"))
	}
}

func checkEnvelopeVector(t *testing.T, dir string, c envelopeCase) {
	read := func(file string) string {
		return strings.TrimSuffix(string(readFile(t, filepath.Join(dir, file))), "\n")
	}
	k := dataKeyFromHex(t, read("datakey.txt"))
	e, err := ParseEnvelope(parseRoot(t, []byte(read("sealed.yaml"))))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c.clear, e.Clear, equateEmptyMaps); diff != "" {
		t.Errorf("clear fields (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(read("clear.json"), string(clearJSON(e.Clear, e.DataKeys(), e.StringDataKeys()))); diff != "" {
		t.Errorf("canonical JSON of the clear fields (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(read("sops.json"), string(e.Metadata.unsigned)); diff != "" {
		t.Errorf("canonical JSON of the sops block (-want +got):\n%s", diff)
	}
	cipher, err := NewCipher(k)
	if err != nil {
		t.Fatal(err)
	}
	binding, err := cipher.Decrypt(e.sealed.binding, "signet:binding:")
	if err != nil || string(binding) != read("binding.txt") {
		t.Errorf("binding is %q, %v", binding, err)
	}
	content, err := e.Open(k)
	if err != nil {
		t.Fatal(err)
	}
	var want Content
	if err := json.Unmarshal([]byte(read("content.json")), &want); err != nil {
		t.Fatal(err)
	}
	if !content.Equal(want) || !content.Equal(c.content) {
		t.Errorf("content (-want +got):\n%s", cmp.Diff(want, content))
	}
	if !manifest.Equal(e.Node(), parseRoot(t, []byte(read("sealed.yaml")))) {
		t.Errorf("is written differently now:\n%s", encodeYAML(t, e.Node()))
	}
	if !unwrap(t, e.Metadata.Recipients).Equal(k) {
		t.Error("the recipients hold another data key")
	}
}

var equateEmptyMaps = cmp.Transformer("emptyMap", func(m map[string]string) []string {
	var out []string
	for k, v := range m {
		out = append(out, k+"="+v)
	}
	slices.Sort(out)
	return out
})

func dataKeyFromHex(tb testing.TB, text string) keys.DataKey {
	tb.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		tb.Fatal(err)
	}
	k, err := keys.NewDataKey(b)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

// TestNegativeVectors protects every check of envelopes with a committed
// document, whose first line names the error: "# want: <kind> <path>".
func TestNegativeVectors(t *testing.T) {
	dir := filepath.Join(vectors, "negative")
	if *update {
		writeNegativeVectors(t, dir)
	}
	k := dataKeyFromHex(t, strings.TrimSpace(string(readFile(t, filepath.Join(dir, "datakey.txt")))))
	checkNegativeVectors(t, dir, func(root *yaml.Node) error {
		_, err := openTree(root, k)
		return err
	})
}

// checkNegativeVectors compares the errors of open with the first lines of all
// documents in a directory.
func checkNegativeVectors(t *testing.T, dir string, open func(*yaml.Node) error) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(files) < 100 {
		t.Fatalf("%d vectors, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			text := readFile(t, file)
			first, _, _ := bytes.Cut(text, []byte("\n"))
			want := strings.TrimPrefix(string(first), "# want: ")
			n, err := manifest.Parse(text)
			if err == nil {
				err = open(manifest.Root(n))
			}
			kind, path := errorAt(err)
			if kind == "other" { // the YAML layer found it
				kind, path = "InvalidError", ""
			}
			if got := strings.TrimSpace(kind + " " + path); got != want {
				t.Errorf("got %s, want %s: %v", got, want, err)
			}
			checkNoLeak(t, err)
		})
	}
}

// writeNegativeVectors writes those tampered envelopes that YAML can hold.
func writeNegativeVectors(t *testing.T, dir string) {
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	k := keys.GenerateDataKey()
	r := oneTimed(wrapFor(t, k, classicKeyFile, classicKeyFile))
	r.Groups[0] = append(r.Groups[0], fakeKMS)
	base := sealForTest(t, tamperClear(), tamperContent(), k, r, nil)
	clear := tamperClear()
	clear.Scope.Name = "other"
	content := tamperContent()
	content.StringData["password"] = canary + " of the other"
	other := sealForTest(t, clear, content, k, r, nil)
	writeFile(t, filepath.Join(dir, "datakey.txt"), []byte(hex.EncodeToString(k.Bytes())+"\n"))
	writeTampers(t, dir, base.Node, envelopeTampers(other.Node()))
	clear = tamperClear()
	clear.Merge = true
	writeTampers(t, dir, sealForTest(t, clear, tamperContent(), k, r, nil).Node, mergeTampers())
}
