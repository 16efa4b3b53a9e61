// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// hints returns what helps against an error: the exact flag, command or edit.
func hints(err error) []string {
	opening := userkeys.Hints{Flags: true}
	if userkeys.AboutKeys(err) {
		return opening.Keys(err)
	}
	for _, find := range []func(error) string{
		opening.FIPS, keyNameHint, rulesHint, recipientHint, checkHint, targetHint,
		initHint, editHint, valuesHint, renewHint, checkRulesHint, gitHint, execHint, convertHint, inputHint, sealHint, placeHint, builtHint, opening.Open, unknownHint, writeHint,
	} {
		if hint := find(err); hint != "" {
			return []string{hint}
		}
	}
	if all := opening.Keys(err); len(all) > 0 {
		return all
	}
	if hint := usageHint(err); hint != "" {
		return []string{hint}
	}
	return nil
}

func usageHint(err error) string {
	if unknown, ok := report.As[*unknownCommandError](err); ok && len(unknown.Similar) > 0 {
		return fmt.Sprintf("did you mean %q?", unknown.Similar[0])
	}
	return exitcode.UsageHint(err)
}

func rulesHint(err error) string {
	if e, ok := report.As[*keys.NoRulesError](err); ok && e.Misnamed == "" {
		return "name a recipient with --age or --kms, or write a .sops.yaml:\n" +
			"creation_rules:\n" +
			"  - age: RECIPIENT   # the public key that `signet key generate` prints"
	}
	if e, ok := report.As[*keys.NoRuleError](err); ok {
		if filepath.Base(e.Document) == "-" {
			return "say for which file the rules are meant, with -o or --filename-override, or name a recipient with --age or --kms"
		}
		return "add a rule whose path_regex matches, or one without path_regex at the end, or name a recipient with --age or --kms"
	}
	if strings.Contains(err.Error(), "looks like a private key") {
		return "the public key is in the comment of the key file (public key: age1...); " +
			"a private key that has been in Git or in a shell history is private no more: make a new one"
	}
	return ""
}

func recipientHint(err error) string {
	e, ok := report.As[*recipientError](err)
	switch {
	case !ok:
		return ""
	case errors.As(e.err, new(*keys.UnsupportedError)):
		return "this version seals for age, AWS KMS, Google Cloud KMS, Azure Key Vault, Vault and PGP keys"
	}
	switch e.kind {
	case keys.AWSKMS:
		if strings.Contains(e.err.Error(), ": role ARN ") {
			return "a role is named by its ARN: arn:aws:iam::111122223333:role/NAME"
		}
		return "a KMS key is named by its ARN, which `aws kms describe-key --key-id KEY` shows: arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	case keys.GCPKMS:
		return "a Cloud KMS key is named by its resource, which `gcloud kms keys list` shows: projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY"
	case keys.AzureKV:
		return "a Key Vault key is named by its identifier, which `az keyvault key show` shows as kid: https://VAULT.vault.azure.net/keys/KEY/VERSION"
	case keys.Vault:
		return "a transit key is named by its URL: https://vault.example.com:8200/v1/transit/keys/KEY"
	case keys.PGP:
		return "a PGP key is named by its whole fingerprint, 40 hex digits, which `gpg --list-keys` shows"
	}
	return "a recipient is an age1... or ssh-... public key (that of a SealingKey as a whole: signet key list --output json); copy it again, as a whole (the public key in a key file is in its comment)"
}

func inputHint(err error) string {
	switch {
	case errors.Is(err, errEmpty) && isFile(err):
		return "output that is redirected onto a file empties it first: write with -i or -o; --allow-empty accepts it"
	case errors.As(err, new(*silentError)):
		return "the command has succeeded and printed nothing; if it is kustomize, all of the build may be made by functions: " + skippedNote + "; --allow-empty accepts it"
	case errors.Is(err, errEmpty):
		return "the command that should have written it may have failed; --allow-empty accepts it"
	case errors.Is(err, manifest.ErrTooLarge), errors.As(err, new(*manifest.TooMuchError)):
		return "split it into several files"
	case errors.Is(err, errNoFiles):
		return "name the files themselves, or another directory"
	case errors.Is(err, errNoSecret):
		return "a Secret is a document with apiVersion: v1 and kind: Secret; to build one from values see --from-literal and --from-file"
	case errors.Is(err, errSealed):
		file := fileOf(err)
		return "to change it: signet edit " + file + ", or signet set " + file + " KEY; to look at it: signet inspect " + file
	case errors.Is(err, errSOPS):
		return "open it first: signet unseal " + fileOf(err) + " | signet seal - -o " + fileOf(err)
	case errors.As(err, new(*ambiguousError)):
		return "put each of them into a file of its own, and seal over that"
	case errors.Is(err, errOneObject):
		return "seal one Secret at a time"
	case errors.Is(err, errBothForms), errors.Is(err, errSOPSForm):
		return "say which form all of it gets: --as sealedsecret, or --as sops"
	case errors.Is(err, errNotAlone):
		return "put the Secrets into a file of their own"
	case errors.As(err, new(*dataKeyError)):
		return "give it a key: --from-file=KEY=FILE"
	case errors.Is(err, errSeveralSOPS):
		return "seal one file at a time, or write each back to its own with -i"
	}
	if e, ok := report.As[*manifest.SyntaxError](err); ok {
		return syntaxHint(e)
	}
	return ""
}

// isFile reports whether an error is about a file, not a pipe or a command.
func isFile(err error) bool {
	placed, ok := report.As[*report.PlacedError](err)
	if !ok {
		return false
	}
	info, err := os.Stat(placed.File)
	return err == nil && info.Mode().IsRegular()
}

// fileOf names the file that an error is about, for a command to be pasted.
func fileOf(err error) string {
	if placed, ok := report.As[*report.PlacedError](err); ok && placed.File == commandLine {
		return "FILE"
	}
	return report.FileOf(err)
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
	if errors.Is(err, errKustomizeSOPS) {
		return "leave --kustomize out, and list the file in a generator: " + sopsdoc.APIVersion + " Unseal, under files:"
	}
	if errors.Is(err, seal.ErrNoNamespace) {
		return "name it with -n NAMESPACE, put it into the manifest, or seal for every namespace with --scope cluster"
	}
	if errors.Is(err, seal.ErrImmutableMerge) {
		return "take immutable out of the manifest, or seal it for a Secret of its own with --merge=false"
	}
	if _, ok := report.As[*seal.NamespaceError](err); ok {
		return "leave -n out, or change the namespace in the manifest"
	}
	if e, ok := report.As[*seal.ClearValueError](err); ok {
		return "remove it from there, it would be readable in Git; if it is no secret, use --allow-clear " + e.Key
	}
	if _, ok := report.As[*seal.SizeError](err); ok {
		return "split the Secret, or keep large files elsewhere: a cluster cannot store more in one object"
	}
	if _, ok := report.As[*seal.SelectorError](err); ok {
		return "correct the selector in the rules, for Secrets as: encrypted_regex: " + seal.DefaultSelector().Pattern
	}
	return ""
}

func unknownHint(err error) string {
	if errors.As(err, new(*unseal.UnknownObjectError)) {
		return "a newer signet may know it; this one knows " + sopsdoc.APIVersion + " " + sopsdoc.Kind
	}
	return ""
}

func writeHint(err error) string {
	switch e, ok := report.As[*keyExistsError](err); {
	case ok && e.sealingKey != "":
		return "choose another name or, with -o, another file; a SealingKey that is to be replaced gets a successor: signet key rotate " + e.sealingKey
	case ok:
		return "choose another file, or add a key to this one: signet key generate >> " + report.Quoted(e.path)
	}
	if e, ok := report.As[*commandError](err); ok {
		return commandHint(e)
	}
	switch e, ok := report.As[*report.PlacedError](err); {
	case errors.Is(err, syscall.ENOSPC) && ok:
		return "the disk is full; the file is as it was"
	case errors.Is(err, syscall.ENOSPC):
		return "the disk is full; what it was written to is not whole: write to another place, or with -o, which leaves a whole file or none"
	case errors.Is(err, errPlainLink):
		return "name the file that it leads to"
	case ok && errors.Is(err, errDirectory) && e.Operation == "write":
		return "name a file in it: -o " + report.Quoted(filepath.Join(e.File, "FILE"))
	case ok && e.Operation == "read" && errors.Is(err, fs.ErrNotExist) && isProgram(e.File):
		return "to use the output of a command, put -- before it: -- " + e.File + " ..."
	case ok && e.Operation == "read" && errors.Is(err, fs.ErrNotExist):
		return "correct the path: it is looked for from the working directory"
	case ok && e.Operation == "write" && errors.Is(err, fs.ErrNotExist):
		return "make its directory first: mkdir -p " + report.Quoted(filepath.Dir(e.File))
	case errors.Is(err, fs.ErrPermission):
		return "check who owns the file and its directory"
	}
	return ""
}

func isProgram(name string) bool {
	_, err := exec.LookPath(name)
	return err == nil
}

func commandHint(e *commandError) string {
	switch {
	case errors.Is(e, exec.ErrNotFound) && strings.Contains(e.name, " "):
		return "name the command and its arguments without quotes; what needs a shell is run with: -- sh -c 'COMMAND'"
	case errors.Is(e, exec.ErrNotFound):
		return "install " + e.name + ", or add its directory to PATH"
	case errors.Is(e, fs.ErrNotExist):
		return "correct the path: there is no such program"
	case errors.Is(e, fs.ErrPermission):
		return "make it executable: chmod +x " + report.Quoted(e.name)
	}
	return ""
}
