// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// secretFlags say which sealed Secret of a file is meant, and how to open it.
type secretFlags struct {
	keyFlags
	name      string
	namespace string
	timeout   time.Duration
}

func (f *secretFlags) add(cmd *cobra.Command) {
	f.keyFlags.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.name, "name", "", "`[NAMESPACE/]NAME` of the Secret that is meant, if there are several in the file")
	flags.StringVarP(&f.namespace, "namespace", "n", "", "`NAMESPACE` of documents that name none; one that names another is an error")
	flags.DurationVar(&f.timeout, "timeout", 0,
		"`DURATION`, as in 50s, after which opening or sealing fails and names the keys that gave no answer; 0 is none (default $"+userkeys.TimeoutVariable+")")
	if err := cmd.RegisterFlagCompletionFunc("name", completeSecrets); err != nil {
		panic(err) // the flag does not exist: seen by every test
	}
}

// completeSecrets completes the names of the Secrets in the file that was named.
func completeSecrets(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) == 0 || args[0] == "-" {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	in, err := readTarget(args[0], nil)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	all, err := in.targets("")
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return labels(all), cobra.ShellCompDirectiveNoFileComp
}

// check reads the settings that need no file: what is wrong with them is told
// before anything else is done.
func (f *secretFlags) check(cmd *cobra.Command, c console) error {
	if _, err := f.sources(c.err, true).KeyOptions(); err != nil {
		return err
	}
	_, err := userkeys.Timeout(f.timeout, cmd.Flags().Changed("timeout"))
	return err
}

// within calls do, which has to use the sources, within the time limit.
func (f *secretFlags) within(ctx context.Context, cmd *cobra.Command, c console, do func(context.Context, userkeys.Sources) error) error {
	limit, err := userkeys.Timeout(f.timeout, cmd.Flags().Changed("timeout"))
	if err != nil {
		return err
	}
	sources := f.sources(c.err, true)
	sources.Watch = new(userkeys.Watch)
	return sources.Watch.Within(ctx, limit, func(ctx context.Context) error { return do(ctx, sources) })
}

// open opens targets of one file. Those of one SOPS file share what was opened.
func (f *secretFlags) open(cmd *cobra.Command, c console, all ...*target) error {
	return f.within(cmd.Context(), cmd, c, func(ctx context.Context, sources userkeys.Sources) error {
		o, err := sources.Options(documentPaths([]input{all[0].in})...)
		if err != nil {
			return err
		}
		o.Namespace = f.namespace
		var errs []error
		for i, t := range all {
			if sameFile(all, i) {
				err = t.openLike(all[i-1])
			} else {
				err = t.open(ctx, o)
			}
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	})
}

// errInConflict says that the merge driver has left a conflict.
var errInConflict = errors.New("is a file in conflict")

// readSealed reads the file, or stdin, in which targets are looked for.
func readSealed(c console, file string) (input, error) {
	in := input{name: file, notes: new(bytes.Buffer)}
	return in, in.readSettled(c.in, "read")
}

// one reads a file, selects the Secret that is meant and opens it.
func (f *secretFlags) one(cmd *cobra.Command, c console, file string) (*target, error) {
	in, err := readSealed(c, file)
	if err != nil {
		return nil, err
	}
	t, err := in.target(f.name)
	c.err.Write(in.notes.Bytes())
	if err != nil {
		return nil, err
	}
	return t, f.open(cmd, c, t)
}

// sealFlags are secretFlags for commands that seal the Secret again.
type sealFlags struct {
	secretFlags
	recipientFlags
	allowClear []string
	freshKey   bool
}

func (f *sealFlags) add(cmd *cobra.Command) {
	f.secretFlags.add(cmd)
	f.recipientFlags.add(cmd)
	cmd.Flags().StringArrayVar(&f.allowClear, "allow-clear", nil, "the value of this `KEY` may also stand in a label, annotation or comment")
	cmd.Flags().BoolVar(&f.freshKey, "fresh-key", false, "encrypt everything anew, also what has not changed")
}

func (f *sealFlags) check(cmd *cobra.Command, c console) error {
	if _, err := f.recipientFlags.rule(); err != nil {
		return usage(cmd, err)
	}
	return f.secretFlags.check(cmd, c)
}

// sealing says for whom a file is sealed.
func (f *sealFlags) sealing(file string) (seal.Options, error) {
	rule, err := (&ruleFinder{flags: f.recipientFlags}).rule(f.document(file))
	if err != nil {
		if none, ok := report.As[*keys.NoRulesError](err); ok && file == "-" && f.filename == "" {
			err = &stdinRulesError{"standard input", none}
		}
		return seal.Options{}, &report.PlacedError{File: file, Operation: "seal", Err: err}
	}
	return seal.Options{
		Recipients:       rule.Recipients,
		AllowClear:       f.allowClear,
		FreshKey:         f.freshKey,
		FreshKeyOnChange: rule.FreshKey,
		Now:              time.Now(),
	}, nil
}

// document returns the path that rules are asked about.
func (f *sealFlags) document(file string) string {
	switch wd, err := os.Getwd(); {
	case f.filename != "":
		return f.filename
	case file == "-" && err == nil:
		return filepath.Join(wd, "-")
	}
	return file
}

// apply seals what was changed in a target, and notes who gains and who loses
// access by that.
func (f *sealFlags) apply(ctx context.Context, cmd *cobra.Command, c console, t *target, o seal.Options) (changed bool, err error) {
	had := t.recipients()
	limits, err := f.limitsFor(t.in)
	if err != nil {
		return false, err
	}
	var notes []string
	err = f.within(ctx, cmd, c, func(ctx context.Context, sources userkeys.Sources) (err error) {
		if o.Wrapper, err = sources.Wrapper(); err != nil {
			return err
		}
		changed, notes, err = t.apply(ctx, o)
		return err
	})
	if err != nil || !changed {
		return false, err
	}
	if !t.isSOPS() {
		notes = append(notes, limits.amended(t.object(), t.change.Clear.Scope, o.Recipients, f.namespace)...)
	}
	for _, text := range append(accessNotes(had, o.Recipients), notes...) {
		note(c.err, t.in.label(t.object()), text)
	}
	return true, nil
}

// replace seals what was changed in a target and writes its file, which was read
// as raw.
func (f *sealFlags) replace(cmd *cobra.Command, c console, t *target, raw []byte, o seal.Options) error {
	if _, err := f.apply(cmd.Context(), cmd, c, t, o); err != nil {
		return err
	}
	return save(c, t.in.name, raw, t.bytes())
}

// accessNotes tell who can open a document from now on, and who no longer can.
func accessNotes(had, have keys.Recipients) []string {
	var notes []string
	for _, id := range missing(have, had) {
		notes = append(notes, "now also opens for "+id)
	}
	for _, id := range missing(had, have) {
		notes = append(notes, "no longer opens for "+id+", who can still open what is in Git history")
	}
	return notes
}

// save writes a file that was read as raw, or prints it if it came from stdin.
func save(c console, file string, raw, data []byte) error {
	if file == "-" {
		if _, err := c.out.Write(data); err != nil {
			return fmt.Errorf("write stdout: %w", report.Cause(err))
		}
		return nil
	}
	if bytes.Equal(raw, data) {
		return nil
	}
	return replaceIf(file, sha256.Sum256(raw), data)
}

// errMeanwhile says that a file is not what it was when it was read.
var errMeanwhile = errors.New("was changed by another program meanwhile")

// stillAs reports whether a file still holds what was read, by the sum of that.
func stillAs(file string, sum [sha256.Size]byte) error {
	now, err := readBounded(file)
	if err == nil && sha256.Sum256(now) == sum {
		return nil
	}
	if err == nil || errors.Is(err, manifest.ErrTooLarge) {
		err = errMeanwhile
	}
	return &report.PlacedError{File: file, Operation: "write", Err: report.Cause(err)}
}

// checkKey refuses what cannot be a key. It is not shown: it may be a value, if
// the key was forgotten.
func checkKey(cmd *cobra.Command, key string) error {
	if !sopsdoc.ValidDataKey(key) {
		return usagef(cmd, "KEY holds only letters, digits, -, _ and .")
	}
	return nil
}

// noKeyError says that a Secret lacks a key.
type noKeyError struct {
	missing []string
	keys    []string // that are there
}

func (e *noKeyError) Error() string {
	text := "has no key " + strings.Join(e.missing, ", ")
	if len(e.keys) == 0 {
		return text + ", it is empty"
	}
	visible := make([]string, len(e.keys))
	for i, key := range e.keys {
		visible[i] = report.Visible(key)
	}
	return text + ", but " + strings.Join(visible, ", ")
}
