// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/userkeys"
)

const convertLong = `Convert sealed Secrets from one form into another, to move to Signet or back:

  --to sealedsecret  Secrets that SOPS has encrypted, and with --from-key the
                     SealedSecrets of Bitnami's Sealed Secrets
  --to sops          SealedSecrets, for Flux, KSOPS and the sops CLI

Arguments are files, directories or - for stdin. What they are is recognised. The
result goes to stdout, to a file with -o, or with --out-dir to a tree of files
that mirrors what was read. Only files in which something is converted are
written; the rest of such a file stays as it is, byte for byte. Inputs are never
written to, and a file that is there already is replaced only with --force. One
that holds the same stays as it is: running it twice changes nothing.

Each result is opened again in memory and compared with what it was made of,
before it is written. With --out-dir, a file of which a document cannot be
converted is not written, but the others are, and a report of all documents goes
to stdout; without it, all is written or nothing. --report puts the report into a
file.

--from-key names a file with the private keys of the Sealed Secrets controller,
as PEM or as the Secrets that hold them; - is stdin. A SealedSecret keeps the
scope that it had there, what SOPS had encrypted gets the strict one: it opens in
its own namespace and under its own name. --scope says otherwise, for all.

With --to sops the scope is lost: a SOPS document opens wherever it is.`

const convertExample = `  signet convert --to sealedsecret secret.sops.yaml -o converted.yaml
  signet convert --to sealedsecret --from-key sealed-secrets-keys.yaml --out-dir sealed bitnami
  signet convert --to sops sealed.yaml`

// convertCommand holds the flags of `signet convert`.
type convertCommand struct {
	console
	keyFlags
	recipientFlags
	to            string
	out           string
	outDir        string
	reportFile    string
	format        string // of the report
	scope         string
	namespace     string
	args          []string
	fromKeys      []string
	keepMetadata  []string
	allowClear    []string
	skipTemplates bool
	force         bool
	timeout       time.Duration
	passedOver    int // SOPS documents that are no manifests, in directories
}

func newConvert(c console) *cobra.Command {
	v := &convertCommand{console: c}
	cmd := &cobra.Command{
		Use:     "convert [flags] FILE|DIR|-...",
		Short:   "Convert from SOPS and Sealed Secrets, or to SOPS",
		Long:    convertLong,
		Example: convertExample,
		RunE:    v.run,
	}
	flags := cmd.Flags()
	flags.StringVar(&v.to, "to", "", "`FORM` of the result: sealedsecret or sops")
	flags.StringArrayVar(&v.fromKeys, "from-key", nil, "`FILE` with private keys of Bitnami's Sealed Secrets; - is stdin")
	flags.StringVarP(&v.out, "out-file", "o", "", "write to `FILE` instead of stdout")
	flags.StringVar(&v.outDir, "out-dir", "", "write to files below `DIR`, under the names that they have in the directories that are read")
	flags.BoolVar(&v.force, "force", false, "replace files that are there already and hold something else")
	flags.StringVar(&v.scope, "scope", "", "`SCOPE` in which SealedSecrets open: strict (namespace and name), namespace, or cluster (anywhere)")
	flags.BoolVar(&v.skipTemplates, "skip-templates", false, "leave out keys with a template that signet cannot render, instead of the whole document")
	flags.StringVar(&v.reportFile, "report", "", "write the report to `FILE`")
	addOutput(cmd, &v.format, "`FORMAT` of the report: text or json")
	flags.StringVarP(&v.namespace, "namespace", "n", "", "`NAMESPACE` of Secrets that name none; one that names another is an error")
	flags.StringArrayVar(&v.keepMetadata, "keep-metadata", nil, "seal this label or annotation `KEY` although it would be left out")
	flags.StringArrayVar(&v.allowClear, "allow-clear", nil, "the value of this `KEY` may also stand in a label, annotation or comment")
	addTimeout(cmd, &v.timeout)
	v.recipientFlags.add(cmd)
	v.keyFlags.add(cmd)
	fixedCompletion(cmd, "to", "sealedsecret", "sops")
	fixedCompletion(cmd, "scope", "strict", "namespace", "cluster")
	return cmd
}

func (v *convertCommand) toSOPS() bool { return v.to == "sops" }

// reports tells whether there is a place for the report.
func (v *convertCommand) reports() bool { return v.reportFile != "" || v.outDir != "" }

func (v *convertCommand) check(cmd *cobra.Command, args []string) error {
	given := cmd.Flags().Changed
	_, isScope := reaches[v.scope]
	switch {
	case len(args) == 0:
		return usagef(cmd, "name a file, a directory or - for stdin")
	case v.to != "sealedsecret" && v.to != "sops":
		return usage(cmd, &formFlagError{v.to})
	case v.out != "" && v.outDir != "":
		return usagef(cmd, "-o and --out-dir exclude each other")
	case v.format == "json" && !v.reports():
		return usagef(cmd, "--output is the format of the report: name a file for it with --report")
	case given("scope") && !isScope:
		return usagef(cmd, "--scope is strict, namespace or cluster, not %q", v.scope)
	case given("scope") && v.toSOPS():
		return usagef(cmd, "--scope has no meaning with --to sops: a SOPS document opens wherever it is")
	case len(v.fromKeys) > 0 && v.toSOPS():
		return usagef(cmd, "--from-key has no meaning with --to sops: what it opens becomes a SealedSecret")
	}
	if _, err := v.recipientFlags.rule(); err != nil {
		return usage(cmd, err)
	}
	return checkOutput(cmd, v.format)
}

// formFlagError says that --to names no form.
type formFlagError struct{ given string }

func (e *formFlagError) Error() string {
	if e.given == "" {
		return "--to is needed"
	}
	return fmt.Sprintf("--to is sealedsecret or sops, not %q", e.given)
}

func (v *convertCommand) run(cmd *cobra.Command, args []string) error {
	v.args = args
	if err := v.check(cmd, args); err != nil {
		return err
	}
	limit, err := userkeys.Timeout(v.timeout, cmd.Flags().Changed("timeout"))
	if err != nil {
		return err
	}
	files, err := v.files(cmd, args)
	if err != nil {
		return err
	}
	watch := new(userkeys.Watch)
	job, err := v.newRun(files, watch)
	if err != nil {
		return err
	}
	if err := job.prepare(); err != nil {
		return err
	}
	err = watch.Within(cmd.Context(), limit, job.convertAll)
	if errors.As(err, new(*userkeys.TimeoutError)) {
		return err // what it has left behind may still be at work
	}
	return errors.Join(append(report.Split(err), job.deliver(err)...)...)
}

// deliver writes the result to stdout or to one file if all went well, and the
// report.
func (c *conversionRun) deliver(failed error) []error {
	var errs []error
	if failed == nil && c.outDir == "" {
		if err := c.writeOne(); err != nil {
			errs = append(errs, err)
		}
	}
	if err := c.report(errors.Join(append(errs, failed)...) != nil); err != nil {
		errs = append(errs, err)
	}
	return errs
}

// writeOne writes all results one after the other.
func (c *conversionRun) writeOne() error {
	outputs := make([][]byte, len(c.conversions))
	for i, one := range c.conversions {
		outputs[i] = one.result
	}
	all := join(outputs)
	if c.out == "" {
		return writeOut(c.console.out, all)
	}
	unchanged, err := writeTarget(c.out, all, c.force)
	for _, one := range c.conversions {
		one.unchanged = unchanged
	}
	return err
}
