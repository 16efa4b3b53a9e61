// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// renewed is what becomes of a document: one tree for each of its objects, none if
// it stays as it is.
type renewed struct {
	nodes []*yaml.Node
	notes []string
}

// renew opens a document and seals it again as decided. It touches nothing.
func (r *renewal) renew(ctx context.Context, t *target, d decision) (renewed, error) {
	if d.key {
		return r.rewrapKey(ctx, t, d)
	}
	if err := t.open(ctx, r.options); err != nil && !errors.Is(err, errNotSecret) { // other objects are renewed as well
		return renewed{}, err
	}
	o := seal.Options{
		Recipients:       d.rule.Recipients,
		Wrapper:          r.wrapper,
		FreshKey:         d.action == actRotate && r.names.operation == actRotate,
		FreshKeyOnChange: d.rule.FreshKey,
		WrapAll:          r.wrapAll,
		Now:              r.now,
	}
	result, err := t.renewed(ctx, o)
	if err != nil {
		return renewed{}, t.wrap(string(r.names.operation), err)
	}
	if !t.isSOPS() && result.nodes != nil {
		o.Reach, o.Namespace = reachOf(t.opened.Document.Envelope.Scope.String()), r.namespace
		result.notes = append(result.notes, r.limits.notes(t.object(), o)...)
	}
	return result, nil
}

func (t *target) renewed(ctx context.Context, o seal.Options) (renewed, error) {
	if t.isSOPS() {
		result, err := t.renewedFile(ctx, seal.SOPSOptions{Options: o})
		if err != nil || result.Unchanged {
			return renewed{}, err
		}
		return renewed{result.Nodes, result.Notes}, nil
	}
	var result *seal.Result
	var err error
	if o.FreshKey {
		result, err = seal.Amend(ctx, t.previous(), t.change, o)
	} else {
		result, err = seal.AddRecipients(ctx, t.previous(), o)
	}
	if err != nil || result.Unchanged {
		return renewed{}, err
	}
	return renewed{[]*yaml.Node{result.Node}, result.Notes}, nil
}

func (t *target) renewedFile(ctx context.Context, o seal.SOPSOptions) (*seal.SOPSResult, error) {
	if o.FreshKey {
		return seal.AmendFile(ctx, t.previousFile(), t.docs, o)
	}
	return seal.AddFileRecipients(ctx, t.previousFile(), o)
}

// rewrapKey makes a SealingKey again, with the same key pair. Its surroundings
// stay.
func (r *renewal) rewrapKey(ctx context.Context, t *target, d decision) (renewed, error) {
	opened, err := unseal.OpenKey(ctx, t.object().Node, r.keyring)
	if err != nil {
		return renewed{}, exitcode.Opening(t.wrap("open", err))
	}
	k := opened.Key
	for _, other := range r.options.Keyring.SealingKeys() {
		for _, e := range d.rule.Recipients.Entries() {
			if e.Type() == keys.Age && e.ID() == other.Recipient {
				return renewed{}, t.wrap(string(r.names.operation), errNestedKey)
			}
		}
	}
	result, err := seal.NewKey(ctx, seal.KeyOptions{
		Name: k.Name, Namespaces: k.Namespaces, Identity: keyPair{opened.Identity, k.Recipient},
		Recipients: d.rule.Recipients, Wrapper: r.wrapper, Now: r.now,
	})
	if err != nil {
		return renewed{}, t.wrap(string(r.names.operation), err)
	}
	n := manifest.Clone(t.object().Tree())
	manifest.Set(manifest.Get(manifest.Root(n), "spec"), "sealed", manifest.Get(manifest.Root(result.Node), "spec", "sealed"))
	return renewed{nodes: []*yaml.Node{n}}, nil
}

// errNestedKey says that a SealingKey would be opened by another one.
var errNestedKey = errors.New("the rules name another SealingKey as a recipient, and a SealingKey does not open another one")

// keyPair is the identity of a SealingKey that was opened.
type keyPair struct {
	sopsdoc.Identity
	recipient string
}

// Recipient implements seal.Identity.
func (k keyPair) Recipient() string { return k.recipient }

var _ seal.Identity = keyPair{}
