// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"fmt"
	"testing"
	"time"

	"github.com/signet-secrets/signet/internal/controllertest"
	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/seal/keys"
)

// createForKey makes n documents for a key.
func createForKey(t *testing.T, namespace, arn string, n int) {
	t.Helper()
	createAll(t, lab, n, func(i int) controllertest.Secret {
		return controllertest.Secret{
			Namespace: namespace, Name: fmt.Sprintf("doc-%d", i), Data: map[string]string{"value": "kms"},
			For: []keys.Entry{keys.KMSEntry{ARN: arn}},
		}
	})
}

// TestHangingNamespaceStarvesNoOther has 300 documents of one namespace hang,
// which leaves room for those of others, and for its own that need no KMS.
func TestHangingNamespaceStarvesNoOther(t *testing.T) {
	f := newFront(t)
	bad, good := lab.KMS.CreateKey(kmstest.Key{}), lab.KMS.CreateKey(kmstest.Key{})
	hanging, kms, age := lab.Namespace(t), lab.Namespace(t), lab.Namespace(t)
	f.hang(bad)
	createForKey(t, hanging, bad, 300)
	lab.LaunchController(t, controllertest.Launch{Args: alone(nil, hanging, kms, age), Env: f.env()})
	began := time.Now()
	createForKey(t, kms, good, 20)
	waitAll(t, lab, 4*soon, kms, "")
	t.Logf("20 documents of the KMS in another namespace took %.1f s", time.Since(began).Seconds())
	for what, ns := range map[string]string{"another": age, "the same": hanging} {
		worst := servesAge(t, ns, 3*time.Second)
		t.Logf("a document of %s namespace that needs no KMS took %v at worst", what, worst)
		if worst > soon {
			t.Errorf("a document of %s namespace that needs no KMS took %v", what, worst)
		}
	}
	f.hang("")
	waitAll(t, lab, controllertest.Patience, hanging, "")
}

// TestHangingEverywhereLeavesRoom has documents of so many namespaces hang that
// together they could take up every worker.
func TestHangingEverywhereLeavesRoom(t *testing.T) {
	f := newFront(t)
	bad := lab.KMS.CreateKey(kmstest.Key{})
	namespaces := []string{lab.Namespace(t)}
	age := namespaces[0]
	f.hang(bad)
	for range 4 {
		ns := lab.Namespace(t)
		namespaces = append(namespaces, ns)
		createForKey(t, ns, bad, 20)
	}
	lab.LaunchController(t, controllertest.Launch{Args: alone(nil, namespaces...), Env: f.env()})
	worst := servesAge(t, age, 5*time.Second)
	t.Logf("a document that needs no KMS took %v at worst", worst)
	if worst > soon {
		t.Errorf("a document that needs no KMS took %v", worst)
	}
	f.hang("")
	for _, ns := range namespaces {
		waitAll(t, lab, controllertest.Patience, ns, "")
	}
}
