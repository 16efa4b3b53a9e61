// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// hints returns what helps against an error: the exact flag, command or edit.
func hints(err error) []string {
	for _, find := range []func(error) string{
		usageHint, rulesHint, recipientHint, inputHint, sealHint, openHint, writeHint,
	} {
		if hint := find(err); hint != "" {
			return []string{hint}
		}
	}
	return nil
}

// as is errors.As with the target as a result.
func as[E error](err error) (E, bool) {
	var target E
	ok := errors.As(err, &target)
	return target, ok
}

func usageHint(err error) string {
	if unknown, ok := as[*unknownCommandError](err); ok && len(unknown.Similar) > 0 {
		return fmt.Sprintf("did you mean %q?", unknown.Similar[0])
	}
	if e, ok := as[*usageError](err); ok {
		return fmt.Sprintf("%s --help tells more", e.command)
	}
	return ""
}

func rulesHint(err error) string {
	if e, ok := as[*keys.NoRulesError](err); ok && e.Misnamed == "" {
		return "name a recipient with --age, or write a .sops.yaml:\n" +
			"creation_rules:\n" +
			"  - age: RECIPIENT   # the public key that `signet key generate` prints"
	}
	if _, ok := as[*keys.NoRuleError](err); ok {
		return "add a rule whose path_regex matches, or one without path_regex at the end, or name a recipient with --age;\n" +
			"for stdin, name the file with -o or --filename-override"
	}
	return ""
}

func recipientHint(err error) string {
	e, ok := as[*recipientError](err)
	switch {
	case !ok:
		return ""
	case errors.As(e.err, new(*keys.UnsupportedError)):
		return "this version seals for age recipients (age: in the rules, or --age)"
	}
	return "a recipient is an age1... or ssh-... public key; copy it again, it has no blanks in it (the public key in a key file is in its comment)"
}

func inputHint(err error) string {
	switch {
	case errors.Is(err, errEmpty):
		return "the command that should have written it may have failed; --allow-empty accepts it"
	case errors.Is(err, manifest.ErrTooLarge):
		return "split it into several files"
	case errors.Is(err, errNoSecret):
		return "a Secret is a document with apiVersion: v1 and kind: Secret; to build one from values see --from-literal and --from-file"
	case errors.Is(err, errSealed):
		return "to change it, open it with signet unseal, change that and seal it again with -o; to look at it, use signet inspect"
	case errors.Is(err, errSOPS):
		return "open it first: signet unseal FILE | signet seal -"
	case errors.Is(err, errNotAlone):
		return "put the Secrets into a file of their own"
	}
	if e, ok := as[*manifest.SyntaxError](err); ok {
		return syntaxHint(e)
	}
	return ""
}

func syntaxHint(e *manifest.SyntaxError) string {
	switch {
	case strings.HasPrefix(e.Path, "data") && strings.Contains(e.Reason, "not base64"):
		return "values in data are base64; plain text goes into stringData"
	case strings.Contains(e.Reason, "put it in quotes"):
		return `write it as a string, as in port: "5432"`
	case e.Path == "metadata.generateName":
		return "give the Secret a name: what is sealed is bound to it"
	}
	return ""
}

func sealHint(err error) string {
	if errors.Is(err, seal.ErrNoNamespace) {
		return "name it with -n NAMESPACE, put it into the manifest, or seal for every namespace with --scope cluster"
	}
	if _, ok := as[*seal.NamespaceError](err); ok {
		return "leave -n out, or change the manifest"
	}
	if e, ok := as[*seal.ClearValueError](err); ok {
		return "remove it from there, it would be readable in Git; if it is no secret, use --allow-clear " + e.Key
	}
	if _, ok := as[*seal.SizeError](err); ok {
		return "split the Secret, or keep large files elsewhere: a cluster cannot store more in one object"
	}
	if e, ok := as[*sopsdoc.DeniedError](err); ok {
		if strings.HasSuffix(e.Path, "type") {
			return "a Secret of this type gives access to the cluster itself and must be made there"
		}
		return "remove the label or annotation: the tool that it belongs to sets it by itself"
	}
	return ""
}

func openHint(err error) string {
	if e, ok := as[*keys.NoKeyError](err); ok {
		return identityHint(e)
	}
	if e, ok := as[*unseal.ScopeError](err); ok {
		if e.Namespace == "" {
			return "name the namespace with -n"
		}
		return "a document opens only where it was sealed for: put it back, or seal the Secret again for the new place"
	}
	if _, ok := as[*unseal.NamespaceError](err); ok {
		return "leave -n out, or name the namespace of the document"
	}
	if _, ok := as[*sopsdoc.TamperedError](err); ok {
		return "restore it from Git (git log -p FILE shows who changed it), or seal the Secret again"
	}
	if _, ok := as[*unknownObjectError](err); ok {
		return "a newer signet may know it; this one knows " + sopsdoc.APIVersion + " " + sopsdoc.Kind
	}
	return ""
}

// identityHint names the recipients that could open the document.
func identityHint(e *keys.NoKeyError) string {
	for _, a := range e.Attempts {
		if errors.Is(a.Err, agekey.ErrFIPS) {
			return "age is not available with GODEBUG=fips140=only"
		}
	}
	if !errors.Is(e, keys.ErrNoIdentity) {
		return ""
	}
	return "the private key of one of these recipients opens it: name its file with --age-key-file, or put it into ~/.config/sops/age/keys.txt"
}

func writeHint(err error) string {
	if _, ok := as[*keyExistsError](err); ok {
		return "choose another file, or add a key: signet key generate >> FILE"
	}
	if e, ok := as[*commandError](err); ok && errors.Is(e, fs.ErrNotExist) {
		return "install " + e.name + " or correct PATH"
	}
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return "the disk is full; nothing was changed"
	case errors.Is(err, fs.ErrPermission):
		return "check who owns the file and its folder"
	}
	return ""
}
