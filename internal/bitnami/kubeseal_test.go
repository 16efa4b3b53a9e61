// SPDX-License-Identifier: Apache-2.0

package bitnami

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// keyForms are the files that kubeseal reads too, per size of key.
func keyForms() []string {
	return []string{"pkcs1.pem", "pkcs8.pem", "secret.yaml", "secret.json", "list.yaml", "list.json"}
}

// severalKeys is a file with a key that opens nothing before the one that does.
const severalKeys = "several.pem"

// recoveryUnseal is `kubeseal --recovery-unseal`.
func recoveryUnseal(t testing.TB, document []byte, keyFiles ...string) (*secretJSON, error) {
	t.Helper()
	out, stderr, err := program(t, "kubeseal", document,
		"--recovery-unseal", "--recovery-private-key", strings.Join(keyFiles, ","), "-o", "json")
	if err != nil {
		return nil, errors.New(stderr)
	}
	return fromJSON(t, out), nil
}

// matrixSecret has a value of each kind, 700 KB of text among them.
func matrixSecret(t testing.TB, scope Scope) []byte {
	t.Helper()
	binary := make([]byte, 4096)
	for i := range binary {
		binary[i] = byte(i * 7)
	}
	var s secretJSON
	s.Metadata.Name, s.Metadata.Namespace = "db", "prod"
	s.Metadata.Labels = map[string]string{"app": "db"}
	s.Metadata.Annotations = map[string]string{"example.com/note": "grüße"}
	if scope != Strict {
		s.Metadata.Annotations[annotationPrefix+scope.upstream()] = "true"
	}
	s.Type, s.Immutable = "example.com/database", true
	s.Data = map[string][]byte{
		"text": []byte("correct horse battery staple"), "binary": binary, "empty": {},
		"large": bytes.Repeat([]byte("0123456789"), 70_000), "unicode": []byte("世界\n"),
	}
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What comes out is what `kubeseal --recovery-unseal` gives, for each scope,
// size and form of key, and kind of value. kubeseal doesn't read the old format;
// there Sealed Secrets' packages are asked.
func TestBitnamiLikeKubeseal(t *testing.T) {
	for _, size := range []string{"rsa2048", "rsa4096"} {
		pkcs1 := filepath.Join(golden, "keys", size+"-pkcs1.pem")
		for _, scope := range []Scope{Strict, Namespace, Cluster} {
			for _, format := range []string{"v2", "v1"} {
				document, stderr, err := program(t, "sealed-secrets-golden", matrixSecret(t, scope), "seal", format, pkcs1)
				if err != nil {
					t.Fatalf("seal: %v: %s", err, stderr)
				}
				name := fmt.Sprintf("%s-%s-%s", size, scope, format)
				t.Run(name, func(t *testing.T) { compareForms(t, document, size, scope, format) })
			}
		}
	}
}

func compareForms(t *testing.T, document []byte, size string, scope Scope, format string) {
	t.Parallel()
	n := parseTest(t, document)
	keys := filepath.Join(golden, "keys")
	var want *secretJSON
	for _, form := range append(keyForms(), severalKeys, "secretlist.json") {
		switch { // kubeseal reads each form of keyForms, too, and several keys from several files
		case format == "v2" && form == severalKeys:
			want = oracle(t, document, format, size, filepath.Join(keys, "other-pkcs1.pem"), filepath.Join(keys, size+"-pkcs1.pem"))
		case want == nil || format == "v2" && slices.Contains(keyForms(), form):
			want = oracle(t, document, format, size, filepath.Join(keys, size+"-"+form))
		}
		result, err := Unseal(n, Options{Keys: testKeys(t, size+"-"+form)})
		if err != nil {
			t.Fatalf("%s: %v", form, err)
		}
		if result.Scope != scope || result.V1 != (format == "v1") || len(result.Secret.Data)+len(result.Secret.StringData) != 5 {
			t.Errorf("%s: scope %s, V1 %v, %d values", form, result.Scope, result.V1, len(result.Secret.Data)+len(result.Secret.StringData))
		}
		diffSecrets(t, want, fromResult(result))
	}
}

// oracle is what Sealed Secrets says, which must open the document.
func oracle(t *testing.T, document []byte, format, size string, files ...string) *secretJSON {
	t.Helper()
	if format == "v2" {
		want, err := recoveryUnseal(t, document, files...)
		if err != nil {
			t.Fatalf("kubeseal: %v", err)
		}
		return want
	}
	out, stderr, err := program(t, "sealed-secrets-golden", document, "unseal", filepath.Join(golden, "keys", size+"-pkcs1.pem"))
	if err != nil {
		t.Fatalf("unseal: %v: %s", err, stderr)
	}
	return fromJSON(t, out)
}

// Several key files at once, and documents that kubeseal itself has sealed.
func TestBitnamiSealedByKubeseal(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret.json")
	if err := os.WriteFile(secret, matrixSecret(t, Strict), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, size := range []string{"rsa2048", "rsa4096"} {
		keys := filepath.Join(golden, "keys")
		document, stderr, err := program(t, "kubeseal", nil, "--cert", filepath.Join(keys, size+"-certificate.pem"), "-f", secret, "-o", "yaml")
		if err != nil {
			t.Fatalf("kubeseal: %v: %s", err, stderr)
		}
		want, err := recoveryUnseal(t, document, filepath.Join(keys, "other-pkcs1.pem"), filepath.Join(keys, size+"-pkcs1.pem"))
		if err != nil {
			t.Fatalf("kubeseal: %v", err)
		}
		result, err := Unseal(parseTest(t, document), Options{Keys: testKeys(t, size+"-several.pem")})
		if err != nil {
			t.Fatal(err)
		}
		diffSecrets(t, want, fromResult(result))
	}
}

// Goldens of each sort with the program kubeseal: it opens those that we open.
func TestGoldensLikeKubeseal(t *testing.T) {
	for _, name := range []string{
		"v2-strict", "v2-namespace", "v2-cluster", "both-annotations", "annotation-not-true", "metadata", "own-metadata", "template",
		"v2-wrong-namespace-removed", "v2-wrong-strict-widened", "v2-wrong-name", "v2-wrong-key", "v1-both-data",
		"bad-tag", "bad-null", "bad-base64", "folded-base64", "no-data", "template-exec", "template-env", "template-number",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			document := readTestFile(t, golden, "rsa2048-"+name+".yaml")
			result, ours := Unseal(parseTest(t, document), Options{Keys: testKeys(t, "rsa2048-pkcs1.pem")})
			want, theirs := recoveryUnseal(t, document, filepath.Join(golden, "keys", "rsa2048-pkcs1.pem"))
			if (ours == nil) != (theirs == nil) {
				t.Fatalf("we say %v, kubeseal %v", ours, theirs)
			}
			if ours == nil {
				diffSecrets(t, want, fromResult(result))
			}
		})
	}
}

// All templates that we render, as keys of one document, through kubeseal.
func TestTemplatesLikeKubeseal(t *testing.T) {
	data := templateContext()
	templates := map[string]string{}
	for i, template := range templateCases() {
		if _, err := renderOurs(template, data); err == nil && !strings.Contains(template, ".output") && !whole(template) {
			templates[fmt.Sprintf("t%d", i)] = template
		}
	}
	if len(templates) < 150 {
		t.Fatalf("only %d templates", len(templates))
	}
	document := templateDocument(t, data, templates)
	file := filepath.Join(golden, "keys", "rsa2048-pkcs1.pem")
	want, err := recoveryUnseal(t, document, file)
	if err != nil {
		t.Fatalf("kubeseal: %v", err)
	}
	result, err := Unseal(parseTest(t, document), Options{Keys: testKeys(t, "rsa2048-pkcs1.pem")})
	if err != nil {
		t.Fatal(err)
	}
	got := fromResult(result)
	for name, template := range templates {
		if !bytes.Equal(want.Data[name], got.Data[name]) {
			t.Errorf("%q: rendered\n%q, kubeseal\n%q", template, got.Data[name], want.Data[name])
		}
	}
	diffSecrets(t, want, got)
}

// whole reports whether a template shows all of the context, which in a document
// of many templates is long.
func whole(template string) bool {
	return slices.ContainsFunc([]string{"{{ . }}", "{{ $ }}", "toJson .", "range $k"}, func(part string) bool { return strings.Contains(template, part) })
}

// templateDocument is a SealedSecret of values and templates.
func templateDocument(t testing.TB, data, templates map[string]string) []byte {
	t.Helper()
	var s secretJSON
	s.Metadata.Name, s.Metadata.Namespace = "db", "prod"
	s.Data = map[string][]byte{}
	for key, value := range data {
		s.Data[key] = []byte(value)
	}
	in, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	sealed, stderr, err := program(t, "sealed-secrets-golden", in, "seal", "v2", filepath.Join(golden, "keys", "rsa2048-pkcs1.pem"))
	if err != nil {
		t.Fatalf("seal: %v: %s", err, stderr)
	}
	var object map[string]any
	if err := json.Unmarshal(sealed, &object); err != nil {
		t.Fatal(err)
	}
	object["spec"].(map[string]any)["template"] = map[string]any{"data": templates}
	document, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return document
}
