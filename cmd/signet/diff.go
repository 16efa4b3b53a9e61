// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/internal/merge3"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/unseal"
)

const diffLong = `Show what has changed in sealed documents: which values are new, gone, changed or
renamed, labels, annotations, scope and type, and who can open the document. With
nothing named, the work tree is compared with the index; --staged compares the
index with the last commit, one revision the work tree with that, two revisions
one with the other. Paths stand behind --. The work tree is read as it is: no filter
of Git is run.

Values are not shown but marked: equal values of one Secret have equal marks, and
those of two Secrets have not. Who commits versions of a Secret, and sees their
marks, can try out guesses: do not publish what others commit. --show prints the
values, on a terminal only; --show=always prints them anywhere.

What does not open is compared by its ciphertext, which changes whenever it is
sealed anew. With --show that is an error, and the exit code is 3.`

const diffExample = `  signet diff
  signet diff --staged
  signet diff HEAD -- sealed.yaml
  signet diff --no-index sealed.yaml app/sealed.yaml --output json`

// diffCommand holds the flags of `signet diff`.
type diffCommand struct {
	console
	keyFlags
	show     string
	staged   bool
	noIndex  bool
	exitCode bool
	output   string
	timeout  time.Duration
}

func newDiff(c console) *cobra.Command {
	d := &diffCommand{console: c}
	cmd := &cobra.Command{
		Use:     "diff [flags] [REVISION [REVISION]] [-- PATH...] | --no-index OLD NEW",
		Short:   "Show what has changed in sealed documents",
		Long:    diffLong,
		Example: diffExample,
		RunE:    d.run,
	}
	d.keyFlags.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&d.show, "show", "", "print values; `WHEN` is terminal or always")
	flags.Lookup("show").NoOptDefVal = "terminal"
	flags.BoolVar(&d.staged, "staged", false, "compare the index with the last commit, or with a revision")
	flags.BoolVar(&d.noIndex, "no-index", false, "compare two files, in Git or not")
	flags.BoolVar(&d.exitCode, "exit-code", false, "exit with 1 if there are differences")
	addOutput(cmd, &d.output, "`FORMAT`: text or json")
	addTimeout(cmd, &d.timeout)
	fixedCompletion(cmd, "show", "terminal", "always")
	return cmd
}

// errShown says that values would be printed where nobody may expect them.
var errShown = errors.New("diff: values are shown on a terminal only, and stdout is none")

// differError makes the program fail because of differences, all of which have
// been printed.
type differError struct{ documents int }

func (e *differError) Error() string { return "diff: " + plural(e.documents, "document") + " changed" }

func (d *diffCommand) run(cmd *cobra.Command, args []string) error {
	if err := d.check(cmd, args); err != nil {
		return err
	}
	limit, err := userkeys.Timeout(d.timeout, cmd.Flags().Changed("timeout"))
	if err != nil {
		return err
	}
	files, err := d.files(cmd, args)
	if err != nil {
		return err
	}
	var all []documentDiff
	watch := new(userkeys.Watch)
	err = watch.Within(cmd.Context(), limit, func(ctx context.Context) error {
		found, err := d.compare(ctx, files, watch)
		if err == nil {
			all = found
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := d.print(all); err != nil {
		return err
	}
	if d.exitCode && len(all) > 0 {
		return &differError{len(all)}
	}
	return nil
}

func (d *diffCommand) check(cmd *cobra.Command, args []string) error {
	switch {
	case d.show != "" && d.show != "terminal" && d.show != "always":
		return usagef(cmd, "--show is terminal or always, not %q", d.show)
	case d.noIndex && (d.staged || len(args) != 2):
		return usagef(cmd, "--no-index compares two files, and nothing else")
	case d.show == "terminal" && !onTerminal(d.out):
		return errShown
	}
	return checkOutput(cmd, d.output)
}

// compare opens and compares what is sealed in changed files.
func (d *diffCommand) compare(ctx context.Context, files []fileVersions, watch *userkeys.Watch) ([]documentDiff, error) {
	pairs := matchDocuments(d.documents(files, false), d.documents(files, true))
	if len(pairs) == 0 {
		return nil, nil
	}
	o, err := d.options(watch, files)
	if err != nil {
		return nil, err
	}
	marks, stable := newMarks(ctx)
	if !stable {
		printer(d.err).Line("note", "the marks are of this run only: no folder to keep their key in")
	}
	m := &masker{marks: marks, open: &o, show: d.show != ""}
	if err := m.maskPairs(ctx, pairs); err != nil && (d.show != "" || ctx.Err() != nil) {
		return nil, exitcode.Opening(err)
	}
	var all []documentDiff
	for _, p := range pairs {
		all = append(all, p.compare())
	}
	return all, nil
}

func (d *diffCommand) options(watch *userkeys.Watch, files []fileVersions) (unseal.Options, error) {
	sources := d.sources(d.err, true)
	sources.Watch = watch
	paths := []string{"-"}
	for _, f := range files {
		paths = append(paths, f.place)
	}
	return sources.Options(paths...)
}

// documents returns what is sealed, and the Secrets in clear, in one version of all
// files. A file that cannot be read as manifests is passed over with a note.
func (d *diffCommand) documents(files []fileVersions, isNew bool) []*diffDocument {
	var all []*diffDocument
	for _, f := range files {
		data := f.old
		if isNew {
			data = f.new
		}
		found, err := documentsIn(f.name, data)
		switch _, conflict := merge3.ParseConflict(data); {
		case conflict:
			d.noteConflict(f.name)
		case err != nil:
			note(d.err, f.name, "is not compared: "+causeLine(report.Cause(err)))
		}
		all = append(all, found...)
	}
	return all
}
