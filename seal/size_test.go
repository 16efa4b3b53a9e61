// SPDX-License-Identifier: Apache-2.0

package seal_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// TestNoteOfManyKeys protects users from sealing what the controller then refuses
// without being told.
func TestNoteOfManyKeys(t *testing.T) {
	for _, count := range []int{10, 4_000, 4_900, 5_200} {
		t.Run(fmt.Sprint(count), func(t *testing.T) {
			s := &manifest.Secret{Name: "db", Namespace: "prod", Type: "Opaque", StringData: map[string]string{}}
			for i := range count {
				s.StringData[fmt.Sprintf("key-%d", i)] = ""
			}
			result := mustSeal(t, s, nil, newKey(t).options())
			spec, err := manifest.EncodeJSON(manifest.Get(manifest.Root(result.Node), "spec"), "")
			if err != nil {
				t.Fatal(err)
			}
			refused := manifest.JSONNodes(spec) > sopsdoc.MaxControllerNodes
			noted := slices.ContainsFunc(result.Notes, func(n string) bool { return strings.Contains(n, "signet-controller opens none") })
			if noted != refused || refused != (count > 5_000) {
				t.Errorf("refused %v, notes %q", refused, result.Notes)
			}
		})
	}
}
