// SPDX-License-Identifier: Apache-2.0

package vault

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/internal/chars"
)

const (
	wordChars = chars.AlphaNum + "_"

	maxHostBytes   = 253 + 6 // a name and a port
	maxEngineBytes = 512
	maxKeyBytes    = 256
	// maxEncBytes bounds the text of a wrapped secret. A symmetric key makes
	// some 90 characters of 32 bytes, RSA of 4,096 bits some 700.
	maxEncBytes = 8 << 10
)

// Check reports whether e names a key in the way Vault does:
//
//	Address     https://<host>[:<port>], or http://
//	EnginePath  <part>[/<part>...] of letters, digits, _, . and -
//	KeyName     of the same, with a letter, digit or _ at both ends
//
// The parts become the path of a request that carries a token, so none of them
// may lead to another path. CreatedAt and Enc play no part. Nothing is called.
// The error repeats nothing of e.
func Check(e keys.VaultEntry) error {
	switch {
	case !isAddress(e.Address):
		return errors.New("vault_address is malformed, want https://<host> or https://<host>:<port>")
	case !isEngine(e.EnginePath):
		return errors.New("engine_path is malformed, want the path of a Transit engine such as transit or team/transit")
	case !isKey(e.KeyName):
		return errors.New("key_name is malformed, want letters, digits, _, . and -")
	}
	return nil
}

// isAddress accepts an origin, also with the slash of an empty path.
func isAddress(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || len(u.Host) > maxHostBytes {
		return false
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return false
		}
	}
	return strings.TrimSuffix(s, "/") == u.Scheme+"://"+u.Host && !strings.HasSuffix(u.Host, ":") &&
		chars.Only(u.Host, wordChars+".-:[]")
}

func isEngine(s string) bool {
	for part := range strings.SplitSeq(s, "/") {
		if part == "" || part == "." || part == ".." || !chars.Only(part, wordChars+".-") {
			return false
		}
	}
	return len(s) <= maxEngineBytes
}

// isKey accepts what Vault does (vault: sdk/framework/path.go, GenericNameRegex).
func isKey(s string) bool {
	return s != "" && len(s) <= maxKeyBytes && chars.Only(s, wordChars+".-") &&
		chars.Only(s[:1], wordChars) && chars.Only(s[len(s)-1:], wordChars)
}

// checkEnc accepts what a Transit engine gives:
//
//	vault:v<version of the key>:<standard base64>
func checkEnc(enc string) error {
	switch {
	case enc == "":
		return errors.New("entry has no wrapped key")
	case len(enc) > maxEncBytes:
		return fmt.Errorf("wrapped key has %d bytes, at most %d are allowed", len(enc), maxEncBytes)
	}
	bad := errors.New("wrapped key is malformed, want vault:v<number>:<base64>")
	rest, ok := strings.CutPrefix(enc, "vault:v")
	version, text, found := strings.Cut(rest, ":")
	if _, err := strconv.ParseUint(version, 10, 31); !ok || !found || err != nil || !chars.Only(version, chars.Digits) {
		return bad
	}
	// The decoder would skip line breaks.
	if b, err := base64.StdEncoding.Strict().DecodeString(text); err != nil || len(b) == 0 || !chars.Only(text, chars.Base64Std) {
		return bad
	}
	return nil
}
