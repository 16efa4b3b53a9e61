// SPDX-License-Identifier: Apache-2.0

package bitnami

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
)

// canary is the value that no error and no note may have, in any notation.
const canary = "correcthorse4batterystaple"

// sealTest seals a value as Sealed Secrets does (see openWith).
func sealTest(t testing.TB, value []byte, label string) string {
	t.Helper()
	key := testKeys(t, "rsa2048-pkcs1.pem")[0]
	session := make([]byte, 32)
	_, _ = rand.Read(session)
	wrapped, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, &key.PublicKey, session, []byte(label))
	if err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher(session)
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	head := append([]byte{byte(len(wrapped) >> 8), byte(len(wrapped))}, wrapped...)
	return base64.StdEncoding.EncodeToString(gcm.Seal(head, make([]byte, 12), value, nil))
}

// forms are the notations in which a secret could show.
func forms(secret []byte) []string {
	list := []string{string(secret), hex.EncodeToString(secret), strings.ToUpper(hex.EncodeToString(secret)), fmt.Sprint(secret)}
	for i := range 3 { // base64 of it at each offset, without the ends that depend on what is beside it
		b := base64.StdEncoding.EncodeToString(append(bytes.Repeat([]byte("x"), i), secret...))
		list = append(list, b[4:len(b)-4])
	}
	return list
}

func checkCanary(t *testing.T, what, shown string) {
	t.Helper()
	for _, form := range forms([]byte(canary)) {
		if strings.Contains(shown, form) || strings.Contains(shown, form[:min(12, len(form))]) {
			t.Errorf("%s shows the secret: %s", what, shown)
		}
	}
}

// canaryTemplates fail or are refused at each place, with the secret at hand.
func canaryTemplates() []string {
	templates := []string{
		`{{ .secret.x }}`, `{{ index .secret "x" }}`, `{{ index . "secret" 5 }}`, `{{ range .secret }}{{ end }}`, `{{ b64enc 5 .secret }}`,
		`{{ .secret | repeat 99999999 }}`, `{{ .secret | indent 999999999 }}`, `{{ repeat .secret "x" }}`, `{{ lt .secret 5 }}`, `{{ eq .secret 5 }}`,
		`{{ printf .secret 5 | fail }}`, `{{ .secret | fail }}`, `{{ .secret | htpasswd "x" }}`, `{{ ternary 1 2 .secret }}`, `{{ len 5 | b64enc .secret }}`,
		`{{ $x := .secret }}{{ $x.y }}`, `{{ list (list .secret) }}`, `{{ first .secret }}`, `{{ printf "%z" .secret }}`, `{{ splitn "," .secret "x" }}`,
		`{{ substr 90 1 .secret }}`, `{{ join 5 .secret }}`, `{{ (split "," .secret)._0.x }}`, `{{ template "x" .secret }}`, `{{ .secret 5 }}`,
	}
	for _, wrong := range []string{
		`{{ "%s }}`, "{{ `%s }}", `{{ if "%s" }}`, `{{ $%s }}`, `%s {{ end }}`, `{{ "%s" "x" }}`, `{{ b64enc "%s" "x" }}`,
		`{{ 0x%s }}`, `{{ '%s' }}`, `{{ .secret ! %s }}`, `{{/* %s }}`, `{{ index "%s" "x" }}`, `{{ range "%s" }}{{ end }}`, `{{ define "%s" }}{{ end }}`, `{{ template "%s" }}`,
		`{{ ("%s").x }}`, `{{ "%s\q" }}`,
	} {
		templates = append(templates, fmt.Sprintf(wrong, canary))
	}
	return templates
}

func TestNoSecretInTemplateErrors(t *testing.T) {
	for _, template := range canaryTemplates() {
		_, err := renderOurs(template, map[string]string{"secret": canary})
		if err == nil {
			t.Errorf("%q was rendered", template)
			continue
		}
		checkCanary(t, template, err.Error())
	}
}

// canaryDocuments are documents that hold the secret and don't become one.
func canaryDocuments(t *testing.T) map[string]string {
	const head = "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: db, namespace: prod}\n"
	good := sealTest(t, []byte(canary), "prod/db")
	documents := map[string]string{
		"value as base64":      head + "spec: {encryptedData: {a: " + canary + "!}}",
		"value as a number":    head + "spec: {encryptedData: {a: [" + canary + "]}}",
		"scope":                head + "spec: {encryptedData: {a: " + sealTest(t, []byte(canary), "") + "}}",
		"other place":          head + "spec: {encryptedData: {a: " + sealTest(t, []byte(canary), "x/y") + "}}",
		"immutable":            head + "spec: {template: {immutable: " + canary + "}}",
		"template value":       head + "spec: {template: {data: {a: [" + canary + "]}}}",
		"label":                head + "spec: {template: {metadata: {labels: {a: [" + canary + "]}}}}",
		"spec":                 head + "spec: " + canary,
		"kind":                 "apiVersion: bitnami.com/v1alpha1\nkind: " + canary,
		"annotation not true":  strings.Replace(head, "{", "{annotations: {sealedsecrets.bitnami.com/cluster-wide: "+canary+"}, ", 1) + "spec: {template: {immutable: 5}}",
		"both":                 head + "spec: {data: " + good + ", encryptedData: {a: " + good + "}}",
		"damaged":              head + "spec: {encryptedData: {a: " + good[:len(good)-8] + "AAAAAAA=}}",
		"template of a secret": head + "spec: {encryptedData: {secret: " + good + "}, template: {data: {x: '{{ .secret.x }}'}}}",
	}
	for name, text := range map[string]string{
		"text": canary, "key": `{"apiVersion":"v1","kind":"Secret","` + canary + `":[}`, "list": `["` + canary + `"]`,
		"data":      `{"apiVersion":"v1","kind":"Secret","data":{"` + canary + `":"` + canary + `!"}}`,
		"kind":      `{"apiVersion":"v1","kind":"` + canary + `"}`,
		"duplicate": `{"apiVersion":"v1","kind":"Secret","` + canary + `":1,"` + canary + `":1}`,
		"type":      `{"apiVersion":"v1","kind":"Secret","type":["` + canary + `"]}`,
		"label":     `{"apiVersion":"v1","kind":"Secret","metadata":{"labels":{"` + canary + `":5}}}`,
		"yaml":      "apiVersion: v1\nkind: Secret\nstringData:\n  a: " + canary + ": x\n",
	} {
		documents["blob "+name] = head + "spec: {data: " + sealTest(t, []byte(text), "prod/db") + "}"
	}
	return documents
}

func TestNoSecretInErrors(t *testing.T) {
	keys := testKeys(t, "rsa2048-pkcs1.pem")
	for name, text := range canaryDocuments(t) {
		_, err := Unseal(parseTest(t, []byte(text)), Options{Keys: keys})
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		checkCanary(t, name, err.Error())
	}
}

// Notes of a document that opens name keys, not values.
func TestNoSecretInNotes(t *testing.T) {
	templates := ""
	for i, template := range canaryTemplates() {
		templates += fmt.Sprintf("      t%d: %q\n", i, template)
	}
	text := "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata:\n  name: db\n  namespace: prod\n" +
		"  labels: {a: " + canary + "}\n  annotations: {b: " + canary + ", sealedsecrets.bitnami.com/namespace-wide: " + canary + "}\n" +
		"spec:\n  more: " + canary + "\n  encryptedData: {secret: " + sealTest(t, []byte(canary), "prod/db") + "}\n" +
		"  template:\n    stringData: {x: " + canary + "}\n    metadata: {finalizers: [" + canary + "], annotations: {sealedsecrets.bitnami.com/x: " + canary + "}}\n    data:\n      r: '{{ .secret }}'\n      secret: " + canary + "\n" + templates
	r, err := Unseal(parseTest(t, []byte(text)), Options{Keys: testKeys(t, "rsa2048-pkcs1.pem"), SkipTemplates: true})
	if err != nil {
		t.Fatal(err)
	}
	if want := 9 + len(canaryTemplates()); len(r.Notes) != want || r.Secret.StringData["r"] != canary {
		t.Errorf("%d notes, want %d: %q", len(r.Notes), want, r.Notes)
	}
	for _, note := range r.Notes {
		checkCanary(t, "note", note)
	}
}

// Whatever becomes of a key file, no part of a key is shown: each line of it is
// looked for.
func TestNoKeyInErrors(t *testing.T) {
	pkcs1 := readTestFile(t, golden, "keys", "rsa2048-pkcs1.pem")
	lines := strings.Split(string(pkcs1), "\n")
	block, _ := pem.Decode(pkcs1)
	encoded := base64.StdEncoding.EncodeToString(pkcs1)
	secret := "apiVersion: v1\nkind: Secret\nmetadata: {name: k, labels: {sealedsecrets.bitnami.com/sealed-secrets-key: active}}\n"
	inputs := []string{
		encoded, secret + "data: {tls.key: " + encoded[:800] + "}", secret + "data: {tls.key: \"" + encoded + "!\"}",
		secret + "data: {tls.key: [" + encoded + "]}", secret + "data: [" + encoded + "]",
		strings.Join(lines[1:], "\n"), strings.Join(lines[:10], "\n"), strings.Replace(string(pkcs1), "RSA PRIVATE", "PRIVATE", 1),
		strings.Replace(string(pkcs1), "RSA PRIVATE", "EC PRIVATE", 1), strings.Replace(string(pkcs1), "RSA PRIVATE", "ENCRYPTED PRIVATE", 1),
		strings.Replace(string(pkcs1), lines[3], lines[4], 1), string(pkcs1) + strings.Join(lines[:5], "\n") + "\n-----END RSA PRIVATE KEY-----\n",
		"kind: Secret\napiVersion: v1\nmetadata: {name: [" + lines[3] + "]}\n", lines[2] + ": [", "{\"a\": " + lines[2],
		string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: block.Bytes[:600]})),
		string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: append([]byte{0}, block.Bytes...)})),
	}
	for i, input := range inputs {
		_, err := ParseKeys([]byte(input))
		if err == nil {
			t.Errorf("input %d is a key", i)
			continue
		}
		for _, part := range append(lines[1:len(lines)-2], encoded[40:80]) {
			if len(part) >= 16 && strings.Contains(err.Error(), part[:16]) {
				t.Errorf("input %d: the error has a part of the key: %v", i, err)
			}
		}
	}
}
