// SPDX-License-Identifier: Apache-2.0

package kustomizeplugin

import (
	"context"
	"slices"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// openSelf opens the SealedSecret that is the configuration.
func (r *run) openSelf(ctx context.Context) error {
	t := &target{Object: &manifest.Object{Node: r.config}, file: "configuration " + sopsdoc.Kind, doc: &manifest.Document{}, root: r.config, sealed: true}
	opened, err := r.open(ctx, []*target{t})
	if err != nil {
		return err
	}
	r.generated = append(r.generated, opened[t])
	return nil
}

// openInput opens what is sealed in the resources that were sent.
func (r *run) openInput(ctx context.Context) error {
	all, err := targets("-", r.input, func(doc *manifest.Document) bool {
		return manifest.MightConcern(doc.Raw(), sopsdoc.Group, sopsdoc.MetadataKey)
	})
	if err != nil {
		return err
	}
	sealed := slices.DeleteFunc(sealedOf(all), isLocal)
	if len(sealed) == 0 {
		r.notes.Note("resources", "nothing in them is sealed")
	}
	opened, err := r.open(ctx, sealed)
	if err != nil {
		return err
	}
	for _, t := range sealed {
		t.Replace(opened[t])
		r.replaced[t.doc] = t.root
	}
	return nil
}

// openFiles emits all objects of the files, opened where they are sealed. What
// is not sealed must stand beside what is.
func (r *run) openFiles(ctx context.Context, patterns []string) error {
	names, content, err := r.readFiles(patterns)
	if err != nil {
		return err
	}
	var all []*target
	for i, name := range names {
		found, err := fileTargets(name, content[i])
		if err != nil {
			return err
		}
		all = append(all, found...)
	}
	opened, err := r.open(ctx, sealedOf(all))
	if err != nil {
		return err
	}
	for _, t := range all {
		n := t.Node
		if t.sealed {
			n = opened[t]
		} else {
			r.withoutOptions(t.file, n)
		}
		r.generated = append(r.generated, n)
	}
	return nil
}

func fileTargets(name string, content []byte) ([]*target, error) {
	stream, err := manifest.Split(content)
	if err != nil {
		return nil, &report.PlacedError{File: name, Operation: "read", Err: err}
	}
	found, err := targets(name, stream, func(*manifest.Document) bool { return true })
	if err != nil {
		return nil, err
	}
	for _, t := range found {
		if t.Kind() == "" || t.APIVersion() == "" {
			return nil, t.at("read", errNotObject)
		}
	}
	if len(sealedOf(found)) == 0 {
		return nil, &report.PlacedError{File: name, Operation: "read", Err: errNothingSealed}
	}
	return found, nil
}

// readFiles reads the files that the patterns name, each once and sorted.
func (r *run) readFiles(patterns []string) (names []string, content [][]byte, err error) {
	t, err := openTree(r.root)
	if err != nil {
		return nil, nil, &report.PlacedError{File: r.root, Operation: "read", Err: cause(err)}
	}
	defer t.close()
	for _, pattern := range patterns {
		found, err := t.match(pattern)
		if err != nil {
			return nil, nil, &report.PlacedError{File: pattern, Operation: "read", Err: err}
		}
		names = append(names, found...)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	content, err = t.readAll(names)
	return names, content, err
}

func (t *tree) readAll(names []string) ([][]byte, error) {
	content := make([][]byte, len(names))
	for i, name := range names {
		text, err := t.read(name)
		if err != nil {
			return nil, &report.PlacedError{File: name, Operation: "read", Err: err}
		}
		content[i] = text
	}
	return content, nil
}

// plainStream writes the input with the result, as legacy plugins do.
func (r *run) plainStream() ([]byte, error) {
	for doc, node := range r.replaced {
		if err := doc.Replace(node); err != nil {
			return nil, err
		}
	}
	out := slices.Clone(r.input.Bytes())
	for _, node := range r.generated {
		text, err := manifest.EncodeYAML(node)
		if err != nil {
			return nil, err
		}
		if len(out) > 0 {
			if out[len(out)-1] != '\n' {
				out = append(out, '\n')
			}
			out = append(out, "---\n"...)
		}
		out = append(out, text...)
	}
	return out, nil
}
