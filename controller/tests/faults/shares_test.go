// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/signet-secrets/signet/internal/controllertest"
	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/seal/keys"
)

// badRegion is that of keys that hang.
const badRegion = "eu-central-1"

// createHanging makes n documents with as many keys of badRegion as are tried.
func createHanging(t *testing.T, namespace string, n int) {
	t.Helper()
	var entries []keys.Entry
	for range keys.MaxCalls {
		entries = append(entries, keys.KMSEntry{ARN: lab.KMS.CreateKey(kmstest.Key{Region: badRegion})})
	}
	createAll(t, lab, n, func(i int) controllertest.Secret {
		return controllertest.Secret{Namespace: namespace, Name: fmt.Sprintf("doc-%d", i), Data: map[string]string{"value": "kms"}, For: entries}
	})
}

// TestTwoHangingNamespacesLeaveRoom has two namespaces that have more documents
// than there are workers, with many keys that hang: a document of a third one that
// needs the KMS has its turn nevertheless. And what hangs gets a reason after a
// while, not after all of its keys.
func TestTwoHangingNamespacesLeaveRoom(t *testing.T) {
	f := newFront(t)
	good := lab.KMS.CreateKey(kmstest.Key{})
	one, two, other := lab.Namespace(t), lab.Namespace(t), lab.Namespace(t)
	createHanging(t, one, 10)
	createHanging(t, two, 10)
	f.hang(badRegion)
	c := lab.LaunchController(t, controllertest.Launch{Args: alone([]string{"--min-backoff", "5m"}, one, two, other), Env: f.env()})
	began := time.Now()
	controllertest.Until(t, "all workers that may wait for keys do", func(context.Context) error {
		if n := metric(t, c, `controller_runtime_active_workers{controller="sealedsecret"}`); n < 12 {
			return fmt.Errorf("%d of them", n)
		}
		return nil
	})
	createForKey(t, other, good, 5)
	waitAll(t, lab, 4*soon, other, "")
	t.Logf("5 documents of a third namespace took %.1f s", time.Since(began).Seconds())
	var message string
	controllertest.UntilWithin(t, 2*time.Minute, "a document that hangs is given up", func(ctx context.Context) error {
		for i := range 10 {
			s, err := lab.SealedSecret(ctx, one, fmt.Sprintf("doc-%d", i))
			if err != nil {
				return err
			}
			if c := meta.FindStatusCondition(s.Status.Conditions, "Ready"); c != nil && c.Reason == "KeyUnavailable" {
				message = c.Message
				return nil
			}
		}
		return fmt.Errorf("none of them has a reason")
	})
	t.Logf("the first one was given up after %.1f s", time.Since(began).Seconds())
	for _, want := range []string{"took more than 45s", badRegion} {
		if !strings.Contains(message, want) {
			t.Errorf("the message does not say %q:\n%s", want, message)
		}
	}
}
