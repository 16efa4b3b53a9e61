// SPDX-License-Identifier: Apache-2.0

package gcpkms

import "github.com/signet-secrets/signet/seal/keys/internal/chars"

// word returns s if it is a name as in PERMISSION_DENIED, else "".
func word(s string) string {
	if len(s) > 64 || !chars.Only(s, chars.UpperCase+chars.Digits+"_") {
		return ""
	}
	return s
}
