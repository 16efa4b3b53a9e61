// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/krm"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/tree"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// function reads one entry of generators: or transformers: in the kustomization
// of that file: YAML, a file, or a directory whose resources are configurations.
func (r *buildReader) function(ctx context.Context, file, entry string) error {
	if in, ok := inline(r.shown(file), entry); ok {
		return r.configurations(ctx, in, path.Dir(file))
	}
	target, isDir, err := r.resolve(file, entry)
	switch {
	case err != nil || target == "":
		return err
	case isDir:
		return r.functionFolder(ctx, target, path.Dir(file), 0)
	}
	return r.functionFile(ctx, target, path.Dir(file))
}

// inline returns an entry that is itself the configuration, as kustomize tells
// it from a path (kustomize api: internal/target/kusttarget.go).
func inline(name, entry string) (input, bool) {
	stream, err := manifest.Split([]byte(entry))
	if err != nil || len(stream.Documents) == 0 {
		return input{}, false
	}
	in := input{name: name, stream: stream}
	if strings.Contains(entry, "\n") { // no path, and perhaps malformed
		return in, true
	}
	n, err := stream.Documents[0].Node()
	return in, err == nil && n != nil && manifest.Root(n).Kind == yaml.MappingNode
}

// functionFolder reads the configurations among the resources of a kustomization
// that another one, in the directory root, lists as functions.
func (r *buildReader) functionFolder(ctx context.Context, dir, root string, depth int) error {
	if depth > maxFunctionFolders {
		return r.fail(dir, errBuildTooLarge)
	}
	file, k, err := r.kustomization(dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, entry := range slices.Concat(k.Resources, k.Components, k.Bases) {
		target, isDir, err := r.resolve(file, entry)
		switch {
		case err != nil || target == "":
		case isDir:
			err = r.functionFolder(ctx, target, root, depth+1)
		default:
			err = r.functionFile(ctx, target, root)
		}
		errs = append(errs, report.Split(err)...)
	}
	return errors.Join(errs...)
}

// maxFunctionFolders is how deep directories of configurations may refer to each
// other; kustomize refuses cycles.
const maxFunctionFolders = 20

func (r *buildReader) functionFile(ctx context.Context, file, root string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	in, err := r.input(file)
	if err != nil {
		return err
	}
	return r.configurations(ctx, in, root)
}

func (r *buildReader) input(file string) (input, error) {
	text, err := r.content(file, maxBuildBytes)
	if err != nil {
		return input{}, r.fail(file, err)
	}
	stream, err := manifest.Split(text)
	if err != nil {
		return input{}, r.fail(file, err)
	}
	return input{name: r.shown(file), stream: stream}, nil
}

// configurations adds what the functions will make whose configurations are in
// the input. root is the directory of the kustomization that lists them. Other
// functions do not matter, whatever kustomize can read in theirs.
func (r *buildReader) configurations(ctx context.Context, in input, root string) error {
	if !in.mentions(sopsdoc.Group, krm.KSOPSAPIVersion) {
		return nil
	}
	var inFiles []error // which name their own place
	_, err := in.objects(func(f found) (bool, error) {
		err := r.configuration(ctx, in.name, f, root)
		if errors.As(err, new(*report.PlacedError)) {
			inFiles = append(inFiles, report.Split(err)...)
			return false, nil
		}
		return false, err
	}, sopsdoc.Group, krm.KSOPSAPIVersion)
	return errors.Join(append(report.Split(err), inFiles...)...)
}

func (r *buildReader) configuration(ctx context.Context, file string, f found, root string) error {
	switch {
	case f.APIVersion() == sopsdoc.APIVersion && f.Kind() == sopsdoc.Kind:
		return r.expectSealed(file, f)
	case f.APIVersion() == sopsdoc.APIVersion && f.Kind() == krm.UnsealKind:
		return r.expectFiles(ctx, f.Node, root, true)
	case f.APIVersion() == krm.KSOPSAPIVersion && f.Kind() == krm.KSOPSKind:
		if err := r.expectSecretFrom(file, f); err != nil {
			return err
		}
		return r.expectFiles(ctx, f.Node, root, false)
	}
	_, err := toOpen(f) // an object of our API that this version does not know?
	return err
}

// expectSealed expects the Secret of a SealedSecret.
func (r *buildReader) expectSealed(file string, f found) error {
	doc, err := sopsdoc.ParseSealedSecret(f.Node)
	if err != nil {
		return err
	}
	namespace := doc.Namespace
	if namespace == "" && doc.Envelope.Scope.Namespace != sopsdoc.Any {
		namespace = doc.Envelope.Scope.Namespace
	}
	r.expect(file, f, namespace, doc.SecretName, f.Node)
	return nil
}

// expect adds a Secret; in annotated are annotations for kustomize.
func (r *buildReader) expect(file string, f found, namespace, name string, annotated *yaml.Node) {
	behavior := manifest.GetString(annotated, "metadata", "annotations", krm.BehaviorAnnotation)
	r.expected = append(r.expected, expectation{
		namespace: namespace, name: name, merges: behavior == "merge" || behavior == "replace",
		file: file, document: f.doc.Index, item: f.Item,
	})
}

// expectFiles expects the Secrets of sealed documents in the files that a
// configuration lists.
func (r *buildReader) expectFiles(ctx context.Context, config *yaml.Node, root string, patterns bool) error {
	names, err := manifest.Strings(config, "", "files")
	if err != nil {
		return err
	}
	files, err := r.match(ctx, root, names, patterns)
	if err != nil {
		return err
	}
	var errs []error
	for _, file := range files {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		errs = append(errs, report.Split(r.expectFile(file))...)
	}
	return errors.Join(errs...)
}

// match returns the files that paths and patterns below a directory name, sorted,
// each once. Paths may lead anywhere in the repository, as those of KSOPS do.
func (r *buildReader) match(ctx context.Context, root string, names []string, patterns bool) ([]string, error) {
	at := func(name string, err error) error {
		return fmt.Errorf("files: %s: %w", report.Visible(name), tree.Cause(err))
	}
	files := map[string]bool{}
	var globs []string
	for _, name := range names {
		full := path.Join(root, name)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case path.IsAbs(name) || !fs.ValidPath(full):
			return nil, at(name, tree.ErrOutside)
		case patterns && tree.HasMeta(name):
			globs = append(globs, name)
		case !files[full]:
			files[full] = true
			if _, err := r.root.Stat(full); err != nil {
				return nil, at(name, err)
			}
		}
	}
	found, err := r.matcher.Match(ctx, root, globs)
	if err != nil {
		if e, ok := report.As[*tree.PatternError](err); ok { // the first
			err = at(e.Pattern, e.Err)
		}
		return nil, err
	}
	for _, file := range found {
		files[file] = true
	}
	return slices.Sorted(maps.Keys(files)), nil
}

func (r *buildReader) expectFile(file string) error {
	in, err := r.input(file)
	if err != nil {
		return err
	}
	_, err = in.objects(func(f found) (bool, error) {
		switch {
		case f.Group() == sopsdoc.Group && f.Kind() == sopsdoc.Kind:
			return false, r.expectSealed(in.name, f)
		case sopsdoc.FileMAC(f.Node) == "":
		case sopsdoc.LooksEncrypted(f.Kind()) || sopsdoc.LooksEncrypted(f.Name()):
			note(r.stderr, in.name, "kind or name of an object is encrypted: nobody can see whether it is in the output")
		case f.IsSecret():
			r.expect(in.name, f, f.Namespace(), f.Name(), f.Node)
		}
		return false, nil
	}, sopsdoc.Group, sopsdoc.MetadataKey)
	return err
}

// expectSecretFrom expects what a ksops configuration makes of other files.
func (r *buildReader) expectSecretFrom(file string, f found) error {
	list, err := manifest.List(f.Node, "", "secretFrom")
	if err != nil {
		return err
	}
	for _, from := range list {
		if name := manifest.GetString(from, "metadata", "name"); name != "" {
			r.expect(file, f, manifest.GetString(from, "metadata", "namespace"), name, from)
		}
	}
	return nil
}
