// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

const unsealLong = `Open sealed documents and print the Secrets, in place of them, in the stream
that they came in. Everything else in the stream stays as it is.

Arguments are files, directories or - for stdin. After --, a command is run and
its output is opened; if the command fails, unseal fails, which a pipe does not
do. For it git may fetch by https and ssh only, unless $GIT_ALLOW_PROTOCOL says
otherwise. Both SealedSecrets and SOPS-encrypted manifests are opened and
verified. If any document cannot be, nothing is printed at all and the exit code
is 3.

The Secret gets the labels and annotations that were sealed. What others add to
the SealedSecret, such as the labels of a kustomization, is not authenticated
and stays behind, and so do annotations for GitOps tools.

--only-namespace limits what is opened to the namespaces of whoever the
documents come from, as in a plugin of Argo CD; whatever would be elsewhere is
refused before a key is used. So are all SOPS-encrypted manifests: their mac
covers values, not what they are called, so that nothing binds them to a
namespace. --allow-unscoped, or $` + userkeys.UnscopedVariable + `=true, permits those
that name one of the namespaces themselves. It is for where whoever writes the
manifests may have all that the keys open.

--timeout ends a run that waits for a key service which does not answer, before
whoever has started it loses patience and says nothing about why. It counts from
the start and includes the command. Without it calls to key services end by
themselves, most after a minute; for a passphrase it waits.

What was sealed with --merge is printed for people who name its file, with a
note. From stdin, from a command and with --only-namespace it is refused:
applied, it would replace the Secret that it is to be added to.

Age identities are looked for where SOPS looks: SOPS_AGE_KEY, SOPS_AGE_KEY_FILE,
SOPS_AGE_KEY_CMD, ~/.config/sops/age/keys.txt, SSH keys; and in --age-key-file.
SealingKeys are looked for in ` + userkeys.SealingKeyDir + `, from the folder of the document up to
the root of its Git repository.

Key services are called with your own credentials. A document cannot have signet
assume a role, take another profile of your AWS configuration, or call a Vault
server other than $VAULT_ADDR, unless an allow-list says so: --allow-keys, else
$` + userkeys.AllowVariable + `, else the file signet/allow-keys in your configuration folder.
It holds items KIND=PATTERN, where KIND is kms, role, aws_profile, gcp_kms,
azure_kv, hc_vault, pgp or age_plugin; in PATTERN * is any text without / and :,
and ** any text. The item "default" is what is allowed where there is no list.`

const unsealExample = `  signet unseal secret.yaml
  signet unseal -- kustomize build . | kubectl apply -f -
  kustomize build . | signet unseal -
  signet unseal --only-namespace prod -- kustomize build .
  signet unseal --allow-keys 'kms=arn:aws:kms:*:111122223333:key/*' secret.yaml`

// outputFlags say where the result goes.
type outputFlags struct {
	output     string
	inPlace    bool
	allowEmpty bool
}

func (f *outputFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.output, "output", "o", "", "write to `FILE` instead of stdout")
	cmd.Flags().BoolVarP(&f.inPlace, "in-place", "i", false, "write back to the files that were read")
	cmd.Flags().BoolVar(&f.allowEmpty, "allow-empty", false, "empty input is no error")
}

// check holds the flags against the arguments.
func (f *outputFlags) check(cmd *cobra.Command, inputs []input) error {
	if f.inPlace && f.output != "" {
		return usagef(cmd, "-i and -o exclude each other")
	}
	for _, in := range inputs {
		if f.inPlace && in.name == "-" {
			return usagef(cmd, "-i cannot write back to stdin")
		}
	}
	return nil
}

// unsealCommand holds the flags of `signet unseal`.
type unsealCommand struct {
	console
	outputFlags
	keyFlags
	namespace     string
	onlyNamespace []string
	allowUnscoped bool
	timeout       time.Duration
}

func newUnseal(c console) *cobra.Command {
	u := &unsealCommand{console: c}
	cmd := &cobra.Command{
		Use:     "unseal [flags] FILE|DIR|-... | -- COMMAND [ARG]...",
		Short:   "Open sealed documents",
		Long:    unsealLong,
		Example: unsealExample,
		RunE:    u.run,
	}
	u.outputFlags.add(cmd)
	u.keyFlags.add(cmd)
	cmd.Flags().StringVarP(&u.namespace, "namespace", "n", "", "`NAMESPACE` of documents that name none; one that names another is an error")
	cmd.Flags().StringArrayVar(&u.onlyNamespace, "only-namespace", nil,
		"open only documents whose Secret will be in these `NAMESPACES`, separated by commas; * is every one")
	cmd.Flags().BoolVar(&u.allowUnscoped, "allow-unscoped", false,
		"with --only-namespace, open SOPS-encrypted manifests too, which nothing binds to a namespace (default $"+userkeys.UnscopedVariable+")")
	cmd.Flags().DurationVar(&u.timeout, "timeout", 0,
		"`DURATION`, as in 50s, after which the run fails and names the keys that gave no answer; 0 is none (default $"+userkeys.TimeoutVariable+")")
	return cmd
}

func (u *unsealCommand) run(cmd *cobra.Command, args []string) error {
	namespaces, err := u.namespaces(cmd)
	if err != nil {
		return err
	}
	limit, err := userkeys.Timeout(u.timeout, cmd.Flags().Changed("timeout"))
	if err != nil {
		return u.usageOfTimeout(cmd, err)
	}
	var inputs []input
	var outputs [][]byte
	watch := new(userkeys.Watch)
	err = watch.Within(cmd.Context(), limit, func(ctx context.Context) (err error) {
		cmd.SetContext(ctx)
		inputs, outputs, err = u.open(cmd, args, namespaces, watch)
		return err
	})
	if errors.As(err, new(*userkeys.TimeoutError)) {
		return &openError{err}
	}
	if err != nil {
		return u.withFlags(namespaces, err)
	}
	return u.outputFlags.write(u.out, inputs, outputs, modePlain)
}

// open reads and opens what the arguments name.
func (u *unsealCommand) open(cmd *cobra.Command, args, namespaces []string, watch *userkeys.Watch) ([]input, [][]byte, error) {
	inputs, err := u.inputs(cmd, args)
	if err != nil {
		return nil, nil, err
	}
	sources := u.sources(u.err, true)
	sources.Watch = watch
	o, err := sources.Options(documentPaths(inputs)...)
	if err != nil {
		return nil, nil, u.usage(err)
	}
	o.Namespace, o.Namespaces, o.WholeSecrets = u.namespace, namespaces, u.forCluster(inputs, namespaces)
	if o.Unscoped, err = userkeys.Unscoped(u.allowUnscoped, cmd.Flags().Changed("allow-unscoped")); err != nil {
		return nil, nil, err
	}
	outputs, err := openAll(cmd.Context(), u.console, inputs, o)
	return inputs, outputs, err
}

// usageOfTimeout makes a mistake in --timeout, not in the variable, one in the
// command line.
func (u *unsealCommand) usageOfTimeout(cmd *cobra.Command, err error) error {
	if cmd.Flags().Changed("timeout") {
		return usage(cmd, err)
	}
	return err
}

// namespaces returns those of --only-namespace, nil without the flag. A variable
// that is not set makes an empty flag, which must not become no limit.
func (u *unsealCommand) namespaces(cmd *cobra.Command) ([]string, error) {
	if !cmd.Flags().Changed("only-namespace") {
		return nil, nil
	}
	all := []string{}
	for _, list := range u.onlyNamespace {
		for name := range strings.SplitSeq(list, ",") {
			name = strings.TrimSpace(name)
			if name != sopsdoc.Any && !sopsdoc.ValidNamespace(name) {
				return nil, usage(cmd, &namespaceFlagError{name})
			}
			all = append(all, name)
		}
	}
	return all, nil
}

// namespaceFlagError says that a word in --only-namespace is no namespace.
type namespaceFlagError struct{ name string }

func (e *namespaceFlagError) Error() string {
	return fmt.Sprintf("--only-namespace: %q is not the name of a namespace", e.name)
}

// openAll opens what is sealed in all inputs.
func openAll(ctx context.Context, c console, inputs []input, o unseal.Options) ([][]byte, error) {
	outputs := make([][]byte, len(inputs))
	progress := newProgress(c.err, "opening", len(inputs))
	for i := range inputs {
		inputs[i].notes = new(bytes.Buffer)
	}
	failed := tryInParallel(ctx, len(inputs), func(i int) (err error) {
		in := &inputs[i]
		defer progress.step()
		if in.walked && !in.mentionsSealed() {
			outputs[i] = in.stream.Bytes() // perhaps not even a manifest
			return nil
		}
		outputs[i], err = openStream(ctx, *in, o)
		return err
	})
	progress.done()
	var errs []error
	for i, in := range inputs {
		c.err.Write(in.notes.Bytes())
		errs = append(errs, report.Split(failed[i])...)
	}
	return outputs, errors.Join(errs...)
}

// inputs reads everything that the arguments name.
func (u *unsealCommand) inputs(cmd *cobra.Command, args []string) ([]input, error) {
	if u.inPlace && cmd.ArgsLenAtDash() == 0 {
		return nil, usagef(cmd, "-i cannot write back to a command")
	}
	inputs, err := readInputs(cmd, u.console, args, u.check)
	if err != nil {
		return nil, err
	}
	return inputs, notEmpty(inputs, u.allowEmpty)
}
