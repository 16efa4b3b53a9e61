// SPDX-License-Identifier: Apache-2.0

package bitnami

import (
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signet-secrets/signet/seal/manifest"
)

// stricter is a document that Sealed Secrets opens and we don't: an old one whose
// blob is empty has no Secret in it.
const stricter = "rsa2048-v1-content-empty"

// Each document becomes what Sealed Secrets makes of it, or is refused where it
// refuses it.
func TestGoldens(t *testing.T) {
	files, err := filepath.Glob(golden + "/*.yaml")
	if err != nil || len(files) < 50 {
		t.Fatalf("%d documents, %v", len(files), err)
	}
	for _, file := range files {
		base := strings.TrimSuffix(file, ".yaml")
		name := filepath.Base(base)
		t.Run(name, func(t *testing.T) {
			size, _, _ := strings.Cut(name, "-")
			result, err := Unseal(parseTest(t, readTestFile(t, file)), Options{Keys: testKeys(t, size+"-pkcs1.pem")})
			want, readErr := os.ReadFile(base + ".json")
			switch {
			case readErr != nil || name == stricter:
				if err == nil {
					t.Error("opened, which Sealed Secrets refuses")
				}
			case err != nil:
				t.Error(err)
			default:
				diffSecrets(t, fromJSON(t, want), fromResult(result))
				if v1 := strings.HasPrefix(name, size+"-v1-") && name != "rsa2048-v1-null-blob"; result.V1 != v1 {
					t.Errorf("V1 is %v", result.V1)
				}
			}
		})
	}
}

// A document that doesn't open says why, and under which scope it would.
func TestUnsealErrors(t *testing.T) {
	const label = "it was sealed for another key, namespace or name"
	for _, row := range []struct{ name, want string }{
		{"v2-wrong-namespace-removed", "spec.encryptedData.empty: the private key does not open it: " + label + "; it opens as namespace-wide, but the annotations say strict"},
		{"v2-wrong-cluster-removed", "spec.encryptedData.empty: the private key does not open it: " + label + "; it opens as cluster-wide, but the annotations say strict"},
		{"v2-wrong-strict-widened", "spec.encryptedData.empty: the private key does not open it: " + label + "; it opens as strict, but the annotations say cluster-wide"},
		{"v1-wrong-namespace-removed", "spec.data: the private key does not open it: " + label + "; it opens as namespace-wide, but the annotations say strict"},
		{"v2-wrong-name", "spec.encryptedData.empty: the private key does not open it: " + label},
		{"v2-wrong-namespace", "spec.encryptedData.empty: the private key does not open it: " + label},
		{"v2-wrong-key", "spec.encryptedData.empty: the private key does not open it: " + label},
		{"bad-length", "spec.encryptedData.password: the private key does not open it: the ciphertext is damaged"},
		{"bad-rsa", "spec.encryptedData.password: the private key does not open it: " + label},
		{"bad-aes", "spec.encryptedData.password: the private key does not open it: the ciphertext is damaged"},
		{"bad-tag", "spec.encryptedData.password: the private key does not open it: the ciphertext is damaged"},
		{"bad-short", "spec.encryptedData.password: the private key does not open it: the ciphertext is cut short"},
		{"bad-one-byte", "spec.encryptedData.password: the private key does not open it: the ciphertext is cut short"},
		{"bad-empty", "spec.encryptedData.password: the private key does not open it: the ciphertext is cut short"},
		{"bad-base64", "spec.encryptedData.password: is not base64"},
		{"bad-null", "line 8: spec.encryptedData.password: is not a string"},
		{"bad-list", "line 9: spec.encryptedData.password: is not a string"},
		{"v1-both-data", "spec.data: stands beside encryptedData, only one can be there"},
		{"v1-content-configmap", "spec.data: opens, but does not hold a Secret"},
		{"v1-content-text", "spec.data: opens, but does not hold a Secret"},
		{"template-env", `template of key "url": line 1: "env" is not supported`},
		{"template-unknown", `template of key "url": line 1: "nosuch" is not supported`},
		{"template-parse", `template of key "url": line 1: does not parse`},
		{"template-exec", `template of key "url": line 1: asks for a field of a string`},
	} {
		t.Run(row.name, func(t *testing.T) {
			n := parseTest(t, readTestFile(t, golden, "rsa2048-"+row.name+".yaml"))
			_, err := Unseal(n, Options{Keys: testKeys(t, "rsa2048-pkcs1.pem")})
			if err == nil || err.Error() != row.want {
				t.Errorf("error is\n%v, want\n%s", err, row.want)
			}
		})
	}
}

// Each key has its cause, in the order of the keys.
func TestUnsealCauses(t *testing.T) {
	keys := append(testKeys(t, "other-pkcs1.pem"), testKeys(t, "rsa4096-pkcs1.pem")...)
	n := parseTest(t, readTestFile(t, golden, "rsa2048-v2-strict.yaml"))
	_, err := Unseal(n, Options{Keys: keys})
	var open *OpenError
	if !errors.As(err, &open) || len(open.Causes) != 2 || open.OpensAs != "" || open.Scope != Strict {
		t.Fatalf("error is %#v", err)
	}
	const want = "spec.encryptedData.empty: none of 2 private keys opens it" +
		"; key 1: it was sealed for another key, namespace or name; key 2: it was sealed for a key of 2048 bits, this one has 4096"
	if err.Error() != want {
		t.Errorf("error is\n%v, want\n%s", err, want)
	}
	if _, err := Unseal(n, Options{Keys: append(keys, testKeys(t, "rsa2048-pkcs1.pem")...)}); err != nil {
		t.Errorf("with the right key last: %v", err)
	}
}

func TestUnsealOptions(t *testing.T) {
	keys := testKeys(t, "rsa2048-pkcs1.pem")
	read := func(name string) []byte { return readTestFile(t, golden, "rsa2048-"+name+".yaml") }
	without := []byte(strings.Replace(string(read("v2-strict")), "  namespace: prod\n", "", 1))

	if _, err := Unseal(parseTest(t, read("v2-strict")), Options{}); !errors.Is(err, errNoKeys) {
		t.Errorf("without keys: %v", err)
	}
	_, err := Unseal(parseTest(t, without), Options{Keys: keys})
	if open := new(*OpenError); !errors.As(err, open) || !(*open).NoNamespace || !strings.HasSuffix(err.Error(), "; the document has no namespace") {
		t.Errorf("without a namespace: %v", err)
	}
	r, err := Unseal(parseTest(t, without), Options{Keys: keys, Namespace: "prod"})
	if err != nil || r.Secret.Namespace != "prod" || r.Secret.StringData["password"] != "correct horse battery staple" {
		t.Errorf("with a namespace as an option: %v", err)
	}
	if _, err := Unseal(parseTest(t, read("v2-strict")), Options{Keys: keys, Namespace: "other"}); err != nil {
		t.Errorf("the document's own namespace must go first: %v", err)
	}

	env := parseTest(t, read("template-env"))
	if e := new(TemplateError); !errors.As(second(Unseal(env, Options{Keys: keys})), &e) || !e.Unsupported || e.Function != "env" || e.Key != "url" || e.Line != 1 {
		t.Errorf("error is %#v", e)
	}
	r, err = Unseal(env, Options{Keys: keys, SkipTemplates: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, there := r.Secret.StringData["url"]; there || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], `key "url" is left out: template of key "url": line 1: "env" is not supported`) {
		t.Errorf("notes are %q", r.Notes)
	}
}

func second(_ *Result, err error) error { return err }

func TestUnsealScopeAndPlace(t *testing.T) {
	for name, want := range map[string]Scope{
		"v2-strict": Strict, "v2-namespace": Namespace, "v2-cluster": Cluster, "v1-cluster": Cluster,
		"both-annotations": Cluster, "annotation-not-true": Strict,
	} {
		r, err := Unseal(parseTest(t, readTestFile(t, golden, "rsa2048-"+name+".yaml")), Options{Keys: testKeys(t, "rsa2048-pkcs1.pem")})
		if err != nil || r.Scope != want {
			t.Errorf("%s: scope %q, want %q, %v", name, r.Scope, want, err)
			continue
		}
		if _, text := r.Secret.StringData["password"]; !text {
			t.Errorf("%s: text is not in StringData", name)
		}
		if _, binary := r.Secret.Data["keystore.p12"]; !binary {
			t.Errorf("%s: binary is not in Data", name)
		}
	}
}

// A malformed document is an error that names the place.
func TestUnsealMalformed(t *testing.T) {
	const head = "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\n"
	for _, row := range []struct{ name, text, want string }{
		{"list", "[]", "a SealedSecret must be a mapping"},
		{"ours", "apiVersion: signet.dev/v1alpha1\nkind: SealedSecret\n", "line 1: not a SealedSecret of bitnami.com/v1alpha1"},
		{"version", "apiVersion: bitnami.com/v2\nkind: SealedSecret\n", "line 1: not a SealedSecret of bitnami.com/v1alpha1"},
		{"name", head + "spec: {}", "line 1: metadata.name: is missing"},
		{"metadata", head + "metadata: []", "line 3: metadata: must be a mapping"},
		{"annotation", head + "metadata: {name: x, annotations: {a: true}}", "line 3: metadata.annotations.a: is not a string"},
		{"spec", head + "metadata: {name: x}\nspec: text", "line 4: spec: must be a mapping"},
		{"immutable", head + "metadata: {name: x}\nspec: {template: {immutable: \"true\"}}", "line 4: spec.template.immutable: must be true or false"},
		{"type", head + "metadata: {name: x}\nspec: {template: {type: 5}}", "line 4: spec.template.type: is not a string"},
		{"template value", head + "metadata: {name: x}\nspec: {template: {data: {port: 5432}}}", "line 4: spec.template.data.port: is not a string"},
		{"label", head + "metadata: {name: x}\nspec: {template: {metadata: {labels: {a: yes}}}}", "line 4: spec.template.metadata.labels.a: is not a string"},
		{"many", head + "metadata: {name: x}\nspec: {encryptedData: {" + manyItems() + "}}", "line 4: spec.encryptedData: has 1001 items, the limit is 1000"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := Unseal(parseTest(t, []byte(row.text)), Options{Keys: testKeys(t, "rsa2048-pkcs1.pem")})
			if err == nil || err.Error() != row.want || !errors.As(err, new(*manifest.SyntaxError)) {
				t.Errorf("error is %v, want %s", err, row.want)
			}
		})
	}
	if _, err := Unseal(nil, Options{Keys: testKeys(t, "rsa2048-pkcs1.pem")}); err == nil {
		t.Error("nil is no document")
	}
}

// The key that opened one value is tried first for the next.
func TestOpenerRemembersKey(t *testing.T) {
	o := opener{keys: append(testKeys(t, "other-pkcs1.pem"), testKeys(t, "rsa2048-pkcs1.pem")...)}
	ciphertext, err := base64.StdEncoding.DecodeString(sealTest(t, []byte("x"), "prod/db"))
	if err != nil {
		t.Fatal(err)
	}
	if value, causes := o.open(ciphertext, []byte("prod/db")); causes != nil || string(value) != "x" || o.last != 1 {
		t.Errorf("key %d is remembered, %v", o.last, causes)
	}
	if _, causes := o.open(ciphertext, []byte("prod/other")); len(causes) != 2 || causes[0] == nil || causes[1] == nil {
		t.Errorf("causes are %v", causes)
	}
}
