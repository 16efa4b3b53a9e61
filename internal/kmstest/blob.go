// SPDX-License-Identifier: Apache-2.0

package kmstest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"maps"
	"slices"
)

const (
	blobVersion    = 1
	blobCheckBytes = 8
)

// material is what a key encrypts with. The replicas of a multi-Region key
// share it.
type material struct{ aead cipher.AEAD }

func newMaterial() *material {
	secret := make([]byte, 32)
	rand.Read(secret)
	block, err := aes.NewCipher(secret)
	if err != nil {
		panic(err) // 32 bytes are a key
	}
	aead, err := cipher.NewGCMWithRandomNonce(block) // the kind that FIPS-only mode allows
	if err != nil {
		panic(err) // AES has the right block size
	}
	return &material{aead: aead}
}

// A ciphertext blob names its key in clear, without a Region, as AWS's does:
//
//	version(1) | len(1) account | len(1) key id | SHA-256 of that (8) | nonce(12) | sealed
//
// All up to the nonce is additional data, with the encryption context after
// it. The checksum tells a damaged name from that of another key.
type blob struct {
	account, keyID string
	header, sealed []byte // aliases of the bytes that were parsed
}

func sealBlob(k key, plaintext []byte, context map[string]string) []byte {
	header := []byte{blobVersion}
	header = appendShort(header, k.account)
	header = appendShort(header, k.id)
	check := sha256.Sum256(header)
	header = append(header, check[:blobCheckBytes]...)
	return append(header, k.material.aead.Seal(nil, nil, plaintext, additionalData(header, context))...)
}

// parseBlob reports whether data is a whole header and something after it.
func parseBlob(data []byte) (blob, bool) {
	if len(data) == 0 || data[0] != blobVersion {
		return blob{}, false
	}
	account, rest, ok := cutShort(data[1:])
	if !ok {
		return blob{}, false
	}
	keyID, rest, ok := cutShort(rest)
	if !ok || len(rest) <= blobCheckBytes {
		return blob{}, false
	}
	named := data[:len(data)-len(rest)]
	check := sha256.Sum256(named)
	if subtle.ConstantTimeCompare(check[:blobCheckBytes], rest[:blobCheckBytes]) != 1 {
		return blob{}, false
	}
	end := len(named) + blobCheckBytes
	return blob{account: account, keyID: keyID, header: data[:end], sealed: data[end:]}, true
}

func (b blob) open(m *material, context map[string]string) ([]byte, error) {
	plaintext, err := m.aead.Open(nil, nil, b.sealed, additionalData(b.header, context))
	if err != nil {
		return nil, &apiError{code: codeInvalidCiphertext}
	}
	return plaintext, nil
}

// additionalData is the header and the pairs of the context, sorted by key,
// each string with its length in front: no two contexts give the same bytes.
func additionalData(header []byte, context map[string]string) []byte {
	data := slices.Clone(header)
	for _, k := range slices.Sorted(maps.Keys(context)) {
		for _, s := range []string{k, context[k]} {
			data = binary.BigEndian.AppendUint32(data, uint32(len(s)))
			data = append(data, s...)
		}
	}
	return data
}

func appendShort(b []byte, s string) []byte {
	return append(append(b, byte(len(s))), s...)
}

func cutShort(b []byte) (s string, rest []byte, ok bool) {
	if len(b) == 0 || len(b) < 1+int(b[0]) {
		return "", nil, false
	}
	return string(b[1 : 1+b[0]]), b[1+b[0]:], true
}
