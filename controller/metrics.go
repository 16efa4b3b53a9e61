// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"sync"
	"time"
	"unique"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/signet-secrets/signet/controller/v1alpha1"
	"github.com/signet-secrets/signet/seal/keys"
)

// metrics counts what the controller does. It is a prometheus.Collector.
type metrics struct {
	unseals  prometheus.Counter
	failures *prometheus.CounterVec
	duration prometheus.Histogram
	counters *keys.Counters

	objects, keyCalls, keyFailures, cacheHits, oldest *prometheus.Desc

	mu     sync.Mutex
	states map[types.NamespacedName]objectState
}

// objectState is what is shown of an object.
type objectState struct {
	ready  string
	reason string
	since  time.Time // of Ready being what it is
}

func newMetrics(counters *keys.Counters) *metrics {
	const prefix = "signet_controller_"
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(prefix+name, help, labels, nil)
	}
	return &metrics{
		unseals:  prometheus.NewCounter(prometheus.CounterOpts{Name: prefix + "unseals_total", Help: "Documents that were opened."}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + "unseal_failures_total", Help: "Attempts that failed, by the reason of the condition."}, []string{"reason"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: prefix + "unseal_duration_seconds", Help: "How long opening a document took, calls to key services included.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}),
		counters:    counters,
		objects:     desc("objects", "SealedSecrets by the status and the reason of their Ready condition.", "ready", "reason"),
		keyCalls:    desc("key_calls_total", "Calls to key services, by type of key.", "type"),
		keyFailures: desc("key_call_failures_total", "Calls to key services that failed, by type of key.", "type"),
		cacheHits:   desc("key_cache_hits_total", "Calls to key services that the cache saved, by type of key.", "type"),
		oldest:      desc("oldest_failure_seconds", "For how long the object that has failed longest has been failing; 0 if none is."),
		states:      map[types.NamespacedName]objectState{},
	}
}

var _ prometheus.Collector = (*metrics)(nil)

// attempted notes how long an attempt to open a document took, and counts it if
// it succeeded.
func (m *metrics) attempted(took time.Duration, err error) {
	m.duration.Observe(took.Seconds())
	if err == nil {
		m.unseals.Inc()
	}
}

// failed counts an object that is not ready after an attempt.
func (m *metrics) failed(reason Reason) { m.failures.WithLabelValues(string(reason)).Inc() }

// object notes the state of an object.
func (m *metrics) object(key types.NamespacedName, status *v1alpha1.SealedSecretStatus) {
	ready := meta.FindStatusCondition(status.Conditions, Ready)
	if ready == nil {
		return
	}
	reason := Reason(ready.Reason)
	if !reason.ofSealedSecrets() {
		reason = unknownReason // or whoever may write a status could make any number of series
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.states[key] = objectState{
		ready: unique.Make(string(ready.Status)).Value(), reason: unique.Make(string(reason)).Value(), since: ready.LastTransitionTime.Time,
	}
}

// unknownReason is what a reason is shown as that is none of ours. It lasts until
// the object is tried again.
const unknownReason = "Unknown"

// ofSealedSecrets reports whether the Ready condition of a SealedSecret can have
// this reason.
func (r Reason) ofSealedSecrets() bool {
	switch r {
	case Unsealed, Suspended, KeyUnavailable, KeyAccessDenied, SecretNotOwned, SecretNotFound, SecretIncompatible,
		KeyConflict, QuotaExceeded, NamespaceTerminating, WriteRefused, APIError:
		return true
	}
	return r.stalled()
}

// gone notes that there is no such object any more.
func (m *metrics) gone(key types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.states, key)
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range []prometheus.Collector{m.unseals, m.failures, m.duration} {
		c.Describe(ch)
	}
	for _, d := range []*prometheus.Desc{m.objects, m.keyCalls, m.keyFailures, m.cacheHits, m.oldest} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	for _, c := range []prometheus.Collector{m.unseals, m.failures, m.duration} {
		c.Collect(ch)
	}
	m.collectObjects(ch)
	for t, c := range m.counters.Counts() {
		for d, n := range map[*prometheus.Desc]uint64{m.keyCalls: c.Unwraps, m.keyFailures: c.Failures, m.cacheHits: c.Hits} {
			ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), string(t))
		}
	}
}

func (m *metrics) collectObjects(ch chan<- prometheus.Metric) {
	m.mu.Lock()
	defer m.mu.Unlock()
	counts := map[[2]string]int{}
	oldest := time.Duration(0)
	for _, s := range m.states {
		counts[[2]string{s.ready, s.reason}]++
		if s.ready == string(metav1.ConditionFalse) && s.reason != string(Suspended) {
			oldest = max(oldest, time.Since(s.since))
		}
	}
	for labels, n := range counts {
		ch <- prometheus.MustNewConstMetric(m.objects, prometheus.GaugeValue, float64(n), labels[:]...)
	}
	ch <- prometheus.MustNewConstMetric(m.oldest, prometheus.GaugeValue, oldest.Seconds())
}
