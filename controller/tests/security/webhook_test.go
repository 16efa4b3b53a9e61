// SPDX-License-Identifier: Apache-2.0

package security

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/signet-secrets/signet/internal/controllertest"
)

// parrot is an admission webhook that refuses everything, and repeats all values
// of both objects in many forms and in all places of its answer.
type parrot struct{ code atomic.Int32 }

func (p *parrot) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	review := &admissionv1.AdmissionReview{}
	if err := json.NewDecoder(r.Body).Decode(review); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var said []string
	for _, raw := range [][]byte{review.Request.Object.Raw, review.Request.OldObject.Raw} {
		s := &corev1.Secret{}
		if json.Unmarshal(raw, s) != nil {
			continue
		}
		for _, value := range s.Data {
			said = append(said, string(value), fmt.Sprintf("%q", value), base64.StdEncoding.EncodeToString(value),
				hex.EncodeToString(value), strings.Join(strings.Fields(string(value)), " "))
		}
	}
	text := strings.Join(said, " and ")
	review.Response = &admissionv1.AdmissionResponse{UID: review.Request.UID, Result: &metav1.Status{
		Status: metav1.StatusFailure, Code: p.code.Load(), Message: text, Reason: reasonFor(p.code.Load()),
		Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{{Type: "FieldValueInvalid", Field: "data." + text, Message: text}}},
	}, Warnings: []string{text}}
	review.Request = nil
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(review)
}

func reasonFor(code int32) metav1.StatusReason {
	return map[int32]metav1.StatusReason{
		403: metav1.StatusReasonForbidden, 422: metav1.StatusReasonInvalid, 500: metav1.StatusReasonInternalError,
	}[code]
}

const webhookText = `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: %[1]s}
webhooks:
- name: parrot.example.com
  admissionReviewVersions: [v1]
  sideEffects: None
  clientConfig: {url: %[2]s, caBundle: %[3]s}
  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: %[1]s}}
  matchConditions:
  - {name: no-marker, expression: "!request.name.startsWith('marker-')"}
  rules:
  - {apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE, DELETE], resources: [secrets]}
`

func driveWebhook(t *testing.T, ns string) {
	p := &parrot{}
	server := httptest.NewTLSServer(p)
	t.Cleanup(server.Close)
	lab.Create(t, lab.MustSeal(t, controllertest.Secret{Namespace: ns, Name: "update", Data: secretValues(oldCanary)}))
	lab.WaitReady(t, ns, "update")

	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	p.code.Store(403)
	text := fmt.Appendf(nil, webhookText, ns, server.URL, base64.StdEncoding.EncodeToString(ca))
	if err := lab.Cluster.Apply(t.Context(), text); err != nil {
		t.Fatal(err)
	}
	probe := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "probe"}, StringData: secretValues(canary)}
	controllertest.Until(t, "the webhook repeats values", repeats(probe))
	for code, reason := range map[int32]string{403: "WriteRefused", 422: "WriteRefused", 500: "APIError"} {
		p.code.Store(code)
		name := fmt.Sprintf("create-%d", code)
		lab.Create(t, lab.MustSeal(t, controllertest.Secret{Namespace: ns, Name: name, Data: secretValues(canary)}))
		if text := message(t, ns, name, reason); !strings.Contains(text, "parrot.example.com") {
			t.Errorf("%d: %q doesn't name the webhook", code, text)
		}
		lab.Replace(t, lab.MustSeal(t, controllertest.Secret{Namespace: ns, Name: "update", Data: values{"password": canary, "n": name}}))
		lab.WaitReason(t, ns, "update", reason)
	}
}
