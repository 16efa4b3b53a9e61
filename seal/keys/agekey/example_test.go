// SPDX-License-Identifier: Apache-2.0

package agekey_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
)

func Example() {
	ctx := context.Background()
	id, err := agekey.GenerateIdentity()
	if err != nil {
		panic(err)
	}
	e, err := agekey.NewWrapper(nil).Wrap(ctx, keys.AgeEntry{Recipient: id.Recipient()}, []byte("a secret"))
	if err != nil {
		panic(err)
	}
	opener := agekey.NewUnwrapper(agekey.Sources{Identities: []agekey.Identity{id}})
	secret, err := opener.Unwrap(ctx, e)
	fmt.Println(string(secret), err)

	_, err = agekey.NewUnwrapper(agekey.Sources{}).Unwrap(ctx, e)
	fmt.Println(errors.Is(err, keys.ErrNoIdentity))
	fmt.Println(id)
	// Output:
	// a secret <nil>
	// true
	// [age identity]
}

func ExampleParseRecipient() {
	_, err := agekey.ParseRecipient("age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8q")
	fmt.Println(err)
	// Output:
	// age recipient "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8q": bech32 checksum does not match: there is a typo in it, or a part is missing
}
