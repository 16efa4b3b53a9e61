// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/report"
)

const checkLong = `Look for mistakes, without any key. Nothing is opened and nothing is changed.
What is found is printed, one line each, and the exit code is 1; if nothing is,
nothing is printed.

Files and directories are sources; stdin, the output of a command after -- and,
with --rendered, files are rendered output. Of a directory, with all within, the
files are looked at that end in .yaml, .yml or .json, copies of them (.bak, .old,
.orig, .example, .disabled and the like behind that), kustomizations, templates
(.tpl, .tmpl, .gotmpl, .j2, .erb) and scripts (.sh, .bash, .ps1), whatever the
case; all others for private keys only. Not symbolic links, pipes and devices, nor
what Git ignores (--no-git looks at that, too), nor, where Git does not list the
files, hidden files and directories, but for those of CI services (.github,
.gitlab-ci.yml and the like), nor submodules, each of which is checked by itself,
nor what Git LFS keeps elsewhere. Name them to have them looked at.
--staged looks at what is staged for the next commit, as a hook does; --base
compares sealed documents with a revision. For a command git may fetch by https
and ssh only, unless $GIT_ALLOW_PROTOCOL says otherwise. The rules, of which those
in brackets are no errors:

  clear-secret    a Secret with values in clear, or with what looks like a value
                  encrypted by SOPS and is none: also one in a List, in another
                  object, in a text that is a manifest, plain or in base64, in a
                  here-document of a script, in a patch, or in a Template of
                  OpenShift with a default value
  clear-literal   a kustomization makes a Secret of literals, or of files that
                  are in clear and not ignored by Git
  clear-template  a template of a Secret has values in clear, or as defaults
  private-key     a private key of age, or one in PEM without a passphrase, is in
                  clear: in any file of up to 1 MiB, whatever its name
  unreadable      a file about Secrets, or the rules, cannot be read
  invalid         something sealed breaks its format
  conflict        a merge of a sealed file was not finished
  scope           something is sealed for another place than it is in, or than
                  a kustomization puts it in
  recipients      something is sealed for others than the rules name
  post-quantum    it opens for a classic recipient, and its rule says
                  require_post_quantum: true, or --require-post-quantum is given
  weak-recipient, unsorted, no-rule, unused-rule, max-age  (warnings) a classic
                  recipient beside post-quantum ones; stock sops cannot verify
                  it; no rule matches it; a rule matches no file; a data key is
                  older than --max-age
  key-changed, recipients-changed, scope-changed, downgraded  (warnings) with
                  --base: what an update of a value does not change, also in a
                  document that was moved to another file, namespace or name
  unscoped, no-driver  (notes) a Secret of SOPS opens anywhere; Git merges
                  without signet
  leftover        in rendered output: something sealed that was not opened, a
                  value encrypted by SOPS, the configuration of a function
  missing         in rendered output, with --kustomization DIR: a Secret that a
                  generator of that kustomization, or of one that it refers to,
                  should have made is not there

No value in clear is what only names one that is elsewhere: ${NAME}, $(NAME),
{{ }}, ref+vault://... and the like of vals, <path:PATH#KEY> of
argocd-vault-plugin, and its <NAME> where its annotation is. Beside it, outside of
templates, there may be the rest of a URL, host or setting, and short text.

Some mistakes cannot be seen without a key: ciphertext of one document in another,
whole, with its mac; a wrong value; a key that no longer opens. "signet verify"
finds those. What is sealed in a template is not compared with the rules. Nor are
Secrets found that a program makes of other text, as of kubectl create secret.

Notes are shown with --fail-on note, and in JSON and SARIF. To accept something,
write a comment above the object, # signet:allow RULE REASON, or list it in
.signet/check.yaml: skip: [{rule: RULE, path: PATTERN, reason: REASON}].

kustomize leaves functions out without a word, and succeeds, if it is not given
--enable-exec: the last two rules find that before something is applied, or
pruned. A Secret is there if it has the name and namespace that the kustomizations
give it, all keys of the sealed document, and its type. Where patches of names,
replacements or other transformers leave its name open, it must have just these
keys. One that is merged into another has the name of that one within its own.

Kustomizations outside of the repository cannot be looked into, and are an error;
--allow-unread ENTRY, with the entry as it stands in the kustomization, passes
over one of them. What signet-controller is to open in the cluster counts as left
over.`

const checkExample = `  signet check app
  signet check --kustomization app -- kustomize build --enable-alpha-plugins --enable-exec app
  kustomize build --enable-alpha-plugins --enable-exec app | signet check --kustomization app --print - | kubectl apply --server-side -f -`

// checkCommand holds the flags of `signet check`.
type checkCommand struct {
	console
	rendered       bool
	kustomizations []string
	allowUnread    []string
	output         string
	print          bool
	allowEmpty     bool
	flags          sourceFlags
}

func newCheck(c console) *cobra.Command {
	k := &checkCommand{console: c}
	cmd := &cobra.Command{
		Use:     "check [flags] [FILE|DIR|-]... | -- COMMAND [ARG]...",
		Short:   "Find Secrets in clear, and what a build has left sealed",
		Long:    checkLong,
		Example: checkExample,
		RunE:    k.run,
	}
	flags := cmd.Flags()
	flags.BoolVar(&k.rendered, "rendered", false, "the files are rendered output; --rendered=false: stdin is not")
	flags.StringArrayVar(&k.kustomizations, "kustomization", nil, "expect the Secrets that generators of the kustomization in `DIR` make")
	flags.StringArrayVar(&k.allowUnread, "allow-unread", nil, "do not look into `ENTRY` of a kustomization, which lies outside of the repository")
	flags.StringVar(&k.output, "output", "text", "`FORMAT`: text, json or sarif")
	flags.BoolVar(&k.print, "print", false, "print what was read to stdout if nothing was found, else what was found to stderr")
	flags.BoolVar(&k.allowEmpty, "allow-empty", false, "empty input is no error")
	fixedCompletion(cmd, "output", "text", "json", "sarif")
	k.flags.add(cmd)
	if err := cmd.MarkFlagDirname("kustomization"); err != nil {
		panic(err) // the flag does not exist: seen by every test
	}
	return cmd
}

func (k *checkCommand) run(cmd *cobra.Command, args []string) error {
	if k.output != "text" && k.output != "json" && k.output != "sarif" {
		return usagef(cmd, "--output is text, json or sarif, not %q", k.output)
	}
	if err := k.flags.check(cmd); err != nil {
		return err
	}
	sources, streams, err := k.split(cmd, args)
	if err != nil {
		return err
	}
	inputs, err := k.streams(cmd, streams, len(sources) > 0 || k.flags.ofGit())
	if err != nil {
		return err
	}
	found, err := interruptible(cmd.Context(), func() ([]finding, error) {
		found, files, err := k.sourceFindings(cmd.Context(), sources)
		if err != nil {
			return nil, err
		}
		more, err := k.findings(cmd, inputs)
		inputs = append(files, inputs...)
		return append(found, more...), err
	})
	if err != nil {
		return err
	}
	return k.report(inputs, k.chosen(found))
}

// streams reads what is not a source. There need not be any with sources.
func (k *checkCommand) streams(cmd *cobra.Command, args []string, sources bool) ([]input, error) {
	if len(args) == 0 && sources {
		return nil, nil
	}
	inputs, err := k.inputs(cmd, args)
	if err != nil {
		return nil, err
	}
	if err := notEmpty(inputs, k.allowEmpty); err != nil {
		if len(k.kustomizations) > 0 {
			err = &emptyBuildError{err}
		}
		return nil, err
	}
	return inputs, nil
}

// inputs reads what is to be checked. A command is waited for: it gets the
// signal, and may have something to clean up.
func (k *checkCommand) inputs(cmd *cobra.Command, args []string) ([]input, error) {
	read := func() ([]input, error) { return readInputs(cmd, k.console, args, k.checkInputs) }
	if cmd.ArgsLenAtDash() >= 0 {
		return read()
	}
	return interruptible(cmd.Context(), read)
}

// emptyBuildError says that nothing came of a kustomization.
type emptyBuildError struct{ err error }

func (e *emptyBuildError) Error() string { return e.err.Error() }
func (e *emptyBuildError) Unwrap() error { return e.err }

// isRendered reports whether an input is what a build has made.
func (k *checkCommand) isRendered(cmd *cobra.Command, in input) bool {
	if cmd.Flags().Changed("rendered") {
		return k.rendered
	}
	return in.name == "-" || in.fromCommand
}

// checkInputs refuses to look for Secrets where there cannot be any.
func (k *checkCommand) checkInputs(cmd *cobra.Command, inputs []input) error {
	return k.needsRendered(cmd, slices.ContainsFunc(inputs, func(in input) bool { return k.isRendered(cmd, in) }))
}

// needsRendered refuses what is said of kustomizations where there is no output of
// one.
func (k *checkCommand) needsRendered(cmd *cobra.Command, rendered bool) error {
	switch {
	case len(k.allowUnread) > 0 && len(k.kustomizations) == 0:
		return usagef(cmd, "--allow-unread is about what a kustomization refers to: name that with --kustomization")
	case len(k.kustomizations) > 0 && !rendered:
		return usagef(cmd, "--kustomization says what rendered output must hold: name it with --rendered, as - or as a command after --")
	}
	return nil
}

// findings applies the rules to all inputs.
func (k *checkCommand) findings(cmd *cobra.Command, inputs []input) ([]finding, error) {
	var expected []expectation
	for _, dir := range k.kustomizations {
		more, err := readBuild(cmd.Context(), k.err, dir, k.allowUnread...)
		if err != nil {
			return nil, err
		}
		expected = append(expected, more...)
	}
	var all []finding
	var errs []error
	rendered := &renderedRules{wanted: len(expected) > 0}
	for _, in := range inputs {
		if err := cmd.Context().Err(); err != nil {
			return nil, err
		}
		var found []finding
		var err error
		switch {
		case k.isRendered(cmd, in):
			found, err = rendered.check(in)
		case !in.walked || in.mentions("Secret"):
			found, err = clearSecrets(in)
		}
		all = append(all, found...)
		errs = append(errs, report.Split(err)...)
	}
	return append(all, missingSecrets(expected, rendered.secrets)...), errors.Join(errs...)
}

// report prints what was found, or else what was read.
func (k *checkCommand) report(inputs []input, found []finding) error {
	w := k.out
	if k.print {
		w = k.err
	}
	if k.output != "sarif" {
		found = accepted(found)
	}
	if len(found) > 0 || k.output != "text" && !k.print {
		if err := writeFindings(w, found, k.output); err != nil {
			return err
		}
	}
	if n := k.failing(found); n > 0 {
		return &foundError{n}
	}
	if k.print {
		outputs := make([][]byte, len(inputs))
		for i, in := range inputs {
			outputs[i] = in.stream.Bytes()
		}
		if _, err := k.out.Write(join(outputs)); err != nil {
			return fmt.Errorf("write stdout: %w", report.Cause(err))
		}
	}
	return nil
}
