// SPDX-License-Identifier: Apache-2.0

package bitnami

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Why key material can't be used.
var (
	// ErrNoKey says that there is no private key.
	ErrNoKey = errors.New("there is no private key in it")
	// ErrCertificate says that there are only certificates or public keys.
	ErrCertificate = errors.New("this is the certificate, with which anybody can seal; the private key is needed")
	// ErrPassphrase says that a private key is protected by a passphrase.
	ErrPassphrase = errors.New("the private key is protected by a passphrase")
)

// MaxKeyFileBytes is how much ParseKeys reads.
const MaxKeyFileBytes = 8 << 20

// Limits of what is in it.
const (
	maxKeys   = 256
	maxBlocks = 4 * maxKeys // with certificates
	// maxKeyBytes is more than an RSA key of 16,384 bits takes in DER. Checking
	// a key takes time in the third power of its length.
	maxKeyBytes = 10 << 10
)

// ParseKeys returns the RSA private keys in data, in their order and each once.
// data is a backup of a controller's keys in any form: PEM (PKCS#1 or PKCS#8,
// several blocks, with certificates between them), or manifests in YAML or JSON:
// a Secret with tls.key, a List of them, several documents. Other objects, and
// Secrets that neither hold an RSA key nor carry the label of a sealing key, are
// passed over.
//
// The error wraps ErrNoKey, ErrCertificate, ErrPassphrase or a
// *manifest.SyntaxError where one of these is the cause.
func ParseKeys(data []byte) ([]*rsa.PrivateKey, error) {
	if len(data) > MaxKeyFileBytes {
		return nil, fmt.Errorf("key file has %d bytes, the limit is %d", len(data), MaxKeyFileBytes)
	}
	var (
		keys []*rsa.PrivateKey
		err  error
	)
	if startsBlock(data) {
		keys, err = parsePEM(data)
	} else {
		keys, err = parseManifests(data)
	}
	if err != nil {
		return nil, err
	}
	return unique(keys), nil
}

func errTooManyKeys() error { return fmt.Errorf("there are more than %d private keys", maxKeys) }

const pemBegin = "-----BEGIN "

// startsBlock reports whether a line begins a PEM block. In a manifest, where
// such lines are indented or escaped, none does.
func startsBlock(data []byte) bool {
	return bytes.HasPrefix(data, []byte(pemBegin)) || bytes.Contains(data, []byte("\n"+pemBegin)) ||
		bytes.HasPrefix(bytes.TrimSpace(data), []byte(pemBegin))
}

// parsePEM returns at least one key, or an error.
func parsePEM(data []byte) ([]*rsa.PrivateKey, error) {
	var keys []*rsa.PrivateKey
	none := ErrNoKey
	rest := bytes.TrimSpace(data)
	for n := 1; ; n++ {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if n > maxBlocks {
			return nil, fmt.Errorf("there are more than %d PEM blocks", maxBlocks)
		}
		key, err := parseBlock(block)
		switch {
		case errors.Is(err, ErrCertificate):
			none = err
		case err != nil:
			return nil, fmt.Errorf("PEM block %d: %w", n, err)
		case key != nil:
			keys = append(keys, key)
		}
		if len(keys) > maxKeys {
			return nil, errTooManyKeys()
		}
	}
	switch {
	case len(keys) > 0:
		return keys, nil
	case startsBlock(rest):
		return nil, errors.New("the PEM block is damaged or cut short")
	}
	return nil, none
}

// parseBlock returns nil without an error for a block of no interest, such as
// the parameters before an EC key.
func parseBlock(block *pem.Block) (*rsa.PrivateKey, error) {
	if block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") || block.Headers["DEK-Info"] != "" {
		return nil, ErrPassphrase
	}
	if len(block.Bytes) > maxKeyBytes && strings.HasSuffix(block.Type, "PRIVATE KEY") {
		return nil, fmt.Errorf("the private key has %d bytes, the limit is %d", len(block.Bytes), maxKeyBytes)
	}
	switch block.Type {
	case "RSA PRIVATE KEY":
		key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
		if err != nil {
			return nil, errBadKey()
		}
		return key, nil
	case "PRIVATE KEY":
		parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, errBadKey()
		}
		if key, ok := parsed.(*rsa.PrivateKey); ok {
			return key, nil
		}
		return nil, errNotRSA()
	case "EC PRIVATE KEY", "DSA PRIVATE KEY":
		return nil, errNotRSA()
	case "OPENSSH PRIVATE KEY":
		return nil, errors.New("this is a key of OpenSSH, Sealed Secrets has RSA keys in PKCS#1 or PKCS#8")
	case "CERTIFICATE", "PUBLIC KEY", "RSA PUBLIC KEY":
		return nil, ErrCertificate
	}
	return nil, nil
}

// The library's own text could quote what it read.
func errBadKey() error { return errors.New("the private key is damaged") }

func errNotRSA() error {
	return errors.New("this is no RSA key, which those of Sealed Secrets are")
}

// unique removes keys that stand there twice.
func unique(keys []*rsa.PrivateKey) []*rsa.PrivateKey {
	var found []*rsa.PrivateKey
	seen := make(map[string]bool, len(keys))
	for _, key := range keys {
		modulus := string(key.N.Bytes())
		if !seen[modulus] {
			found = append(found, key)
		}
		seen[modulus] = true
	}
	return slices.Clip(found)
}
