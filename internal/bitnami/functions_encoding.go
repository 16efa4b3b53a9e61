// SPDX-License-Identifier: Apache-2.0

package bitnami

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
)

// encodings are functions that write values in another notation: sprig's
// (strings.go, crypto.go, defaults.go), and html and urlquery of text/template.
func encodings() map[string]function {
	return map[string]function{
		"b64enc": ofPure(func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }),
		"b64dec": ofPure(func(s string) string { return decoded(base64.StdEncoding.DecodeString(s)) }),
		"b32enc": ofPure(func(s string) string { return base32.StdEncoding.EncodeToString([]byte(s)) }),
		"b32dec": ofPure(func(s string) string { return decoded(base32.StdEncoding.DecodeString(s)) }),
		"sha256sum": ofPure(func(s string) string {
			sum := sha256.Sum256([]byte(s))
			return hex.EncodeToString(sum[:])
		}),
		"sha512sum": ofPure(func(s string) string {
			sum := sha512.Sum512([]byte(s))
			return hex.EncodeToString(sum[:])
		}),
		"toJson":       {min: 1, max: 1, call: func(args []any) (any, error) { return toJSON(args[0], json.Marshal) }},
		"toPrettyJson": {min: 1, max: 1, call: func(args []any) (any, error) { return toJSON(args[0], prettyJSON) }},
		"toRawJson":    {min: 1, max: 1, call: func(args []any) (any, error) { return toJSON(args[0], rawJSON) }},
		"html":         ofAny(0, 5, func(args []any) string { return htmlEscape(joined(args)) }),
		"urlquery":     ofAny(0, 3, func(args []any) string { return url.QueryEscape(joined(args)) }),
	}
}

// decoded is a value: sprig has the text of the error as the value, too.
func decoded(b []byte, err error) string {
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func toJSON(v any, marshal func(any) ([]byte, error)) (any, error) {
	const worst = 6 // \u0000 for one byte
	if err := fits(worst * size(v)); err != nil {
		return nil, err
	}
	b, err := marshal(v)
	if err != nil {
		return nil, failed("has a value that JSON has not")
	}
	return string(b), nil
}

func prettyJSON(v any) ([]byte, error) { return json.MarshalIndent(v, "", "  ") }

func rawJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// joined is the text of the arguments (text/template's evalArgs).
func joined(args []any) string {
	if len(args) == 1 {
		return printable(args[0])
	}
	shown := make([]any, len(args))
	for i, arg := range args {
		if shown[i] = arg; arg == nil {
			shown[i] = printable(arg)
		}
	}
	return fmt.Sprint(shown...)
}

// htmlEscape is text/template's HTMLEscapeString.
func htmlEscape(s string) string {
	return strings.NewReplacer(
		"\x00", "\uFFFD", `"`, "&#34;", "'", "&#39;", "&", "&amp;", "<", "&lt;", ">", "&gt;",
	).Replace(s)
}
