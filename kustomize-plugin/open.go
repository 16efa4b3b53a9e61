// SPDX-License-Identifier: Apache-2.0

package kustomizeplugin

import (
	"context"
	"errors"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/parallel"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// open opens all of sealed and returns what they become, in order.
func (r *run) open(ctx context.Context, sealed []*target) (map[*target]*yaml.Node, error) {
	if len(sealed) == 0 {
		return nil, nil
	}
	o, err := r.options()
	if err != nil {
		return nil, err
	}
	jobs := unseal.Jobs(sealed, func(t *target) (string, *manifest.Object) { return t.file, t.Object })
	results := make([][]*yaml.Node, len(jobs))
	errs := parallel.Try(ctx, len(jobs), func(i int) (err error) {
		results[i], err = r.openJob(ctx, jobs[i], o)
		return err
	})
	if err := joined(errs); err != nil {
		return nil, err
	}
	opened := make(map[*target]*yaml.Node, len(sealed))
	for i, job := range jobs {
		for k, t := range job {
			opened[t] = results[i][k]
			if err := r.finish(t, opened[t]); err != nil {
				return nil, t.at("open", err)
			}
		}
	}
	return opened, nil
}

// openJob opens one SealedSecret, or the documents of one SOPS file.
func (r *run) openJob(ctx context.Context, job []*target, o unseal.Options) ([]*yaml.Node, error) {
	first := job[0]
	if first.Group() != sopsdoc.Group {
		nodes, err := r.openSOPS(ctx, job, o)
		if err != nil {
			return nil, first.at("open", err)
		}
		return nodes, nil
	}
	opened, err := unseal.Open(ctx, first.Node, o)
	if err != nil {
		return nil, first.at("open", renamed(first.Object, err))
	}
	return []*yaml.Node{manifest.Root(secretNode(opened.Secret))}, nil
}

// openSOPS opens the documents of one SOPS file. The mac covers what stands in
// them in clear, so what kustomize has written into them is taken out before.
func (r *run) openSOPS(ctx context.Context, job []*target, o unseal.Options) ([]*yaml.Node, error) {
	docs := make([]*yaml.Node, len(job))
	for i, t := range job {
		docs[i] = t.Tree() // comments of the document count for selectors
		if !r.generating {
			docs[i] = manifest.Clone(docs[i])
			takeTracking(manifest.Root(docs[i]))
		}
	}
	opened, err := unseal.OpenFile(ctx, docs, o)
	var tampered *sopsdoc.TamperedError
	switch {
	case errors.As(err, &tampered) && job[0].file == "-":
		return nil, &changedError{err}
	case err != nil:
		return nil, err
	}
	nodes := make([]*yaml.Node, len(job))
	for i, doc := range opened.Documents {
		nodes[i] = manifest.Root(doc)
		if (&manifest.Object{Node: nodes[i]}).IsSecret() {
			if err := onlyData(nodes[i]); err != nil {
				return nil, err
			}
		}
	}
	return nodes, nil
}

// renamed explains a *unseal.ScopeError by what kustomize has noted down of
// earlier names of the object.
func renamed(o *manifest.Object, err error) error {
	var scope *unseal.ScopeError
	if !errors.As(err, &scope) {
		return err
	}
	old, now := firstNames(o), o.Namespace()+"/"+o.Name()
	if old == "" || old == now {
		return err
	}
	return &renamedError{Old: old, New: now, Err: scope}
}
