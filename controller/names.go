// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/signet-secrets/signet/controller/v1alpha1"
)

// The marks on Secrets.
const (
	// ManagedLabel is on every Secret that a SealedSecret has written to. It is
	// what the controller watches.
	ManagedLabel = "signet.dev/managed"
	// ManagedValue is the value of ManagedLabel.
	ManagedValue = "true"
	// OwnerAnnotation names the SealedSecret that the Secret belongs to.
	// Whoever removes it takes the Secret away from Signet.
	OwnerAnnotation = "signet.dev/sealed-secret"
	// AdoptAnnotation on a Secret names the SealedSecrets, separated by commas,
	// one of which may take it over.
	AdoptAnnotation = "signet.dev/adopt"
	// MergeAnnotation on a Secret names the SealedSecrets, separated by commas,
	// that may add to it.
	MergeAnnotation = "signet.dev/merge"
	// DocumentAnnotation says from which document a Secret was written, as a hash
	// of what everybody may see of it. So each new document changes the Secret,
	// and whoever may replace documents can't find out by that whether a value
	// was guessed. For what is merged, the name of the SealedSecret is added
	// (documentAnnotation).
	DocumentAnnotation = "signet.dev/document"
)

const (
	managerPrefix = "signet:"
	// maxManagerNameBytes leaves room below the 128 bytes that the API server
	// allows a field manager (apimachinery: validation/validation.go,
	// FieldManagerMaxLength).
	maxManagerNameBytes = 100
)

// fieldManager is the name under which the fields are recorded that the
// SealedSecret of the given name writes: with the name itself, or with a hash
// where that is too long or looks like a hash. So no name is the hash of another.
func fieldManager(name string) string {
	if len(name) <= maxManagerNameBytes && !isHash(name) {
		return managerPrefix + name
	}
	sum := sha256.Sum256([]byte(name))
	return managerPrefix + hex.EncodeToString(sum[:hashBytes])
}

// hashBytes is how much of the SHA-256 of a name stands for it.
const hashBytes = 16

// isHash reports whether a name looks like a hash that stands for one.
func isHash(name string) bool {
	return len(name) == hex.EncodedLen(hashBytes) && strings.Trim(name, "0123456789abcdef") == ""
}

// isManager reports whether a field manager is that of a SealedSecret.
func isManager(manager string) bool { return strings.HasPrefix(manager, managerPrefix) }

// secretName is the name of the Secret of a SealedSecret.
func secretName(s *v1alpha1.SealedSecret) string {
	if s.Spec.SecretName != "" {
		return s.Spec.SecretName
	}
	return s.Name
}

func keyOf(o metav1.Object) types.NamespacedName {
	return types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}
}

// consents reports whether an annotation of a Secret lists the name of a
// SealedSecret.
func consents(secret *metav1.PartialObjectMetadata, annotation, name string) bool {
	for listed := range strings.SplitSeq(secret.Annotations[annotation], ",") {
		if strings.TrimSpace(listed) == name {
			return true
		}
	}
	return false
}

// owner returns the name of the SealedSecret that a Secret belongs to, or "".
func owner(secret *metav1.PartialObjectMetadata) string { return secret.Annotations[OwnerAnnotation] }

// mergers returns the field managers of SealedSecrets that have merged into a
// Secret, each once.
func mergers(secret *metav1.PartialObjectMetadata) []string {
	var found []string
	for _, f := range secret.ManagedFields {
		if isManager(f.Manager) && f.Operation == metav1.ManagedFieldsOperationApply && !slices.Contains(found, f.Manager) {
			found = append(found, f.Manager)
		}
	}
	return found
}
