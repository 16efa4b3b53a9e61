// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
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
	case err != nil:
		return err
	case target == "":
		if r.after {
			r.at.loosens = append(r.at.loosens, anything())
		}
		return nil
	case isDir:
		r.renaming = loosening{}
		defer func() { r.renaming = loosening{} }()
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
	r.renaming.affixes = r.renaming.affixes || k.NamePrefix != "" || k.NameSuffix != ""
	r.renaming.namespace = r.renaming.namespace || k.Namespace != ""
	if len(k.Transformers) > 0 || len(r.loosenings(path.Dir(file), &k)) > 0 {
		r.renaming.name, r.renaming.namespace = true, true
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
	if r.after {
		r.at.loosens = append(r.at.loosens, transformersLoosen(in)...)
	}
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
	r.openers = r.openers || isFunction(f.Object) || f.Kind() == sopsdoc.Kind
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
	keys := slices.Concat(doc.Envelope.DataKeys(), doc.Envelope.StringDataKeys())
	e := expectation{
		namespace: namespace, name: doc.SecretName, file: file, document: f.doc.Index, item: f.Item,
		content: content{keys: keys, typed: cmp.Or(doc.Envelope.Type, opaque)},
	}
	inside := doc.Envelope.Annotations
	r.expect(e, func(key string) string {
		return cmp.Or(manifest.GetString(f.Node, "metadata", "annotations", key), inside[key])
	})
	return nil
}

// annotationsOf reads the annotations of an object.
func annotationsOf(n *yaml.Node) func(key string) string {
	return func(key string) string { return manifest.GetString(n, "metadata", "annotations", key) }
}

// expect adds a Secret with annotations for kustomize, which only those of the
// results of generators are.
func (r *buildReader) expect(e expectation, annotation func(key string) string) {
	e.in = destination{namespace: e.namespace, name: e.name}
	e.in.loosen(r.renaming)
	if r.after {
		r.at.transformed = append(r.at.transformed, e)
		return
	}
	behavior := annotation(krm.BehaviorAnnotation)
	e.replaces = behavior == "replace"
	e.merges = e.replaces || behavior == "merge"
	e.in.hash, _ = strconv.ParseBool(annotation(krm.HashAnnotation))
	r.at.generated = append(r.at.generated, e)
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
		return fmt.Errorf("files: %w", &entryError{name, tree.Cause(err)})
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
			r.expectSOPS(in.name, f)
		}
		return false, nil
	}, sopsdoc.Group, sopsdoc.MetadataKey)
	return err
}

// expectSOPS expects a Secret that SOPS has encrypted as a manifest. Which of its
// fields that has reached is in clear.
func (r *buildReader) expectSOPS(file string, f found) {
	e := expectation{
		namespace: f.Namespace(), name: f.Name(), file: file, document: f.doc.Index, item: f.Item,
		content: contentOf(f.Object),
	}
	if sopsdoc.LooksEncrypted(e.content.typed) {
		e.content.typed = ""
	}
	if sopsdoc.LooksEncrypted(e.namespace) {
		e.namespace = ""
		was := r.renaming
		r.renaming.namespace = true
		defer func() { r.renaming = was }()
	}
	r.expect(e, annotationsOf(f.Node))
}

// expectSecretFrom expects what a ksops configuration makes of other files. Their
// names are keys, but for those of variables.
func (r *buildReader) expectSecretFrom(file string, f found) error {
	list, err := manifest.List(f.Node, "", "secretFrom")
	if err != nil {
		return err
	}
	for _, from := range list {
		e := expectation{
			namespace: manifest.GetString(from, "metadata", "namespace"), name: manifest.GetString(from, "metadata", "name"),
			file: file, document: f.doc.Index, item: f.Item,
			content: content{more: manifest.Get(from, "envs") != nil, typed: cmp.Or(manifest.GetString(from, "type"), opaque)},
		}
		if e.name == "" {
			continue
		}
		for _, field := range []string{"files", "binaryFiles"} {
			names, err := manifest.Strings(from, "secretFrom", field)
			if err != nil {
				return err
			}
			for _, name := range names {
				key, _, named := strings.Cut(name, "=")
				if !named {
					key = path.Base(name)
				}
				e.content.keys = append(e.content.keys, key)
			}
		}
		r.expect(e, annotationsOf(from))
	}
	return nil
}
