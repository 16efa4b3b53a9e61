// SPDX-License-Identifier: Apache-2.0

package kustomizeplugin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/parallel"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/unseal"
)

// program is the name in front of notes.
const program = "signet-kustomize"

// Function opens sealed documents inside a kustomize build. Its methods may be
// called concurrently if Options and Stderr allow it.
type Function struct {
	// Root is the root of the kustomization that lists the function: the
	// working directory of a KRM function, $KUSTOMIZE_PLUGIN_CONFIG_ROOT of a
	// legacy plugin. Files are read below it only, but for the configuration of
	// RunLegacy.
	Root string
	// Options says with which keys to open. It gets Root and is called at
	// most once per run, and only if there is something to open.
	Options func(root string) (unseal.Options, error)
	// Stderr gets notes; nil is nowhere.
	Stderr io.Writer
}

// Run reads a ResourceList from in and writes to out the one that kustomize
// goes on with. Nothing is written unless all went well. The error may be
// several joined ones, the last of which may be an *UntriedError; Hint knows
// what helps against some. None holds a value.
func (f *Function) Run(ctx context.Context, in io.Reader, out io.Writer) (err error) {
	defer parallel.Recover(&err)
	list, err := readResourceList(in)
	if err != nil {
		return &report.PlacedError{File: "-", Operation: "read", Err: err}
	}
	r := f.newRun(list.config, list.stream, list.generating())
	if err := r.do(ctx); err != nil {
		return err
	}
	text, err := list.with(r)
	if err != nil {
		return err
	}
	return f.write(out, text, r)
}

// RunLegacy is Run for the protocol of exec plugins. config is the path of the
// file with the configuration, the first argument of the plugin. A transformer
// reads all resources from in, for a generator there is nothing; what is
// written to out is a plain stream of manifests.
func (f *Function) RunLegacy(ctx context.Context, config string, in io.Reader, out io.Writer) (err error) {
	defer parallel.Recover(&err)
	node, err := readConfigFile(config)
	if err != nil {
		return &report.PlacedError{File: config, Operation: "read", Err: report.Cause(err)}
	}
	stream, err := manifest.Read(in)
	if err != nil {
		return &report.PlacedError{File: "-", Operation: "read", Err: err}
	}
	r := f.newRun(node, stream, stream.Empty())
	if err := r.do(ctx); err != nil {
		return err
	}
	text, err := r.plainStream()
	if err != nil {
		return err
	}
	return f.write(out, text, r)
}

// write writes what a run has made, and then the notes about it.
func (f *Function) write(out io.Writer, text []byte, r *run) error {
	if _, err := out.Write(text); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	if f.Stderr != nil {
		f.Stderr.Write(r.noted.Bytes())
	}
	return nil
}

// run is one call of a Function.
type run struct {
	config *yaml.Node // the configuration, a mapping
	input  *manifest.Stream
	// generating tells a generator, whose result kustomize merges and
	// hashes, from a transformer, whose result replaces the input.
	generating bool
	root       string
	options    func() (unseal.Options, error)
	notes      report.Printer
	noted      bytes.Buffer // by notes: what is said of a result that there is not may be untrue

	// The result: documents that take the place of those in the input, and
	// new ones behind them.
	replaced  map[*manifest.Document]*yaml.Node
	generated []*yaml.Node
}

func (f *Function) newRun(config *yaml.Node, input *manifest.Stream, generating bool) *run {
	r := &run{
		config: config, input: input, generating: generating, root: f.Root,
		replaced: map[*manifest.Document]*yaml.Node{},
	}
	r.notes = report.Printer{Program: program, W: &r.noted}
	r.options = sync.OnceValues(func() (o unseal.Options, err error) {
		defer parallel.Recover(&err)
		if f.Options == nil {
			return o, errors.New("find keys: the program offers none")
		}
		o, err = f.Options(f.Root)
		o.WholeSecrets = true // kustomize's output is applied
		return o, err
	})
	return r
}

// do does what the configuration says.
func (r *run) do(ctx context.Context) error {
	c, err := parseConfig(r.config)
	if err != nil {
		return r.atConfig("read", err)
	}
	switch {
	case c.kind == selfConfig:
		return r.openSelf(ctx)
	case c.kind == ksopsConfig:
		return r.ksops(ctx, c)
	case c.files != nil:
		return r.openFiles(ctx, c.files)
	case r.generating:
		return r.atConfig("read", errNothingToDo)
	}
	return r.openInput(ctx)
}

// atConfig places an error at the configuration.
func (r *run) atConfig(operation string, err error) error {
	o := &manifest.Object{Node: r.config}
	place := "configuration"
	if kind := o.Kind(); kind != "" {
		place += " " + kind
	}
	if syntax, ok := report.As[*manifest.SyntaxError](err); ok { // lines are those of what kustomize wrote
		err = &manifest.SyntaxError{Path: syntax.Path, Reason: syntax.Reason}
	}
	return &report.PlacedError{File: place, Object: report.ObjectName(o), Operation: operation, Err: err}
}
