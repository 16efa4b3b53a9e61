// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
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

// reasonOf returns the reason of an error, "" for none.
func reasonOf(err error) Reason {
	f := new(failure)
	if errors.As(err, &f) {
		return f.reason
	}
	if err != nil {
		return APIError
	}
	return ""
}

// notOwned is the failure for a Secret that belongs to somebody else.
func notOwned(secret *metav1.PartialObjectMetadata, name string) *failure {
	if of := owner(secret); of != "" && of != name {
		return failf(SecretNotOwned, "Secret %s belongs to SealedSecret %s; change spec.secretName of one of them, or delete one", secret.Name, of)
	}
	return failf(SecretNotOwned, "Secret %s is there already and isn't Signet's; to have it replaced, put the annotation %s: %s on it",
		secret.Name, AdoptAnnotation, name)
}

// noConsent is the failure for a Secret that may not be added to.
func noConsent(secret *metav1.PartialObjectMetadata, name string) *failure {
	return failf(SecretNotOwned, "Secret %s doesn't consent to be added to; put the annotation %s: %s on it", secret.Name, MergeAnnotation, name)
}

// notThere is the failure for a Secret that is to be added to.
func notThere(secret, name string) *failure {
	return failf(SecretNotFound, "there is no Secret %s to merge into yet; its owner has to make it, with the annotation %s: %s",
		secret, MergeAnnotation, name)
}

// unclear is the failure for a Secret of which it is not known what is whose.
func unclear(secret *metav1.PartialObjectMetadata, err error) *failure {
	return failf(APIError, "Secret %s: %w", secret.Name, err)
}

// unread is the failure for what the API server does not give.
func unread(kind, name string, err error) *failure {
	return fail(APIError, fmt.Errorf("read %s %s: %w", kind, name, &apiError{text: apiText(err, nil), err: err}))
}

// busy is the failure for a Secret that changes faster than it can be written.
func (d *desired) busy() *failure {
	return failf(APIError, "write Secret %s: somebody else keeps changing it", d.secret.Name)
}

// interrupted is the failure for a write that began anew until ctx ended.
func (d *desired) interrupted(ctx context.Context) *failure {
	return failf(APIError, "write Secret %s: %w", d.secret.Name, ctx.Err())
}

// writeFailure is the failure for an error of a write, nil for none. What the API
// server says may repeat values, which are taken out of it. If there is a Secret
// already, it may repeat values of that one too, which are not known.
func (d *desired) writeFailure(err error, exists bool) error {
	if f := new(failure); err == nil || errors.As(err, &f) {
		return err
	}
	text := apiText(err, d.values())
	if exists {
		text = withoutVerdict(text)
	}
	return fail(writeReason(err), fmt.Errorf("write Secret %s: %w", d.secret.Name, &apiError{text: text, err: err}))
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

// writeReason finds the reason for an error of a write. A quota can be told by the
// text alone (apiserver: pkg/admission/plugin/resourcequota/controller.go); there
// is no cause for it.
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

// stale reports whether an error only says that things have changed since they
// were read.
func stale(err error) bool {
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err) && !namespaceGone(err) {
		return true
	}
	return invalidField(err, "metadata.uid") // the Secret was made anew
}

// immutable reports whether an update was refused because the type of a Secret
// can't be changed, or nothing of an immutable one (kubernetes:
// validation.go, ValidateSecretUpdate).
func immutable(err error) bool {
	for _, c := range causes(err) {
		switch {
		case c.Field == "type" && c.Type == metav1.CauseTypeFieldValueInvalid,
			(c.Field == "immutable" || c.Field == "data") && c.Type == metav1.CauseTypeForbidden:
			return true
		}
	}
	return false
}

// invalidField reports whether the API server found fault with a field.
func invalidField(err error, field string) bool {
	for _, c := range causes(err) {
		if c.Field == field {
			return true
		}
	}
	return false
}

func causes(err error) []metav1.StatusCause {
	status := apierrors.APIStatus(nil)
	if !errors.As(err, &status) || status.Status().Details == nil {
		return nil
	}
	return status.Status().Details.Causes
}

// apiText is what an error of the API server says, without the values. Of what it
// finds invalid only the places are told: the details quote values. Admission
// policies and webhooks may quote as well: if they do, or without values to look
// for, only their names are told.
func apiText(err error, values [][]byte) string {
	said := err.Error()
	judged := withoutVerdict(said) != said
	if !judged && apierrors.IsInvalid(err) {
		return "the API server calls it invalid: " + keys.ForeignText(places(err), values...)
	}
	text := keys.ForeignText(said, values...)
	if judged && repeats(said, values) {
		return withoutVerdict(text)
	}
	return text
}

// repeats reports whether a text may hold something of the values: without values
// to look for nobody knows; where ForeignText finds one it changes the text; and
// a word of one it does not look for.
func repeats(said string, values [][]byte) bool {
	return len(values) == 0 || keys.ForeignText(said, values...) != keys.ForeignText(said) || quotesWord(said, values)
}

// places lists the fields that the API server finds fault with.
func places(err error) string {
	var found []string
	for _, c := range causes(err) {
		found = append(found, c.Field+" ("+string(c.Type)+")")
	}
	return listed(found)
}

// quotesWord reports whether a text repeats a word of a value, such as one of a
// passphrase.
func quotesWord(text string, values [][]byte) bool {
	text = strings.ToLower(text)
	for _, value := range values {
		for word := range strings.FieldsSeq(strings.ToLower(string(value))) {
			if len(word) >= minQuotedBytes && strings.Contains(text, word) {
				return true
			}
		}
	}
	return false
}

// minQuotedBytes is the length from which on a word tells something.
const minQuotedBytes = 4

// withoutVerdict cuts off what an admission policy or webhook says beyond that it
// denies a request (apiserver: plugin/policy/validating/dispatcher.go,
// plugin/webhook/errors/statuserror.go). It may quote values in any form.
func withoutVerdict(text string) string {
	for _, end := range []string{" denied request", " denied the request"} {
		if before, _, found := strings.Cut(text, end+":"); found {
			return before + end + "; what it says may hold values, and is left out"
		}
	}
	return text
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
