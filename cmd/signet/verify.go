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

	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/internal/parallel"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
	"github.com/signet-secrets/signet/unseal/sopsfile"
)

const verifyLong = `Open sealed documents and SealingKeys, verify them, and tell for each whether that
worked and with which key. No value is printed. What fails does not stop the rest,
unless a key service refuses everything. The exit code is 3 if a document does not
open, and 1 if a file cannot be read.

With --each-key every key that is at hand is tried, not only the first that opens
a document: a key of yours that would not open it when it is needed, because what
was wrapped for it is damaged, is an error. Keys of others are not at hand.

SOPS files that are no Kubernetes objects are verified if they are named. In
folders, hidden ones are left out: name .signet/keys to verify SealingKeys.`

// verifyCommand holds the flags of `signet verify`.
type verifyCommand struct {
	console
	keyFlags
	namespace string
	eachKey   bool
	output    string
	timeout   time.Duration

	options unseal.Options
	keyring unseal.KeyOptions // opens SealingKeys that are verified themselves
	opener  keyOpener
}

func newVerify(c console) *cobra.Command {
	v := &verifyCommand{console: c}
	cmd := &cobra.Command{
		Use:     "verify [flags] FILE|DIR|-...",
		Short:   "Tell whether documents open, and with which keys",
		Long:    verifyLong,
		Example: "  signet verify sealed.yaml\n  signet verify --each-key .",
		RunE:    v.run,
	}
	v.keyFlags.add(cmd)
	cmd.Flags().BoolVar(&v.eachKey, "each-key", false, "try every key that is at hand, not only the first that opens a document")
	addOutput(cmd, &v.output, "`FORMAT`: text or json")
	addNamespace(cmd, &v.namespace)
	addTimeout(cmd, &v.timeout)
	return cmd
}

// verification is what verify tells of one document.
type verification struct {
	File     string      `json:"file"`
	Document int         `json:"document,omitempty"` // 0 if it is about the whole file
	Item     int         `json:"item,omitempty"`
	Kind     string      `json:"kind,omitempty"`
	Object   string      `json:"object,omitempty"`
	OK       bool        `json:"ok"`
	OpenedBy []recipient `json:"openedBy"`
	Keys     []triedKey  `json:"keys,omitempty"` // with --each-key
	Error    string      `json:"error,omitempty"`
	err      error
}

func (v *verifyCommand) run(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usagef(cmd, "name a file, a directory or - for stdin")
	}
	if err := checkOutput(cmd, v.output); err != nil {
		return err
	}
	limit, err := userkeys.Timeout(v.timeout, cmd.Flags().Changed("timeout"))
	if err != nil {
		return err
	}
	inputs, err := collect(args)
	if err != nil {
		return err
	}
	watch := new(userkeys.Watch)
	if err := v.sourcesFor(inputs, watch); err != nil {
		return err
	}
	return watch.Within(cmd.Context(), limit, func(ctx context.Context) error {
		all, errs := v.verify(ctx, inputs)
		if err := v.print(all, len(errs) > 0); err != nil {
			return err
		}
		return errors.Join(errs...)
	})
}

func (v *verifyCommand) sourcesFor(inputs []input, watch *userkeys.Watch) (err error) {
	sources := v.sources(v.err, true)
	sources.Watch = watch
	if v.options, err = sources.Options(documentPaths(inputs)...); err != nil {
		return err
	}
	v.options.Namespace = v.namespace
	sources.NoCommands = true
	if v.keyring, err = sources.KeyOptions(); err != nil {
		return err
	}
	v.opener = keyOpener{ring: v.options.Keyring, options: v.keyring, opened: map[string]*openedKey{}}
	return nil
}

// verify opens the documents of all inputs. errs are those about inputs, documents
// and what was not tried, in order.
func (v *verifyCommand) verify(ctx context.Context, inputs []input) (all []verification, errs []error) {
	results := make([][]verification, len(inputs))
	progress := newProgress(v.err, "verifying", len(inputs))
	var b breaker
	failed := parallel.Do(len(inputs), func(i int) (err error) {
		defer progress.step()
		in := inputs[i]
		in.notes = new(bytes.Buffer)
		if ctx.Err() != nil {
			return parallel.ErrNotTried
		}
		if err := in.readSettled(v.in, "open"); err != nil {
			return err
		}
		results[i], err = v.verifyInput(ctx, in, &b)
		return err
	})
	progress.done()
	for i := range inputs {
		errs = append(errs, report.Split(failed[i])...)
		for _, r := range results[i] {
			if r.err != nil {
				errs = append(errs, r.err)
			}
			if !errors.Is(r.err, parallel.ErrNotTried) {
				all = append(all, r)
			}
		}
	}
	return all, errs
}

func (v *verifyCommand) verifyInput(ctx context.Context, in input, b *breaker) ([]verification, error) {
	if in.walked && !in.mentionsSealed() {
		return nil, nil
	}
	if format := sopsfile.FormatOf(in.name); format == sopsfile.Dotenv || format == sopsfile.INI {
		return []verification{v.verifyForeign(ctx, in, format)}, nil
	}
	foreign := false
	jobs, err := in.jobs(func(f found) (bool, error) {
		if f.Kind() == "" && sopsdoc.FileMAC(f.Node) != "" {
			foreign = foreign || !in.walked
			return false, nil
		}
		return toInspect(f)
	})
	switch {
	case foreign && errors.Is(err, errNoSealed):
		return []verification{v.verifyForeign(ctx, in, sopsfile.FormatOf(in.name))}, nil
	case foreign && err == nil: // beside other documents
		err = &report.PlacedError{File: in.name, Operation: "open", Err: errForeignBeside}
	}
	if err != nil {
		return nil, exitcode.Opening(err)
	}
	all := make([]verification, len(jobs))
	errs := parallel.Do(len(jobs), func(i int) error {
		if b.open() || ctx.Err() != nil {
			all[i].err = parallel.ErrNotTried
			return nil
		}
		all[i] = v.verifyTarget(ctx, jobs[i])
		if all[i].err != nil && ctx.Err() != nil {
			all[i].err = parallel.ErrNotTried
		}
		b.count(all[i].err)
		return nil
	})
	return all, errors.Join(errs...)
}

// verifyForeign opens a SOPS file that is no Kubernetes object.
func (v *verifyCommand) verifyForeign(ctx context.Context, in input, format sopsfile.Format) verification {
	r := verification{File: in.name, Kind: "SOPS " + string(format)}
	_, err := sopsfile.Open(ctx, in.stream.Bytes(), format, v.options)
	if err != nil {
		return r.failed(exitcode.Opening(&report.PlacedError{File: in.name, Operation: "open", Err: err}))
	}
	r.OK = true
	return r
}

// verifyTarget opens one document.
func (v *verifyCommand) verifyTarget(ctx context.Context, t *target) verification {
	f := t.object()
	r := verification{File: t.in.name, Document: f.doc.Index, Item: f.Item, Kind: f.Kind(), Object: report.ObjectName(f.Object), OpenedBy: []recipient{}}
	used, opened, err := v.open(ctx, t)
	if err != nil {
		return r.failed(err)
	}
	for _, k := range used {
		shown := describe(k.Entry)
		shown.SealingKey = k.SealingKey
		r.OpenedBy = append(r.OpenedBy, shown)
	}
	if v.eachKey {
		if r.Keys, err = v.tryKeys(ctx, opened); err != nil {
			return r.failed(exitcode.Opening(t.wrap("open", err)))
		}
	}
	r.OK = true
	return r
}

func (r verification) failed(err error) verification {
	r.err = err
	cause := err
	if placed, ok := report.As[*report.PlacedError](err); ok {
		cause = placed.Err
	}
	r.Error, _, _ = strings.Cut(cause.Error(), "\n")
	return r
}

// openedDocument is what trying further keys takes.
type openedDocument struct {
	recipients keys.Recipients
	dataKey    keys.DataKey // zero if it is not known
	known      bool
	namespace  string
	ring       bool // a Keyring may open it
}

func (v *verifyCommand) open(ctx context.Context, t *target) ([]unseal.UsedKey, openedDocument, error) {
	if isSealingKey(t.object()) {
		k, err := unseal.OpenKey(ctx, t.object().Node, v.keyring)
		if err != nil {
			return nil, openedDocument{}, exitcode.Opening(t.wrap("open", err))
		}
		return nil, openedDocument{recipients: k.Key.Metadata.Recipients}, nil
	}
	if err := t.open(ctx, v.options); err != nil && !errors.Is(err, errNotSecret) {
		return nil, openedDocument{}, err
	}
	d := openedDocument{recipients: t.recipients(), known: true, ring: true}
	if t.isSOPS() {
		d.dataKey = t.file.DataKey
		return t.file.Keys, d, nil
	}
	d.dataKey, d.namespace = t.opened.DataKey, t.opened.Secret.Namespace
	return t.opened.Keys, d, nil
}

// print writes a line for each document, or a JSON list.
func (v *verifyCommand) print(all []verification, failed bool) error {
	if v.output == "json" {
		return writeJSON(v.out, append([]verification{}, all...))
	}
	for _, r := range all {
		text := report.Visible(r.String()) + "\n"
		for _, k := range r.Keys {
			text += "        " + report.Visible(k.String()) + "\n"
		}
		if err := writeOut(v.out, []byte(text)); err != nil {
			return err
		}
	}
	if len(all) == 0 && !failed {
		printer(v.err).Line("note", "nothing sealed found")
	}
	return nil
}

func (r verification) String() string {
	text := "ok      "
	if !r.OK {
		text = "FAILED  "
	}
	text += report.Source(r.File)
	if r.Document > 0 {
		text += fmt.Sprintf(", document %d", r.Document)
	}
	if r.Item > 0 {
		text += fmt.Sprintf(", item %d", r.Item)
	}
	if r.Object != "" {
		text += ", " + r.Object
	}
	if !r.OK {
		return text + ": " + r.Error
	}
	names := make([]string, len(r.OpenedBy))
	for i, by := range r.OpenedBy {
		names[i] = by.String()
	}
	if len(names) == 0 {
		return text + ": opened"
	}
	return text + ": opened by " + strings.Join(names, " and ")
}
