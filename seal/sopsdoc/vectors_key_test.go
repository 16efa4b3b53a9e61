// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
)

// TestSealingKeyVectors protects the format of SealingKeys: the texts under
// testdata/vectors/sealingkeys are normative.
func TestSealingKeyVectors(t *testing.T) {
	tests := []struct {
		name, pair, wrappedFor string
		namespaces             []string
	}{
		{"hybrid", hybridKeyFile, classicKeyFile, []string{Any}},
		{"classic", classicKeyFile, hybridKeyFile, []string{"team-a", "team-b"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(vectors, "sealingkeys", test.name)
			clear, id := keyPair(t, test.pair, "prod."+test.name, test.namespaces...)
			if *update {
				dk := keys.GenerateDataKey()
				k := sealKeyForTest(t, clear, id, dk, wrapFor(t, dk, test.wrappedFor))
				writeKeyVector(t, dir, k, dk, id)
			}
			checkKeyVector(t, dir, clear, id)
		})
	}
}

func writeKeyVector(t *testing.T, dir string, k *SealingKey, dk keys.DataKey, id Identity) {
	for file, text := range map[string]string{
		"datakey.txt":     hex.EncodeToString(dk.Bytes()),
		"sealingkey.yaml": string(encodeYAML(t, k.Node())),
		"identity.txt":    id.Reveal(),
		"clear.json":      string(k.json()),
		"sops.json":       string(k.Metadata.unsigned),
		"binding.txt":     k.fields().binding(k.Metadata),
	} {
		writeFile(t, filepath.Join(dir, file), []byte(strings.TrimSuffix(text, "\n")+"\n"))
	}
}

func checkKeyVector(t *testing.T, dir string, clear KeyClear, id Identity) {
	t.Helper()
	read := func(name string) string {
		return strings.TrimSuffix(string(readFile(t, filepath.Join(dir, name))), "\n")
	}
	dk := dataKeyFromHex(t, read("datakey.txt"))
	k, err := ParseSealingKey(parseRoot(t, []byte(read("sealingkey.yaml"))))
	if err != nil {
		t.Fatal(err)
	}
	cipher, err := NewCipher(dk)
	if err != nil {
		t.Fatal(err)
	}
	binding, err := cipher.Decrypt(k.sealed.binding, "signet:binding:")
	if err != nil {
		t.Fatal(err)
	}
	got, err := k.Open(dk)
	if err != nil {
		t.Fatal(err)
	}
	if got.Reveal() != id.Reveal() || got.Reveal() != read("identity.txt") {
		t.Error("another identity")
	}
	for _, d := range []string{
		cmp.Diff(clear, k.KeyClear),
		cmp.Diff(read("clear.json"), string(k.json())),
		cmp.Diff(read("sops.json"), string(k.Metadata.unsigned)),
		cmp.Diff(read("binding.txt"), string(binding)),
	} {
		if d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	}
	if !manifest.Equal(k.Node(), parseRoot(t, []byte(read("sealingkey.yaml")))) {
		t.Errorf("is written differently now:\n%s", encodeYAML(t, k.Node()))
	}
	if !unwrap(t, k.Metadata.Recipients).Equal(dk) {
		t.Error("the recipients hold another data key")
	}
}

// TestSealingKeyNegativeVectors protects every check of SealingKeys with a
// committed object, whose first line names the error.
func TestSealingKeyNegativeVectors(t *testing.T) {
	dir := filepath.Join(vectors, "negative-sealingkeys")
	if *update {
		writeNegativeKeyVectors(t, dir)
	}
	dk := dataKeyFromHex(t, strings.TrimSpace(string(readFile(t, filepath.Join(dir, "datakey.txt")))))
	checkNegativeVectors(t, dir, func(root *yaml.Node) error {
		id, err := openKeyTree(root, dk)
		if id.Reveal() != "" && err != nil {
			t.Error("the identity came out together with the error")
		}
		checkHides(t, err, testIdentity(t, classicKeyFile).Reveal()[len(classicIdentity):])
		return err
	})
}

// writeNegativeKeyVectors writes those tampered SealingKeys that YAML can hold.
func writeNegativeKeyVectors(t *testing.T, dir string) {
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	base, other, dk := tamperKeys(t)
	writeFile(t, filepath.Join(dir, "datakey.txt"), []byte(hex.EncodeToString(dk.Bytes())+"\n"))
	writeTampers(t, dir, base.Node, keyTampers(t, other.Node()))
}

// writeTampers writes what the changes make of new trees, as far as YAML can
// hold it.
func writeTampers(t *testing.T, dir string, base func() *yaml.Node, tampers []tamper) {
	for _, c := range tampers {
		root := base()
		c.edit(root)
		var out bytes.Buffer
		if err := yaml.NewEncoder(&out).Encode(root); err != nil || out.Len() > 1<<20 {
			continue
		}
		name := strings.NewReplacer(" ", "-", "_", "-").Replace(c.name)
		writeFile(t, filepath.Join(dir, name+".yaml"), []byte(strings.TrimSpace("# want: "+c.kind+" "+c.path)+"\n"+out.String()))
	}
}
