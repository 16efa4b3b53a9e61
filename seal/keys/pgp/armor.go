// SPDX-License-Identifier: Apache-2.0

package pgp

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/signet-secrets/signet/seal/keys/internal/chars"
)

const (
	armorBegin = "-----BEGIN PGP MESSAGE-----"
	armorEnd   = "-----END PGP MESSAGE-----"
	// maxEncBytes bounds an armored message. For one RSA key of 16,384 bits it
	// has some 3,000 bytes.
	maxEncBytes = 64 << 10
	// maxLineBytes is the longest line of base64 (RFC 9580, section 6).
	maxLineBytes = 76
)

// dearmor returns the message in enc (RFC 9580, section 6.2):
//
//	-----BEGIN PGP MESSAGE-----
//	<key>: <value>          none or several
//	                        an empty line
//	<base64>                lines of up to 76 characters
//	=<checksum>             perhaps
//	-----END PGP MESSAGE-----
//
// White space around it and at the end of lines does no harm. The checksum is
// not verified, as RFC 9580 has it: the message has a better one.
func dearmor(enc string) ([]byte, error) {
	switch {
	case enc == "":
		return nil, errors.New("entry has no wrapped key")
	case len(enc) > maxEncBytes:
		return nil, fmt.Errorf("wrapped key has %d bytes, at most %d are allowed", len(enc), maxEncBytes)
	}
	lines := strings.Split(strings.TrimSpace(enc), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " \t\r")
	}
	last := len(lines) - 1
	if last < 1 || lines[0] != armorBegin || lines[last] != armorEnd {
		return nil, errors.New("wrapped key is not an armored PGP message")
	}
	lines = lines[1:last]
	for len(lines) > 0 && strings.Contains(lines[0], ": ") {
		lines = lines[1:]
	}
	if len(lines) == 0 || lines[0] != "" {
		return nil, errors.New("armor of the wrapped key is malformed: the empty line after its headers is missing")
	}
	return decodeLines(lines[1:])
}

func decodeLines(lines []string) ([]byte, error) {
	bad := errors.New("armor of the wrapped key is not base64")
	if n := len(lines); n > 0 && len(lines[n-1]) == 5 && lines[n-1][0] == '=' {
		lines = lines[:n-1]
	}
	var text strings.Builder
	for _, line := range lines {
		if line == "" || len(line) > maxLineBytes || !chars.Only(line, chars.Base64Std) {
			return nil, bad
		}
		text.WriteString(line)
	}
	message, err := base64.StdEncoding.Strict().DecodeString(text.String())
	if err != nil {
		return nil, bad
	}
	return message, nil
}
