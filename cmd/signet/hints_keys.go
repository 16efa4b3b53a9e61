// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/fips140"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// maxKeyHints is how many hints are given about the keys of one document.
const maxKeyHints = 4

// keyHints says for each key that could not be used what would help.
func keyHints(err error) []string {
	var all []string
	visit(err, func(err error) {
		hint := keyHint(err)
		if hint != "" && !slices.Contains(all, hint) && len(all) < maxKeyHints {
			all = append(all, hint)
		}
	})
	return all
}

// visit calls f for err and every error that it wraps.
func visit(err error, f func(error)) {
	if err == nil {
		return
	}
	f(err)
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		visit(e.Unwrap(), f)
	case interface{ Unwrap() []error }:
		for _, each := range e.Unwrap() {
			visit(each, f)
		}
	}
}

func keyHint(err error) string {
	switch e := err.(type) {
	case *keys.CallError:
		return e.Hint
	case *keys.NotAllowedError:
		return notAllowedHint(e)
	case *unseal.KeyNamespaceError:
		return keyNamespaceHint(e)
	case *unseal.KeyError:
		return keyFileHint(e)
	case *agekey.NoIdentityError:
		return "the private key of one of these recipients opens it: name its file with --age-key-file, or put it into ~/.config/sops/age/keys.txt; " +
			"if it belongs to a SealingKey, that is not in " + sealingKeyDir + " here or further up in the repository: name its file with --sealing-key, or see who removed it with git log -- " + sealingKeyDir
	case *limitedKeyError:
		return "to export it all the same, name it: signet key export " + e.key.Name
	case *allowError:
		return "an allow-list holds items like kms=arn:aws:kms:*:111122223333:key/*, or the word default, separated by spaces, commas or line breaks"
	}
	if errors.Is(err, agekey.ErrFIPS) {
		return "age is not available with GODEBUG=fips140=only; keys of a key service are"
	}
	return ""
}

// keyNamespaceHint says where the namespaces of a SealingKey stand.
func keyNamespaceHint(e *unseal.KeyNamespaceError) string {
	if e.Namespace == "" {
		return "if the key may open documents of every namespace, its spec.namespaces in " + quoted(e.Key.Place) + " become [\"*\"]; else seal the Secret for another key, or without --as sops"
	}
	return fmt.Sprintf("if the key may open it, add %q to spec.namespaces in %s; else seal the Secret for another key", e.Namespace, quoted(e.Key.Place))
}

// keyFileHint says what to do about a SealingKey that is not as it was made.
func keyFileHint(e *unseal.KeyError) string {
	if _, tampered := as[*sopsdoc.TamperedError](e.Err); !tampered && !errors.As(e.Err, new(*sopsdoc.InvalidError)) {
		return ""
	}
	return "restore " + quoted(e.Key.Place) + " from Git: git log -p " + quoted(e.Key.Place) + " shows who changed it"
}

// fipsHint is about SOPS files where they cannot be read and written. That is
// not for want of a key, and nobody has tampered with them.
func fipsHint(err error) string {
	if fips140.Enforced() && strings.Contains(err.Error(), "32-byte nonces are not available in FIPS-only mode") {
		return "SOPS files are not available with GODEBUG=fips140=only; SealedSecrets are"
	}
	return ""
}

// notAllowedHint names the item that would allow a key.
func notAllowedHint(e *keys.NotAllowedError) string {
	if e.Malformed {
		return "it was not used: no key has such a name; restore the document from Git, or seal the Secret again"
	}
	item := e.Item()
	if item == "" || len(item) > 300 {
		return "it was not used; what may be used is said by --allow-keys"
	}
	hint := "it was not used; if you trust it, add " + item + " to your allow-list, or, if you have none, use --allow-keys 'default," + item + "'"
	if e.Kind == keys.AllowVault {
		hint += ", or set VAULT_ADDR to that server"
	}
	return hint
}

// keyNameHint is about which SealingKey is meant, and who opens a new one.
func keyNameHint(err error) string {
	if errors.As(err, new(*noKeyRecipientsError)) && (errors.As(err, new(*keys.NoRulesError)) || errors.As(err, new(*keys.NoRuleError))) {
		return "say who opens it: --kms ARN, and perhaps --age RECIPIENT for emergencies, or a rule in .sops.yaml for " + sealingKeyDir
	}
	if errors.As(err, new(*nestedKeyError)) {
		return "name the key of a key service, as with --kms ARN, or the age key of a person"
	}
	if e, ok := as[*noKeyNamedError](err); ok && len(e.names) > 0 {
		return "there are: " + strings.Join(e.names, ", ")
	}
	switch e, ok := as[*ambiguousKeyError](err); {
	case ok && e.sameName:
		return "remove the copy, or keep it outside of " + sealingKeyDir
	case ok:
		return "say which one: signet key export NAME"
	case errors.As(err, new(*noKeyNamedError)), errors.Is(err, errNoSealingKeys):
		return "name its file with --sealing-key, go to the repository that has it, or make one: signet key create NAME --kms ARN"
	}
	return ""
}
