// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/manifest"
)

// expectation is a Secret that a generator is to make.
type expectation struct {
	namespace, name string      // as the document says
	in              destination // in the output
	content         content
	merges          bool // into another one
	replaces        bool // the content of another one; merges, too
	// Where it is said: the file with the sealed document, or the
	// configuration that makes a Secret of other files.
	file           string
	document, item int
}

// content is what can be read of a Secret without a key.
type content struct {
	keys  []string
	more  bool   // perhaps others, too
	typed string // "": not known
}

// rendered is a Secret in the output.
type rendered struct {
	namespace, name string
	content
}

func renderedSecret(o *manifest.Object) rendered {
	return rendered{namespace: o.Namespace(), name: o.Name(), content: contentOf(o)}
}

// contentOf reads what a Secret shows, also one that SOPS has encrypted.
func contentOf(o *manifest.Object) content {
	keys := slices.Concat(manifest.Keys(manifest.Get(o.Node, "data")), manifest.Keys(manifest.Get(o.Node, "stringData")))
	slices.Sort(keys)
	return content{keys: slices.Compact(keys), typed: cmp.Or(manifest.GetString(o.Node, "type"), opaque)}
}

// opaque is the type of a Secret that names none.
const opaque = "Opaque"

// lacks returns the keys that c should have and o has not.
func (c content) lacks(o content) []string {
	return slices.DeleteFunc(slices.Clone(c.keys), func(key string) bool { return slices.Contains(o.keys, key) })
}

// isMetBy reports whether a Secret in the output is the expected one. Where its
// name cannot be known, nothing may be in it that was not sealed.
func (e expectation) isMetBy(s rendered) bool {
	switch {
	case !e.in.fits(s.namespace, s.name):
		return false
	case e.in.nameIs == unknown && e.content.more && len(e.content.keys) == 0:
		return false // any would do
	case e.content.typed != "" && e.content.typed != s.typed:
		return false
	case e.in.nameIs == unknown && !e.merges && !e.content.more && len(s.keys) != len(e.content.keys):
		return false
	}
	return len(e.content.lacks(s.content)) == 0
}

// missingSecrets finds expectations for which there is no Secret in the output.
func missingSecrets(expected []expectation, output []rendered) []finding {
	var all []finding
	for _, e := range unmet(distinct(expected), output) {
		object := e.name
		if e.namespace != "" {
			object = e.namespace + "/" + e.name
		}
		message, hint := e.missing(output)
		all = append(all, finding{
			Rule: ruleMissing, Level: ruleMissing.level(), File: e.file, Document: e.document, Item: e.item, Object: report.Visible(object),
			Message: message, Hint: hint,
		})
	}
	return all
}

const (
	alteredHint = "another Secret has its name, or what comes after its generator changes it: leave its keys and its type as they were sealed"
	renamedHint = "what renames Secrets here cannot be followed, so they are told by their keys and type: set names with namePrefix, nameSuffix and namespace; or a function was left out: " + skippedHint
)

// missing says what there should have been. The closest Secret is one of the
// right name.
func (e expectation) missing(output []rendered) (message, hint string) {
	if e.in.nameIs == unknown {
		return "no Secret in the output has just its keys and its type: " + some(e.content.keys), renamedHint
	}
	for _, s := range output {
		if !e.in.fits(s.namespace, s.name) {
			continue
		}
		shown := report.Visible(s.name)
		if lacking := e.content.lacks(s.content); len(lacking) > 0 {
			return fmt.Sprintf("the Secret %s in the output lacks keys of it: %s", shown, some(lacking)), alteredHint
		}
		if e.content.typed != "" && e.content.typed != s.typed {
			return fmt.Sprintf("the Secret %s in the output is of another type", shown), alteredHint
		}
	}
	return "there is no Secret " + e.in.String() + " in the output", skippedHint
}

// distinct leaves out what is expected twice: a base may be used several times.
func distinct(expected []expectation) []expectation {
	type secret struct {
		in     destination
		name   string
		merges bool
	}
	seen := map[secret]bool{}
	return slices.DeleteFunc(slices.Clone(expected), func(e expectation) bool {
		key := secret{in: e.in, name: e.namespace + "/" + e.name, merges: e.merges}
		if e.in.nameIs != unknown {
			key.name = "" // the same in the output, wherever it comes from
		}
		was := seen[key]
		seen[key] = true
		return was
	})
}

// unmet returns the expectations for which there is no Secret, in order. Each
// needs one of its own, but for those that merge. Those whose names are known
// best choose first, so that those are missed that could take any.
func unmet(expected []expectation, output []rendered) []expectation {
	bySurety := make([]int, 0, len(expected))
	met := make([]bool, len(expected))
	for i, e := range expected {
		if e.merges {
			met[i] = slices.ContainsFunc(output, e.isMetBy)
			continue
		}
		bySurety = append(bySurety, i)
	}
	slices.SortStableFunc(bySurety, func(a, b int) int {
		x, y := expected[a].in, expected[b].in
		return cmp.Or(cmp.Compare(x.nameIs, y.nameIs), cmp.Compare(len(y.name), len(x.name)))
	})
	m := matching{expected: expected, output: output, taken: make([]int, len(output))}
	for _, i := range bySurety {
		met[i] = m.meet(i, make([]bool, len(output)))
	}
	var all []expectation
	for i, e := range expected {
		if !met[i] {
			all = append(all, e)
		}
	}
	return all
}

// matching gives expectations Secrets, none to two.
type matching struct {
	expected []expectation
	output   []rendered
	taken    []int // by which expectation, 1-based
}

// meet finds a Secret for expectation i, for which others may have to take
// another one. tried are those that need not be looked at again.
func (m *matching) meet(i int, tried []bool) bool {
	for n, s := range m.output {
		if tried[n] || !m.expected[i].isMetBy(s) {
			continue
		}
		tried[n] = true
		if m.taken[n] == 0 || m.meet(m.taken[n]-1, tried) {
			m.taken[n] = i + 1
			return true
		}
	}
	return false
}
