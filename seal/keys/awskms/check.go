// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"fmt"

	"github.com/signet-secrets/signet/seal/keys"
)

// Check reports what is wrong with e as a recipient: the ARN of the key or of
// the role, the profile or the encryption context. What it wraps plays no part.
// Nothing is called. The error repeats nothing of e but the ARN, if that is one.
func Check(e keys.KMSEntry) error {
	if _, err := newRequest(e); err != nil {
		return fmt.Errorf("AWS KMS key: %w", err)
	}
	return nil
}
