// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// unopened returns an error for each document with SOPS metadata where none of
// its objects shows them, so that it would pass through unopened. What cannot
// be parsed is left to whoever looks for objects.
func (in input) unopened() error {
	docs, err := in.stream.Concerning(sopsdoc.MetadataKey)
	if err != nil {
		return nil
	}
	var errs []error
	for _, doc := range docs {
		node, objects, err := doc.Objects()
		if err != nil {
			continue
		}
		if err := unseal.CheckUnopened(node, objects); err != nil {
			errs = append(errs, report.At(in.name, doc, &manifest.Object{Node: manifest.Root(node)}, "open", err))
		}
	}
	return errors.Join(errs...)
}

// forCluster reports whether what comes out will most likely be applied, and
// not just be looked at: it is part of a pipe, or somebody set limits for it.
func (u *unsealCommand) forCluster(inputs []input, namespaces []string) bool {
	for _, in := range inputs {
		if in.fromCommand || in.name == "-" {
			return true
		}
	}
	return namespaces != nil
}
