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
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// A document and the identity that opens it, both made for this example.
var (
	//go:embed testdata/example.yaml
	document []byte
	//go:embed testdata/example-key.txt
	identity string
	// A SealingKey that the identity opens, and a document for its recipient.
	//go:embed testdata/example-sealingkey.yaml
	sealingKey []byte
	//go:embed testdata/example-for-sealingkey.yaml
	documentForKey []byte
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

// A Keyring opens what was sealed for the recipient of a SealingKey.
func ExampleKeyring() {
	object, err := manifest.Parse(sealingKey)
	if err != nil {
		log.Fatal(err)
	}
	key, err := sopsdoc.ParseSealingKey(manifest.Root(object))
	if err != nil {
		log.Fatal(err)
	}
	parse := func(text string) (string, keys.Unwrapper, error) {
		id, err := agekey.ParseIdentity(text)
		if err != nil {
			return "", nil, err
		}
		return id.Recipient(), agekey.NewUnwrapper(agekey.Sources{Identities: []agekey.Identity{id}}), nil
	}
	o := options() // what opens the SealingKey; a key service in real life
	o.Keyring = unseal.NewKeyring(
		unseal.KeyOptions{Unwrapper: o.Unwrapper, ParseIdentity: parse},
		unseal.Key{SealingKey: key, Place: "testdata/example-sealingkey.yaml"},
	)
	node, err := manifest.Parse(documentForKey)
	if err != nil {
		log.Fatal(err)
	}
	opened, err := unseal.Open(context.Background(), node, o)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(opened.Secret.Name, opened.Secret.StringData["password"])
	// Output: db an example
}
