// SPDX-License-Identifier: Apache-2.0

package vault

import (
	"strings"

	"github.com/signet-secrets/signet/seal/keys"
)

// minHidden is the length from which on a known secret is looked for in a text.
// Less would tear words apart.
const minHidden = 4

// foreign makes one line of what a server said. What it was sent is not in it:
// a server may repeat that, and the filter of package keys finds only what
// looks like a key.
func foreign(text string, hide []string) string {
	for _, secret := range hide {
		if len(secret) >= minHidden {
			text = strings.ReplaceAll(text, secret, "...")
		}
	}
	return keys.ForeignText(text)
}
