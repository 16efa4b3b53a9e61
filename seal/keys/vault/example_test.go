// SPDX-License-Identifier: Apache-2.0

package vault_test

import (
	"fmt"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/vault"
)

func ExampleCheck() {
	fmt.Println(vault.Check(keys.VaultEntry{Address: "https://vault.example.com:8200", EnginePath: "transit", KeyName: "app"}))
	fmt.Println(vault.Check(keys.VaultEntry{Address: "https://vault.example.com:8200", EnginePath: "transit", KeyName: "../../sys/seal"}))
	// Output:
	// <nil>
	// key_name is malformed, want letters, digits, _, . and -
}
