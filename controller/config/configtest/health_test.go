// SPDX-License-Identifier: Apache-2.0

package configtest

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// outcome is what the controller can leave behind, and what Argo CD and kstatus
// (Flux, Helm) are to make of it.
type outcome struct {
	reason  string
	ready   string // the status of Ready
	stalled bool   // Stalled is True too
	argo    string
	kstatus status.Status
}

// Trying again has a chance: somebody who waits for the object may wait on. When
// it has none, nobody should.
const (
	retrying = status.InProgressStatus
	hopeless = status.FailedStatus
)

var outcomes = []outcome{
	{"Unsealed", "True", false, "Healthy", status.CurrentStatus},
	{"Closed", "True", false, "Healthy", status.CurrentStatus},
	{"Opened", "True", false, "Healthy", status.CurrentStatus},
	{"Suspended", "False", false, "Suspended", status.InProgressStatus},
	{"Suspended", "True", false, "Suspended", status.CurrentStatus}, // with the Secret that was there before

	{"ScopeMismatch", "False", true, "Degraded", hopeless},
	{"InvalidDocument", "False", true, "Degraded", hopeless},
	{"TamperedDocument", "False", true, "Degraded", hopeless},
	{"TypeDenied", "False", true, "Degraded", hopeless},
	{"KeyNotAllowed", "False", true, "Degraded", hopeless},

	{"KeyUnavailable", "False", false, "Degraded", retrying},
	{"KeyAccessDenied", "False", false, "Degraded", retrying},
	{"SecretNotOwned", "False", false, "Degraded", retrying},
	{"SecretNotFound", "False", false, "Degraded", retrying},
	{"SecretIncompatible", "False", false, "Degraded", retrying},
	{"KeyConflict", "False", false, "Degraded", retrying},
	{"QuotaExceeded", "False", false, "Degraded", retrying},
	{"NamespaceTerminating", "False", false, "Degraded", retrying},
	{"WriteRefused", "False", false, "Degraded", retrying},
	{"APIError", "False", false, "Degraded", retrying},
}

// eventReasons are those that only events have.
var eventReasons = []string{"Updated", "Healed", "Recreated", "Adopted", "Deleted"}

func find(reason string) (outcome, bool) {
	i := slices.IndexFunc(outcomes, func(o outcome) bool { return o.reason == reason })
	if i < 0 {
		return outcome{}, false
	}
	return outcomes[i], true
}

// object returns the object that the controller has left behind in generation 3.
func (o outcome) object() map[string]any {
	conditions := []any{condition("Ready", o.ready, o.reason)}
	if o.stalled {
		conditions = append(conditions, condition("Stalled", "True", o.reason))
	}
	return object(map[string]any{"observedGeneration": int64(3), "conditions": conditions})
}

func condition(kind, value, reason string) map[string]any {
	return map[string]any{
		"type": kind, "status": value, "reason": reason, "message": "in words",
		"observedGeneration": int64(3), "lastTransitionTime": "2026-01-02T03:04:05Z",
	}
}

func object(objectStatus map[string]any) map[string]any {
	o := map[string]any{
		"apiVersion": "signet.dev/v1alpha1",
		"kind":       "SealedSecret",
		"metadata":   map[string]any{"name": "db", "namespace": "prod", "generation": int64(3)},
		"spec":       map[string]any{"sealed": map[string]any{"scope": "prod/db"}},
	}
	if objectStatus != nil {
		o["status"] = objectStatus
	}
	return o
}

func script(tb testing.TB) string {
	tb.Helper()
	text, err := os.ReadFile("../argocd/health.lua")
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

func kstatus(tb testing.TB, obj map[string]any) status.Status {
	tb.Helper()
	result, err := status.Compute(&unstructured.Unstructured{Object: obj})
	if err != nil {
		tb.Fatal(err)
	}
	return result.Status
}

func TestHealthOfEveryReason(t *testing.T) {
	for _, o := range outcomes {
		t.Run(o.reason+", Ready "+o.ready, func(t *testing.T) {
			got := runHealth(t, script(t), o.object())
			if got.Status != o.argo {
				t.Errorf("Argo CD: got %s, want %s", got.Status, o.argo)
			}
			if !strings.Contains(got.Message, o.reason) || !strings.Contains(got.Message, "in words") {
				t.Errorf("Argo CD: the message %q doesn't say why", got.Message)
			}
			if got := kstatus(t, o.object()); got != o.kstatus {
				t.Errorf("kstatus: got %s, want %s", got, o.kstatus)
			}
		})
	}
}

// What the controller hasn't seen as it is now is healthy for nobody, whatever
// it said before.
func TestHealthOfWhatIsNotSeenYet(t *testing.T) {
	for _, o := range outcomes {
		t.Run("changed after "+o.reason+", Ready "+o.ready, func(t *testing.T) {
			obj := o.object()
			obj["metadata"].(map[string]any)["generation"] = int64(4)
			notSeen(t, obj, status.InProgressStatus)
		})
		t.Run("deleted after "+o.reason+", Ready "+o.ready, func(t *testing.T) {
			obj := o.object()
			obj["metadata"].(map[string]any)["deletionTimestamp"] = "2026-01-02T03:04:05Z"
			notSeen(t, obj, status.TerminatingStatus)
		})
	}
	t.Run("new", func(t *testing.T) {
		notSeen(t, object(map[string]any{"observedGeneration": int64(-1)}), status.InProgressStatus)
	})
	t.Run("conditions but nothing observed", func(t *testing.T) {
		conditions := []any{condition("Ready", "True", "Unsealed")}
		notSeen(t, object(map[string]any{"observedGeneration": int64(-1), "conditions": conditions}), status.InProgressStatus)
	})
}

// Objects that the API server can't have, because it puts observedGeneration
// there. kstatus would call them current, so only Argo CD is asked.
func TestHealthWithoutDefaults(t *testing.T) {
	ready := condition("Ready", "True", "Unsealed")
	older := maps.Clone(ready)
	older["observedGeneration"] = int64(2)
	unknown := condition("Ready", "Unknown", "Unsealed")
	for name, s := range map[string]map[string]any{
		"no status":                   nil,
		"empty status":                {},
		"no observedGeneration":       {"conditions": []any{ready}},
		"no conditions":               {"observedGeneration": int64(3)},
		"condition of an older state": {"observedGeneration": int64(3), "conditions": []any{older}},
		"Ready is Unknown":            {"observedGeneration": int64(3), "conditions": []any{unknown}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := runHealth(t, script(t), object(s)); got.Status != "Progressing" {
				t.Errorf("Argo CD: got %s (%s), want Progressing", got.Status, got.Message)
			}
		})
	}
}

func notSeen(t *testing.T, obj map[string]any, want status.Status) {
	t.Helper()
	if got := runHealth(t, script(t), obj); got.Status != "Progressing" {
		t.Errorf("Argo CD: got %s (%s), want Progressing", got.Status, got.Message)
	}
	if got := kstatus(t, obj); got != want {
		t.Errorf("kstatus: got %s, want %s", got, want)
	}
}
