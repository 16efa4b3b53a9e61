// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/signet-secrets/signet/internal/report"
)

// expectation is a Secret that a generator is to make.
type expectation struct {
	namespace, name string
	merges          bool // into another one of that name
	// Where it is said: the file with the sealed document, or the
	// configuration that makes a Secret of other files.
	file           string
	document, item int
}

// missingSecrets finds expectations for which there is no Secret in rendered
// output. Overlays may have given it another namespace, and put something
// before and behind its name.
func missingSecrets(expected []expectation, rendered []string) []finding {
	var all []finding
	for _, e := range unmet(distinct(expected), rendered) {
		object := e.name
		if e.namespace != "" {
			object = e.namespace + "/" + e.name
		}
		all = append(all, finding{
			Rule: ruleMissing, File: e.file, Document: e.document, Item: e.item, Object: report.Visible(object),
			Message: fmt.Sprintf("no Secret in the output has a name with %q in it", e.name),
			Hint:    skippedHint,
		})
	}
	return all
}

// distinct leaves out what is expected twice: a base may be used several times.
func distinct(expected []expectation) []expectation {
	type secret struct {
		namespace, name string
		merges          bool
	}
	seen := map[secret]bool{}
	return slices.DeleteFunc(slices.Clone(expected), func(e expectation) bool {
		key := secret{e.namespace, e.name, e.merges}
		was := seen[key]
		seen[key] = true
		return was
	})
}

// unmet returns the expectations for which there is no name, in order. Each
// needs a name of its own, but for those that merge: "db" is not there because
// "db-replica" is. Long names choose first, so that the short ones are missed
// that could take any.
func unmet(expected []expectation, names []string) []expectation {
	byLength := make([]int, 0, len(expected))
	met := make([]bool, len(expected))
	for i, e := range expected {
		if e.merges {
			met[i] = slices.ContainsFunc(names, func(name string) bool { return strings.Contains(name, e.name) })
			continue
		}
		byLength = append(byLength, i)
	}
	slices.SortStableFunc(byLength, func(a, b int) int { return cmp.Compare(len(expected[b].name), len(expected[a].name)) })
	m := matching{expected: expected, names: names, taken: make([]int, len(names))}
	for _, i := range byLength {
		met[i] = m.meet(i, make([]bool, len(names)))
	}
	var all []expectation
	for i, e := range expected {
		if !met[i] {
			all = append(all, e)
		}
	}
	return all
}

// matching gives expectations names, no name to two.
type matching struct {
	expected []expectation
	names    []string
	taken    []int // by which expectation, 1-based
}

// meet finds a name for expectation i, for which others may have to take
// another one. tried are names that need not be looked at again.
func (m *matching) meet(i int, tried []bool) bool {
	for n, name := range m.names {
		if tried[n] || !strings.Contains(name, m.expected[i].name) {
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
