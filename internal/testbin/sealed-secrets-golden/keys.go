// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/bitnami/sealed-secrets/pkg/crypto"
)

type pair struct {
	name string
	key  *rsa.PrivateKey
	cert *x509.Certificate
}

// newPair makes a key as the controller does (pkg/controller/keys.go).
func newPair(name string, bits int) (*pair, error) {
	key, cert, err := crypto.GeneratePrivateKeyAndCert(bits, 10*365*24*time.Hour, "")
	return &pair{name, key, cert}, err
}

func (p *pair) pkcs1() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(p.key)})
}

func (p *pair) pkcs8() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(p.key)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), err
}

func (p *pair) certificate() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.cert.Raw})
}

// secret is the Secret in which the controller keeps the key, as kubectl shows it.
func (p *pair) secret() *v1.Secret {
	return &v1.Secret{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{
			Name:              "sealed-secrets-key" + p.name,
			GenerateName:      "sealed-secrets-key",
			Namespace:         "kube-system",
			Labels:            map[string]string{"sealedsecrets.bitnami.com/sealed-secrets-key": "active"},
			CreationTimestamp: metav1.Time{Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
			ResourceVersion:   "1234",
			UID:               "5f3a4cde-0000-4000-8000-000000000000",
		},
		Type: v1.SecretTypeTLS,
		Data: map[string][]byte{"tls.key": p.pkcs1(), "tls.crt": p.certificate()},
	}
}

// list is what `kubectl get secret -o yaml` prints for several: the right key
// comes last.
func list(kind string, pairs ...*pair) map[string]any {
	items := []any{}
	for _, p := range pairs {
		items = append(items, p.secret())
	}
	return map[string]any{"apiVersion": "v1", "kind": kind, "metadata": map[string]any{"resourceVersion": ""}, "items": items}
}

// writeKeys writes one key in each form that users have it in.
func writeKeys(dir string, p, other *pair) error {
	pkcs8, err := p.pkcs8()
	if err != nil {
		return err
	}
	files := map[string]any{
		"pkcs1.pem":       p.pkcs1(),
		"pkcs8.pem":       pkcs8,
		"certificate.pem": p.certificate(),
		"several.pem":     bytes.Join([][]byte{p.certificate(), other.pkcs1(), p.pkcs1()}, nil),
		"secret.yaml":     p.secret(),
		"secret.json":     p.secret(),
		"list.yaml":       list("List", other, p),
		"list.json":       list("List", other, p),
		"secretlist.json": list("SecretList", other, p),
	}
	for name, content := range files {
		if err := writeFile(filepath.Join(dir, p.name+"-"+name), content); err != nil {
			return err
		}
	}
	return nil
}

// writeFile writes bytes as they are and anything else as YAML or JSON.
func writeFile(path string, content any) error {
	b, ok := content.([]byte)
	var err error
	switch {
	case ok:
	case filepath.Ext(path) == ".yaml":
		b, err = yaml.Marshal(content)
	case filepath.Ext(path) == ".json":
		b, err = json.MarshalIndent(content, "", "  ")
		b = append(b, '\n')
	default:
		err = fmt.Errorf("%s: unknown ending", path)
	}
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o644)
}
