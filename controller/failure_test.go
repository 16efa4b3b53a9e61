// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/signet-secrets/signet/controller/v1alpha1"
	"github.com/signet-secrets/signet/seal/manifest"
)

const marker = "correct-horse-battery-staple"

func markedSecret() *desired {
	object := &v1alpha1.SealedSecret{ObjectMeta: metav1.ObjectMeta{Namespace: "prod", Name: "db"}}
	return newDesired(object, &opened{secret: &manifest.Secret{
		Name: "db", Namespace: "prod", Type: "Opaque",
		StringData: map[string]string{"password": marker},
		Data:       map[string][]byte{"binary": []byte("\x00" + marker)},
	}})
}

// writeErrors are what the API server may say to a write, with values in it.
func writeErrors() map[Reason]error {
	kind := schema.GroupKind{Kind: "Secret"}
	resource := schema.GroupResource{Resource: "secrets"}
	quote := fmt.Sprintf("%q, base64 %s", marker, base64.StdEncoding.EncodeToString([]byte(marker)))
	terminating := apierrors.NewForbidden(resource, "db", errors.New("being terminated: "+quote))
	terminating.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: corev1.NamespaceTerminatingCause}}
	return map[Reason]error{
		NamespaceTerminating: terminating,
		QuotaExceeded:        apierrors.NewForbidden(resource, "db", errors.New("exceeded quota: few, "+quote)),
		WriteRefused: apierrors.NewInvalid(kind, "db", field.ErrorList{
			field.Invalid(field.NewPath("data").Key("password"), marker, "not valid: "+marker),
		}),
		APIError: apierrors.NewInternalError(errors.New("etcd: " + quote)),
	}
}

func TestReasonsOfWriteErrors(t *testing.T) {
	for want, err := range writeErrors() {
		t.Run(string(want), func(t *testing.T) {
			if got := reasonOf(markedSecret().writeFailure(err, false)); got != want {
				t.Errorf("reason %s of %v", got, err)
			}
		})
	}
	gone := apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "prod")
	if got := reasonOf(markedSecret().writeFailure(gone, false)); got != NamespaceTerminating {
		t.Errorf("reason %s of a namespace that is gone", got)
	}
	if got := reasonOf(markedSecret().writeFailure(context.DeadlineExceeded, false)); got != APIError {
		t.Errorf("reason %s of a timeout", got)
	}
	if err := markedSecret().writeFailure(nil, true); err != nil {
		t.Errorf("failure %v of nothing", err)
	}
}

func TestTextsHoldNoValues(t *testing.T) {
	policy := "admission webhook %q denied the request: data is " + marker
	quoted := map[string]error{
		"policy": &apierrors.StatusError{ErrStatus: metav1.Status{
			Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden, Message: fmt.Sprintf(policy, "x"),
		}},
		"URL":   errors.New(`Put "https://10.0.0.1/secrets/db?value=` + marker + `": EOF`),
		"bytes": fmt.Errorf("can't read %s", hex.EncodeToString([]byte(marker))),
	}
	for reason, err := range writeErrors() {
		quoted[string(reason)] = err
	}
	for name, err := range quoted {
		for _, exists := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, exists %v", name, exists), func(t *testing.T) {
				f := markedSecret().writeFailure(err, exists)
				for shown := f; shown != nil; shown = errors.Unwrap(shown) {
					checkText(t, shown.Error())
					checkText(t, fmt.Sprintf("%+v", shown))
				}
				if !strings.Contains(f.Error(), "write Secret db: ") {
					t.Errorf("text %q", f)
				}
			})
		}
	}
}

// checkText fails the test if a text holds the marker in some form.
func checkText(t *testing.T, text string) {
	t.Helper()
	for _, form := range []string{marker, base64.StdEncoding.EncodeToString([]byte(marker)), hex.EncodeToString([]byte(marker))} {
		if strings.Contains(text, form) {
			t.Errorf("the text holds a value: %s", text)
		}
	}
}

func TestInvalidNamesThePlaces(t *testing.T) {
	text := markedSecret().writeFailure(writeErrors()[WriteRefused], false).Error()
	if !strings.Contains(text, "data[password] (FieldValueInvalid)") {
		t.Errorf("text %q", text)
	}
}

func TestFailureIsFoundByKind(t *testing.T) {
	cause := fmt.Errorf("get: %w", context.Canceled)
	err := markedSecret().writeFailure(cause, false)
	if !errors.Is(err, context.Canceled) {
		t.Error("the kind is lost")
	}
	f := failf(KeyConflict, "x")
	if got := markedSecret().writeFailure(f, false); got != error(f) {
		t.Errorf("a failure became %v", got)
	}
}

func TestListedIsCutOff(t *testing.T) {
	var names []string
	for i := range 25 {
		names = append(names, fmt.Sprint("key", i))
	}
	if got := listed(names); !strings.HasSuffix(got, "key9 and 15 more") {
		t.Errorf("listed: %s", got)
	}
	if got := listed([]string{"a", "a", "b"}); got != "a, b" {
		t.Errorf("listed: %s", got)
	}
}

// What a policy says is told if nothing of the values is in it, and if there are
// no values that are not known.
func TestVerdictsAreToldWithoutValues(t *testing.T) {
	denied := func(text string) error {
		return apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "db", errors.New("ValidatingAdmissionPolicy 'p' with binding 'b' denied request: "+text))
	}
	values := [][]byte{[]byte("plum velvet\torchid"), []byte("k")}
	for _, test := range []struct {
		name, text string
		values     [][]byte
		told       bool
	}{
		{"nothing of them", "a label is missing", values, true},
		{"a value", "plum velvet\torchid", values, false},
		{"a word of one", "it begins with PLUM", values, false},
		{"in base64", "cGx1bSB2ZWx2ZXQJb3JjaGlk", values, false},
		{"values are not known", "a label is missing", nil, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := apiText(denied(test.text), test.values)
			if !strings.Contains(text, "ValidatingAdmissionPolicy 'p'") || strings.Contains(text, test.text) != test.told {
				t.Errorf("text %q, want the verdict told: %v", text, test.told)
			}
		})
	}
}
