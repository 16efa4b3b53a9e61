// SPDX-License-Identifier: Apache-2.0

package main

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/keys/awskms"
	"github.com/signet-secrets/signet/seal/keys/azurekv"
	"github.com/signet-secrets/signet/seal/keys/gcpkms"
	"github.com/signet-secrets/signet/seal/keys/vault"
)

// newUnwrapper opens with the key services of this program. There is no PGP: it
// needs gpg and its agent. Nothing is read or called before the first use.
func newUnwrapper(o *options, allow *allowList, counters *keys.Counters) keys.Unwrapper {
	limit := keys.NewLimit(o.kmsConcurrency)
	remote := func(u keys.Unwrapper) keys.Unwrapper {
		return keys.NewCache(limit.Unwrapper(counters.Unwrapper(u)), o.cache(), counters)
	}
	return allow.unwrapper(keys.Unwrappers{
		keys.Age:     agekey.NewUnwrapper(agekey.Sources{Files: o.ageKeyFiles}),
		keys.AWSKMS:  remote(newAWS(o, allow)),
		keys.GCPKMS:  remote(gcpkms.New(gcpkms.Options{})),
		keys.AzureKV: remote(azurekv.New(azurekv.Options{})),
		keys.Vault:   remote(vault.New(vault.Options{Address: o.vaultAddress})),
	})
}

// cache says how long data keys are remembered. With 0 requests at the same
// time still share a call.
func (o *options) cache() keys.CacheOptions {
	if o.cacheTTL == 0 {
		return keys.CacheOptions{TTL: -1}
	}
	return keys.CacheOptions{TTL: o.cacheTTL}
}

func newAWS(o *options, allow *allowList) *awskms.Service {
	rate := o.kmsRate
	if rate == 0 {
		rate = -1 // no limit
	}
	return awskms.New(awskms.Options{
		Region:       o.awsRegion,
		Rate:         rate,
		CallTimeout:  kmsCallTimeout,
		AllowReplica: allow.checkReplica,
		LoadOptions:  []func(*config.LoadOptions) error{noCredentialProcess},
	})
}

// kmsCallTimeout bounds a call to AWS KMS with all its attempts. It is shorter
// than for a person who waits: the controller tries again anyhow, and until then
// the status of an object doesn't say what is wrong.
const kmsCallTimeout = 20 * time.Second

// parseIdentity implements unseal.ParseIdentity.
func parseIdentity(text string) (string, keys.Unwrapper, error) {
	id, err := agekey.ParseIdentity(text)
	if err != nil {
		return "", nil, err
	}
	return id.Recipient(), agekey.NewUnwrapper(agekey.Sources{Identities: []agekey.Identity{id}}), nil
}
