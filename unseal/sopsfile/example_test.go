// SPDX-License-Identifier: Apache-2.0

package sopsfile_test

import (
	"context"
	"fmt"
	"os"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/unseal"
	"github.com/signet-secrets/signet/unseal/sopsfile"
)

func ExampleOpen() {
	const path = "testdata/app.env"
	content, err := os.ReadFile(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := os.ReadFile("../../seal/sopsdoc/testdata/vectors/classic.txt")
	if err != nil {
		fmt.Println(err)
		return
	}
	id, err := agekey.ParseIdentity(string(text))
	if err != nil {
		fmt.Println(err)
		return
	}
	u := agekey.NewUnwrapper(agekey.Sources{Identities: []agekey.Identity{id}})
	out, err := sopsfile.Open(context.Background(), content, sopsfile.FormatOf(path), unseal.Options{Unwrapper: keys.Unwrappers{keys.Age: u}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(string(out))
	// Output:
	// # head
	// NAME_unencrypted=app
	// PASSWORD=correct horse battery staple
	// EMPTY=
	// LINES=a\nb
}
