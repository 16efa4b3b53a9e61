// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Group is a list of entries that all wrap the same bytes.
type Group []Entry

// Recipients says for whom a document is sealed, or by whom it can be opened.
type Recipients struct {
	// Groups holds one group, whose every entry wraps the data key, or
	// several, whose entries each wrap their group's Shamir share of it.
	Groups []Group
	// Threshold is the number of groups that are needed; 0 means all. It is
	// meaningless with one group.
	Threshold int
}

// Entries returns all entries of all groups in order.
func (r Recipients) Entries() []Entry {
	return slices.Concat(r.Groups...)
}

// Empty reports whether there is no entry at all.
func (r Recipients) Empty() bool { return len(r.Entries()) == 0 }

// Same reports whether both name the same keys in the same groups, in any
// order within a group, with the same threshold. What is wrapped, and when,
// plays no part; role, profile and encryption context do.
func (r Recipients) Same(o Recipients) bool {
	if len(r.Groups) != len(o.Groups) {
		return false
	}
	if len(r.Groups) > 1 && r.threshold() != o.threshold() {
		return false
	}
	return slices.EqualFunc(r.Groups, o.Groups, sameGroup)
}

func (r Recipients) threshold() int {
	if r.Threshold == 0 {
		return len(r.Groups)
	}
	return r.Threshold
}

func sameGroup(a, b Group) bool {
	return maps.Equal(identities(a), identities(b))
}

// identities counts the entries of g by everything that identifies a key.
func identities(g Group) map[string]int {
	count := make(map[string]int, len(g))
	for _, e := range g {
		count[identity(e)]++
	}
	return count
}

// identity joins the parts with their lengths, so that no text in one part can
// look like the border of another.
func identity(e Entry) string {
	parts := []string{string(e.Type()), e.ID()}
	if k, ok := e.(KMSEntry); ok {
		parts = append(parts, k.Role, k.AWSProfile)
		for _, name := range slices.Sorted(maps.Keys(k.Context)) {
			parts = append(parts, name, k.Context[name])
		}
	}
	var b strings.Builder
	for _, part := range parts {
		fmt.Fprintf(&b, "%d:%s", len(part), part)
	}
	return b.String()
}
