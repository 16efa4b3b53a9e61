// SPDX-License-Identifier: Apache-2.0

package restart

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/signet-secrets/signet/seal/keys"
)

// objects makes documents of every kind and waits until they are settled. What
// it returns uses the keys of the KMS.
func objects(t *testing.T, namespace string) (direct, wrapping keys.KMSEntry, sealing *unstructured.Unstructured) {
	t.Helper()
	direct, wrapping = lab.KMSKey(), lab.KMSKey()
	sealing, recipient, err := lab.SealingKey(t.Context(), namespace, wrapping.ARN, namespace)
	if err != nil {
		t.Fatal(err)
	}
	lab.Create(t, sealing)
	kinds := map[string][]keys.Entry{"kms": {direct}, "sealing": {recipient}, "age": nil}
	for kind, key := range kinds {
		for i := range 8 {
			lab.Create(t, document(t, namespace, fmt.Sprintf("%s-%d", kind, i), values(), key...))
		}
	}
	for kind := range kinds {
		for i := range 8 {
			lab.WaitReady(t, namespace, fmt.Sprintf("%s-%d", kind, i))
		}
	}
	return direct, wrapping, sealing
}

// What has happened while no controller ran is found by comparing.
func TestChangesDuringTheStopAreFound(t *testing.T) {
	ns := lab.Namespace(t)
	c := run(t)
	direct, wrapping, sealing := objects(t, ns)
	stop(t, c)
	lab.KMS.ResetCounts()

	drifted := lab.MustSecret(t, ns, "kms-0")
	drifted.Data["password"] = []byte("by hand")
	if err := lab.Admin.Update(t.Context(), drifted); err != nil {
		t.Fatal(err)
	}
	lab.Delete(t, lab.MustSecret(t, ns, "kms-1"))
	lab.Replace(t, document(t, ns, "kms-2", map[string]string{"password": "new"}, direct))
	untouched := versions(t, ns)
	kept := lab.MustSecret(t, ns, "sealing-0")
	lab.Delete(t, sealing)

	c = run(t)
	lab.WaitData(t, ns, "kms-0", values())
	lab.WaitData(t, ns, "kms-1", values())
	lab.WaitData(t, ns, "kms-2", map[string]string{"password": "new"})
	lab.WaitReason(t, ns, "sealing-0", "KeyUnavailable")
	lab.Unchanged(t, kept)
	lab.Settle(t, ns)
	now := versions(t, ns)
	for i := range 8 {
		if name := fmt.Sprintf("Secret age-%d", i); untouched[name] != now[name] {
			t.Errorf("%s was written", name)
		}
	}
	if n, m := lab.Decrypts(direct), lab.Decrypts(wrapping); n != 3 || m != 0 {
		t.Errorf("%d direct key calls and %d for the SealingKey, want 3 and none", n, m)
	}
	stop(t, c)
}

// Without a cause to try again the next attempt would be minutes away.
func TestSealingKeyIsNoticedBeforeTheBackoffEnds(t *testing.T) {
	ns, key := lab.Namespace(t), lab.KMSKey()
	c := run(t, "--min-backoff", "10m", "--max-backoff", "20m")
	sealing, recipient, err := lab.SealingKey(t.Context(), ns, key.ARN, ns)
	if err != nil {
		t.Fatal(err)
	}
	lab.Create(t, document(t, ns, "db", values(), recipient))
	lab.WaitReason(t, ns, "db", "KeyUnavailable")
	lab.Create(t, sealing)
	lab.WaitReady(t, ns, "db")
	lab.WaitData(t, ns, "db", values())
	lab.Delete(t, sealing)
	stop(t, c)
}
