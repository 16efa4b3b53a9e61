// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// SealingKey is an age key pair whose private half is under seal. Documents are
// sealed for its public half, and the controller unwraps the private half once
// for all of them, with a single call to the key service.
//
// Write it with `signet key create`, and keep it in Git. Who may create or
// change SealingKeys decides which keys the controller has: leave that to the
// administrators of the cluster.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,categories=signet,shortName=skey
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Namespaces",type=string,JSONPath=`.spec.namespaces`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
type SealingKey struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec SealingKeySpec `json:"spec"`
	// Status is what the controller last saw.
	//
	// +kubebuilder:default:={"observedGeneration":-1}
	// +optional
	Status SealingKeyStatus `json:"status,omitzero"`
}

// SealingKeySpec says where the key pair may be used, and holds it.
type SealingKeySpec struct {
	// Namespaces are those whose documents may be opened with the key: names,
	// or "*" alone for all.
	//
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=4096
	// +kubebuilder:validation:items:MaxLength=63
	// +listType=set
	// +kubebuilder:validation:XValidation:rule="!('*' in self) || size(self) == 1",message="\"*\" stands alone"
	Namespaces []string `json:"namespaces"`

	// Sealed is the key pair: a complete SOPS document.
	Sealed KeyEnvelope `json:"sealed"`

	// Raw is the JSON of the spec as it was read, nil for one that was made
	// otherwise. It is what counts when the key is opened.
	Raw []byte `json:"-"`
}

// KeyEnvelope is a SOPS document with a key pair. It is replaced as a whole.
//
// +structType=atomic
// +kubebuilder:pruning:PreserveUnknownFields
type KeyEnvelope struct {
	// Recipient is the public half: age1... or age1pq1....
	//
	// +kubebuilder:validation:MaxLength=4096
	Recipient string `json:"recipient"`
	// Signet holds the private half, encrypted.
	//
	// +kubebuilder:pruning:PreserveUnknownFields
	// +optional
	Signet *EncryptedValues `json:"signet,omitempty"`
	// Sops is the SOPS metadata: the wrapped data key, once for each key that
	// opens the SealingKey.
	//
	// +kubebuilder:pruning:PreserveUnknownFields
	// +optional
	Sops *Metadata `json:"sops,omitempty"`
}

// SealingKeyStatus is what the controller last saw.
type SealingKeyStatus struct {
	// ObservedGeneration is the generation that the conditions are about: -1
	// until the controller has seen the object.
	//
	// +kubebuilder:default:=-1
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Conditions has Ready: whether documents can be opened with the key. A key
	// is opened when a document first needs it, and not before.
	//
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// SealingKeyList is a list of SealingKeys.
//
// +kubebuilder:object:root=true
type SealingKeyList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []SealingKey `json:"items"`
}
