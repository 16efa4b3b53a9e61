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
	return newDesired(object, &manifest.Secret{
		Name: "db", Namespace: "prod", Type: "Opaque",
		StringData: map[string]string{"password": marker},
		Data:       map[string][]byte{"binary": []byte("\x00" + marker)},
	})
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
			if got := reasonOf(markedSecret().failure(err, false)); got != want {
				t.Errorf("reason %s of %v", got, err)
			}
		})
	}
	gone := apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "prod")
	if got := reasonOf(markedSecret().failure(gone, false)); got != NamespaceTerminating {
		t.Errorf("reason %s of a namespace that is gone", got)
	}
	if got := reasonOf(markedSecret().failure(context.DeadlineExceeded, false)); got != APIError {
		t.Errorf("reason %s of a timeout", got)
	}
	if err := markedSecret().failure(nil, true); err != nil {
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
				f := markedSecret().failure(err, exists)
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
	text := markedSecret().failure(writeErrors()[WriteRefused], false).Error()
	if !strings.Contains(text, "data[password] (FieldValueInvalid)") {
		t.Errorf("text %q", text)
	}
}

func TestFailureIsFoundByKind(t *testing.T) {
	cause := fmt.Errorf("get: %w", context.Canceled)
	err := markedSecret().failure(cause, false)
	if !errors.Is(err, context.Canceled) {
		t.Error("the kind is lost")
	}
	f := failf(KeyConflict, "x")
	if got := markedSecret().failure(f, false); got != error(f) {
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
