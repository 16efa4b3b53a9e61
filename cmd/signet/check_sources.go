// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/report"
)

// sourceFlags say what sources are checked, and how strictly.
type sourceFlags struct {
	staged      string
	base        string
	noGit       bool
	maxAge      string
	postQuantum bool
	only, skip  []string
	failOn      string
}

// The values of --staged.
const (
	stagedChanges = "changes"
	stagedAll     = "all"
)

func (f *sourceFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.staged, "staged", "", "check what is staged for the next commit; `WHAT` is changes, or all for the whole index")
	flags.Lookup("staged").NoOptDefVal = stagedChanges
	flags.StringVar(&f.base, "base", "", "compare sealed documents with those of the revision `REV`")
	flags.BoolVar(&f.noGit, "no-git", false, "look at all files of directories, also at those that Git ignores")
	flags.StringVar(&f.maxAge, "max-age", "", "how old data keys may be, a `DURATION` as 90d or 12h")
	flags.BoolVar(&f.postQuantum, "require-post-quantum", false, "no recipient may be a classic one")
	flags.StringSliceVar(&f.only, "only", nil, "apply these `RULES` only, separated by commas")
	flags.StringSliceVar(&f.skip, "skip", nil, "do not apply these `RULES`")
	flags.StringVar(&f.failOn, "fail-on", string(levelWarning), "fail because of findings of this `LEVEL` and above: error, warning or note")
	fixedCompletion(cmd, "staged", stagedChanges, stagedAll)
	fixedCompletion(cmd, "fail-on", string(levelError), string(levelWarning), string(levelNote))
	fixedCompletion(cmd, "only", ruleNames()...)
	fixedCompletion(cmd, "skip", ruleNames()...)
}

// check finds mistakes in the flags.
func (f *sourceFlags) check(cmd *cobra.Command) error {
	switch {
	case level(f.failOn).weight() < 0:
		return usagef(cmd, "--fail-on is error, warning or note, not %q", f.failOn)
	case f.staged != "" && f.staged != stagedChanges && f.staged != stagedAll:
		return usagef(cmd, "--staged stands alone or is --staged=all, not %q", f.staged)
	case f.staged != "" && f.noGit:
		return usagef(cmd, "--staged asks Git, and --no-git does not")
	}
	for _, name := range slices.Concat(f.only, f.skip) {
		if !slices.Contains(ruleNames(), name) {
			return usagef(cmd, "there is no rule %q", name)
		}
	}
	if _, err := f.age(); err != nil {
		return usagef(cmd, "--max-age: %w", err)
	}
	return nil
}

// age is what --max-age says, 0 if it is not given.
func (f *sourceFlags) age() (time.Duration, error) {
	if f.maxAge == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(f.maxAge)
	if days, ok := strings.CutSuffix(f.maxAge, "d"); ok {
		var n int
		n, err = strconv.Atoi(days)
		d = time.Duration(n) * 24 * time.Hour
	}
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("a duration like 90d or 12h is expected, not %q", f.maxAge)
	}
	return d, nil
}

// ofGit reports whether Git is asked for sources, so that no path need be named.
func (f *sourceFlags) ofGit() bool { return f.staged != "" || f.base != "" }

// split tells paths of sources from what is read as one stream.
func (k *checkCommand) split(cmd *cobra.Command, args []string) (sources, streams []string, err error) {
	switch dash := cmd.ArgsLenAtDash(); {
	case k.flags.ofGit() && (dash >= 0 || k.rendered || slices.Contains(args, "-")):
		return nil, nil, usagef(cmd, "--staged and --base are about sources: check rendered output by itself")
	case k.flags.ofGit():
		return args, nil, k.needsRendered(cmd, false)
	case dash >= 0 || k.rendered:
		return nil, args, nil
	}
	for _, arg := range args {
		if arg == "-" {
			streams = append(streams, arg)
		} else {
			sources = append(sources, arg)
		}
	}
	return sources, streams, k.needsRendered(cmd, len(streams) > 0)
}

// sourceFindings applies the rules for sources to what arguments name, and
// returns the files that were named, too, if their content is wanted.
func (k *checkCommand) sourceFindings(ctx context.Context, args []string) ([]finding, []input, error) {
	if len(args) == 0 && !k.flags.ofGit() {
		return nil, nil, nil
	}
	src, done, err := k.source(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer done()
	if len(args) == 0 && k.flags.staged == "" {
		args = []string{"."}
	}
	list, err := src.list(ctx, args)
	if err != nil {
		return nil, nil, err
	}
	maxAge, err := k.flags.age()
	if err != nil {
		return nil, nil, err
	}
	s := &scan{src: src, list: list, keep: k.print, sealed: sealedRules{
		rules: newSourceRules(src), maxAge: maxAge, postQuantum: k.flags.postQuantum, now: time.Now(),
	}}
	all, err := s.files(ctx)
	if err != nil {
		return nil, nil, err
	}
	found, err := k.collect(ctx, s, all)
	return found, streamsOf(all), err
}

// source returns where sources come from, and what to do when they are read.
func (k *checkCommand) source(ctx context.Context) (src source, done func(), err error) {
	if k.flags.staged == "" {
		return newDiskSource(!k.flags.noGit), func() {}, nil
	}
	git, err := newIndexSource(ctx, k.flags.staged == stagedAll)
	if err != nil {
		return nil, nil, err
	}
	return git, func() { git.close() }, nil
}

// streamsOf returns what was read and kept.
func streamsOf(all []scanned) []input {
	var inputs []input
	for _, r := range all {
		if r.stream != nil {
			inputs = append(inputs, input{name: r.file.name, walked: r.file.walked, stream: r.stream})
		}
	}
	return inputs
}

// collect puts together what was found in files, and what only all of them
// together show, in the order of the files.
func (k *checkCommand) collect(ctx context.Context, s *scan, all []scanned) ([]finding, error) {
	var found []finding
	var errs []error
	allowed := map[string][]allowance{}
	order := map[string]int{}
	for i := range all {
		r := &all[i]
		if r.err == nil && r.empty && !r.file.walked && !k.allowEmpty {
			r.err = &report.PlacedError{File: r.file.name, Operation: "read", Err: errEmpty}
		}
		errs = append(errs, report.Split(r.err)...)
		found = append(append(found, r.findings...), s.clearLiterals(r)...)
		allowed[r.file.name], order[r.file.name] = r.allowed, i
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	found = append(found, scopesOfBuilds(all)...)
	more, err := s.repositoryRules(ctx, all, k.wantsNotes())
	if err != nil {
		return nil, err
	}
	found = append(found, more...)
	if more, err = k.compareWithBase(ctx, s.src, all); err != nil {
		return nil, err
	}
	found = append(found, more...)
	slices.SortStableFunc(found, func(a, b finding) int { return orderOf(order, a) - orderOf(order, b) })
	for i := range found {
		allow(found[i:i+1], allowed[found[i].File])
	}
	return found, s.skipped(found)
}

// orderOf is where the findings of a file stand.
func orderOf(order map[string]int, f finding) int {
	if i, ok := order[f.File]; ok {
		return i
	}
	return len(order)
}

// skipped marks what the allowFile of the repository, or of the working
// directory, accepts.
func (s *scan) skipped(found []finding) error {
	root, err := s.root()
	if err != nil {
		return err
	}
	skips, err := readSkips(s.src, root)
	if err != nil {
		return err
	}
	for i := range found {
		rel := relativeTo(root, found[i].File)
		for _, skip := range skips {
			if skip.rule == found[i].Rule && skip.matches(rel) {
				found[i].suppressed = skip.reason
			}
		}
	}
	return nil
}

// root is the top of the repository, outside of one the working directory.
func (s *scan) root() (string, error) {
	if s.list.repo != nil {
		return s.list.repo.Root(), nil
	}
	return os.Getwd()
}
