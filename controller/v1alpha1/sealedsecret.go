// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// The rule on the name stands on SealedSecret itself, because only from there is
// metadata.name to be seen. It is not asked about a spec that stays as it was, so
// an object that is older than the rule can lose its finalizers.

// SealedSecret is a Secret under seal. It can be kept in Git and be read by
// anyone; the controller, which holds the keys, makes the Secret from it.
//
// Write it with `signet seal`. What is under spec.sealed can't be changed by
// hand: any change is detected, and the Secret stays as it was.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Namespaced,categories=signet,shortName=ssec
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Secret",type=string,JSONPath=`.status.secret.name`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Scope",type=string,priority=1,JSONPath=`.spec.sealed.scope`
// +kubebuilder:printcolumn:name="Key",type=string,priority=1,JSONPath=`.status.key`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:validation:XValidation:rule="(oldSelf.hasValue() && oldSelf.value().spec == self.spec) || self.spec.sealed.scope.endsWith('/*') || self.spec.sealed.scope.endsWith('/' + (has(self.spec.secretName) && size(self.spec.secretName) > 0 ? self.spec.secretName : self.metadata.name))",optionalOldSelf=true,fieldPath=".spec.sealed.scope",message="the document was sealed for a Secret of another name; seal it anew for this one"
type SealedSecret struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec SealedSecretSpec `json:"spec"`
	// Status is what the controller last saw and did.
	//
	// +kubebuilder:default:={"observedGeneration":-1}
	// +optional
	Status SealedSecretStatus `json:"status,omitzero"`
}

// SealedSecretSpec is what becomes of the document, and the document.
//
// +kubebuilder:validation:XValidation:rule="!(has(self.creationPolicy) && self.creationPolicy == 'Merge' && has(self.deletionPolicy) && self.deletionPolicy == 'Retain')",fieldPath=".deletionPolicy",message="Retain can't be combined with creationPolicy Merge: what was merged into a Secret is always taken out again"
// +kubebuilder:validation:XValidation:rule="!(has(self.creationPolicy) && self.creationPolicy == 'Merge') || has(self.sealed.merge) && self.sealed.merge",fieldPath=".creationPolicy",message="the document was not sealed to be added to the Secret of somebody else: seal it with --merge"
// +kubebuilder:validation:XValidation:rule="!(has(self.sealed.merge) && self.sealed.merge) || has(self.creationPolicy) && self.creationPolicy == 'Merge'",fieldPath=".creationPolicy",message="must be Merge, because the document was sealed to be added to the Secret of somebody else; seal it without --merge (signet seal --merge=false) to have a Secret of its own"
// +kubebuilder:validation:XValidation:rule="!has(self.serviceAccountName)",fieldPath=".serviceAccountName",message="is reserved and must not be set"
type SealedSecretSpec struct {
	// SecretName is the name of the Secret. It is written by `signet seal`, so
	// that a prefix put before the name of this object by kustomize changes
	// neither the Secret nor references to it. If it is absent, the Secret has
	// the name of this object.
	//
	// +kubebuilder:validation:MaxLength=253
	// +optional
	SecretName string `json:"secretName,omitempty"`

	// CreationPolicy says whose the Secret is. With Owner, which is the
	// default, it is made, kept as sealed, and made anew when somebody deletes
	// it; a Secret that exists already is taken over only if it consents with
	// the annotation signet.dev/adopt: <name of this object>. With Merge the
	// sealed keys, labels and annotations are added to a Secret that somebody
	// else makes and that consents with the annotation
	// signet.dev/merge: <name of this object>; what is already there is never
	// overwritten. It must be what the document was sealed for: Merge with
	// sealed.merge, which `signet seal --merge` writes, and Owner without.
	//
	// +kubebuilder:validation:Enum=Owner;Merge
	// +optional
	CreationPolicy CreationPolicy `json:"creationPolicy,omitempty"`

	// DeletionPolicy says what becomes of the Secret when this object is
	// deleted. With Delete, which is the default, it is deleted by the garbage
	// collector of Kubernetes. With Retain it stays. What was merged into a
	// Secret is always taken out of it again, so Retain can't be combined with
	// the creation policy Merge.
	//
	// +kubebuilder:validation:Enum=Delete;Retain
	// +optional
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`

	// Suspend stops everything that the controller does for this object: the
	// Secret is neither changed, healed nor made anew. Deleting this object
	// still has its effect.
	//
	// +optional
	Suspend bool `json:"suspend,omitempty"`

	// ServiceAccountName is reserved. It must not be set.
	//
	// +optional
	ServiceAccountName string `json:"serviceAccountName,omitempty"`

	// Sealed is the document: a complete SOPS document, which
	// `kubectl get ssec NAME -o yaml | yq .spec.sealed | sops decrypt
	// --input-type yaml --output-type yaml /dev/stdin` reads too.
	Sealed Envelope `json:"sealed"`

	// Raw is the JSON of the spec as it was read, nil for one that was made
	// otherwise. It is what counts when the document is opened.
	Raw []byte `json:"-"`
}

// CreationPolicy says whose a Secret is.
type CreationPolicy string

// The creation policies.
const (
	Owner CreationPolicy = "Owner"
	Merge CreationPolicy = "Merge"
)

// DeletionPolicy says what becomes of a Secret.
type DeletionPolicy string

// The deletion policies.
const (
	Delete DeletionPolicy = "Delete"
	Retain DeletionPolicy = "Retain"
)

// Envelope is a SOPS document: the Secret with its values encrypted, and the
// data key wrapped for everyone who may open it. It is replaced as a whole:
// parts of two documents don't make one that opens.
//
// +structType=atomic
// +kubebuilder:pruning:PreserveUnknownFields
// +kubebuilder:validation:XValidation:rule="!has(self.type) || !(self.type in ['kubernetes.io/service-account-token', 'bootstrap.kubernetes.io/token', 'helm.sh/release.v1'])",fieldPath=".type",message="a Secret of this type can't come out of a SealedSecret: it would be a credential of the cluster or a forged Helm release"
// +kubebuilder:validation:XValidation:rule="!(has(self.immutable) && self.immutable && has(self.merge) && self.merge)",fieldPath=".immutable",message="must be false where merge is true: the Secret belongs to somebody else"
type Envelope struct {
	// Annotations of the Secret.
	//
	// +optional
	Annotations map[string]string `json:"annotations,omitempty"`
	// Immutable makes the Secret immutable. A change of the document then
	// deletes the Secret and makes it anew.
	//
	// +optional
	Immutable bool `json:"immutable,omitempty"`
	// Labels of the Secret.
	//
	// +optional
	Labels map[string]string `json:"labels,omitempty"`
	// Merge says that the content was sealed to be added to a Secret that
	// somebody else makes, and for nothing else. It is there, and true, if and
	// only if the creation policy is Merge. What stands beside the content in
	// that Secret, such as other keys and annotations, is for the owner of the
	// Secret to choose.
	//
	// +optional
	Merge bool `json:"merge,omitempty"`
	// Scope is where the document may be opened: <namespace>/<secret name>,
	// either of which may be "*".
	//
	// +kubebuilder:validation:MaxLength=317
	// +kubebuilder:validation:Pattern=`^[^/]+/[^/]+$`
	Scope string `json:"scope"`
	// Signet holds the encrypted values.
	//
	// +kubebuilder:pruning:PreserveUnknownFields
	// +optional
	Signet *EncryptedValues `json:"signet,omitempty"`
	// Sops is the SOPS metadata: the wrapped data key, once for each recipient.
	//
	// +kubebuilder:pruning:PreserveUnknownFields
	// +optional
	Sops *Metadata `json:"sops,omitempty"`
	// Type of the Secret.
	//
	// +kubebuilder:validation:MaxLength=253
	// +optional
	Type string `json:"type,omitempty"`
}

// EncryptedValues are the values of a document, each encrypted on its own.
type EncryptedValues struct {
	// Binding ties the values to everything that stands around them.
	//
	// +optional
	Binding string `json:"binding,omitempty"`
	// Data holds binary values; the plaintext is base64.
	//
	// +optional
	Data map[string]string `json:"data,omitempty"`
	// StringData holds text.
	//
	// +optional
	StringData map[string]string `json:"stringData,omitempty"`
}

// Metadata is the part of the SOPS metadata that every document has. The lists
// of recipients (age, kms, key_groups, ...) are those of SOPS.
type Metadata struct {
	// EncryptedRegex says what is encrypted: everything under "signet".
	//
	// +optional
	EncryptedRegex string `json:"encrypted_regex,omitempty"`
	// LastModified is the time of the last change, RFC 3339.
	//
	// +optional
	LastModified string `json:"lastmodified,omitempty"`
	// MAC authenticates the document.
	//
	// +optional
	MAC string `json:"mac,omitempty"`
	// Version of SOPS whose format the document has.
	//
	// +optional
	Version string `json:"version,omitempty"`
}

// SealedSecretStatus is what the controller last saw and did. Whoever writes it
// by hand can hold an update back until the document changes, and no more.
type SealedSecretStatus struct {
	// ObservedGeneration is the generation that the conditions are about: -1
	// until the controller has seen the object.
	//
	// +kubebuilder:default:=-1
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Conditions are Ready, which says whether the Secret is as sealed and if
	// not why, and Stalled, which is there while only a change of this object,
	// of a SealingKey or of the controller's configuration helps.
	//
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// Secret is what was last written.
	//
	// +optional
	Secret *SecretStatus `json:"secret,omitempty"`

	// Key is the key that the document was last opened with: a SealingKey, an
	// ARN, or the recipient of an identity that the controller has, of which
	// only the ends are shown if it is long. With key groups there are several,
	// separated by ", ". A failure that is Stalled empties it.
	//
	// +optional
	Key string `json:"key,omitempty"`

	// PolicyDigest stands for everything beside this object that decides
	// whether the document may be opened: allow-list, deny-lists, SealingKey.
	// When one of them changes, the document is opened anew.
	//
	// +optional
	PolicyDigest string `json:"policyDigest,omitempty"`
}

// SecretStatus identifies what was written.
type SecretStatus struct {
	// Name of the Secret, in the namespace of this object.
	Name string `json:"name"`
	// UID of the Secret.
	UID types.UID `json:"uid"`
	// ResourceVersion of the Secret after it was written.
	ResourceVersion string `json:"resourceVersion"`
	// Fields is the SHA-256 of the managed fields that belong to this object.
	// As long as they are the same nobody has changed what was written.
	Fields string `json:"fields"`
}

// SealedSecretList is a list of SealedSecrets.
//
// +kubebuilder:object:root=true
type SealedSecretList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []SealedSecret `json:"items"`
}
