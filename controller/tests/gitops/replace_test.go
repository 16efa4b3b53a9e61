// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"context"
	"fmt"
	"testing"

	"github.com/signet-secrets/signet/internal/controllertest"
)

// Argo CD's Replace=true is `kubectl replace`, which puts the whole object. The
// Secret stays the same object, whoever applied before and after.
func TestReplace(t *testing.T) {
	ns := start(t)
	first, then := values()
	kubectl(t, document(t, ns, first, nil), "apply")
	was := unsealed(t, ns, first)
	kubectl(t, document(t, ns, then, nil), "replace")
	unsealed(t, ns, then)
	kubectl(t, document(t, ns, first, nil), serverSide("argocd-controller")...)
	unsealed(t, ns, first)
	kubectl(t, document(t, ns, then, nil), "replace")
	if now := unsealed(t, ns, then); now.UID != was.UID {
		t.Error("the Secret was made anew")
	}
}

// Replace=true with Force=true is `kubectl replace --force`, which deletes the
// object and makes it anew: the Secret goes with it, and is right afterwards.
func TestReplaceByForce(t *testing.T) {
	ns := start(t)
	first, then := values()
	kubectl(t, document(t, ns, first, nil), "apply")
	unsealed(t, ns, first)
	for range 2 {
		kubectl(t, document(t, ns, then, nil), "replace", "--force")
		belongs(t, ns, then)
		kubectl(t, document(t, ns, first, nil), "replace", "--force")
		belongs(t, ns, first)
	}
	lab.Settle(t, ns)
	belongs(t, ns, first)
}

// belongs waits until there is a Secret of the SealedSecret that there is, with
// the values.
func belongs(t *testing.T, ns string, data map[string]string) {
	t.Helper()
	unsealed(t, ns, data)
	owner := live(t, ns).GetUID()
	controllertest.Until(t, "the Secret belongs to the new object", func(ctx context.Context) error {
		s, err := lab.Secret(ctx, ns, "db")
		if err != nil {
			return err
		}
		if s == nil || s.DeletionTimestamp != nil || len(s.OwnerReferences) != 1 || s.OwnerReferences[0].UID != owner {
			return fmt.Errorf("it does not")
		}
		return nil
	})
	lab.WaitData(t, ns, "db", data)
}

// With Retain the Secret is never away: it is the same object at the end.
func TestReplaceByForceWithRetain(t *testing.T) {
	ns := start(t)
	first, then := values()
	retain := map[string]any{"deletionPolicy": "Retain"}
	kubectl(t, document(t, ns, first, retain), "apply")
	was := unsealed(t, ns, first)
	for range 2 {
		kubectl(t, document(t, ns, then, retain), "replace", "--force")
		unsealed(t, ns, then)
		kubectl(t, document(t, ns, first, retain), "replace", "--force")
		unsealed(t, ns, first)
	}
	lab.Settle(t, ns)
	if now := unsealed(t, ns, first); now.UID != was.UID {
		t.Error("the Secret was away")
	}
}
