// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// previous is the opened SealedSecret for seal.Amend.
func (t *target) previous() *seal.Previous {
	o := t.object()
	return &seal.Previous{
		Object:  o.Tree(),
		Sealed:  sopsdoc.Previous{Envelope: t.opened.Document.Envelope, Content: t.opened.Content},
		DataKey: t.opened.DataKey,
	}
}

// previousFile is the opened SOPS file for seal.AmendFile.
func (t *target) previousFile() *sopsdoc.PreviousFile {
	return &sopsdoc.PreviousFile{File: t.file.File, DataKey: t.file.DataKey}
}

// recipients are those that the document has.
func (t *target) recipients() keys.Recipients {
	if t.isSOPS() {
		return t.file.File.Metadata.Recipients
	}
	return t.opened.Document.Envelope.Metadata.Recipients
}

// apply seals what was changed and puts it into the stream of the file. Nothing
// is touched, and changed is false, if nothing is changed.
func (t *target) apply(ctx context.Context, o seal.Options) (changed bool, notes []string, err error) {
	if t.isSOPS() {
		changed, notes, err = t.applyFile(ctx, o)
	} else {
		changed, notes, err = t.applyOne(ctx, o)
	}
	if err != nil {
		return false, nil, t.wrap("seal", err)
	}
	return changed, notes, nil
}

func (t *target) applyOne(ctx context.Context, o seal.Options) (bool, []string, error) {
	result, err := seal.Amend(ctx, t.previous(), t.change, o)
	if err != nil || result.Unchanged {
		return false, nil, err
	}
	t.place(t.object(), result.Node)
	_, err = t.in.replaced([]found{t.object()})
	return true, result.Notes, err
}

func (t *target) applyFile(ctx context.Context, o seal.Options) (bool, []string, error) {
	result, err := seal.AmendFile(ctx, t.previousFile(), t.docs, seal.SOPSOptions{Options: o})
	if err != nil || result.Unchanged {
		return false, nil, err
	}
	for i, n := range result.Nodes {
		t.place(t.job[i], n)
	}
	_, err = t.in.replaced(t.job)
	return true, result.Notes, err
}

// place puts a sealed document into the tree of its stream.
func (t *target) place(f found, n *yaml.Node) {
	f.Replace(n)
	if f.Item == 0 {
		f.root.HeadComment, f.root.FootComment = n.HeadComment, n.FootComment
	}
}

// bytes returns the file as it is by now.
func (t *target) bytes() []byte { return t.in.stream.Bytes() }
