// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/seal/keys"
)

// recipientsFor reads recipients in short: "a b" are two of one group, "a | b" two
// groups, a final "!" a foreign side, "k@role=prod" is the KMS key k with a role, and "k:ns" one with an
// encryption context for a namespace.
func recipientsFor(text string) keys.Recipients {
	var r keys.Recipients
	for group := range strings.SplitSeq(text, "|") {
		var entries keys.Group
		for name := range strings.FieldsSeq(group) {
			key, role, _ := strings.Cut(name, "@role=")
			key, namespace, scoped := strings.Cut(key, ":")
			switch {
			case scoped:
				entries = append(entries, keys.KMSEntry{ARN: key, Role: role, Context: map[string]string{"kubernetes-namespace": namespace, "kubernetes-name": "db"}})
			case strings.HasPrefix(key, "k"):
				entries = append(entries, keys.KMSEntry{ARN: key, Role: role})
			default:
				entries = append(entries, keys.AgeEntry{Recipient: key})
			}
		}
		if len(entries) > 0 {
			r.Groups = append(r.Groups, entries)
		}
	}
	return r
}

func shownRecipients(r keys.Recipients) string {
	var groups []string
	for _, g := range r.Groups {
		var names []string
		for _, e := range g {
			name := e.ID()
			if k, ok := e.(keys.KMSEntry); ok && k.Role != "" {
				name += "@role=" + k.Role
			}
			names = append(names, name)
		}
		groups = append(groups, strings.Join(names, " "))
	}
	return strings.Join(groups, " | ")
}

// TestMergeTarget protects against a merge that lets somebody in: the rules say for
// whom is sealed, less whom a side has taken out.
func TestMergeTarget(t *testing.T) {
	tests := []struct {
		name                      string
		rules, base, ours, theirs string
		want                      string
		err                       error
	}{
		{"as the rules", "a b", "a b", "a b", "a b", "a b", nil},
		{"taken out by theirs", "a b", "a b", "a b", "a", "a", nil},
		{"taken out by ours", "a b", "a b", "a", "a b", "a", nil},
		{"one by each", "a b c", "a b c", "a b", "b c", "b", nil},
		{"by both", "a b", "a b", "a", "a", "a", nil},
		{"taken out, and not in the rules", "a", "a b", "a b", "a", "a", nil},
		{"added by theirs, not in the rules", "a", "a", "a", "a b", "a", nil},
		{"added by both, not in the rules", "a", "a", "a b", "a b", "a", nil},
		{"added by the rules", "a b", "a", "a", "a", "a", nil},
		{"added by the rules and by ours", "a b", "a", "a b", "a", "a b", nil},
		{"added by the rules and by a foreign side", "a b", "a", "a", "a b!", "a", nil},
		{"added by the rules and by both, foreign", "a b", "a", "a b", "a b!", "a b", nil},
		{"taken out by a foreign side", "a b", "a b", "a b", "a!", "a", nil},
		{"rules of another place", "c", "a b", "a b", "a b", "", errNobodyLeft},
		{"added by the rules and by theirs", "a b", "a", "a", "a b", "a b", nil},
		{"no base", "a b", "", "a", "a b", "a b", nil},
		{"no base, foreign", "a b", "", "a!", "a b!", "a", nil},
		{"other ones by the rules", "c", "a b", "a b", "a b", "", errNobodyLeft},
		{"all taken out", "a", "a b", "a b", "b", "", errNobodyLeft},
		{"by both together", "a b", "a b", "a", "b", "", errNobodyLeft},
		{"another role", "k1@role=new", "k1@role=old", "k1@role=new", "k1@role=old", "k1@role=new", nil},
		{"of another scope", "a k1", "a k1:prod", "a k1:prod", "a k1:dev", "a k1", nil},
		{"taken out, of another scope", "a k1 k2", "a k1:prod k2:prod", "a k1:prod", "a k1:dev k2:dev", "a k1", nil},
		{"groups", "a | b", "a | b", "a | b", "a | b", "a | b", nil},
		{"taken out of a group", "a c | b", "a c | b", "a c | b", "a | b", "", errOtherGroups},
		{"groups of the rules only", "a | b", "a b", "a b", "a b", "", errOtherGroups},
		{"groups of one side", "a b", "a b", "a b", "a | b", "", errOtherGroups},
		{"groups of one side, ours chosen", "a b", "a b", "a b", "a | b", "--ours a b", nil},
		{"groups of one side, theirs chosen", "a b", "a b", "a b", "a | b", "--theirs", errOtherGroups},
		{"taken out of a group, ours chosen", "a c | b", "a c | b", "a c | b", "a | b", "--ours", errOtherGroups},
		{"taken out by theirs, ours chosen", "a b", "a b", "a b", "a", "--ours a", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			side := ""
			if flag, rest, ok := strings.Cut(tt.want+" ", " "); ok && strings.HasPrefix(flag, "--") {
				side, tt.want = flag[2:], strings.TrimSpace(rest)
			}
			f := &fileMerge{mergeDriver: &mergeDriver{mergeChoices: mergeChoices{side: side}}, rule: &keys.Rule{Recipients: recipientsFor(tt.rules)}}
			ours, oursForeign := strings.CutSuffix(tt.ours, "!")
			theirs, theirsForeign := strings.CutSuffix(tt.theirs, "!")
			got, err := f.target(recipientLists{
				bare(recipientsFor(tt.base)), bare(recipientsFor(ours)), bare(recipientsFor(theirs)), oursForeign, theirsForeign,
			})
			if !errors.Is(err, tt.err) {
				t.Fatalf("got %v, want %v", err, tt.err)
			}
			if diff := cmp.Diff(tt.want, shownRecipients(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestMergeMayStay protects a renewal of the data key on one side.
func TestMergeMayStay(t *testing.T) {
	a, b, c := keys.GenerateDataKey(), keys.GenerateDataKey(), keys.GenerateDataKey()
	tests := []struct {
		name              string
		side, other, base keys.DataKey
		want              bool
	}{
		{"the same", a, a, a, true},
		{"the same, no base", a, a, keys.DataKey{}, true},
		{"new on the other side", a, b, a, false},
		{"new on this side", b, a, a, true},
		{"new on both", b, c, a, true},
		{"nobody knows", a, b, keys.DataKey{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := mayStay(tt.side, tt.other, tt.base); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
