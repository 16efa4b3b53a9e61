// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/signet-secrets/signet/internal/controllertest"
	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/seal/keys"
)

// TestRestartUnchanged starts a second process when everything is as sealed,
// and wants it to look at all without a key and without a write.
func TestRestartUnchanged(t *testing.T) {
	const perKind = 100
	ns := lab.Namespace(t)
	arn := lab.KMS.CreateKey(kmstest.Key{})
	key, recipient, err := lab.SealingKey(t.Context(), ns, arn, ns)
	if err != nil {
		t.Fatal(err)
	}
	lab.Create(t, key)
	c := lab.RunController(t, alone(nil, ns)...)
	kinds := map[string]keys.Entry{"kms": keys.KMSEntry{ARN: arn}, "key": recipient, "merge": recipient}
	for kind, entry := range kinds {
		createAll(t, lab, perKind, func(i int) controllertest.Secret {
			s := controllertest.Secret{
				Namespace: ns, Name: fmt.Sprintf("%s-%d", kind, i), For: []keys.Entry{entry},
				Data: map[string]string{fmt.Sprintf("key-%d", i): kind},
			}
			if kind == "merge" {
				s.Spec = map[string]any{"creationPolicy": "Merge"}
				lab.Create(t, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
					Namespace: ns, Name: s.Name, Annotations: map[string]string{"signet.dev/merge": s.Name},
				}})
			}
			return s
		})
	}
	waitAll(t, lab, 2*controllertest.Patience, ns, "")
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	before := versions(t, lab, ns)
	lab.KMS.ResetCounts()
	began := time.Now()
	again := lab.RunController(t, alone(nil, ns)...)
	controllertest.Until(t, "all are looked at", func(context.Context) error {
		if n := metric(t, again, `signet_controller_objects{ready="True",reason="Unsealed"}`); n != 3*perKind {
			return fmt.Errorf("%d of %d", n, 3*perKind)
		}
		return nil
	})
	took := time.Since(began)
	t.Logf("%d objects were looked at %.1f s after the start", 3*perKind, took.Seconds())
	if took > 5*soon {
		t.Errorf("the start took %v", took)
	}
	if err := again.Stop(); err != nil { // so that every request is in the log
		t.Error(err)
	}
	if n := lab.KMS.Count(""); n != 0 {
		t.Errorf("%d calls of the KMS", n)
	}
	for _, e := range requests(t, again) {
		if controllertest.IsWrite(e) && !isLease(e) {
			t.Errorf("%s %s", e.Verb, e.RequestURI)
		}
		if e.Verb == "get" && e.ObjectRef != nil {
			t.Errorf("get %s: one request for one object", e.RequestURI)
		}
	}
	if diff := cmp.Diff(before, versions(t, lab, ns)); diff != "" {
		t.Errorf("Secrets (-before +after):\n%s", diff)
	}
}
