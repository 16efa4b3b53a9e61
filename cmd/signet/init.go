// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/gitrepo"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

const initLong = `Set a Git repository up for sealed Secrets, or a clone of one that is set up. What
is to be done is shown first, with the text of every file, and done after one
question, or with --yes; --dry-run only shows it. What is there already stays as
it is: what would change it is printed, to be done by hand. A second run finds
nothing to do.

  key             with --kms and the like a SealingKey, which they open, in
                  ` + userkeys.SealingKeyDir + `; else the age keys of --age; else the age key
                  in ~/.config/sops/age/keys.txt, or where sops looks instead,
                  which is made if there is none
  .sops.yaml      the rules: everything is sealed for that key
  .gitattributes  Git compares and merges YAML files with signet
  .gitignore      leaves out what usually is in clear, never secret.yaml
  configuration   of this clone: signet textconv and signet merge-driver
  hooks           pre-commit and pre-merge-commit run signet check --staged

The configuration, the hooks and the age key are not in Git: run it in every
clone. --check tells whether anything is left to be done, and changes nothing:
the exit code is 1 then.`

const initExample = `  signet init --dry-run
  signet init --yes
  signet init --yes --kms arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab`

// The values of --hook and --diff.
const (
	hookNone      = "none"
	hookGit       = "git"
	hookPreCommit = "pre-commit"

	diffMasked  = "masked"
	diffKeyless = "keyless"
)

// initCommand holds the flags of `signet init`.
type initCommand struct {
	console
	keyFlags
	keyLists
	keyName    string
	namespaces []string
	patterns   []string
	hook, diff string
	classic    bool

	dryRun, yes, check bool
	output             string
}

func newInit(c console) *cobra.Command {
	k := &initCommand{console: c}
	cmd := &cobra.Command{
		Use:     "init [flags] [DIR]",
		Short:   "Set a Git repository up for sealed Secrets",
		Long:    initLong,
		Example: initExample,
		RunE:    k.run,
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
	}
	k.addKeys(cmd)
	flags := cmd.Flags()
	flags.StringVar(&k.keyName, "key-name", "main", "`NAME` of the SealingKey")
	flags.StringSliceVar(&k.namespaces, "namespaces", nil, "`NAMESPACES` whose documents the SealingKey may open, separated by commas; without it, all")
	flags.StringArrayVar(&k.patterns, "pattern", nil, "`GLOB` of the files that Git compares and merges with signet (default *.yaml and *.yml)")
	flags.StringVar(&k.hook, "hook", "", "`KIND` of hook: git, pre-commit (of pre-commit.com) or none (default pre-commit if there is a .pre-commit-config.yaml, else git)")
	flags.StringVar(&k.diff, "diff", diffMasked, "how Git compares: `masked`, or keyless, which opens nothing")
	flags.BoolVar(&k.classic, "classic", false, "if a key is made, make an X25519 one instead of a hybrid post-quantum one")
	flags.BoolVar(&k.dryRun, "dry-run", false, "only show what would be done")
	flags.BoolVarP(&k.yes, "yes", "y", false, "do it without a question")
	flags.BoolVar(&k.check, "check", false, "only tell what is left to be done; exit code 1 if anything is")
	flags.StringVar(&k.output, "output", "text", "`FORMAT`: text or json")
	fixedCompletion(cmd, "hook", hookGit, hookPreCommit, hookNone)
	fixedCompletion(cmd, "diff", diffMasked, diffKeyless)
	fixedCompletion(cmd, "output", "text", "json")
	for _, free := range []string{"key-name", "namespaces", "pattern"} {
		fixedCompletion(cmd, free)
	}
	return cmd
}

// addKeys adds the flags of keys, which here are about the SealingKey.
func (k *initCommand) addKeys(cmd *cobra.Command) {
	k.keyLists.add(cmd, "")
	k.addAllow(cmd)
	for _, f := range keyListFlags() {
		text := "make a SealingKey that these " + f.what + ", separated by commas, open"
		if f.of == keys.Age {
			text = "seal for these " + f.what + ", separated by commas; with --kms and the like they open the SealingKey instead"
		}
		cmd.Flags().Lookup(f.name).Usage = text
	}
}

func (k *initCommand) run(cmd *cobra.Command, args []string) error {
	want, err := k.want(cmd, args)
	if err != nil {
		return usage(cmd, err)
	}
	dir := "."
	if len(args) > 0 {
		dir = args[0]
	}
	repo, err := openForInit(cmd, dir)
	if err != nil {
		return err
	}
	there, err := k.look(cmd.Context(), repo)
	if err != nil {
		return err
	}
	plan, err := newInitPlan(want, there)
	if err != nil {
		return err
	}
	k.remark(plan, dir, repo.Root())
	switch {
	case k.check:
		return k.tell(plan)
	case k.dryRun || plan.count(pending) == 0:
		return k.show(plan)
	}
	return k.carryOut(cmd, repo, plan)
}

// want holds the flags against each other.
func (k *initCommand) want(cmd *cobra.Command, args []string) (*initWant, error) {
	changed := cmd.Flags().Changed
	group, err := k.group()
	switch {
	case err != nil:
		return nil, err
	case len(args) > 1:
		return nil, errors.New("name one directory, or none for the working directory")
	case k.output != "text" && k.output != "json":
		return nil, fmt.Errorf("--output is text or json, not %q", k.output)
	case k.hook != hookNone && k.hook != hookGit && k.hook != hookPreCommit && (k.hook != "" || changed("hook")):
		return nil, fmt.Errorf("--hook is %s, %s or %s, not %q", hookGit, hookPreCommit, hookNone, k.hook)
	case k.diff != diffMasked && k.diff != diffKeyless:
		return nil, fmt.Errorf("--diff is %s or %s, not %q", diffMasked, diffKeyless, k.diff)
	case k.dryRun && k.check, k.yes && (k.dryRun || k.check):
		return nil, errors.New("--dry-run, --check and --yes exclude each other")
	case !sopsdoc.ValidSecretName(k.keyName):
		return nil, fmt.Errorf("--key-name: %q is not a valid name: lower-case letters, digits, dots and hyphens", k.keyName)
	}
	for _, p := range k.patterns {
		if err := checkPattern(p); err != nil {
			return nil, fmt.Errorf("--pattern: %w", err)
		}
	}
	if changed("namespaces") {
		if err := checkNamespaces(k.namespaces); err != nil {
			return nil, fmt.Errorf("--namespaces: %w", err)
		}
	}
	w := &initWant{keyName: k.keyName, group: group, namespaces: k.namespaces, patterns: k.patterns, hook: k.hook}
	if changed("diff") {
		w.diff = k.diff
	}
	if !w.services() && (changed("key-name") || changed("namespaces")) {
		return nil, errors.New("--key-name and --namespaces are about a SealingKey: name who opens it, as with --kms")
	}
	return w, nil
}

// initError says why a repository cannot be set up.
type initError struct {
	dir string
	err error
}

func (e *initError) Error() string { return fmt.Sprintf("set up %s: %v", report.Visible(e.dir), e.err) }
func (e *initError) Unwrap() error { return e.err }

// openForInit finds the repository. That there is none is a mistake in the call.
func openForInit(cmd *cobra.Command, dir string) (*gitrepo.Repo, error) {
	repo, err := gitrepo.Open(cmd.Context(), dir)
	switch {
	case err == nil:
		return repo, nil
	case errors.Is(err, gitrepo.ErrNoRepository):
		return nil, usage(cmd, &initError{dir, err})
	}
	return nil, &initError{dir, report.Cause(err)}
}

// remark says what is not about a single file.
func (k *initCommand) remark(plan *initPlan, dir, root string) {
	if top, err := directoryOf(dir); err == nil && top != root && len(plan.open()) > 0 {
		k.say("paths are relative to the root of its repository, " + report.ShortPath(root))
	}
	if _, err := exec.LookPath(program); err != nil {
		k.say("signet is not in PATH, where Git looks for it: every merge of a file that both sides have changed would be a conflict " +
			"that leaves your side as it is, and the hooks would refuse every commit; add its directory to PATH")
	}
}

// say prints a note that is about no single file.
func (k *initCommand) say(text string) { printer(k.err).Line("note", report.Visible(text)) }

// Errors of asking.
var (
	errInitUnasked     = errors.New("stdin and stdout are no terminal to ask on, and nothing was done")
	errInitUnaskedJSON = errors.New("with --output json nobody is asked, and nothing was done")
	errInitDeclined    = errors.New("nothing was done")
)

// carryOut asks, does what is planned, and tells what comes next.
func (k *initCommand) carryOut(cmd *cobra.Command, repo *gitrepo.Repo, plan *initPlan) error {
	if !k.yes {
		switch {
		case k.output == "json":
			return usage(cmd, errInitUnaskedJSON)
		case !onTerminal(k.in) || !onTerminal(k.out):
			return usage(cmd, errInitUnasked)
		}
		if err := k.show(plan); err != nil {
			return err
		}
		fmt.Fprintf(k.err, "\n%s: do this? [y/N] ", program)
		answer, err := interruptible(cmd.Context(), func() (string, error) {
			line, _ := bufio.NewReader(k.in).ReadString('\n')
			return strings.ToLower(strings.TrimSpace(line)), nil
		})
		if err != nil {
			return err
		}
		if answer != "y" && answer != "yes" {
			return errInitDeclined
		}
	}
	if err := k.apply(cmd, repo, plan); err != nil {
		if done := plan.count(applied); done > 0 {
			k.say(fmt.Sprintf("%s of %d were done before that and stay; run it again when it is mended", plural(done, "step"), done+plan.count(pending)))
		}
		return err
	}
	return k.finished(cmd.Context(), repo, plan)
}

// finished shows what was done, unless that was shown before the question, and
// what comes next.
func (k *initCommand) finished(ctx context.Context, repo *gitrepo.Repo, plan *initPlan) error {
	next, err := nextSteps(ctx, repo, plan)
	if err != nil {
		return err
	}
	plan.Next = next
	if k.output == "text" && !k.yes {
		return k.showNext(plan)
	}
	return k.show(plan)
}
