// SPDX-License-Identifier: Apache-2.0

package seal_test

import (
	"context"
	"fmt"
	"log"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/manifest"
)

// Sealing needs a recipient and no right to open anything.
func ExampleSeal() {
	secret, err := manifest.Parse([]byte(`
apiVersion: v1
kind: Secret
metadata:
  name: db
  namespace: prod
stringData:
  password: an example
`))
	if err != nil {
		log.Fatal(err)
	}
	const recipient = "age1lvyvwawkr0mcnnnncaghunadrqkmuf9e6507x9y920xxpp866cnql7dp2z" // published in age's README
	result, err := seal.Seal(context.Background(), secret, nil, seal.Options{
		Recipients: keys.Recipients{Groups: []keys.Group{{keys.AgeEntry{Recipient: recipient}}}},
		Wrapper:    keys.Wrappers{keys.Age: agekey.NewWrapper(nil)},
	})
	if err != nil {
		log.Fatal(err)
	}
	sealed := manifest.Root(result.Node)
	fmt.Println(manifest.GetString(sealed, "kind"), manifest.GetString(sealed, "spec", "sealed", "scope"))
	fmt.Println(manifest.GetString(sealed, "spec", "sealed", "signet", "stringData", "password")[:15])
	// Output:
	// SealedSecret prod/db
	// ENC[AES256_GCM,
}

// A SOPS-encrypted Secret is for Flux, KSOPS and the sops CLI.
func ExampleSealSOPS() {
	secret := &manifest.Secret{Name: "db", Namespace: "prod", StringData: map[string]string{"password": "an example"}}
	const recipient = "age1lvyvwawkr0mcnnnncaghunadrqkmuf9e6507x9y920xxpp866cnql7dp2z"
	result, err := seal.SealSOPS(context.Background(), []*yaml.Node{secret.Node()}, nil, seal.SOPSOptions{Options: seal.Options{
		Recipients: keys.Recipients{Groups: []keys.Group{{keys.AgeEntry{Recipient: recipient}}}},
		Wrapper:    keys.Wrappers{keys.Age: agekey.NewWrapper(nil)},
	}})
	if err != nil {
		log.Fatal(err)
	}
	encrypted := manifest.Root(result.Nodes[0])
	fmt.Println(manifest.GetString(encrypted, "kind"), manifest.GetString(encrypted, "sops", "encrypted_regex"))
	// Output: Secret ^(data|stringData)$
}

// A SealingKey is a key pair for Git: documents are sealed for its recipient,
// and one call to a key service opens all of them.
func ExampleNewKey() {
	pair, err := agekey.GenerateIdentity()
	if err != nil {
		log.Fatal(err)
	}
	const emergency = "age1lvyvwawkr0mcnnnncaghunadrqkmuf9e6507x9y920xxpp866cnql7dp2z"
	result, err := seal.NewKey(context.Background(), seal.KeyOptions{
		Name:       "prod",
		Namespaces: []string{"*"},
		Identity:   pair,
		Recipients: keys.Recipients{Groups: []keys.Group{{keys.AgeEntry{Recipient: emergency}}}}, // and a KMS key
		Wrapper:    keys.Wrappers{keys.Age: agekey.NewWrapper(nil)},
	})
	if err != nil {
		log.Fatal(err)
	}
	key := manifest.Root(result.Node)
	fmt.Println(manifest.GetString(key, "kind"), manifest.GetString(key, "metadata", "name"))
	fmt.Println(manifest.GetString(key, "spec", "sealed", "recipient") == pair.Recipient())
	// Output:
	// SealingKey prod
	// true
}
