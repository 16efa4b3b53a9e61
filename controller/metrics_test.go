// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/signet-secrets/signet/controller/v1alpha1"
	"github.com/signet-secrets/signet/seal/keys"
)

// Whoever may write a status can't make series of metrics.
func TestReasonsThatAreNoneAreShownAsOne(t *testing.T) {
	m := newMetrics(&keys.Counters{})
	reasons := []string{string(Opened), string(Updated), "", "Unknown"}
	for i := range 20 {
		reasons = append(reasons, "Forged"+strconv.Itoa(i))
	}
	for i, reason := range reasons {
		status := &v1alpha1.SealedSecretStatus{Conditions: []metav1.Condition{{Type: Ready, Status: metav1.ConditionFalse, Reason: reason}}}
		m.object(types.NamespacedName{Name: strconv.Itoa(i)}, status)
	}
	if diff := cmp.Diff(map[string]float64{"Unknown": float64(len(reasons))}, shownReasons(t, m)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReasonsOfSealedSecretsAreShown(t *testing.T) {
	m := newMetrics(&keys.Counters{})
	elsewhere := append(onlyEvents(), Closed, Opened)
	want := map[string]float64{}
	for _, reason := range declaredReasons(t) {
		if !slices.Contains(elsewhere, reason) {
			want[string(reason)] = 1
		}
	}
	for reason := range maps.Keys(want) {
		status := &v1alpha1.SealedSecretStatus{Conditions: []metav1.Condition{{Type: Ready, Status: metav1.ConditionFalse, Reason: reason}}}
		m.object(types.NamespacedName{Name: reason}, status)
	}
	if diff := cmp.Diff(want, shownReasons(t, m)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// shownReasons returns how many objects are shown for each reason.
func shownReasons(t *testing.T, m *metrics) map[string]float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(m); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]float64{}
	for _, f := range families {
		if f.GetName() != "signet_controller_objects" {
			continue
		}
		for _, metric := range f.GetMetric() {
			for _, l := range metric.GetLabel() {
				if l.GetName() == "reason" {
					found[l.GetValue()] += metric.GetGauge().GetValue()
				}
			}
		}
	}
	return found
}
