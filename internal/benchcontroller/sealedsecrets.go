// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/signet-secrets/signet/internal/testtool"
)

// systemNamespace is where the controller of Sealed Secrets has its keys.
const systemNamespace = "kube-system"

// sealedSecrets is the controller of Sealed Secrets, with a key of its default
// size.
type sealedSecrets struct {
	program, version, dir string
	crd                   []byte
	key                   *rsa.PrivateKey
	sealed                []document
	site                  *site
}

var _ contender = (*sealedSecrets)(nil)

// newSealedSecrets builds the program and makes a key.
func newSealedSecrets(ctx context.Context, dir string) (*sealedSecrets, error) {
	c := &sealedSecrets{dir: dir}
	var err error
	if c.program, err = testtool.Locate("sealed-secrets-controller", os.Stderr); err != nil {
		return nil, err
	}
	root, err := testtool.ModuleRoot()
	if err != nil {
		return nil, err
	}
	list := exec.CommandContext(ctx, "go", "list", "-C", filepath.Join(root, "internal", "testbin", "sealed-secrets-controller"),
		"-f", "{{.Module.Dir}}\n{{.Module.Version}}", "github.com/bitnami/sealed-secrets/cmd/controller")
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("find the module of Sealed Secrets: %w", err)
	}
	module, version, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	c.version = strings.TrimPrefix(version, "v")
	if c.crd, err = os.ReadFile(filepath.Join(module, "helm", "sealed-secrets", "crds", "bitnami.com_sealedsecrets.yaml")); err != nil {
		return nil, err
	}
	c.key, err = rsa.GenerateKey(rand.Reader, 4096)
	return c, err
}

func (c *sealedSecrets) seal(ctx context.Context, n int) (err error) {
	c.sealed, err = sealAll(ctx, n, func(_ context.Context, name string, values map[string]string, _ bool) ([]byte, error) {
		encrypted := map[string][]byte{}
		for key, value := range values {
			var err error
			if encrypted[key], err = c.encrypt(value, namespace+"/"+name); err != nil {
				return nil, err
			}
		}
		metadata := map[string]any{"name": name, "namespace": namespace}
		return json.Marshal(map[string]any{
			"apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret", "metadata": metadata,
			"spec": map[string]any{"encryptedData": encrypted, "template": map[string]any{
				"metadata": metadata,
				"type":     "Opaque", // without it every look at an object costs another PUT of the Secret
			}},
		})
	})
	return err
}

// encrypt seals one value for the strict scope (sealed-secrets 0.40:
// pkg/crypto/crypto.go, HybridEncrypt): the length of what follows in two bytes,
// a key under RSA-OAEP with SHA-256 and the label, the value under AES-256-GCM
// with that key and a nonce of zeros.
func (c *sealedSecrets) encrypt(value, label string) ([]byte, error) {
	key := make([]byte, 32)
	rand.Read(key)
	wrapped, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, &c.key.PublicKey, key, []byte(label))
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	out := binary.BigEndian.AppendUint16(nil, uint16(len(wrapped)))
	return gcm.Seal(append(out, wrapped...), make([]byte, gcm.NonceSize()), []byte(value), nil), nil
}

func (c *sealedSecrets) name() string               { return "sealed secrets" }
func (c *sealedSecrets) manifests() ([]byte, error) { return c.crd, nil }
func (c *sealedSecrets) collection() string {
	return "/apis/bitnami.com/v1alpha1/namespaces/" + namespace + "/sealedsecrets"
}
func (c *sealedSecrets) condition() string { return "Synced" }

func (c *sealedSecrets) documents(n int) ([]document, document) {
	return c.sealed[:n], c.sealed[len(c.sealed)-1]
}

// prepare stores the key as the controller does (sealed-secrets 0.40:
// pkg/controller/keys.go, writeKey), so that it makes none.
func (c *sealedSecrets) prepare(ctx context.Context, s *site) error {
	c.site = s
	certificate := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{}, NotBefore: time.Now(), NotAfter: time.Now().AddDate(10, 0, 0),
		KeyUsage: x509.KeyUsageEncipherOnly, BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, certificate, certificate, &c.key.PublicKey, c.key)
	if err != nil {
		return err
	}
	secret, err := json.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
		"metadata": map[string]any{
			"name": "sealed-secrets-key-bench", "namespace": systemNamespace,
			"labels": map[string]string{"sealedsecrets.bitnami.com/sealed-secrets-key": "active"},
		},
		"data": map[string][]byte{
			"tls.key": pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(c.key)}),
			"tls.crt": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		},
	})
	if err != nil {
		return err
	}
	return s.Apply(ctx, secret)
}
