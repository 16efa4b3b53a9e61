// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/parallel"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/unseal"
)

// renewal is a run of rewrap or rotate: many documents get their data key wrapped
// for more recipients, or a new data key.
type renewal struct {
	console
	keyFlags
	recipientFlags
	names      renewalNames
	choose     func(*renewable) action // what is to be done with a document; its recipients are known
	wrapAll    bool
	stale      bool       // SOPS files count as stale, whomever they list
	madeBefore *time.Time // data keys made later are new enough; nil: there is no such time
	dryRun     bool
	output     string

	namespace string
	timeout   time.Duration

	now     time.Time // of the whole run, so that an interrupted one can be told from what it has done
	rules   ruleFinder
	wrapper keys.Wrapper
	options unseal.Options
	keyring unseal.KeyOptions // opens SealingKeys that are renewed themselves
	limits  keyLimits
	slots   chan struct{} // as many as documents are renewed at the same time
}

// renewalNames are the words for what a run does.
type renewalNames struct {
	operation action
	doing     string // as in a progress line
	done      string
}

// addFlags adds the flags that rewrap and rotate have in common.
func (r *renewal) addFlags(cmd *cobra.Command) {
	r.recipientFlags.add(cmd)
	r.keyFlags.add(cmd)
	cmd.Flags().BoolVar(&r.dryRun, "dry-run", false, "print what would be done, without any key and without writing")
	addOutput(cmd, &r.output, "`FORMAT` of the result of --dry-run: text or json")
	addNamespace(cmd, &r.namespace)
	addTimeout(cmd, &r.timeout)
}

// checkFlags finds mistakes that need no look at any file.
func (r *renewal) checkFlags(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return usagef(cmd, "name a file, a directory or - for stdin")
	case r.output == "json" && !r.dryRun:
		return usagef(cmd, "--output json is for --dry-run")
	}
	return checkOutput(cmd, r.output)
}

// run does what the command says for all files: each is written as soon as all
// of its documents are done, and a failing one does not stop the others.
func (r *renewal) run(cmd *cobra.Command, args []string) error {
	if err := r.checkFlags(cmd, args); err != nil {
		return err
	}
	limit, err := userkeys.Timeout(r.timeout, cmd.Flags().Changed("timeout"))
	if err != nil {
		return err
	}
	if _, err := r.recipientFlags.rule(); err != nil {
		return usage(cmd, err)
	}
	r.now = time.Now().UTC().Truncate(time.Second)
	r.rules = ruleFinder{flags: r.recipientFlags}
	inputs, err := collect(args)
	if err == nil {
		err = onlyOnce(inputs)
	}
	if err != nil {
		return err
	}
	watch := new(userkeys.Watch)
	return watch.Within(cmd.Context(), limit, func(ctx context.Context) error {
		files, err := interruptible(ctx, func() ([]*renewalFile, error) { return r.prepare(ctx, inputs) })
		if err != nil {
			return err
		}
		if r.dryRun {
			return errors.Join(append(failures(files), r.print(files))...)
		}
		if err := r.getKeys(inputs, watch); err != nil {
			return err
		}
		return r.all(ctx, cmd, args, files)
	})
}

// onlyOnce refuses two names for one file, which would be written twice.
func onlyOnce(inputs []input) error {
	seen := map[string]bool{}
	for _, in := range inputs {
		path, err := filepath.EvalSymlinks(in.name)
		if err != nil {
			continue // which reading it tells
		}
		if path, err = filepath.Abs(path); err == nil && seen[path] {
			return &report.PlacedError{File: in.name, Operation: "read", Err: errLinkedTwice}
		}
		seen[path] = true
	}
	return nil
}

var errLinkedTwice = errors.New("is named twice, once through a link")

// renewalsAtOnce is how many documents are renewed at the same time. Each waits for
// one call of a key service at a time, to open or to wrap, so that there are never
// more calls than one command makes elsewhere.
const renewalsAtOnce = 20

// getKeys gets ready what opens and what wraps.
func (r *renewal) getKeys(inputs []input, watch *userkeys.Watch) (err error) {
	sources := r.sources(r.err, true)
	sources.Watch = watch
	if r.options, err = sources.Options(documentPaths(inputs)...); err != nil {
		return err
	}
	r.options.Namespace = r.namespace
	r.slots = make(chan struct{}, renewalsAtOnce)
	r.limits = keyLimits{}
	for _, k := range r.options.Keyring.SealingKeys() {
		r.limits[k.Recipient] = append(r.limits[k.Recipient], k)
	}
	if r.wrapper, err = sources.Wrapper(); err != nil {
		return err
	}
	sources.NoCommands = true
	r.keyring, err = sources.KeyOptions()
	return err
}

// all renews the documents of all files.
func (r *renewal) all(ctx context.Context, cmd *cobra.Command, args []string, files []*renewalFile) error {
	pending := slices.DeleteFunc(slices.Clone(files), func(f *renewalFile) bool { return !f.pending() })
	r.announce(cmd, args, pending)
	progress := newProgress(r.err, r.names.doing, len(pending))
	var b breaker
	parallel.Do(len(pending), func(i int) error {
		f := pending[i]
		if f.err = parallel.ErrNotTried; b.open() || ctx.Err() != nil {
			return nil
		}
		defer progress.step()
		func() {
			defer parallel.Recover(&f.err)
			f.err = r.renewFile(ctx, f)
		}()
		if f.err != nil && ctx.Err() != nil {
			f.err = parallel.ErrNotTried
		}
		b.count(f.err)
		return nil
	})
	progress.done()
	for _, f := range files {
		r.err.Write(f.in.notes.Bytes())
	}
	r.summarize(args, files)
	if err := errors.Join(append(failures(files), refusals(files)...)...); err != nil {
		return err
	}
	return r.writeStdout(files)
}

// writeStdout prints what came of stdin.
func (r *renewal) writeStdout(files []*renewalFile) error {
	for _, f := range files {
		if f.in.name != "-" {
			continue
		}
		if err := writeOut(r.out, f.result); err != nil {
			return err
		}
	}
	return nil
}

func failures(files []*renewalFile) []error {
	var errs []error
	for _, f := range files {
		errs = append(errs, report.Split(f.err)...)
	}
	return errs
}

// refusals are the documents for which the rules ask what rewrap does not do.
func refusals(files []*renewalFile) []error {
	var errs []error
	for _, f := range files {
		for _, d := range f.decisions {
			if d.refused != nil {
				errs = append(errs, d.refused)
			}
		}
	}
	return errs
}

// breaker ends a run in which a key service refuses everything, or is out of
// reach: it would else be asked for every document.
type breaker struct{ done, refused atomic.Int32 }

func (b *breaker) open() bool { return b.done.Load() == 0 && b.refused.Load() >= report.MaxErrors }

func (b *breaker) count(err error) {
	switch {
	case err == nil:
		b.done.Add(1)
	case errors.As(err, new(*keys.CallError)):
		b.refused.Add(1)
	}
}

// renewFile renews the documents of one file and writes it, or changes nothing
// if one of them fails.
func (r *renewal) renewFile(ctx context.Context, f *renewalFile) error {
	in := f.in
	if in.name != "-" {
		in.stream = nil
		if err := in.read(nil); err != nil {
			return err
		}
		if sha256.Sum256(in.stream.Bytes()) != f.sum {
			return &report.PlacedError{File: in.name, Operation: "read", Err: errMeanwhile}
		}
	}
	all, _, err := in.renewable()
	if err != nil {
		return err
	}
	results := make([]renewed, len(all))
	errs := parallel.Do(len(all), func(i int) (err error) {
		if !f.decisions[i].action.works() {
			return nil
		}
		r.slots <- struct{}{}
		defer func() { <-r.slots }()
		results[i], err = r.renew(ctx, all[i], f.decisions[i])
		return err
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for i, t := range all {
		if err := r.put(f, t, results[i]); err != nil {
			return err
		}
	}
	f.result = in.stream.Bytes()
	return r.write(f)
}

// put puts a renewed document into the stream of its file.
func (r *renewal) put(f *renewalFile, t *target, result renewed) error {
	if result.nodes == nil {
		return nil
	}
	for i, n := range result.nodes {
		t.place(t.job[i], n)
	}
	for _, text := range result.notes {
		note(f.in.notes, f.in.label(t.job[0]), text)
	}
	_, err := t.in.replaced(t.job)
	return err
}

// write replaces the file, unless somebody else has changed it meanwhile.
func (r *renewal) write(f *renewalFile) error {
	if f.in.name == "-" {
		return nil
	}
	return replaceIf(f.in.name, f.sum, f.result)
}
