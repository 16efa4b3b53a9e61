// SPDX-License-Identifier: Apache-2.0

package kustomizeplugin_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/signet-secrets/signet/internal/report"
	kustomizeplugin "github.com/signet-secrets/signet/kustomize-plugin"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/keys/awskms"
	"github.com/signet-secrets/signet/unseal"
)

// The test binary is also the function that kustomize runs: a link to it is
// put into PATH, and these variables tell it what it is.
const (
	asFunction = "SIGNET_TEST_AS_FUNCTION" // "1": be the function
	identityIn = "SIGNET_TEST_IDENTITY"    // the age identity to open with
	faultIn    = "SIGNET_TEST_FAULT"       // "panic": while opening
)

func TestMain(m *testing.M) {
	if os.Getenv(asFunction) == "1" {
		os.Exit(functionMain())
	}
	os.Exit(m.Run())
}

// functionMain is what the real program does around the package.
func functionMain() int {
	root := os.Getenv("KUSTOMIZE_PLUGIN_CONFIG_ROOT")
	if root == "" {
		root, _ = os.Getwd()
	}
	f := &kustomizeplugin.Function{Root: root, Options: testOptions, Stderr: os.Stderr}
	if err := runMain(f); err != nil {
		printErrors(os.Stderr, err)
		return 1
	}
	return 0
}

func runMain(f *kustomizeplugin.Function) error {
	if len(os.Args) > 1 {
		return f.RunLegacy(context.Background(), os.Args[1], os.Stdin, os.Stdout)
	}
	return f.Run(context.Background(), os.Stdin, os.Stdout)
}

func printErrors(w io.Writer, err error) {
	for _, err := range report.Split(err) {
		fmt.Fprintf(w, "signet-kustomize: error: %s\n", report.Lines(err.Error()))
		if hint := kustomizeplugin.Hint(err); hint != "" {
			fmt.Fprintf(w, "signet-kustomize: hint: %s\n", report.Lines(hint))
		}
	}
}

func testOptions(string) (unseal.Options, error) {
	id, err := agekey.ParseIdentity(os.Getenv(identityIn))
	if err != nil {
		return unseal.Options{}, errors.New("no identity")
	}
	allow := keys.AllowForUser("")
	aws := keys.NewCache(awskms.New(awskms.Options{MaxAttempts: 2}), keys.CacheOptions{}, &keys.Counters{})
	u := keys.Unwrappers{
		keys.Age:    agekey.NewUnwrapper(agekey.Sources{Identities: []agekey.Identity{id}}),
		keys.AWSKMS: aws,
	}
	if os.Getenv(faultIn) == "panic" {
		u[keys.Age] = panicking{}
	}
	return unseal.Options{Unwrapper: allow.Unwrapper(u)}, nil
}

// panicking is an Unwrapper with a bug.
type panicking struct{}

func (panicking) Unwrap(context.Context, keys.Entry) ([]byte, error) {
	panic("correct horse battery staple") // what a panic can hold
}
