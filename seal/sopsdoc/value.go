// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"encoding/base64"
	"errors"
	"strings"
)

// ValueType is the type that SOPS records with an encrypted value. It is not
// authenticated (sops: aes/cipher.go).
type ValueType string

// The value types of SOPS. Envelopes have only TypeString.
const (
	TypeString  ValueType = "str"
	TypeInt     ValueType = "int"
	TypeFloat   ValueType = "float"
	TypeBool    ValueType = "bool"
	TypeTime    ValueType = "time"
	TypeBytes   ValueType = "bytes"
	TypeComment ValueType = "comment"
)

// Lengths in bytes of the parts of an encrypted value.
const (
	tagBytes       = 16
	nonceBytes     = 12 // written in envelopes: what FIPS 140 accepts, random per value
	sopsNonceBytes = 32 // written by stock SOPS (sops: aes/cipher.go, nonceSize)
)

// Value is one encrypted value,
//
//	ENC[AES256_GCM,data:<base64>,iv:<base64>,tag:<base64>,type:<type>]
//
// in standard padded base64 (sops: aes/cipher.go).
type Value struct {
	Data  []byte // ciphertext, as long as the plaintext, at least 1 byte
	Nonce []byte // 12 or 32 bytes
	Tag   []byte // 16 bytes
	Type  ValueType
}

// ValuePrefix is how each text begins that SOPS has encrypted.
const ValuePrefix = "ENC[AES256_GCM,"

const valueStart = ValuePrefix + "data:"

// LooksEncrypted reports whether a text looks like a Value, be it a whole one or
// not. What ParseValue takes looks so.
func LooksEncrypted(text string) bool {
	text = strings.TrimSpace(text)
	return strings.HasPrefix(text, ValuePrefix) && strings.HasSuffix(text, "]")
}

var errNotEncrypted = errors.New("is not an encrypted value (ENC[AES256_GCM,...])")

// ParseValue reads one encrypted value. Unlike stock SOPS it wants the whole
// text to match, canonical base64, and a nonce and a tag of the known lengths.
// The error tells what is wrong, never what the text was.
func ParseValue(s string) (Value, error) {
	rest, ok := strings.CutPrefix(s, valueStart)
	if !ok {
		return Value{}, errNotEncrypted
	}
	rest, ok = strings.CutSuffix(rest, "]")
	if !ok {
		return Value{}, errors.New("is an encrypted value without its closing bracket")
	}
	data, rest, ok1 := strings.Cut(rest, ",iv:")
	iv, rest, ok2 := strings.Cut(rest, ",tag:")
	tag, typ, ok3 := strings.Cut(rest, ",type:")
	if !ok1 || !ok2 || !ok3 {
		return Value{}, errors.New("is an encrypted value without data, iv, tag or type")
	}
	v := Value{Type: ValueType(typ)}
	var err error
	if v.Data, err = decodeBase64(data); err != nil || len(v.Data) == 0 {
		return Value{}, errors.New("has a data part that is not base64")
	}
	if v.Nonce, err = decodeBase64(iv); err != nil || len(v.Nonce) != nonceBytes && len(v.Nonce) != sopsNonceBytes {
		return Value{}, errors.New("has an iv part that is not 12 or 32 bytes of base64")
	}
	if v.Tag, err = decodeBase64(tag); err != nil || len(v.Tag) != tagBytes {
		return Value{}, errors.New("has a tag part that is not 16 bytes of base64")
	}
	if !v.Type.known() {
		return Value{}, errors.New("has an unknown type")
	}
	return v, nil
}

func (t ValueType) known() bool {
	switch t {
	case TypeString, TypeInt, TypeFloat, TypeBool, TypeTime, TypeBytes, TypeComment:
		return true
	}
	return false
}

// decodeBase64 reads standard padded base64 in its one canonical form: no line
// breaks, which the standard library would skip, and no stray bits.
func decodeBase64(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, errors.New("line break in base64")
	}
	return base64.StdEncoding.Strict().DecodeString(s)
}

// String returns the value as SOPS writes it.
func (v Value) String() string {
	b64 := base64.StdEncoding.EncodeToString
	return valueStart + b64(v.Data) + ",iv:" + b64(v.Nonce) + ",tag:" + b64(v.Tag) + ",type:" + string(v.Type) + "]"
}
