// SPDX-License-Identifier: Apache-2.0

package gcpkms_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/gcpkms"
)

func ExampleService() {
	ctx := context.Background()
	s := gcpkms.New(gcpkms.Options{})
	dataKey := keys.GenerateDataKey()

	entry, err := s.Wrap(ctx, keys.GCPKMSEntry{
		ResourceID: "projects/demo-1/locations/europe-west1/keyRings/signet/cryptoKeys/documents",
	}, dataKey.Bytes())
	if call := new(keys.CallError); errors.As(err, &call) {
		fmt.Println(call, call.Hint)
		return
	}
	secret, err := s.Unwrap(ctx, entry)
	fmt.Println(len(secret), err)
}
