// SPDX-License-Identifier: Apache-2.0

package bitnami_test

import (
	"fmt"
	"os"

	"github.com/signet-secrets/signet/internal/bitnami"
	"github.com/signet-secrets/signet/seal/manifest"
)

func ExampleUnseal() {
	backup, err := os.ReadFile("testdata/golden/keys/rsa2048-list.yaml")
	if err != nil {
		panic(err)
	}
	keys, err := bitnami.ParseKeys(backup)
	if err != nil {
		panic(err)
	}
	text, err := os.ReadFile("testdata/golden/rsa2048-v2-namespace.yaml")
	if err != nil {
		panic(err)
	}
	document, err := manifest.Parse(text)
	if err != nil {
		panic(err)
	}
	result, err := bitnami.Unseal(document, bitnami.Options{Keys: keys})
	if err != nil {
		panic(err)
	}
	fmt.Println(len(keys), "keys, scope", result.Scope)
	fmt.Println(result.Secret.StringData["password"])
	// Output:
	// 2 keys, scope namespace
	// correct horse battery staple
}
