// SPDX-License-Identifier: Apache-2.0

package unseal

import (
	"context"

	"github.com/signet-secrets/signet/seal/keys"
)

// UnwrapFile returns the data key of a SOPS file, of whatever kind, as OpenFile
// gets it: of Keyring only those SealingKeys are used whose spec.namespaces are
// ["*"]. Errors are those of keys.UnwrapAny, and an *UnscopedError where there is
// a limit by Namespaces: what will become of the file cannot be seen here.
func (o Options) UnwrapFile(ctx context.Context, r keys.Recipients) (keys.DataKey, error) {
	if o.limited() {
		return keys.DataKey{}, &UnscopedError{Allowed: o.Namespaces}
	}
	return keys.UnwrapAny(ctx, o.unwrapper(""), r)
}
