// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/buildinfo"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

const rootLong = `Signet-controller runs in a cluster and turns each SealedSecret into its Secret.

Every flag is also an environment variable; the flag wins. The environment of
key services is that of their own tools (AWS_..., GOOGLE_..., AZURE_...,
VAULT_...). age identities come from --age-key-file and from SealingKeys alone:
the variables of SOPS (SOPS_AGE_...) have no effect, no age plugin and no other
program is run, and nobody is asked for a passphrase.

Documents use only the keys that the allow-list names. By default those are the
AWS KMS keys of the controller's own account, with its own credentials. Items
are <kind>=<pattern>, separated by white space or commas, with the kinds kms,
role, aws_profile, gcp_kms, azure_kv and hc_vault; the item "default" stands for
the default. age keys need no item, because they cause no call.

Exit codes: 0 stopped by a signal, 1 failed, or no longer the leader, 2 wrong
usage.`

const rootExample = `  signet-controller --allow-keys 'default gcp_kms=projects/prod/**'
  signet-controller --age-key-file /etc/signet/age/keys.txt --watch-namespaces team-a,team-b`

// newRoot returns the whole command tree.
func newRoot(p process) *cobra.Command {
	o := &options{}
	root := &cobra.Command{
		Use:           "signet-controller",
		Short:         "Turn SealedSecrets into Secrets",
		Long:          rootLong,
		Example:       rootExample,
		Version:       buildinfo.Version(),
		Args:          noArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	o.add(root.Flags())
	root.RunE = func(cmd *cobra.Command, _ []string) error {
		unknown, err := o.fromEnvironment(cmd.Flags(), p.environ)
		if err == nil {
			err = o.finish(p.namespaceFile)
		}
		if err != nil {
			return &usageError{err}
		}
		return start(cmd.Context(), o, p, unknown)
	}
	root.SetOut(p.out)
	root.SetErr(p.err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{flagError(err)} })
	root.CompletionOptions.DisableDefaultCmd = true
	root.InitDefaultVersionFlag()
	root.AddCommand(newVersion(p.out))
	return root
}

func newVersion(out io.Writer) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version of the controller and of the formats it reads",
		Long:    "Print the version of the controller, the API version of its objects and the\nversion of SOPS whose format it follows.",
		Example: "  signet-controller version",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(out, "signet-controller %s\napi %s\nsops format %s\n%s %s/%s\n",
				buildinfo.Version(), sopsdoc.APIVersion, sopsdoc.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

func noArgs(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return &usageError{fmt.Errorf("%q is not expected here, there are only flags", keys.ForeignText(args[0]))}
	}
	return nil
}

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2
)

// usageError is a mistake in flags or environment. Nothing was started.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// loggedError is an error that the log has already.
type loggedError struct{ err error }

func (e *loggedError) Error() string { return e.err.Error() }
func (e *loggedError) Unwrap() error { return e.err }

// report prints an error, each of its parts if several were joined, and returns
// the exit code.
func report(w io.Writer, err error) int {
	if err == nil {
		return 0
	}
	if errors.As(err, new(*loggedError)) {
		return exitFailed
	}
	usage := new(usageError)
	if !errors.As(err, &usage) {
		fmt.Fprintf(w, "signet-controller: error: %v\n", err)
		return exitFailed
	}
	parts := []error{usage.err}
	if joined, ok := usage.err.(interface{ Unwrap() []error }); ok {
		parts = joined.Unwrap()
	}
	for _, part := range parts {
		fmt.Fprintf(w, "signet-controller: error: %v\n", part)
	}
	fmt.Fprintln(w, "signet-controller: hint: see signet-controller --help")
	return exitUsage
}
