// SPDX-License-Identifier: Apache-2.0

package gcpkms

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/internal/chars"
)

const (
	nameChars = chars.AlphaNum + "_-"
	// maxNameBytes bounds each part of a resource id (Cloud KMS API,
	// CreateKeyRing), maxDomainBytes the domain that a project may carry.
	maxNameBytes   = 63
	maxDomainBytes = 253
	// maxEncBytes bounds the text of a wrapped secret. A software or HSM key
	// makes some 150 characters of 32 bytes; external key managers may add to it.
	maxEncBytes = 16 << 10
)

// keyName is the resource id of a key, taken apart:
//
//	projects/<project>/locations/<location>/keyRings/<ring>/cryptoKeys/<key>
type keyName struct {
	project, location, ring, key string
}

// Check reports whether e names a key in the way Cloud KMS does. Its CreatedAt
// and Enc play no part. Nothing is called. The error repeats nothing of e.
func Check(e keys.GCPKMSEntry) error {
	_, err := parseKeyName(e.ResourceID)
	return err
}

// parseKeyName is strict: the text becomes the path of a request that carries
// credentials.
func parseKeyName(s string) (keyName, error) {
	const shape = "projects/<project>/locations/<location>/keyRings/<ring>/cryptoKeys/<key>"
	parts := strings.Split(s, "/")
	if len(parts) == 10 && parts[8] == "cryptoKeyVersions" {
		return keyName{}, errors.New("resource id names a version of a key, want the key: leave out what begins with /cryptoKeyVersions")
	}
	if len(parts) != 8 {
		return keyName{}, errors.New("resource id has not the form " + shape)
	}
	for i, collection := range []string{"projects", "locations", "keyRings", "cryptoKeys"} {
		if parts[2*i] != collection {
			return keyName{}, errors.New("resource id has not the form " + shape)
		}
	}
	n := keyName{project: parts[1], location: parts[3], ring: parts[5], key: parts[7]}
	switch {
	case !isProject(n.project):
		return keyName{}, errors.New("resource id has a malformed project")
	case !isName(n.location, chars.LowerCase+chars.Digits+"-"):
		return keyName{}, errors.New("resource id has a malformed location")
	case !isName(n.ring, nameChars):
		return keyName{}, errors.New("resource id has a malformed key ring")
	case !isName(n.key, nameChars):
		return keyName{}, errors.New("resource id has a malformed key")
	}
	return n, nil
}

// isProject accepts an id, a number, and an id after the domain of an
// organization: example.com:payments.
func isProject(s string) bool {
	domain, id, scoped := strings.Cut(s, ":")
	if !scoped {
		return isLabel(s)
	}
	for label := range strings.SplitSeq(domain, ".") {
		if !isLabel(label) {
			return false
		}
	}
	return strings.Contains(domain, ".") && len(domain) <= maxDomainBytes && isLabel(id)
}

// isLabel accepts what is fit for a part of a host name, and for a project id.
func isLabel(s string) bool {
	return isName(s, chars.LowerCase+chars.Digits+"-") && s[0] != '-' && s[len(s)-1] != '-'
}

func isName(s, alphabet string) bool {
	return s != "" && len(s) <= maxNameBytes && chars.Only(s, alphabet)
}

// decodeEnc returns the ciphertext of an entry.
func decodeEnc(enc string) ([]byte, error) {
	switch {
	case enc == "":
		return nil, errors.New("entry has no wrapped key")
	case len(enc) > maxEncBytes:
		return nil, fmt.Errorf("wrapped key has %d bytes, at most %d are allowed", len(enc), maxEncBytes)
	case !chars.Only(enc, chars.Base64Std): // the decoder would skip line breaks
		return nil, errors.New("wrapped key is not standard base64")
	}
	b, err := base64.StdEncoding.Strict().DecodeString(enc)
	if err != nil {
		return nil, errors.New("wrapped key is not standard base64")
	}
	return b, nil
}
