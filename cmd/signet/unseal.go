// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/unseal"
)

const unsealLong = `Open sealed documents and print the Secrets, in place of them, in the stream
that they came in. Everything else in the stream stays as it is.

Arguments are files, directories or - for stdin. After --, a command is run and
its output is opened; if the command fails, unseal fails, which a pipe does not
do. Both SealedSecrets and SOPS-encrypted manifests are opened and verified.
If any document cannot be, nothing is printed at all and the exit code is 3.

The Secret gets the labels and annotations that were sealed. What others add to
the SealedSecret, such as the labels of a kustomization, is not authenticated
and stays behind, and so do annotations for GitOps tools.

Age identities are looked for where SOPS looks: SOPS_AGE_KEY, SOPS_AGE_KEY_FILE,
SOPS_AGE_KEY_CMD, ~/.config/sops/age/keys.txt, SSH keys; and in --age-key-file.
SealingKeys are looked for in ` + sealingKeyDir + `, from the folder of the document up to
the root of its Git repository.

Key services are called with your own credentials. A document cannot have signet
assume a role, take another profile of your AWS configuration, or call a Vault
server other than $VAULT_ADDR, unless an allow-list says so: --allow-keys, else
$` + allowVariable + `, else the file signet/allow-keys in your configuration folder.
It holds items KIND=PATTERN, where KIND is kms, role, aws_profile, gcp_kms,
azure_kv, hc_vault, pgp or age_plugin; in PATTERN * is any text without / and :,
and ** any text. The item "default" is what is allowed where there is no list.`

const unsealExample = `  signet unseal secret.yaml
  signet unseal -- kustomize build . | kubectl apply -f -
  kustomize build . | signet unseal -
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
	namespace string
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
	return cmd
}

func (u *unsealCommand) run(cmd *cobra.Command, args []string) error {
	inputs, err := u.inputs(cmd, args)
	if err != nil {
		return err
	}
	o, err := u.options(u.err, inputs, true)
	if err != nil {
		return err
	}
	o.Namespace = u.namespace
	outputs, err := openAll(cmd.Context(), u.console, inputs, o)
	if err != nil {
		return err
	}
	return u.outputFlags.write(u.out, inputs, outputs, modePlain)
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
		errs = append(errs, split(failed[i])...)
	}
	return outputs, errors.Join(errs...)
}

// inputs reads everything that the arguments name.
func (u *unsealCommand) inputs(cmd *cobra.Command, args []string) ([]input, error) {
	dash := cmd.ArgsLenAtDash()
	switch {
	case dash > 0:
		return nil, usagef(cmd, "name files or a command after --, not both")
	case dash == 0 && len(args) == 0:
		return nil, usagef(cmd, "a command is expected after --")
	case dash == 0 && u.inPlace:
		return nil, usagef(cmd, "-i cannot write back to a command")
	case dash == 0:
		in, err := runCommand(cmd.Context(), u.console, args)
		if err != nil {
			return nil, err
		}
		return []input{in}, u.notEmpty([]input{in})
	case len(args) == 0:
		return nil, usagef(cmd, "name a file, a directory, - for stdin, or a command after --")
	}
	inputs, err := collect(args)
	if err != nil {
		return nil, err
	}
	if err := u.check(cmd, inputs); err != nil {
		return nil, err
	}
	for i := range inputs {
		if err := inputs[i].read(u.in); err != nil {
			return nil, err
		}
	}
	return inputs, u.notEmpty(inputs)
}

// notEmpty refuses input without documents: in a pipe it most likely means
// that what came before has failed.
func (f *outputFlags) notEmpty(inputs []input) error {
	for _, in := range inputs {
		if !in.walked && !f.allowEmpty && in.stream.Empty() {
			return &placedError{file: in.name, operation: "read", err: errEmpty}
		}
	}
	return nil
}

// commandError says that the command after -- failed.
type commandError struct {
	name string
	err  error
}

func (e *commandError) Error() string { return fmt.Sprintf("run %s: %v", e.name, e.err) }
func (e *commandError) Unwrap() error { return e.err }

// runCommand runs a command and reads its output to the end before anything is
// made of it.
func runCommand(ctx context.Context, c console, args []string) (input, error) {
	var out bytes.Buffer
	limited := &limitedWriter{w: &out, left: manifest.MaxStreamBytes}
	command := exec.CommandContext(ctx, args[0], args[1:]...)
	command.Stdin, command.Stdout, command.Stderr = c.in, limited, c.err
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = commandDelay
	err := command.Run()
	if limited.exceeded {
		return input{}, &commandError{name: args[0], err: manifest.ErrTooLarge}
	}
	if err != nil {
		return input{}, &commandError{name: args[0], err: cause(err)}
	}
	stream, err := manifest.Split(out.Bytes())
	if err != nil {
		return input{}, &placedError{file: args[0], operation: "read", err: err}
	}
	return input{name: args[0], stream: stream, fromCommand: true}, nil
}

// commandDelay is how long an interrupted command, or one that has left its
// output open to others, may take before it is killed.
const commandDelay = 5 * time.Second

// limitedWriter fails when more than left bytes are written.
type limitedWriter struct {
	w        io.Writer
	left     int
	exceeded bool
}

func (l *limitedWriter) Write(p []byte) (int, error) {
	if len(p) > l.left {
		l.exceeded = true
		return 0, manifest.ErrTooLarge
	}
	l.left -= len(p)
	return l.w.Write(p)
}
