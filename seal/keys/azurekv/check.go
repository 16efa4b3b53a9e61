// SPDX-License-Identifier: Apache-2.0

package azurekv

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/internal/chars"
)

const (
	nameChars = chars.AlphaNum + "-"

	maxHostBytes  = 253
	maxLabelBytes = 63
	// The lengths of names and versions of keys (Key Vault: About keys, secrets
	// and certificates, "Vault name and object name").
	maxNameBytes = 127
	versionBytes = 32
	// maxEncBytes bounds the text of a wrapped secret: RSA keys have up to 4,096
	// bits, which are 683 characters.
	maxEncBytes = 1 << 10
)

// Check reports whether e names a key in the way Key Vault does: the URL of a
// vault with https and a host name of three labels or more, and nothing else
// but a slash; a name; a version, or none. Its CreatedAt and Enc play no part.
// Nothing is called. The error repeats nothing of e.
func Check(e keys.AzureKVEntry) error {
	_, err := parseKey(e)
	return err
}

// key is what an entry names.
type key struct {
	host    string // lower case
	name    string
	version string // "" for the newest
}

// parseKey is strict: the texts become host and path of requests that carry a
// token.
func parseKey(e keys.AzureKVEntry) (key, error) {
	host, ok := strings.CutPrefix(e.VaultURL, "https://")
	if !ok {
		return key{}, errors.New("vault URL does not begin with https://")
	}
	k := key{host: strings.ToLower(strings.TrimSuffix(host, "/")), name: e.Name, version: e.Version}
	switch {
	case !isHost(k.host):
		return key{}, errors.New("vault URL has not the form https://<vault>.vault.azure.net")
	case k.name == "" || len(k.name) > maxNameBytes || !chars.Only(k.name, nameChars):
		return key{}, errors.New("malformed name of a key")
	case k.version != "" && (len(k.version) != versionBytes || !chars.Only(k.version, chars.AlphaNum)):
		return key{}, fmt.Errorf("malformed version of a key, want %d letters and digits", versionBytes)
	}
	return k, nil
}

func (k key) url() string { return "https://" + k.host }

// vault is the name of the vault.
func (k key) vault() string {
	name, _, _ := strings.Cut(k.host, ".")
	return name
}

// domain is the service that the vault belongs to: vault.azure.net.
func (k key) domain() string {
	_, domain, _ := strings.Cut(k.host, ".")
	return domain
}

// isHSM reports whether k is in a managed HSM, which has roles of its own.
func (k key) isHSM() bool { return strings.HasPrefix(k.domain(), "managedhsm.") }

// isHost accepts names alone: the last label has no digit, so that no IP
// address passes, and there is no port.
func isHost(s string) bool {
	labels := strings.Split(s, ".")
	if len(s) > maxHostBytes || len(labels) < 3 || !chars.Only(labels[len(labels)-1], chars.Letters) {
		return false
	}
	for _, l := range labels {
		if l == "" || len(l) > maxLabelBytes || !chars.Only(l, nameChars) || l[0] == '-' || l[len(l)-1] == '-' {
			return false
		}
	}
	return true
}

// parseKeyID parses what Key Vault calls a kid:
//
//	https://<vault>.vault.azure.net/keys/<name>/<version>
func parseKeyID(s string) (key, error) {
	rest, _ := strings.CutPrefix(s, "https://")
	parts := strings.Split(rest, "/")
	if len(parts) != 4 || parts[1] != "keys" || parts[3] == "" {
		return key{}, errors.New("malformed key id")
	}
	return parseKey(keys.AzureKVEntry{VaultURL: "https://" + parts[0], Name: parts[2], Version: parts[3]})
}

// answers reports whether the key that Key Vault names in an answer is k. Names
// are compared without case, as Key Vault does.
func (k key) answers(kid string) bool {
	a, err := parseKeyID(kid)
	return err == nil && a.host == k.host && strings.EqualFold(a.name, k.name) && (k.version == "" || a.version == k.version)
}

// decodeEnc returns the ciphertext of an entry.
func decodeEnc(enc string) ([]byte, error) {
	switch {
	case enc == "":
		return nil, errors.New("entry has no wrapped key")
	case len(enc) > maxEncBytes:
		return nil, fmt.Errorf("wrapped key has %d bytes, at most %d are allowed", len(enc), maxEncBytes)
	case !chars.Only(enc, chars.Base64URL): // the decoder would skip line breaks
		return nil, errors.New("wrapped key is not URL base64 without padding")
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(enc)
	if err != nil {
		return nil, errors.New("wrapped key is not URL base64 without padding")
	}
	return b, nil
}
