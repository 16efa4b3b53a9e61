// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"filippo.io/age/plugin"
	"golang.org/x/term"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/keys/awskms"
	"github.com/signet-secrets/signet/seal/keys/azurekv"
	"github.com/signet-secrets/signet/seal/keys/gcpkms"
	"github.com/signet-secrets/signet/seal/keys/pgp"
	"github.com/signet-secrets/signet/seal/keys/vault"
)

// callsAtOnce is how many calls to key services one run has under way.
const callsAtOnce = 20

// services are the key services of one run: those that this program seals for
// and opens with. Nothing is read or called before the first use.
type services struct {
	stderr   io.Writer
	allow    keys.AllowList
	counters *keys.Counters
	limit    *keys.Limit
	aws      *awskms.Service
	gcp      *gcpkms.Service
	azure    *azurekv.Service
	vault    *vault.Service
	pgp      *pgp.Service
}

// newServices returns key services that are used only for what allow names.
func newServices(stderr io.Writer, allow keys.AllowList) *services {
	return &services{
		stderr:   stderr,
		allow:    allow,
		counters: &keys.Counters{},
		limit:    keys.NewLimit(callsAtOnce),
		aws:      awskms.New(awskms.Options{AllowReplica: func(e keys.KMSEntry) error { return allow.Check(e) }}),
		gcp:      gcpkms.New(gcpkms.Options{}),
		azure:    azurekv.New(azurekv.Options{}),
		vault:    vault.New(vault.Options{Address: os.Getenv("VAULT_ADDR")}),
		pgp:      pgp.New(pgp.Options{}),
	}
}

// wrapper wraps for every key service.
func (s *services) wrapper() keys.Wrapper {
	remote := func(w keys.Wrapper) keys.Wrapper { return s.limit.Wrapper(s.counters.Wrapper(w)) }
	return s.allow.Wrapper(keys.Wrappers{
		keys.Age:     agekey.NewWrapper(pluginUI(s.stderr)),
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
		return keys.NewCache(s.limit.Unwrapper(s.counters.Unwrapper(u)), keys.CacheOptions{}, s.counters)
	}
	return s.allow.Unwrapper(keys.Unwrappers{
		keys.Age:     agekey.NewUnwrapper(sources),
		keys.AWSKMS:  remote(s.aws),
		keys.GCPKMS:  remote(s.gcp),
		keys.AzureKV: remote(s.azure),
		keys.Vault:   remote(s.vault),
		keys.PGP:     s.limit.Unwrapper(s.counters.Unwrapper(s.pgp)), // no cache: a prompt must end with its caller
	})
}

// ageSources says where age identities are. Only an interactive program asks
// for passphrases and runs plugins.
func ageSources(stderr io.Writer, files []string, interactive bool) agekey.Sources {
	sources := agekey.FromEnvironment()
	sources.Files = files
	sources.Stderr = stderr
	sources.CommandEnv = []string{keyCommandVariable + "=1"}
	if interactive {
		sources.Prompt = promptPassphrase
		sources.Plugins = pluginUI(stderr)
	}
	return sources
}

// pluginUI is how age plugins talk to the user: on the terminal.
func pluginUI(stderr io.Writer) *plugin.ClientUI {
	say := func(format string, v ...any) {
		fmt.Fprintf(stderr, "signet: "+format+"\n", v...)
	}
	return plugin.NewTerminalUI(say, say)
}

// promptPassphrase reads a passphrase from the terminal, not from stdin, which
// may hold documents.
func promptPassphrase(prompt string) ([]byte, error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, errors.New("there is no terminal to ask on")
	}
	defer tty.Close()
	fmt.Fprintf(tty, "signet: %s ", prompt)
	passphrase, err := term.ReadPassword(int(tty.Fd()))
	fmt.Fprintln(tty)
	return passphrase, err
}

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

// isTerminal reports whether f is a terminal.
func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
