// SPDX-License-Identifier: Apache-2.0

package azurekv

import "github.com/signet-secrets/signet/seal/keys/internal/chars"

// word returns s if it is a name as in ForbiddenByRbac, else "".
func word(s string) string {
	if len(s) > 64 || !chars.Only(s, chars.AlphaNum) {
		return ""
	}
	return s
}

// id returns s if it is a UUID or a domain, as request ids, object ids and
// tenants are, else "".
func id(s string) string {
	if len(s) > 128 || !chars.Only(s, chars.AlphaNum+"-.") {
		return ""
	}
	return s
}
