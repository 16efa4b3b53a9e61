// SPDX-License-Identifier: Apache-2.0

package pgp

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// redacted replaces in what gpg said the input that it was given, should it
// ever repeat that: as it is, in hex and in base64.
func redacted(text string, input []byte) string {
	if len(input) == 0 {
		return text
	}
	lower := hex.EncodeToString(input)
	for _, form := range []string{string(input), lower, strings.ToUpper(lower), base64.RawStdEncoding.EncodeToString(input)} {
		text = strings.ReplaceAll(text, form, "...")
	}
	return text
}
