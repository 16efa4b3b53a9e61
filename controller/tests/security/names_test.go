// SPDX-License-Identifier: Apache-2.0

package security

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/signet-secrets/signet/internal/controllertest"
)

// The fields of a document with a long name are recorded under a hash of it.
// Whoever may create SealedSecrets can name one like that hash, or like the hash
// of that, to have it take for its own what the other one has merged.
func TestNameLikeAHashTakesNothingAway(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	long := strings.Repeat("long-", 24) + "name"
	hash := func(name string) string {
		sum := sha256.Sum256([]byte(name))
		return hex.EncodeToString(sum[:16])
	}
	lab.Foreign(t, ns, "app", values{"theirs": "1"}, map[string]string{mergeMark: long})
	lab.Create(t, addition(t, ns, long, "app", values{"ours": "2"}))
	lab.WaitReady(t, ns, long)
	was := lab.WaitData(t, ns, "app", values{"theirs": "1", "ours": "2"})
	g := watchKeys(t, ns, "app", "ours")

	user := mallory(t, ns)
	for _, name := range []string{hash(long), hash(hash(long))} {
		if err := user.Create(t.Context(), lab.MustSeal(t, controllertest.Secret{Namespace: ns, Name: name, Data: values{"a": "1"}})); err != nil {
			t.Fatal(err)
		}
		lab.WaitReady(t, ns, name)
		resting(t, ns, "app", long, name)
		if err := user.Delete(t.Context(), controllertest.NewSealedSecret(ns, name)); err != nil {
			t.Fatal(err)
		}
		lab.Pass(t, ns)
	}
	if missing := g.seen(); len(missing) > 0 {
		t.Errorf("for a moment the Secret was without %q", missing)
	}
	lab.Unchanged(t, was)
}
