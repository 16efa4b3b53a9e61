// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/signet-secrets/signet/controller/v1alpha1"
)

// maxMessageBytes is how long the message of a condition may get. The API
// server takes 32 KiB; people don't.
const maxMessageBytes = 2048

// setConditions puts the outcome for an object of the given generation into
// conditions: Ready, and Stalled or not.
func setConditions(conditions *[]metav1.Condition, generation int64, ready metav1.ConditionStatus, reason Reason, message string) {
	message = cut(message, maxMessageBytes)
	meta.SetStatusCondition(conditions, metav1.Condition{
		Type: Ready, Status: ready, Reason: string(reason), Message: message, ObservedGeneration: generation,
	})
	if ready == metav1.ConditionFalse && reason.stalled() {
		meta.SetStatusCondition(conditions, metav1.Condition{
			Type: Stalled, Status: metav1.ConditionTrue, Reason: string(reason), Message: message, ObservedGeneration: generation,
		})
		return
	}
	meta.RemoveStatusCondition(conditions, Stalled)
}

// isUnsealed reports whether a status says that the Secret is as sealed.
func isUnsealed(s *v1alpha1.SealedSecretStatus) bool {
	ready := meta.FindStatusCondition(s.Conditions, Ready)
	return ready != nil && ready.Status == metav1.ConditionTrue && ready.Reason == string(Unsealed)
}

// cut shortens text to n bytes, between characters.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	n -= len("...")
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n] + "..."
}

// statusOf makes the status of a Secret that was written.
func statusOf(secret *metav1.PartialObjectMetadata, manager string) *v1alpha1.SecretStatus {
	return &v1alpha1.SecretStatus{
		Name: secret.Name, UID: secret.UID, ResourceVersion: secret.ResourceVersion,
		Fields: digestFields(secret, manager),
	}
}

// fullStatus is a status with a null where a merge patch has to remove a field.
type fullStatus struct {
	ObservedGeneration int64                  `json:"observedGeneration"`
	Conditions         []metav1.Condition     `json:"conditions"`
	Secret             *v1alpha1.SecretStatus `json:"secret"`
	Key                *string                `json:"key"`
	PolicyDigest       *string                `json:"policyDigest"`
}

func full(s *v1alpha1.SealedSecretStatus) fullStatus {
	f := fullStatus{ObservedGeneration: s.ObservedGeneration, Conditions: s.Conditions, Secret: s.Secret}
	if s.Key != "" {
		f.Key = &s.Key
	}
	if s.PolicyDigest != "" {
		f.PolicyDigest = &s.PolicyDigest
	}
	return f
}

func sameStatus(a, b *v1alpha1.SealedSecretStatus) bool { return equality.Semantic.DeepEqual(a, b) }
