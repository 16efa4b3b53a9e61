// SPDX-License-Identifier: Apache-2.0

package controller

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/recorder"
)

// events records events about objects of Signet's API, while the gate is open:
// another leader tells what comes of them otherwise.
type events struct {
	recorder recorder.EventRecorder
	gate     *gate
}

// maxNoteBytes is how long the note of an event may be (kubernetes:
// apis/core/validation/events.go, NoteLengthLimit).
const maxNoteBytes = 1024

// note records that something was done.
func (e *events) note(about runtime.Object, reason Reason, text string) {
	e.record(about, corev1.EventTypeNormal, reason, text)
}

// warn records that something could not be done.
func (e *events) warn(about runtime.Object, reason Reason, text string) {
	e.record(about, corev1.EventTypeWarning, reason, text)
}

func (e *events) record(about runtime.Object, eventType string, reason Reason, text string) {
	if e.gate.isOpen() {
		e.recorder.Eventf(about, nil, eventType, string(reason), "Unseal", "%s", cut(text, maxNoteBytes))
	}
}
