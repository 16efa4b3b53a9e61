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
	anyVersion := withoutVersion(a, b)
	return maps.Equal(identities(a, anyVersion), identities(b, anyVersion))
}

// withoutVersion lists the Azure keys that are named without a version in a
// group: rules may leave it out, and wrapping fills in the newest.
func withoutVersion(groups ...Group) map[AzureKVEntry]bool {
	found := map[AzureKVEntry]bool{}
	for _, e := range slices.Concat(groups...) {
		if k, ok := e.(AzureKVEntry); ok && k.Version == "" {
			found[AzureKVEntry{VaultURL: k.VaultURL, Name: k.Name}] = true
		}
	}
	return found
}

// identities counts the entries of g by everything that identifies a key.
func identities(g Group, anyVersion map[AzureKVEntry]bool) map[string]int {
	count := make(map[string]int, len(g))
	for _, e := range g {
		count[identity(anyVersionOf(e, anyVersion))]++
	}
	return count
}

// anyVersionOf takes the version out of e if it is one of the given Azure keys.
func anyVersionOf(e Entry, anyVersion map[AzureKVEntry]bool) Entry {
	if k, ok := e.(AzureKVEntry); ok && anyVersion[AzureKVEntry{VaultURL: k.VaultURL, Name: k.Name}] {
		k.Version = ""
		return k
	}
	return e
}

func identity(e Entry) string { return joinParts(identityParts(e)) }

// joinParts joins the parts with their lengths, so that no text in one part can
// look like the border of another.
func joinParts(parts []string) string {
	var b strings.Builder
	for _, part := range parts {
		fmt.Fprintf(&b, "%d:%s", len(part), part)
	}
	return b.String()
}

// identityParts is everything of e that decides which key is used, how and
// with whose credentials. IDs that are made of several fields are taken apart:
// a / in one of them can make two different keys look alike.
func identityParts(e Entry) []string {
	switch e := e.(type) {
	case AzureKVEntry:
		return []string{string(AzureKV), e.VaultURL, e.Name, e.Version}
	case VaultEntry:
		return []string{string(Vault), e.Address, e.EnginePath, e.KeyName}
	case KMSEntry:
		parts := []string{string(AWSKMS), e.ARN, e.Role, e.AWSProfile}
		for _, name := range slices.Sorted(maps.Keys(e.Context)) {
			parts = append(parts, name, e.Context[name])
		}
		return parts
	}
	return []string{string(e.Type()), e.ID()}
}
