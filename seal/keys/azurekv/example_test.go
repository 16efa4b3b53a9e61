// SPDX-License-Identifier: Apache-2.0

package azurekv_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/azurekv"
)

func ExampleService() {
	ctx := context.Background()
	s := azurekv.New(azurekv.Options{})
	dataKey := keys.GenerateDataKey()

	entry, err := s.Wrap(ctx, keys.AzureKVEntry{
		VaultURL: "https://signet-demo.vault.azure.net",
		Name:     "documents", // the newest version
	}, dataKey.Bytes())
	if call := new(keys.CallError); errors.As(err, &call) {
		fmt.Println(call, call.Hint)
		return
	}
	secret, err := s.Unwrap(ctx, entry)
	fmt.Println(len(secret), err)
}
