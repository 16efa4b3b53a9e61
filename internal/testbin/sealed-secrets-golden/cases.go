// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"strings"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitnami/sealed-secrets/pkg/apis/sealedsecrets/v1alpha1"
	"github.com/bitnami/sealed-secrets/pkg/crypto"
)

const (
	anno          = "sealedsecrets.bitnami.com/"
	clusterWide   = anno + "cluster-wide"
	namespaceWide = anno + "namespace-wide"
)

// contents are the values of a Secret of each kind that there is.
func contents() map[string][]byte {
	binary := make([]byte, 256)
	for i := range binary {
		binary[i] = byte(i)
	}
	return map[string][]byte{
		"password":     []byte("correct horse battery staple"),
		"keystore.p12": binary,
		"empty":        {},
		"unicode":      []byte("grüße, 世界 🔑\n"),
		"long":         []byte(strings.Repeat("0123456789abcdef", 200)),
	}
}

func secret(annotations map[string]string) *v1.Secret {
	return &v1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "db", Namespace: "prod", Annotations: annotations},
		Data:       contents(),
	}
}

func decode(object map[string]any, into any) error {
	b, err := json.Marshal(object)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}

func (w *writer) seal(format string, s *v1.Secret) *v1alpha1.SealedSecret {
	sealed, err := seal(format, &w.pair.key.PublicKey, s)
	if err != nil && w.err == nil {
		w.err = err
	}
	return sealed
}

// scopes of a Secret, by the annotations that kubeseal takes them from.
func scopes() map[string]map[string]string {
	return map[string]map[string]string{
		"strict":    nil,
		"namespace": {namespaceWide: "true"},
		"cluster":   {clusterWide: "true"},
	}
}

func (w *writer) formats() {
	for scope, annotations := range scopes() {
		for _, format := range []string{"v1", "v2"} {
			w.add(format+"-"+scope, w.seal(format, secret(annotations)))
		}
	}
}

// annotate sets an annotation of the SealedSecret, or removes all if key is "".
func annotate(key, value string) func(map[string]any) {
	return func(o map[string]any) {
		metadata := o["metadata"].(map[string]any)
		if key == "" {
			delete(metadata, "annotations")
			return
		}
		annotations, ok := metadata["annotations"].(map[string]any)
		if !ok {
			annotations = map[string]any{}
			metadata["annotations"] = annotations
		}
		annotations[key] = value
	}
}

// put sets the field at a path of keys.
func put(value any, path ...string) func(map[string]any) {
	return func(o map[string]any) {
		for _, key := range path[:len(path)-1] {
			next, ok := o[key].(map[string]any)
			if !ok {
				next = map[string]any{}
				o[key] = next
			}
			o = next
		}
		o[path[len(path)-1]] = value
	}
}

func (w *writer) annotations() {
	both := scopes()
	w.add("both-annotations", w.seal("v2", secret(both["cluster"])), annotate(namespaceWide, "true"))
	w.add("annotation-not-true", w.seal("v2", secret(nil)), annotate(clusterWide, "True"), annotate(namespaceWide, "1"))

	s := secret(both["namespace"])
	s.Type = "example.com/database"
	s.Labels = map[string]string{"app": "db"}
	s.Annotations[anno+"managed"] = "true"
	s.Annotations[anno+"patch"] = "true"
	s.Annotations[anno+"skip-set-owner-references"] = "true"
	s.Annotations["example.com/note"] = "kept"
	immutable := true
	s.Immutable = &immutable
	w.add("metadata", w.seal("v2", s))
	w.add("v1-metadata", w.seal("v1", s))

	text := secret(nil)
	text.StringData = map[string]string{"password": "from stringData", "token": "AKIDEXAMPLE"}
	w.add("v1-stringdata", w.seal("v1", text))
	w.add("own-metadata", w.seal("v2", secret(nil)),
		annotate("argocd.argoproj.io/sync-wave", "-1"), put("web", "metadata", "labels", "app"))
}

// wrong are documents that were sealed for another place than they say.
func (w *writer) wrong() {
	by := scopes()
	for _, format := range []string{"v1", "v2"} {
		w.add(format+"-wrong-namespace-removed", w.seal(format, secret(by["namespace"])), annotate("", ""))
		w.add(format+"-wrong-cluster-removed", w.seal(format, secret(by["cluster"])), annotate("", ""))
		w.add(format+"-wrong-strict-widened", w.seal(format, secret(nil)), annotate(clusterWide, "true"))
		w.add(format+"-wrong-name", w.seal(format, secret(nil)), put("web", "metadata", "name"))
		w.add(format+"-wrong-namespace", w.seal(format, secret(by["namespace"])), put("test", "metadata", "namespace"))
		sealed, err := seal(format, &w.other.key.PublicKey, secret(nil))
		if err != nil && w.err == nil {
			w.err = err
		}
		w.add(format+"-wrong-key", sealed)
	}
}

// ciphertext returns an encrypted value after a change of its bytes.
func (w *writer) ciphertext(change func([]byte) []byte) string {
	b, err := crypto.HybridEncrypt(rand.Reader, &w.pair.key.PublicKey, []byte("correct horse"), []byte("prod/db"))
	if err != nil && w.err == nil {
		w.err = err
	}
	return base64.StdEncoding.EncodeToString(change(b))
}

func (w *writer) broken() {
	empty := secret(nil)
	empty.Data = nil
	bad := func(name string, value any) {
		w.add("bad-"+name, w.seal("v2", empty), put(value, "spec", "encryptedData", "password"))
	}
	flip := func(at int) func([]byte) []byte {
		return func(b []byte) []byte {
			if at < 0 {
				at += len(b)
			}
			b[at] ^= 1
			return b
		}
	}
	bad("length", w.ciphertext(flip(0)))
	bad("rsa", w.ciphertext(flip(2)))
	bad("rsa-end", w.ciphertext(flip(257)))
	bad("aes", w.ciphertext(flip(258)))
	bad("tag", w.ciphertext(flip(-1)))
	bad("short", w.ciphertext(func(b []byte) []byte { return b[:100] }))
	bad("one-byte", w.ciphertext(func(b []byte) []byte { return b[:1] }))
	bad("empty", "")
	bad("base64", "this is not base64!")
	bad("null", nil)
	bad("number", 5)
	bad("list", []any{"x"})
	w.add("folded-base64", w.seal("v2", empty),
		put(fold(w.ciphertext(func(b []byte) []byte { return b })), "spec", "encryptedData", "password"))
	w.add("no-data", w.seal("v2", empty))
	w.add("no-encrypted-data", w.seal("v2", empty), put(nil, "spec", "encryptedData"))
	w.add("v1-both-data", w.seal("v1", secret(nil)), put("AgAA", "spec", "encryptedData", "password"))
	w.add("v1-no-blob", w.seal("v1", secret(nil)), put("", "spec", "data"))
	w.add("v1-null-blob", w.seal("v2", secret(nil)), put(nil, "spec", "data"))
	w.notSecrets()
}

// notSecrets are old documents that hold something else than a Secret.
func (w *writer) notSecrets() {
	for name, text := range map[string]string{
		"text": "correct horse battery staple", "list": `["correct horse"]`, "empty": "",
		"configmap": `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"db"},"data":{"password":"correct horse"}}`,
		"number":    `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"db"},"data":{"password":5}}`,
		"unknown":   `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"db"},"data":{"password":"eA=="},"more":"correct horse"}`,
	} {
		b, err := crypto.HybridEncrypt(rand.Reader, &w.pair.key.PublicKey, []byte(text), []byte("prod/db"))
		if err != nil && w.err == nil {
			w.err = err
		}
		w.add("v1-content-"+name, w.seal("v1", secret(nil)), put(base64.StdEncoding.EncodeToString(b), "spec", "data"))
	}
}

// fold breaks text into lines as `base64` prints it.
func fold(text string) string {
	var b strings.Builder
	for ; len(text) > 76; text = text[76:] {
		b.WriteString(text[:76] + "\n")
	}
	return b.String() + text + "\n"
}

func (w *writer) templates() {
	s := secret(nil)
	s.Data = map[string][]byte{"user": []byte("admin"), "password": []byte(`p"ss`), "hidden": []byte("x"), "host": []byte("db.prod")}
	sealed := func() *v1alpha1.SealedSecret { return w.seal("v2", s) }
	data := func(key string, value any) func(map[string]any) { return put(value, "spec", "template", "data", key) }
	w.add("template", sealed(),
		data("url", "postgres://{{ .user }}:{{ .password | urlquery }}@{{ .host }}:{{ .port }}/"),
		data("port", "5432"), data("hidden", nil), data("user", "not this"), data("absent", "{{ .absentee }}"),
		data("list", "{{ range $i, $p := splitList \".\" .host }}{{ $i }}={{ $p }};{{ end }}"),
		data("config.json", "{\"user\": {{ .user | toJson }}}\n"), data("nothing", nil), data("empty", ""))
	w.add("template-parse", sealed(), data("url", "{{ .user "))
	w.add("template-exec", sealed(), data("url", "{{ .user.name }}"))
	w.add("template-unknown", sealed(), data("url", "{{ nosuch .user }}"))
	w.add("template-env", sealed(), data("url", `{{ env "HOME" }}`))
	w.add("template-number", sealed(), data("port", 5432))
}
