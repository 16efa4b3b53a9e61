// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/keys/awskms"
	"github.com/signet-secrets/signet/seal/keys/azurekv"
	"github.com/signet-secrets/signet/seal/keys/gcpkms"
	"github.com/signet-secrets/signet/seal/keys/pgp"
	"github.com/signet-secrets/signet/seal/keys/vault"
)

// checkRecipient finds typing errors in one recipient before anything is done.
func checkRecipient(e keys.Entry) error {
	switch e := e.(type) {
	case keys.AgeEntry:
		_, err := agekey.ParseRecipient(e.Recipient)
		return err
	case keys.KMSEntry:
		return awskms.Check(e)
	case keys.GCPKMSEntry:
		return gcpkms.Check(e)
	case keys.AzureKVEntry:
		return azurekv.Check(e)
	case keys.VaultEntry:
		return vault.Check(e)
	case keys.PGPEntry:
		return pgp.Check(e)
	}
	return &keys.UnsupportedError{Type: e.Type()}
}
