// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"runtime"

	"github.com/signet-secrets/signet/internal/buildinfo"
	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

const helpText = `Signet-kustomize opens SealedSecrets and SOPS-encrypted Secrets while kustomize
builds. kustomize runs it, as a generator or a transformer; a build fails if any
document cannot be opened and verified, and then gets nothing at all.

As a KRM function, for kustomize build --enable-alpha-plugins --enable-exec,
it is named in the annotations of a configuration:

  apiVersion: signet.dev/v1alpha1
  kind: Unseal
  metadata:
    name: secrets
    annotations:
      config.kubernetes.io/function: "exec: {path: signet-kustomize}"
  files: [db.yaml]

As a plugin of the older kind, which kubectl kustomize --enable-alpha-plugins
has too, it needs no annotation, but has to be installed with --legacy.

Usage:
  signet-kustomize < RESOURCELIST         run as a KRM function
  signet-kustomize CONFIGFILE             run as a plugin, by kustomize
  signet-kustomize install DIR            copy it to a directory, as of PATH
  signet-kustomize install --legacy DIR   copy it to where kustomize and kubectl
                                          look for plugins, below ~/.config or
                                          with KUSTOMIZE_PLUGIN_HOME set to
                                          DIR/kustomize/plugin
  signet-kustomize version                print its version
  signet-kustomize help                   print this

Age identities are looked for where SOPS looks: SOPS_AGE_KEY, SOPS_AGE_KEY_FILE,
SOPS_AGE_KEY_CMD, ~/.config/sops/age/keys.txt, SSH keys. SealingKeys are looked
for in ` + userkeys.SealingKeyDir + `, from the directory of the kustomization up to the root of
its Git repository. Key services are called with the credentials of the
environment, for keys that an allow-list permits: $` + userkeys.AllowVariable + `, else the
file signet/allow-keys in the configuration directory. For its patterns see
https://github.com/signet-secrets/signet#keys. Nobody is asked for a passphrase,
and no age plugin is run.

XDG_CONFIG_HOME moves the configuration directory, so also the allow-list and
keys.txt: to have plugins found set KUSTOMIZE_PLUGIN_HOME, not that.

$` + userkeys.TimeoutVariable + `, as in 50s, is how long a run may take; one that takes longer
fails, and names the keys that gave no answer.

` + exitcode.Help + `
`

func help(w io.Writer) error {
	_, err := io.WriteString(w, helpText)
	return err
}

func version(args []string, w io.Writer) error {
	if len(args) > 0 {
		return usagef("%q is not expected here, the command takes no arguments", args[0])
	}
	_, err := fmt.Fprintf(w, "%s %s\napi %s\nsops format %s\n%s %s/%s\n",
		program, buildinfo.Version(), sopsdoc.APIVersion, sopsdoc.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
