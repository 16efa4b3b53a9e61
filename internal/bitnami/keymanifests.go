// SPDX-License-Identifier: Apache-2.0

package bitnami

import (
	"bytes"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/signet-secrets/signet/seal/manifest"
)

// keyLabel marks the Secrets that hold sealing keys, whatever its value
// (pkg/controller/main.go: SealedSecretsKeyLabel).
const keyLabel = "sealedsecrets.bitnami.com/sealed-secrets-key"

// keyName is where such a Secret has the private key, corev1.TLSPrivateKeyKey.
const keyName = "tls.key"

// parseManifests returns at least one key, or an error.
func parseManifests(data []byte) ([]*rsa.PrivateKey, error) {
	if isEncodedPEM(data) {
		return nil, fmt.Errorf("%w, but base64 of a PEM file: decode it first", ErrNoKey)
	}
	stream, err := manifest.Split(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoKey, err)
	}
	var keys []*rsa.PrivateKey
	none := ErrNoKey
	for _, doc := range stream.Documents {
		n, err := doc.Node()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNoKey, err)
		}
		objects, err := manifest.Objects(n)
		if err != nil {
			return nil, err
		}
		for _, o := range objects {
			got, err := secretKeys(o)
			switch {
			case err != nil && labelled(o):
				return nil, err
			case err != nil:
				none = err
			}
			if keys = append(keys, got...); len(keys) > maxKeys {
				return nil, errTooManyKeys()
			}
		}
		doc.Forget()
	}
	if len(keys) == 0 {
		return nil, none
	}
	return keys, nil
}

func isEncodedPEM(data []byte) bool {
	head := bytes.TrimSpace(data)
	b, err := base64.StdEncoding.DecodeString(string(head[:min(len(head), 16)]))
	return err == nil && bytes.HasPrefix(b, []byte(pemBegin))
}

func labelled(o *manifest.Object) bool {
	return manifest.Get(o.Node, "metadata", "labels", keyLabel) != nil
}

// secretKeys returns no keys and no error for what is not a Secret.
func secretKeys(o *manifest.Object) ([]*rsa.PrivateKey, error) {
	if !o.IsSecret() {
		return nil, nil
	}
	keys, err := readSecretKeys(o)
	if err != nil {
		return nil, fmt.Errorf("in Secret %s: %w", nameOf(o), err)
	}
	return keys, nil
}

func readSecretKeys(o *manifest.Object) ([]*rsa.PrivateKey, error) {
	if v := manifest.Get(o.Node, "stringData", keyName); v != nil && manifest.IsString(v) {
		return parsePEM([]byte(v.Value))
	}
	v := manifest.Get(o.Node, "data", keyName)
	if v == nil {
		return nil, fmt.Errorf("%w: it has no data[%q]", ErrNoKey, keyName)
	}
	text := strings.NewReplacer("\n", "", "\r", "", " ", "").Replace(v.Value)
	pem, err := base64.StdEncoding.DecodeString(text)
	if err != nil || !manifest.IsString(v) {
		return nil, fmt.Errorf("data[%q] is not base64", keyName)
	}
	keys, err := parsePEM(pem)
	if err != nil {
		return nil, fmt.Errorf("data[%q]: %w", keyName, err)
	}
	return keys, nil
}

// nameOf returns the name of an object for errors.
func nameOf(o *manifest.Object) string {
	name := o.Name()
	if ns := o.Namespace(); ns != "" {
		name = ns + "/" + name
	}
	return shortQuote(name)
}

// maxShown is how much of a foreign name an error shows.
const maxShown = 100

// shortQuote quotes a foreign name.
func shortQuote(name string) string {
	if len(name) > maxShown {
		name = strings.ToValidUTF8(name[:maxShown], "") + "..."
	}
	return fmt.Sprintf("%q", name)
}
