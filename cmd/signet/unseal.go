// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/internal/parallel"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

const unsealLong = `Open sealed documents, SealedSecrets and SOPS-encrypted manifests, and print the
Secrets in place of them, in the stream that they came in. Everything else in it
stays as it is. If any document cannot be opened and verified, nothing is
printed at all and the exit code is 3.

Arguments are files, directories or - for stdin. After --, a command is run and
its output is opened; if the command fails, unseal fails, which a pipe does not
do. For it git may fetch by https and ssh only, unless $GIT_ALLOW_PROTOCOL says
otherwise.

The Secret gets the labels and annotations that were sealed, not those of the
SealedSecret, which nobody has authenticated. What was sealed with --merge is
printed for people who name its file; from stdin, from a command and with
--only-namespace it is refused, because it would replace the Secret that it is
to be added to.

--only-namespace refuses, before a key is used, what would be in another
namespace than these, and all SOPS-encrypted manifests: nothing binds them to a
namespace. --allow-unscoped, or $` + userkeys.UnscopedVariable + `=true, permits those that
name one of the namespaces; whoever writes manifests may then have all that the
keys open.

Age identities are looked for where SOPS looks, and in --age-key-file;
SealingKeys in ` + userkeys.SealingKeyDir + `, up to the root of the Git repository. Key services
are called with your own credentials, for keys that an allow-list permits:
--allow-keys, else $` + userkeys.AllowVariable + `, else the file signet/allow-keys in your
configuration directory. For its patterns see
https://github.com/signet-secrets/signet#keys`

const unsealExample = `  signet unseal secret.yaml
  signet unseal -- kustomize build . | kubectl apply --server-side -f -
  kustomize build . | signet unseal -
  signet unseal --only-namespace prod -- kustomize build .
  signet unseal --allow-keys 'kms=arn:aws:kms:*:111122223333:key/*' secret.yaml`

// unsealCommand holds the flags of `signet unseal`.
type unsealCommand struct {
	console
	outputFlags
	keyFlags
	namespace     string
	onlyNamespace []string
	allowUnscoped bool
	timeout       time.Duration
	reading       atomic.Bool // input, or running what writes it: nothing is being opened
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
	o := unseal.Options{Namespace: u.namespace}
	limit, err := u.settings(cmd, &o)
	if err != nil {
		return err
	}
	var inputs []input
	var outputs [][]byte
	watch := new(userkeys.Watch)
	err = watch.Within(cmd.Context(), limit, func(ctx context.Context) (err error) {
		cmd.SetContext(ctx)
		inputs, outputs, err = u.open(cmd, args, o, watch)
		return err
	})
	if late, ok := report.As[*userkeys.TimeoutError](err); ok {
		u.explain(cmd, args, late)
	}
	if err != nil {
		return u.withFlags(o.Namespaces, err)
	}
	return u.outputFlags.write(u.out, inputs, outputs, modePlain)
}

// explain adds to the error what only the command line tells: where the limit
// stands, and which command had not ended.
func (u *unsealCommand) explain(cmd *cobra.Command, args []string, late *userkeys.TimeoutError) {
	late.Where = "$" + userkeys.TimeoutVariable
	if cmd.Flags().Changed("timeout") {
		late.Where = "--timeout"
	}
	if cmd.ArgsLenAtDash() == 0 && u.reading.Load() {
		late.Command = args[0]
	}
}

// settings reads flags and variables.
func (u *unsealCommand) settings(cmd *cobra.Command, o *unseal.Options) (limit time.Duration, err error) {
	if o.Namespaces, err = u.namespaces(cmd); err != nil {
		return 0, err
	}
	if o.Unscoped, err = userkeys.Unscoped(u.allowUnscoped, cmd.Flags().Changed("allow-unscoped")); err != nil {
		return 0, err
	}
	return userkeys.Timeout(u.timeout, cmd.Flags().Changed("timeout"))
}

// open reads and opens what the arguments name. The allow-list is read before a
// command runs, which then cannot choose another one.
func (u *unsealCommand) open(cmd *cobra.Command, args []string, o unseal.Options, watch *userkeys.Watch) ([]input, [][]byte, error) {
	sources := u.sources(u.err, true)
	sources.Watch = watch
	permitted, err := sources.KeyOptions()
	if err != nil {
		return nil, nil, err
	}
	u.reading.Store(true)
	inputs, err := u.inputs(cmd, args)
	if err != nil {
		return nil, nil, err
	}
	u.reading.Store(false)
	keys, err := sources.OptionsWith(permitted, documentPaths(inputs)...)
	if err != nil {
		return nil, nil, err
	}
	o.Unwrapper, o.Keyring = keys.Unwrapper, keys.Keyring
	o.WholeSecrets = u.forCluster(inputs, o.Namespaces)
	outputs, err := openAll(cmd.Context(), u.console, inputs, o)
	return inputs, outputs, err
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
	failed := parallel.Try(ctx, len(inputs), func(i int) (err error) {
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
	return outputs, exitcode.Opening(errors.Join(errs...))
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
	for i := range inputs {
		if err := inputs[i].settled("open"); err != nil {
			return nil, err
		}
	}
	return inputs, notEmpty(inputs, u.allowEmpty)
}
