// SPDX-License-Identifier: Apache-2.0

package userkeys

import (
	"cmp"

	"filippo.io/age/plugin"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/keys/awskms"
	"github.com/signet-secrets/signet/seal/keys/azurekv"
	"github.com/signet-secrets/signet/seal/keys/gcpkms"
	"github.com/signet-secrets/signet/seal/keys/pgp"
	"github.com/signet-secrets/signet/seal/keys/vault"
)

// callsAtOnce is how many calls to key services one run has under way at most.
const callsAtOnce = 20

// services are the key services of one run: those that a program seals for and
// opens with. Nothing is read or called before the first use.
type services struct {
	allow    keys.AllowList
	counters *keys.Counters
	watch    *Watch
	limit    *keys.Limit
	aws      *awskms.Service
	gcp      *gcpkms.Service
	azure    *azurekv.Service
	vault    *vault.Service
	pgp      *pgp.Service
}

// services returns key services that are used only for what allow names.
func (s Sources) services(allow keys.AllowList) *services {
	return &services{
		allow:    allow,
		counters: cmp.Or(s.Counters, &keys.Counters{}),
		watch:    s.Watch,
		limit:    keys.NewLimit(callsAtOnce),
		aws: awskms.New(awskms.Options{
			AllowReplica: func(e keys.KMSEntry) error { return allow.Check(e) },
			CallTimeout:  s.CallTimeout,
		}),
		gcp:   gcpkms.New(gcpkms.Options{}),
		azure: azurekv.New(azurekv.Options{}),
		vault: vault.New(vault.Options{Address: vaultAddress()}),
		pgp:   pgp.New(pgp.Options{Timeout: s.CallTimeout}),
	}
}

// wrapper wraps for every key service, with age plugins unless that is nil.
func (s *services) wrapper(plugins *plugin.ClientUI) keys.Wrapper {
	remote := func(w keys.Wrapper) keys.Wrapper { return s.limit.Wrapper(s.counters.Wrapper(w)) }
	return s.allow.Wrapper(keys.Wrappers{
		keys.Age:     agekey.NewWrapper(plugins),
		keys.AWSKMS:  remote(s.aws),
		keys.GCPKMS:  remote(s.gcp),
		keys.AzureKV: remote(s.azure),
		keys.Vault:   remote(s.vault),
		keys.PGP:     remote(s.pgp),
	})
}

// unwrapper opens with every key service, and with the age identities of
// sources. What a key service gave is remembered for a while.
func (s *services) unwrapper(sources agekey.Sources) keys.Unwrapper {
	remote := func(u keys.Unwrapper) keys.Unwrapper {
		return keys.NewCache(s.limit.Unwrapper(s.counters.Unwrapper(s.watch.unwrapper(u))), keys.CacheOptions{}, s.counters)
	}
	return s.allow.Unwrapper(keys.Unwrappers{
		keys.Age:     s.watch.unwrapper(agekey.NewUnwrapper(sources)), // a plugin or a command may hang, too
		keys.AWSKMS:  remote(s.aws),
		keys.GCPKMS:  remote(s.gcp),
		keys.AzureKV: remote(s.azure),
		keys.Vault:   remote(s.vault),
		keys.PGP:     s.limit.Unwrapper(s.counters.Unwrapper(s.watch.unwrapper(s.pgp))), // no cache: a prompt must end with its caller
	})
}
