// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/bitnami/sealed-secrets/pkg/apis/sealedsecrets/v1alpha1"
	"github.com/bitnami/sealed-secrets/pkg/crypto"
)

func readKey(file string) (*rsa.PrivateKey, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, errors.New("no PEM block")
	}
	return x509.ParsePKCS1PrivateKey(block.Bytes)
}

func seal(format string, key *rsa.PublicKey, secret *v1.Secret) (*v1alpha1.SealedSecret, error) {
	var (
		sealed *v1alpha1.SealedSecret
		err    error
	)
	switch format {
	case "v1":
		sealed, err = v1alpha1.NewSealedSecretV1(scheme.Codecs, key, secret)
	case "v2":
		sealed, err = v1alpha1.NewSealedSecret(scheme.Codecs, key, secret)
	default:
		return nil, errors.New("the format is v1 or v2")
	}
	if err != nil {
		return nil, err
	}
	sealed.TypeMeta = metav1.TypeMeta{APIVersion: "bitnami.com/v1alpha1", Kind: "SealedSecret"}
	return sealed, nil
}

// unseal is what the controller does, without the owner reference that it adds.
func unseal(sealed *v1alpha1.SealedSecret, keys ...*rsa.PrivateKey) (*v1.Secret, error) {
	byFingerprint := map[string]*rsa.PrivateKey{}
	for _, key := range keys {
		fingerprint, err := crypto.PublicKeyFingerprint(&key.PublicKey)
		if err != nil {
			return nil, err
		}
		byFingerprint[fingerprint] = key
	}
	secret, err := sealed.DeepCopy().Unseal(scheme.Codecs, byFingerprint)
	if err != nil {
		return nil, err
	}
	secret.OwnerReferences = nil
	return secret, nil
}

type renderCase struct {
	Data     map[string][]byte `json:"data"`
	Template string            `json:"template"`
}

type renderResult struct {
	Output []byte `json:"output,omitempty"`
	Error  string `json:"error,omitempty"`
}

// output is the key that renders the template.
const output = "output"

func renderCommand() error {
	var cases []renderCase
	if err := readInput(&cases); err != nil {
		return err
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	results := make([]renderResult, len(cases))
	ciphertexts := map[string]string{}
	for i, c := range cases {
		if results[i], err = renderOne(key, c, ciphertexts); err != nil {
			return err
		}
	}
	return json.NewEncoder(os.Stdout).Encode(results)
}

func renderOne(key *rsa.PrivateKey, c renderCase, ciphertexts map[string]string) (renderResult, error) {
	sealed := &v1alpha1.SealedSecret{ObjectMeta: metav1.ObjectMeta{Name: "db", Namespace: "prod"}}
	sealed.Spec.EncryptedData = map[string]string{}
	for name, value := range c.Data {
		if ciphertexts[string(value)] == "" {
			b, err := crypto.HybridEncrypt(rand.Reader, &key.PublicKey, value, []byte("prod/db"))
			if err != nil {
				return renderResult{}, err
			}
			ciphertexts[string(value)] = base64.StdEncoding.EncodeToString(b)
		}
		sealed.Spec.EncryptedData[name] = ciphertexts[string(value)]
	}
	sealed.Spec.Template.Data = map[string]*string{output: &c.Template}
	secret, err := unseal(sealed, key)
	if err != nil {
		return renderResult{Error: err.Error()}, nil
	}
	return renderResult{Output: secret.Data[output]}, nil
}
