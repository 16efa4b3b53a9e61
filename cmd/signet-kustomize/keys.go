// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"path/filepath"
	"time"

	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/unseal"
)

// callTimeout ends what would wait for somebody, as gpg does for a passphrase, and
// calls to AWS KMS without an answer: a build that hangs is to end by itself.
const callTimeout = 45 * time.Second

// userOptions returns the keys of whoever runs kustomize: what the environment
// names, and the SealingKeys from the root of the kustomization up to that of
// its repository. Nobody is asked for anything, and no age plugin is run.
func userOptions(stderr io.Writer) optionsFunc {
	return func(root string, legacy bool, watch *userkeys.Watch) (unseal.Options, error) {
		sources := userkeys.Sources{Program: program, Stderr: stderr, Legacy: legacy, CallTimeout: callTimeout, Watch: watch}
		return sources.Options(filepath.Join(root, "-")) // whatever lies in it
	}
}
