// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// previous is the file that -o names, as it was: what can be opened of it need
// not be sealed anew.
type previous struct {
	raw     []byte
	objects []found
	options unseal.Options
}

// previous reads the file that is to be replaced. A file that is missing, or
// in which nothing can be opened, has nothing to keep.
func (s *sealCommand) previous(ctx context.Context) (*previous, error) {
	p := &previous{options: unseal.Options{Unwrapper: s.unwrappers(s.err, false), Namespace: s.namespace}}
	if s.output == "" || s.freshKey {
		return p, ctx.Err()
	}
	info, err := os.Stat(s.output)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return p, nil
	case err != nil:
		return nil, &placedError{file: s.output, operation: "read", err: cause(err)}
	case info.IsDir():
		return nil, &placedError{file: s.output, operation: "write", err: errDirectory}
	case !info.Mode().IsRegular():
		return p, nil
	}
	in := input{name: s.output}
	if err := in.read(nil); err != nil {
		return nil, err
	}
	p.raw = in.stream.Bytes()
	p.objects, err = in.objects(toOpen, sopsdoc.Group, sopsdoc.MetadataKey)
	if err != nil {
		p.objects = nil
	}
	return p, nil
}

// oldSecret is a previous SealedSecret that was opened, or nil.
type oldSecret struct {
	found
	opened *unseal.Opened
}

// secret opens the previous SealedSecret of the same namespace and name, if
// there is one and it opens.
func (p *previous) secret(ctx context.Context, f found, namespace string) *oldSecret {
	if ns := f.Namespace(); ns != "" {
		namespace = ns
	}
	for _, old := range p.objects {
		if old.Group() != sopsdoc.Group || old.Name() != f.Name() || old.Namespace() != namespace {
			continue
		}
		opened, err := unseal.Open(ctx, old.Node, p.options)
		if err != nil {
			return nil
		}
		return &oldSecret{old, opened}
	}
	return nil
}

func (o *oldSecret) sealed() *seal.Previous {
	if o == nil {
		return nil
	}
	object := o.Node
	if o.Item == 0 {
		object = o.root
	}
	return &seal.Previous{
		Object:  object,
		Sealed:  sopsdoc.Previous{Envelope: o.opened.Document.Envelope, Content: o.opened.Content},
		DataKey: o.opened.DataKey,
	}
}

// gone returns the keys of the old Secret that the new manifest n lacks.
func (o *oldSecret) gone(n *yaml.Node) []string {
	if o == nil {
		return nil
	}
	old := slices.Concat(o.opened.Document.Envelope.DataKeys(), o.opened.Document.Envelope.StringDataKeys())
	now := slices.Concat(manifest.Keys(manifest.Get(n, "data")), manifest.Keys(manifest.Get(n, "stringData")))
	return slices.DeleteFunc(old, func(key string) bool { return slices.Contains(now, key) })
}

// body returns the text of the old document if it can stand in the new one.
func (o *oldSecret) body(doc *manifest.Document) []byte {
	if o == nil || o.Item != 0 || o.doc.JSON() != doc.JSON() {
		return nil
	}
	return o.doc.Body()
}

// file opens the previous file as one SOPS file, or returns nil.
func (p *previous) file(ctx context.Context) *sopsdoc.PreviousFile {
	var nodes []*yaml.Node
	for _, f := range p.objects {
		if f.Item != 0 || f.Group() == sopsdoc.Group {
			return nil
		}
		nodes = append(nodes, f.root)
	}
	if len(nodes) == 0 {
		return nil
	}
	opened, err := unseal.OpenFile(ctx, nodes, p.options)
	if err != nil {
		return nil
	}
	return &sopsdoc.PreviousFile{File: opened.File, DataKey: opened.DataKey}
}
