// SPDX-License-Identifier: Apache-2.0

package pgp_test

import (
	"fmt"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/pgp"
)

func ExampleCheck() {
	fmt.Println(pgp.Check(keys.PGPEntry{Fingerprint: "D7229043384BCC60326C6FB9D8720D957C3D3074"}))
	fmt.Println(pgp.Check(keys.PGPEntry{Fingerprint: "D8720D957C3D3074"}))
	// Output:
	// <nil>
	// fingerprint has 16 hex digits, want 40 or 64
}
