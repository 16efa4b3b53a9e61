// SPDX-License-Identifier: Apache-2.0

package unseal_test

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/unseal"
)

// A document and the identity that opens it, both made for this example.
var (
	//go:embed testdata/example.yaml
	document []byte
	//go:embed testdata/example-key.txt
	identity string
)

func options() unseal.Options {
	id, err := agekey.ParseIdentity(identity)
	if err != nil {
		log.Fatal(err)
	}
	sources := agekey.Sources{Identities: []agekey.Identity{id}}
	return unseal.Options{Unwrapper: keys.Unwrappers{keys.Age: agekey.NewUnwrapper(sources)}}
}

func ExampleOpen() {
	node, err := manifest.Parse(document)
	if err != nil {
		log.Fatal(err)
	}
	opened, err := unseal.Open(context.Background(), node, options())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(opened.Secret.Namespace, opened.Secret.Name, opened.Secret.StringData["password"])
	// Output: prod db an example
}

// A document opens only where it was sealed for.
func ExampleScopeError() {
	node, err := manifest.Parse(document)
	if err != nil {
		log.Fatal(err)
	}
	manifest.Set(manifest.Get(manifest.Root(node), "metadata"), "namespace", manifest.String("attacker"))
	_, err = unseal.Open(context.Background(), node, options())
	var scope *unseal.ScopeError
	fmt.Println(errors.As(err, &scope), err)
	// Output: true spec.sealed.scope: the document was sealed for prod/db, not for attacker/db
}
