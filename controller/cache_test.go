// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/signet-secrets/signet/controller/v1alpha1"
)

// The document is kept in memory as long as it may be needed soon.
func TestTrimSealedSecret(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*v1alpha1.SealedSecret)
		kept   bool
	}{
		{"done with", func(*v1alpha1.SealedSecret) {}, false},
		{"new document", func(s *v1alpha1.SealedSecret) { s.Generation++ }, true},
		{"failed", func(s *v1alpha1.SealedSecret) { s.Status.Conditions[0].Status = metav1.ConditionFalse }, true},
		{"new", func(s *v1alpha1.SealedSecret) { s.Status = v1alpha1.SealedSecretStatus{ObservedGeneration: -1} }, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &v1alpha1.SealedSecret{}
			s.Namespace, s.Name, s.UID, s.Generation, s.ResourceVersion = "prod", "db", "o-1", 2, "7"
			s.Labels, s.Annotations = map[string]string{"a": "b"}, map[string]string{"a": "b"}
			s.ManagedFields = []metav1.ManagedFieldsEntry{fieldsOf("kubectl", byUpdate, "a")}
			s.Spec = v1alpha1.SealedSecretSpec{SecretName: "app", Raw: []byte("{}"), Sealed: v1alpha1.Envelope{Scope: "prod/app"}}
			s.Status.ObservedGeneration = 2
			setConditions(&s.Status.Conditions, 2, metav1.ConditionTrue, Unsealed, "")
			test.change(s)
			status := s.Status.DeepCopy()
			got, err := trimSealedSecret(s)
			if err != nil || got != any(s) {
				t.Fatalf("%v, error %v, want the same object", got, err)
			}
			if kept := s.Spec.Raw != nil; kept != test.kept {
				t.Errorf("the document is kept: %v, want %v", kept, test.kept)
			}
			if s.Labels != nil || s.Annotations != nil || s.ManagedFields != nil || s.Spec.Sealed.Scope != "" {
				t.Errorf("kept without need: %+v", s)
			}
			if s.UID != "o-1" || s.ResourceVersion != "7" || s.Spec.SecretName != "app" || !sameStatus(&s.Status, status) {
				t.Errorf("dropped: %+v", s)
			}
		})
	}
}

// A large document is not kept in memory whatever its state is, only its weight
// is, and an annotation that somebody has put there counts for nothing.
func TestTrimLargeSealedSecret(t *testing.T) {
	for _, test := range []struct {
		name  string
		spec  string
		large bool
	}{
		{"small", `{"sealed":"` + strings.Repeat("x", 16<<10) + `"}`, false},
		{"long", `{"sealed":"` + strings.Repeat("x", 64<<10) + `"}`, true},
		{"many parts", `{"sealed":[1` + strings.Repeat(",1", 2000) + `]}`, true},
		{"more parts than may be", `{"sealed":[1` + strings.Repeat(",1", 100_000) + `]}`, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &v1alpha1.SealedSecret{}
			s.Annotations = map[string]string{weightNote: "1"}
			s.Generation, s.Status.ObservedGeneration = 2, -1
			s.Spec.Raw = []byte(test.spec)
			for range 2 { // the cache may trim again
				if _, err := trimSealedSecret(s); err != nil {
					t.Fatal(err)
				}
				weight, want := weightOf(s), 0
				if test.large {
					want = weigh([]byte(test.spec))
				}
				if weight != want || (s.Spec.Raw == nil) != test.large {
					t.Errorf("weight %d, want %d; the document is kept: %v", weight, want, s.Spec.Raw != nil)
				}
			}
		})
	}
}

// The heaviest document must find room beside as much as others may take.
func TestWeightIsBounded(t *testing.T) {
	for _, spec := range []string{strings.Repeat("x", 2<<20), "[" + strings.Repeat("1,", maxNodes-5) + strings.Repeat(" ", 2<<20) + "1]"} {
		if n := weigh([]byte(spec)); n > memoryBytes/4 {
			t.Errorf("%d bytes for a document of %d, want at most %d", n, len(spec), memoryBytes/4)
		}
	}
}

// What the cache hands over when it has missed a deletion.
func TestTrimOfSomethingElse(t *testing.T) {
	gone := cache.DeletedFinalStateUnknown{Key: "prod/db"}
	for name, trim := range map[string]cache.TransformFunc{
		"SealedSecret": trimSealedSecret, "SealingKey": trimSealingKey, "Secret": trimSecret,
	} {
		if got, err := trim(gone); err != nil || got != any(gone) {
			t.Errorf("%s: %v, error %v", name, got, err)
		}
	}
}
