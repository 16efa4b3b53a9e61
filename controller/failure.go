// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/signet-secrets/signet/seal/keys"
)

// failure is why a Secret is not as sealed.
type failure struct {
	reason Reason
	err    error
}

func fail(reason Reason, err error) *failure { return &failure{reason: reason, err: err} }

func failf(reason Reason, format string, args ...any) *failure {
	return fail(reason, fmt.Errorf(format, args...))
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

var _ error = (*failure)(nil)

// notOwned is the failure for a Secret that belongs to somebody else.
func notOwned(secret *metav1.PartialObjectMetadata, name string) *failure {
	if of := owner(secret); of != "" && of != name {
		return failf(SecretNotOwned, "Secret %s belongs to SealedSecret %s", secret.Name, of)
	}
	return failf(SecretNotOwned, "Secret %s is there already and isn't Signet's; to have it replaced, put the annotation %s: %s on it",
		secret.Name, AdoptAnnotation, name)
}

// failure is the failure for an error of a write, nil for none. What the API
// server says may repeat values, which are taken out of it.
func (d *desired) failure(err error) error {
	if f := new(failure); err == nil || errors.As(err, &f) {
		return err
	}
	return fail(writeReason(err), fmt.Errorf("write Secret %s: %w", d.secret.Name, &apiError{text: apiText(err, d.values()), err: err}))
}

// apiError is an error of the API server with a text that holds no values.
type apiError struct {
	text string
	err  error
}

func (e *apiError) Error() string { return e.text }

// Is reports whether the error is of one of the kinds that callers ask for. It
// does not give away the error itself, whose text is not safe.
func (e *apiError) Is(target error) bool { return errors.Is(e.err, target) }

// writeReason finds the reason for an error of a write.
func writeReason(err error) Reason {
	switch {
	case namespaceGone(err):
		return NamespaceTerminating
	case apierrors.IsForbidden(err) && strings.Contains(err.Error(), "exceeded quota"):
		return QuotaExceeded
	case apierrors.IsForbidden(err), apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsRequestEntityTooLargeError(err):
		return WriteRefused
	}
	return APIError
}

// namespaceGone reports whether a write failed because the namespace is going
// or gone.
func namespaceGone(err error) bool {
	if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return true
	}
	status := apierrors.APIStatus(nil)
	return apierrors.IsNotFound(err) && errors.As(err, &status) && status.Status().Details != nil && status.Status().Details.Kind == "namespaces"
}

// apiText is what an error of the API server says. Of what it finds invalid
// only the places are told: the details quote values.
func apiText(err error, values [][]byte) string {
	if !apierrors.IsInvalid(err) {
		return keys.ForeignText(err.Error(), values...)
	}
	var places []string
	for _, c := range causes(err) {
		places = append(places, keys.ForeignText(c.Field, values...)+" ("+string(c.Type)+")")
	}
	return "the API server calls it invalid: " + listed(places)
}

// maxListed is how many things a text lists.
const maxListed = 10

// listed joins names, but not too many.
func listed(names []string) string {
	names = slices.Compact(names)
	if more := len(names) - maxListed; more > 0 {
		return strings.Join(names[:maxListed], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(names, ", ")
}
