// SPDX-License-Identifier: Apache-2.0

package gcpkms

import (
	"fmt"
	"testing"

	"github.com/signet-secrets/signet/seal/keys"
)

// Only who is known and has no permission was refused: that is what helps then.
func TestRefused(t *testing.T) {
	for code, want := range map[int]bool{401: true, 403: true, 400: false, 404: false, 429: false, 500: false, 503: false} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			err := failure{operation: keys.Unwrapping}.because(nil, &answerError{code: code})
			if got := keys.Refused(err); got != want {
				t.Errorf("Refused(%v) = %v, want %v", err, got, want)
			}
		})
	}
}
