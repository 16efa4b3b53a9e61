// SPDX-License-Identifier: Apache-2.0

// The program seals, opens and renders with the packages of Sealed Secrets, for
// what kubeseal doesn't do: the old format, broken documents, many templates at
// once.
//
//	sealed-secrets-golden write DIR                        key files and documents with what they hold
//	sealed-secrets-golden seal v1|v2 KEY <SECRET           Secret (JSON) to SealedSecret (JSON)
//	sealed-secrets-golden unseal KEY <SEALEDSECRET         SealedSecret (JSON) to Secret (JSON), both formats
//	sealed-secrets-golden render <CASES                    templates to what they render
//	sealed-secrets-golden version
//
// A KEY is a PEM file of an RSA key (PKCS#1). Cases are a JSON list of {"data":
// {KEY: BASE64}, "template": TEXT}; the answer is a list of {"output": BASE64}
// or {"error": TEXT} in the same order.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	v1 "k8s.io/api/core/v1"

	"github.com/bitnami/sealed-secrets/pkg/apis/sealedsecrets/v1alpha1"
)

var version = "unknown" // set by the linker

func main() {
	v1alpha1.AcceptDeprecatedV1Data = true // as the controller does by default
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "sealed-secrets-golden:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 1 && args[0] == "version":
		fmt.Println("sealed-secrets-golden", version)
		return nil
	case len(args) == 2 && args[0] == "write":
		return write(args[1])
	case len(args) == 3 && args[0] == "seal":
		return sealCommand(args[1], args[2])
	case len(args) == 2 && args[0] == "unseal":
		return unsealCommand(args[1])
	case len(args) == 1 && args[0] == "render":
		return renderCommand()
	}
	return errors.New("usage: write DIR | seal v1|v2 KEY | unseal KEY | render | version")
}

func sealCommand(format, keyFile string) error {
	key, err := readKey(keyFile)
	if err != nil {
		return err
	}
	var secret v1.Secret
	if err := readInput(&secret); err != nil {
		return err
	}
	sealed, err := seal(format, &key.PublicKey, &secret)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(sealed)
}

func unsealCommand(keyFile string) error {
	key, err := readKey(keyFile)
	if err != nil {
		return err
	}
	var sealed v1alpha1.SealedSecret
	if err := readInput(&sealed); err != nil {
		return err
	}
	secret, err := unseal(&sealed, key)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(secret)
}

func readInput(v any) error {
	b, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}
