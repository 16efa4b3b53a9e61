// SPDX-License-Identifier: Apache-2.0

package vaulttest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// kv is a key/value engine: what is written to a path is there.
type kv map[string][]byte

func (k kv) exists(path string) bool { return k[path] != nil }

func (k kv) serve(_, path string, body []byte) response {
	k[path] = body
	return response{status: http.StatusNoContent}
}

// transit is a Transit engine by the names of its keys.
type transit map[string]*key

type key struct {
	versions []cipher.AEAD
	min      int // lowest version that decrypts
}

func newTransit() transit { return transit{} }

// exists: encrypting with a key that is not there makes it, and needs the
// capability for that (vault: builtin/logical/transit/path_encrypt.go,
// pathEncryptExistenceCheck).
func (t transit) exists(path string) bool {
	name, ok := strings.CutPrefix(path, "encrypt/")
	return !ok || t[name] != nil
}

func (t transit) serve(method, path string, body []byte) response {
	verb, name, _ := strings.Cut(path, "/")
	name, action, _ := strings.Cut(name, "/")
	var in struct {
		Plaintext  *string
		Ciphertext string
		Min        int `json:"min_decryption_version"`
	}
	switch {
	case method != http.MethodPut && method != http.MethodPost:
		return fail(http.StatusMethodNotAllowed, "1 error occurred:\n\t* unsupported operation\n\n")
	case json.Unmarshal(body, &in) != nil:
		return fail(http.StatusInternalServerError, "malformed JSON, unclosed containers")
	case verb == "encrypt" && action == "":
		return t.encrypt(name, in.Plaintext)
	case verb == "decrypt" && action == "":
		return t.decrypt(name, in.Ciphertext)
	case verb == "keys" && action == "":
		t.create(name)
	case verb == "keys" && action == "rotate" && t[name] == nil:
		return fail(http.StatusBadRequest, "key not found")
	case verb == "keys" && action == "rotate":
		t[name].rotate()
	case verb == "keys" && action == "config" && t[name] == nil:
		return fail(http.StatusBadRequest, "no existing key named "+name+" could be found")
	case verb == "keys" && action == "config":
		t[name].min = in.Min
	default:
		return fail(http.StatusNotFound, "1 error occurred:\n\t* unsupported path\n\n")
	}
	return response{status: http.StatusOK, body: data(map[string]any{"name": name}).body}
}

func (t transit) create(name string) {
	if t[name] == nil {
		t[name] = new(key)
		t[name].rotate()
	}
}

func (k *key) rotate() {
	secret := make([]byte, 32)
	rand.Read(secret)
	block, err := aes.NewCipher(secret)
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	k.versions = append(k.versions, aead)
}

// encrypt gives vault:v<version>:<base64 of nonce, ciphertext, tag>.
func (t transit) encrypt(name string, plaintext *string) response {
	if plaintext == nil {
		return fail(http.StatusBadRequest, "missing plaintext to encrypt")
	}
	plain, err := base64.StdEncoding.DecodeString(*plaintext)
	if err != nil {
		return fail(http.StatusBadRequest, err.Error())
	}
	t.create(name)
	version := len(t[name].versions)
	nonce := make([]byte, 12)
	rand.Read(nonce)
	sealed := t[name].versions[version-1].Seal(nonce, nonce, plain, nil)
	return data(map[string]any{
		"ciphertext":  "vault:v" + strconv.Itoa(version) + ":" + base64.StdEncoding.EncodeToString(sealed),
		"key_version": version,
	})
}

// decrypt has the texts of vault: sdk/helper/keysutil/policy.go, DecryptWithOptions.
func (t transit) decrypt(name, ciphertext string) response {
	bad := func(text string) response { return fail(http.StatusBadRequest, text) }
	k := t[name]
	if ciphertext == "" {
		return bad("missing ciphertext to decrypt")
	}
	if k == nil {
		return bad("encryption key not found")
	}
	rest, ok := strings.CutPrefix(ciphertext, "vault:v")
	if !ok {
		return bad("invalid ciphertext: no prefix")
	}
	number, text, ok := strings.Cut(rest, ":")
	if !ok {
		return bad("invalid ciphertext: wrong number of fields")
	}
	version, err := strconv.Atoi(number)
	switch {
	case err != nil:
		return bad("invalid ciphertext: version number could not be decoded")
	case version > len(k.versions):
		return bad("invalid ciphertext: version is too new")
	case version < k.min:
		return bad("ciphertext or signature version is disallowed by policy (too old)")
	}
	sealed, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return bad("invalid ciphertext: could not decode base64")
	}
	if len(sealed) < 12 {
		return bad("invalid ciphertext length")
	}
	plain, err := k.versions[max(version, 1)-1].Open(nil, sealed[:12], sealed[12:], nil)
	if err != nil {
		return bad(err.Error())
	}
	return data(map[string]any{"plaintext": base64.StdEncoding.EncodeToString(plain)})
}
