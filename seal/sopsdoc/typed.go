// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
)

// setTyped puts a decrypted plaintext into n as a value of its type, as SOPS
// reads it (sops: aes/cipher.go, Decrypt), and returns the text that SOPS
// hashes for it. That is not the text of n: YAML takes 010 for 8 and -0 for 0.
func setTyped(n *yaml.Node, t ValueType, plain string) (hashed string, err error) {
	value := manifest.String(plain)
	switch t {
	case TypeString, TypeBytes:
		if !utf8.ValidString(plain) {
			return "", errors.New("decrypts to text that is not UTF-8")
		}
		hashed = plain
	case TypeComment:
		if !isCommentLine(plain) {
			value = manifest.String("")
		}
		value.Tag = commentTag
	default:
		var v any
		if v, err = parseTyped(t, plain); err != nil {
			return "", fmt.Errorf("does not decrypt to the %s that its type promises", t)
		}
		if hashed, err = textOf(v); err != nil {
			return "", err
		}
		if err := value.Encode(v); err != nil {
			return "", errors.New("is a value that YAML cannot hold")
		}
	}
	n.Tag, n.Value, n.Style = value.Tag, value.Value, value.Style
	return hashed, nil
}

func parseTyped(t ValueType, plain string) (any, error) {
	switch t {
	case TypeInt:
		return strconv.Atoi(plain)
	case TypeFloat:
		return strconv.ParseFloat(plain, 64)
	case TypeBool:
		return strconv.ParseBool(plain)
	default:
		var v time.Time
		err := v.UnmarshalText([]byte(plain))
		return v, err
	}
}

// typed returns a scalar in clear as SOPS encrypts it: its type and its text.
func typed(n *yaml.Node) (ValueType, string, error) {
	text, err := hashText(n)
	if err != nil {
		return "", "", err
	}
	switch n.ShortTag() {
	case "!!int":
		return TypeInt, text, nil
	case "!!float":
		return TypeFloat, text, nil
	case "!!bool":
		return TypeBool, text, nil
	case "!!timestamp":
		return TypeTime, text, nil
	}
	return TypeString, text, nil
}

// hashText returns the bytes of a scalar as SOPS hashes and encrypts them
// (sops: sops.go, ToBytes): after the YAML parser has read it, so 0777 is 511.
func hashText(n *yaml.Node) (string, error) {
	if n.ShortTag() == "!!str" {
		return n.Value, nil
	}
	var v any
	if err := n.Decode(&v); err != nil {
		return "", errors.New("is a value that SOPS cannot hold")
	}
	return textOf(v)
}

func textOf(v any) (string, error) {
	switch v := v.(type) {
	case int:
		return strconv.Itoa(v), nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	case bool:
		return sopsBool(v), nil
	case time.Time:
		text, err := v.MarshalText()
		if err != nil {
			return "", errors.New("is a time that SOPS cannot hold")
		}
		return string(text), nil
	}
	return "", errors.New("is a value that SOPS cannot hold")
}
