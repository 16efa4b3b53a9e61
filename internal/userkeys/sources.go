// SPDX-License-Identifier: Apache-2.0

package userkeys

import (
	"io"
	"os"
	"time"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/unseal"
)

// Sources says where the keys of a run come from, beside the environment. The
// zero value, with Program and Stderr, is for a program without flags that runs
// by itself: it asks nobody for anything.
type Sources struct {
	// Program is the name that notes and prompts begin with.
	Program string
	// Stderr is where notes go, and what the programs print there that give
	// age identities. Nil: nowhere.
	Stderr io.Writer
	// AgeKeyFiles are files with age identities or an SSH private key.
	AgeKeyFiles []string
	// SealingKeyFiles are files with SealingKeys.
	SealingKeyFiles []string
	// AllowKeys are items of an allow-list, which replaces the one of the
	// environment or of the user's configuration.
	AllowKeys []string
	// Flags says that the program is signet: notes may name its flags.
	Flags bool
	// Legacy says that the program is a plugin that kustomize may have found
	// by XDG_CONFIG_HOME. An allow-list that the variable takes out of sight is
	// an error then.
	Legacy bool
	// Interactive says that somebody can be asked for passphrases, on the
	// terminal, and that age plugins may be run.
	Interactive bool
	// NoCommands leaves out age identities that a command prints, which
	// variables of the environment name.
	NoCommands bool
	// OnlyListed says that without an allow-list of the user nothing is used for
	// opening but age identities, which cause no call: what is opened was chosen
	// by nobody.
	OnlyListed bool
	// CallTimeout bounds what could else take longer than half a minute: a
	// call to AWS KMS with all its attempts, and a run of gpg, for which
	// somebody may have to type a passphrase. 0: one minute, and no bound.
	CallTimeout time.Duration
	// Counters count the calls to key services. Nil: nobody wants to know.
	Counters *keys.Counters
	// Watch knows which keys are being waited for. Nil: nobody wants to know.
	Watch *Watch
}

// Options returns with which keys to open the documents of these paths, "-" for
// what lies in the working directory: the SealingKeys are those of SealingKeys.
// Errors are a *SettingError or about files with SealingKeys.
func (s Sources) Options(documents ...string) (unseal.Options, error) {
	o, err := s.KeyOptions()
	if err != nil {
		return unseal.Options{}, err
	}
	return s.OptionsWith(o, documents...)
}

// OptionsWith is Options with what KeyOptions has returned before, for who reads
// the allow-list before something runs that might change it.
func (s Sources) OptionsWith(o unseal.KeyOptions, documents ...string) (unseal.Options, error) {
	found, err := s.SealingKeys(documents...)
	if err != nil {
		return unseal.Options{}, err
	}
	return unseal.Options{Unwrapper: o.Unwrapper, Keyring: unseal.NewKeyring(o, found...)}, nil
}

// KeyOptions returns with which keys to open SealingKeys. The error is a
// *SettingError.
func (s Sources) KeyOptions() (unseal.KeyOptions, error) {
	allow, where, err := s.allowList(keys.AllowForUser(vaultAddress()))
	if where == "" && s.OnlyListed {
		allow = keys.AllowList{}
	}
	if err != nil {
		return unseal.KeyOptions{}, err
	}
	if err := s.checkAgeKeyFiles(); err != nil {
		return unseal.KeyOptions{}, err
	}
	u := listedUnwrapper{where, s.services(allow).unwrapper(s.age())}
	return unseal.KeyOptions{Unwrapper: u, ParseIdentity: parseIdentity}, nil
}

// Wrapper returns what seals for the keys that the allow-list names. The error
// is a *SettingError.
func (s Sources) Wrapper() (keys.Wrapper, error) {
	allow, where, err := s.allowList(keys.AllowForSealing(vaultAddress()))
	if err != nil {
		return nil, err
	}
	return listedWrapper{where, s.services(allow).wrapper(s.plugins())}, nil
}

func vaultAddress() string { return os.Getenv("VAULT_ADDR") }

func (s Sources) stderr() io.Writer {
	if s.Stderr == nil {
		return io.Discard
	}
	return s.Stderr
}

func (s Sources) printer() report.Printer { return report.Printer{Program: s.Program, W: s.stderr()} }

// parseIdentity implements unseal.ParseIdentity.
func parseIdentity(text string) (string, keys.Unwrapper, error) {
	id, err := agekey.ParseIdentity(text)
	if err != nil {
		return "", nil, err
	}
	return id.Recipient(), agekey.NewUnwrapper(agekey.Sources{Identities: []agekey.Identity{id}}), nil
}
