// SPDX-License-Identifier: Apache-2.0

package userkeys

import (
	"crypto/fips140"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// Hints knows what helps against errors of opening. Flags says that the program
// is signet: hints name its flags and commands, or else variables and fields.
type Hints struct{ Flags bool }

// AboutKeys reports whether an error says that no key opens a document: then
// the hints of Keys come before all others.
func AboutKeys(err error) bool {
	return errors.As(err, new(*keys.NoKeyError)) || errors.As(err, new(*unseal.KeyError))
}

// maxKeyHints is how many hints are given about the keys of one document.
const maxKeyHints = 4

// Keys says for each key that could not be used what would help.
func (h Hints) Keys(err error) []string {
	var all []string
	list := "" // that of the errors which follow: it is told before each
	visit(err, func(err error) {
		if e, ok := err.(*listedError); ok {
			list = e.where
		}
		hint := h.key(err, list)
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

func (h Hints) key(err error, list string) string {
	switch e := err.(type) {
	case *keys.CallError:
		return e.Hint
	case *keys.NotAllowedError:
		return h.notAllowed(e, list)
	case *unseal.KeyNamespaceError:
		return keyNamespace(e)
	case *unseal.KeyError:
		return keyFile(e)
	case *agekey.NoIdentityError:
		return h.noIdentity()
	case *SettingError:
		return e.hint()
	}
	if errors.Is(err, agekey.ErrFIPS) {
		return "age is not available with GODEBUG=fips140=only; keys of a key service are"
	}
	return ""
}

func (h Hints) noIdentity() string {
	file, sealingKey := "$SOPS_AGE_KEY_FILE", ""
	if h.Flags {
		file, sealingKey = "--age-key-file", "name its file with --sealing-key, or "
	}
	if place := defaultKeyFile(); place != "" {
		file += ", or put it into " + place
	}
	return "the private key of one of these recipients opens it: name its file with " + file + "; " +
		"if it belongs to a SealingKey, that is not in " + SealingKeyDir + " here or further up in the repository: " +
		sealingKey + "see who removed it with git log -- " + SealingKeyDir
}

// notAllowed names the item that would allow a key, and the list to add it to:
// the one in force.
func (h Hints) notAllowed(e *keys.NotAllowedError, inForce string) string {
	if e.Malformed {
		return "it was not used: no key has such a name; restore the document from Git, or seal the Secret again"
	}
	item := e.Item()
	odd := item == "" || len(item) > 300
	switch {
	case inForce != "" && odd:
		return "it was not used; what may be used is said by " + inForce
	case inForce != "":
		return "it was not used; if you trust it, add " + item + " to the allow-list in " + inForce
	}
	list, use := "$"+AllowVariable, "set "+AllowVariable+"="
	if h.Flags {
		list, use = "--allow-keys", "use --allow-keys "
	}
	if odd {
		return "it was not used; what may be used is said by " + list
	}
	hint := "it was not used; if you trust it, add " + item + " to your allow-list, or, if you have none, " + use + "'default," + item + "'"
	if e.Kind == keys.AllowVault {
		hint += ", or set VAULT_ADDR to that server"
	}
	return hint
}

// keyNamespace says where the namespaces of a SealingKey stand.
func keyNamespace(e *unseal.KeyNamespaceError) string {
	place := report.Quoted(e.Key.Place)
	if e.Namespace == "" {
		return "if the key may open documents of every namespace, its spec.namespaces in " + place + " become [\"*\"]; else seal the Secret for another key, or without --as sops"
	}
	return fmt.Sprintf("if the key may open it, add %q to spec.namespaces in %s; else seal the Secret for another key", e.Namespace, place)
}

// keyFile says what to do about a SealingKey that is not as it was made.
func keyFile(e *unseal.KeyError) string {
	if _, tampered := report.As[*sopsdoc.TamperedError](e.Err); !tampered && !errors.As(e.Err, new(*sopsdoc.InvalidError)) {
		return ""
	}
	place := report.Quoted(e.Key.Place)
	return "restore " + place + " from Git: git log -p " + place + " shows who changed it"
}

// FIPS is about SOPS files where they cannot be read and written. That is not
// for want of a key, and nobody has tampered with them.
func (h Hints) FIPS(err error) string {
	if fips140.Enforced() && strings.Contains(err.Error(), "32-byte nonces are not available in FIPS-only mode") {
		return "SOPS files are not available with GODEBUG=fips140=only; SealedSecrets are"
	}
	return ""
}

// Open is about documents that would be refused with every key.
func (h Hints) Open(err error) string {
	if e, ok := report.As[*sopsdoc.DeniedError](err); ok {
		return denied(e)
	}
	if e, ok := report.As[*unseal.ScopeError](err); ok {
		switch {
		case e.Namespace == "" && h.Flags:
			return "name the namespace with -n"
		case e.Namespace == "":
			return "name the namespace in its metadata.namespace"
		}
		return "a document opens only where it was sealed for: put it back, or seal the Secret again for the new place"
	}
	if _, ok := report.As[*unseal.NamespaceError](err); ok && h.Flags {
		return "leave -n out, or name the namespace of the document"
	}
	if hint := h.time(err); hint != "" {
		return hint
	}
	if e, ok := report.As[*unseal.ListError](err); ok {
		return "open it with sops decrypt, take its items out of the " + e.Kind + ", and encrypt or seal each as a document of its own"
	}
	if _, ok := report.As[*unseal.MergeError](err); ok {
		return h.merge()
	}
	if _, ok := report.As[*sopsdoc.TamperedError](err); ok || malformed(err) {
		if placed, ok := report.As[*report.PlacedError](err); ok && placed.Operation == readKey {
			return "restore it from Git: git log -p " + report.FileOf(err) + " shows who changed it"
		}
		return "restore it from Git (git log -p FILE shows who changed it), or seal the Secret again"
	}
	return ""
}

// time is about the time limit of a run.
func (h Hints) time(err error) string {
	where := "$" + TimeoutVariable
	if h.Flags {
		where = "--timeout"
	}
	e, ok := report.As[*TimeoutError](err)
	if ok && e.Where != "" {
		where = e.Where
	}
	switch {
	case ok && e.Command != "":
		return "see what it waits for; a longer " + where + " gives it more time"
	case ok && len(e.Waiting) > 0:
		return "see whether the key service can be reached from here, with the proxy and the credentials that are set; a longer " + where + " gives it more time"
	case ok:
		return "a longer " + where + " gives what is run, and what is read, more time"
	}
	return ""
}

// merge says who can do what was sealed for merging.
func (h Hints) merge() string {
	hint := "only signet-controller adds keys to a Secret: have the SealedSecret itself applied, and opened by nothing before; " +
		"for a Secret of its own seal it with --merge=false"
	if h.Flags {
		hint += "; to look at it: signet unseal FILE"
	}
	return hint
}

func denied(e *sopsdoc.DeniedError) string {
	switch {
	case strings.HasSuffix(e.Path, "type"):
		return "a Secret of this type belongs to the cluster or to Helm, which makes it by itself"
	case strings.HasPrefix(e.Path, "spec."):
		return "seal the Secret again without it"
	}
	return "remove the label or annotation: the tool that it belongs to sets it by itself"
}

// malformed reports whether an error is about the form of a sealed document.
func malformed(err error) bool {
	placed, ok := report.As[*report.PlacedError](err)
	return ok && placed.Operation != "seal" && errors.As(err, new(*sopsdoc.InvalidError))
}
