// SPDX-License-Identifier: Apache-2.0

package keys

import "time"

// Created tells how old the data key is that the entries wrap: it was made at
// oldest, the earliest time that an entry names. known is false if an entry
// names none; then it may be older still, and oldest is zero if no entry does.
// Whether that can be relied on depends on what authenticates the entries.
func (r Recipients) Created() (oldest time.Time, known bool) {
	known = !r.Empty()
	for _, e := range r.Entries() {
		t, err := time.Parse(time.RFC3339, createdAt(e))
		switch {
		case err != nil:
			known = false
		case oldest.IsZero() || t.Before(oldest):
			oldest = t
		}
	}
	return oldest, known
}

// clockSkew is by how much the clocks of those who seal may differ.
const clockSkew = 10 * time.Minute

// PlausibleAge reports whether the data key can have been made when Created says, by
// the time of the last change of its document, zero if that is not known, and the
// time now: neither lies in the future, and no data key is made after the last change
// of its document, but for the difference between clocks. Whoever seals can write any
// time.
func (r Recipients) PlausibleAge(changed, now time.Time) bool {
	latest := now.Add(clockSkew)
	if changed.After(latest) {
		return false
	}
	if !changed.IsZero() {
		latest = changed.Add(clockSkew)
	}
	made, known := r.Created()
	return !known || !made.After(latest)
}

// WithCreated returns the recipients with t, in whole seconds, as the time at
// which their data key was made.
func (r Recipients) WithCreated(t time.Time) Recipients {
	return r.edited(func(e Entry) Entry { return withCreated(e, t) })
}

// edited returns the recipients with f applied to each entry.
func (r Recipients) edited(f func(Entry) Entry) Recipients {
	out := Recipients{Threshold: r.Threshold}
	for _, g := range r.Groups {
		group := make(Group, 0, len(g))
		for _, e := range g {
			group = append(group, f(e))
		}
		out.Groups = append(out.Groups, group)
	}
	return out
}

func createdAt(e Entry) string {
	switch e := e.(type) {
	case AgeEntry:
		return e.CreatedAt
	case KMSEntry:
		return e.CreatedAt
	case GCPKMSEntry:
		return e.CreatedAt
	case HuaweiKMSEntry:
		return e.CreatedAt
	case AzureKVEntry:
		return e.CreatedAt
	case VaultEntry:
		return e.CreatedAt
	case PGPEntry:
		return e.CreatedAt
	}
	return ""
}

func withCreated(e Entry, t time.Time) Entry {
	text := t.UTC().Format(time.RFC3339)
	switch e := e.(type) {
	case AgeEntry:
		e.CreatedAt = text
		return e
	case KMSEntry:
		e.CreatedAt = text
		return e
	case GCPKMSEntry:
		e.CreatedAt = text
		return e
	case HuaweiKMSEntry:
		e.CreatedAt = text
		return e
	case AzureKVEntry:
		e.CreatedAt = text
		return e
	case VaultEntry:
		e.CreatedAt = text
		return e
	case PGPEntry:
		e.CreatedAt = text
		return e
	}
	return e
}
