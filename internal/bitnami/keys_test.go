// SPDX-License-Identifier: Apache-2.0

package bitnami

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"github.com/signet-secrets/signet/seal/manifest"
)

// Each form in which users have keys gives the same keys, the right one last.
func TestParseKeys(t *testing.T) {
	other := testKeys(t, "other-pkcs1.pem")[0]
	for _, size := range []string{"rsa2048", "rsa4096"} {
		right := testKeys(t, size+"-pkcs1.pem")[0]
		for _, row := range []struct {
			file string
			keys int
		}{
			{"pkcs1.pem", 1}, {"pkcs8.pem", 1}, {"secret.yaml", 1}, {"secret.json", 1},
			{"several.pem", 2}, {"list.yaml", 2}, {"list.json", 2}, {"secretlist.json", 2},
		} {
			t.Run(size+"-"+row.file, func(t *testing.T) {
				keys := testKeys(t, size+"-"+row.file)
				if len(keys) != row.keys || !keys[len(keys)-1].Equal(right) {
					t.Fatalf("%d keys, or another one", len(keys))
				}
				if row.keys == 2 && !keys[0].Equal(other) {
					t.Error("the first key is another one")
				}
			})
		}
	}
}

// Forms that the files in testdata don't have.
func TestParseKeysForms(t *testing.T) {
	read := func(name string) string { return string(readTestFile(t, golden, "keys", name)) }
	pkcs1 := read("rsa2048-pkcs1.pem")
	indented := "    " + strings.ReplaceAll(strings.TrimSpace(pkcs1), "\n", "\n    ") + "\n"
	unrelated := "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\ndata: {password: eA==}\n"
	for _, row := range []struct {
		name, text string
		keys       int
	}{
		{"twice", pkcs1 + pkcs1, 1},
		{"CRLF", strings.ReplaceAll(pkcs1, "\n", "\r\n"), 1},
		{"text before and blanks after", "the key of prod\n\n" + pkcs1 + "\n\n \n", 1},
		{"stringData", "apiVersion: v1\nkind: Secret\nmetadata: {name: k}\nstringData:\n  tls.key: |\n" + indented, 1},
		{"documents", read("rsa2048-secret.yaml") + "---\n" + read("rsa4096-secret.yaml"), 2},
		{"JSON objects one after the other", read("rsa2048-secret.json") + read("rsa4096-secret.json"), 2},
		{"among others", unrelated + "---\nkind: ConfigMap\napiVersion: v1\n---\n" + read("rsa2048-secret.yaml"), 1},
		{"beside a Secret of an EC key", unrelated + "---\napiVersion: v1\nkind: Secret\nmetadata: {name: tls}\ndata: {tls.key: LS0tLS1CRUdJTiBFQyBQUklWQVRFIEtFWS0tLS0tCmVBPT0KLS0tLS1FTkQgRUMgUFJJVkFURSBLRVktLS0tLQo=}\n---\n" + read("rsa2048-secret.yaml"), 1},
		{"without the label", strings.Replace(read("rsa2048-secret.yaml"), "sealedsecrets.bitnami.com/sealed-secrets-key", "x", 1), 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			keys, err := ParseKeys([]byte(row.text))
			if err != nil || len(keys) != row.keys {
				t.Errorf("%d keys, want %d, %v", len(keys), row.keys, err)
			}
		})
	}
}

// keyError is input that gives no keys.
type keyError struct {
	name, text string
	is         error // nil if it is none of the package's
	want       string
}

func checkKeyErrors(t *testing.T, rows []keyError) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			keys, err := ParseKeys([]byte(row.text))
			if err == nil || err.Error() != row.want || len(keys) != 0 {
				t.Fatalf("error is\n%v, want\n%s", err, row.want)
			}
			if row.is != nil && !errors.Is(err, row.is) {
				t.Errorf("%v is not %v", err, row.is)
			}
		})
	}
}

func readKeyFile(t *testing.T, name string) string {
	t.Helper()
	return string(readTestFile(t, golden, "keys", name))
}

func TestParseKeysPEMErrors(t *testing.T) {
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	pkcs1, certificate := readKeyFile(t, "rsa2048-pkcs1.pem"), readKeyFile(t, "rsa2048-certificate.pem")
	checkKeyErrors(t, []keyError{
		{"empty", "", ErrNoKey, "there is no private key in it"},
		{"text", "hello", ErrNoKey, "there is no private key in it"},
		{"certificate", certificate, ErrCertificate, "this is the certificate, with which anybody can seal; the private key is needed"},
		{"public key", block("PUBLIC KEY", []byte("x")), ErrCertificate, "this is the certificate, with which anybody can seal; the private key is needed"},
		{"PKCS#8 with a passphrase", certificate + block("ENCRYPTED PRIVATE KEY", []byte("x")), ErrPassphrase, "PEM block 2: the private key is protected by a passphrase"},
		{"PKCS#1 with a passphrase", strings.Replace(block("RSA PRIVATE KEY", []byte("xyz")), "-----\n", "-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n", 1), ErrPassphrase, "PEM block 1: the private key is protected by a passphrase"},
		{"EC", block("PRIVATE KEY", pkcs8), nil, "PEM block 1: this is no RSA key, which those of Sealed Secrets are"},
		{"EC of openssl", block("EC PRIVATE KEY", []byte("x")), nil, "PEM block 1: this is no RSA key, which those of Sealed Secrets are"},
		{"OpenSSH", block("OPENSSH PRIVATE KEY", []byte("x")), nil, "PEM block 1: this is a key of OpenSSH, Sealed Secrets has RSA keys in PKCS#1 or PKCS#8"},
		{"damaged", block("RSA PRIVATE KEY", []byte("AKIDEXAMPLE")), nil, "PEM block 1: the private key is damaged"},
		{"damaged PKCS#8", block("PRIVATE KEY", []byte("AKIDEXAMPLE")), nil, "PEM block 1: the private key is damaged"},
		{"huge", block("PRIVATE KEY", make([]byte, 20<<10)), nil, "PEM block 1: the private key has 20480 bytes, the limit is 10240"},
		{"indented", strings.ReplaceAll("\n"+pkcs1, "\n", "\n  "), nil, "the PEM block is damaged or cut short"},
		{"cut short", pkcs1[:500], nil, "the PEM block is damaged or cut short"},
		{"something else", block("X509 CRL", []byte("x")), ErrNoKey, "there is no private key in it"},
		{"too long", strings.Repeat("x", MaxKeyFileBytes+1), nil, "key file has 8388609 bytes, the limit is 8388608"},
		{"too many keys", strings.Repeat(pkcs1, maxKeys+1), nil, "there are more than 256 private keys"},
		{"too many blocks", strings.Repeat(block("CERTIFICATE", nil), maxBlocks+1), nil, "there are more than 1024 PEM blocks"},
	})
}

func TestParseKeysManifestErrors(t *testing.T) {
	const labelled = "apiVersion: v1\nkind: Secret\nmetadata: {name: k, namespace: ks, labels: {sealedsecrets.bitnami.com/sealed-secrets-key: active}}\n"
	pkcs1, certificate := readKeyFile(t, "rsa2048-pkcs1.pem"), readKeyFile(t, "rsa2048-certificate.pem")
	secret := readKeyFile(t, "rsa2048-secret.yaml")
	withoutKey := strings.Replace(secret, "  tls.key:", "  tls.old:", 1)
	checkKeyErrors(t, []keyError{
		{"binary", "\x00\xff\xfe", ErrNoKey, "there is no private key in it: line 1: not valid UTF-8"},
		{"broken YAML", "a: [", ErrNoKey, "there is no private key in it: line 1: not valid YAML: did not find expected node content"},
		{"base64 of PEM", base64.StdEncoding.EncodeToString([]byte(pkcs1)), ErrNoKey, "there is no private key in it, but base64 of a PEM file: decode it first"},
		{"Secret without a key", withoutKey, ErrNoKey, `in Secret "kube-system/sealed-secrets-keyrsa2048": there is no private key in it: it has no data["tls.key"]`},
		{"key Secret that is not base64", labelled + "data: {tls.key: \"AKIDEXAMPLE!\"}\n", nil, `in Secret "ks/k": data["tls.key"] is not base64`},
		{"key Secret with a certificate", labelled + "data: {tls.key: " + base64.StdEncoding.EncodeToString([]byte(certificate)) + "}\n", ErrCertificate, `in Secret "ks/k": data["tls.key"]: this is the certificate, with which anybody can seal; the private key is needed`},
		{"a SealedSecret", string(readTestFile(t, golden, "rsa2048-v2-strict.yaml")), ErrNoKey, "there is no private key in it"},
		{"other Secret", "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\n", ErrNoKey, `in Secret "db": there is no private key in it: it has no data["tls.key"]`},
		{"one bad key among good ones", secret + "---\n" + labelled + "data: {tls.key: eA==}\n", ErrNoKey, `in Secret "ks/k": data["tls.key"]: there is no private key in it`},
		{"too many keys in Secrets", strings.Repeat(secret+"---\n", maxKeys+1), nil, "there are more than 256 private keys"},
	})
	if _, err := ParseKeys([]byte("kind: List\napiVersion: v1\nitems: [{kind: List, items: []}]\n")); !errors.As(err, new(*manifest.SyntaxError)) {
		t.Errorf("a List in a List: %v", err)
	}
}
