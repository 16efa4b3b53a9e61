// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"slices"
	"strings"

	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// keyLimits are the SealingKeys at hand by their recipients. They decide
// nothing when sealing, but tell whether the result will open.
type keyLimits map[string][]unseal.Key

// keyLimits reads the SealingKeys that belong to where the result goes. What
// is wrong with their files is told when something is opened.
func (s *sealCommand) keyLimits(inputs []input) (keyLimits, error) {
	if s.output != "" {
		inputs = []input{{name: s.output}}
	}
	return s.limitsFor(inputs...)
}

// limitsFor is keyLimits for results that go where the inputs lie.
func (f *keyFlags) limitsFor(inputs ...input) (keyLimits, error) {
	found, err := f.findSealingKeys(io.Discard, inputs)
	return limitsOf(found), err
}

func limitsOf(all []unseal.Key) keyLimits {
	limits := keyLimits{}
	for _, k := range all {
		limits[k.Recipient] = append(limits[k.Recipient], k)
	}
	return limits
}

// amended is notes for a SealedSecret that was opened and sealed again.
func (l keyLimits) amended(f found, scope sopsdoc.Scope, r keys.Recipients, namespace string) []string {
	return l.notes(f, seal.Options{Recipients: r, Reach: reachOf(scope.String()), Namespace: namespace})
}

// notes tells which recipients of a sealed object are SealingKeys that may not
// open it.
func (l keyLimits) notes(f found, o seal.Options) []string {
	namespace := placeOf(f, o.Namespace).namespace
	if o.Reach == seal.Cluster {
		namespace = "" // anywhere: only a key without limit is sure to open it
	}
	var notes []string
	for _, e := range o.Recipients.Entries() {
		found := l[e.ID()]
		if e.Type() != keys.Age || len(found) == 0 || slices.ContainsFunc(found, func(k unseal.Key) bool { return k.Allows(namespace) }) {
			continue
		}
		what := "documents of namespace " + namespace
		if namespace == "" {
			what = sopsdoc.Kind + "s of every namespace"
		}
		notes = append(notes, found[0].String()+" may not open "+what+", only of "+strings.Join(found[0].Namespaces, ", "))
	}
	return notes
}
