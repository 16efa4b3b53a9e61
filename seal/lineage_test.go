// SPDX-License-Identifier: Apache-2.0

package seal_test

import (
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
)

// TestLineage protects merges: every new data key over a document that was opened
// tells so, and a document that was sealed without opening anything does not.
func TestLineage(t *testing.T) {
	k := newKey(t)
	prev := k.open(t, oddDocument(t, k))
	further := keys.GenerateDataKey()
	prev.Former = []keys.DataKey{further}
	change := seal.Change{Clear: prev.Sealed.Envelope.Clear, Content: prev.Sealed.Content}.Clone()
	change.Content.StringData["new"] = "correct horse"
	fresh, onChange := later(k.options()), later(k.options())
	fresh.FreshKey, onChange.FreshKeyOnChange = true, true
	both, _ := k.forBoth(newKey(t))
	for name, o := range map[string]seal.Options{"fresh key": fresh, "fresh key on change": onChange, "other recipients": both} {
		t.Run(name, func(t *testing.T) {
			r := mustAmend(t, prev, change, o)
			if r.DataKey.Equal(prev.DataKey) {
				t.Fatal("the data key is the old one")
			}
			checkSucceeds(t, k, r.Node, map[string]succession{
				"what was opened": {prev.DataKey, true}, "what was opened too": {further, true}, "anything else": {keys.GenerateDataKey(), false},
			})
			o.FreshKey, o.FreshKeyOnChange = false, false
			edited := mustAmend(t, k.open(t, reparsed(t, r.Node)), seal.Change{Clear: change.Clear, Content: prev.Sealed.Content}, o)
			checkSucceeds(t, k, edited.Node, map[string]succession{"what was opened first, after an edit": {prev.DataKey, true}})
		})
	}
	anew := mustAmend(t, prev, change, fresh)
	checkSucceeds(t, k, oddDocument(t, k), map[string]succession{"sealed anew": {anew.DataKey, false}})
}

type succession struct {
	former keys.DataKey
	want   bool
}

func checkSucceeds(t *testing.T, k key, n *yaml.Node, all map[string]succession) {
	t.Helper()
	opened := k.open(t, reparsed(t, n))
	for name, s := range all {
		if got := opened.Sealed.Envelope.Succeeds(s.former, opened.DataKey); got != s.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
