// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"errors"
	"strconv"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
)

// setTyped puts a decrypted plaintext into n as a value of its type, as SOPS
// reads it (sops: aes/cipher.go, Decrypt).
func setTyped(n *yaml.Node, t ValueType, plain string) error {
	var value *yaml.Node
	switch t {
	case TypeString, TypeBytes:
		if !utf8.ValidString(plain) {
			return errors.New("decrypts to text that is not UTF-8")
		}
		value = manifest.String(plain)
	case TypeInt:
		i, err := strconv.Atoi(plain)
		if err != nil {
			return errors.New("does not decrypt to the number that its type promises")
		}
		// Not plain: YAML takes 010 for 8, SOPS for 10.
		value = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.Itoa(i)}
	case TypeFloat:
		f, err := strconv.ParseFloat(plain, 64)
		if err != nil {
			return errors.New("does not decrypt to the number that its type promises")
		}
		value = &yaml.Node{}
		if err := value.Encode(f); err != nil {
			return errors.New("does not decrypt to the number that its type promises")
		}
	case TypeBool:
		b, err := strconv.ParseBool(plain)
		if err != nil {
			return errors.New("does not decrypt to the boolean that its type promises")
		}
		value = manifest.Bool(b)
	case TypeTime:
		if _, err := time.Parse(time.RFC3339, plain); err != nil {
			return errors.New("does not decrypt to the time that its type promises")
		}
		value = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!timestamp", Value: plain}
	default:
		return errors.New("is marked as a comment where a value stands")
	}
	n.Tag, n.Value, n.Style = value.Tag, value.Value, value.Style
	return nil
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
