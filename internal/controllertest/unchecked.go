// SPDX-License-Identifier: Apache-2.0

package controllertest

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// SealUnchecked is Seal for what Seal refuses: types and marks that may not come
// out of a document, and more data than a Secret can hold. It is what somebody
// who has written a program of their own can do who knows a recipient.
func (l *Lab) SealUnchecked(ctx context.Context, s Secret) (*unstructured.Unstructured, error) {
	if s.Type == "" {
		s.Type = "Opaque"
	}
	clear := sopsdoc.Clear{
		Annotations: s.Annotations, Labels: s.Labels, Immutable: s.Immutable, Merge: s.merge(), Type: s.Type,
		Scope: sopsdoc.Scope{Namespace: s.Namespace, Name: s.Name},
	}
	k := keys.GenerateDataKey()
	recipients, err := sopsdoc.BindContext(l.recipients(s), clear.Scope)
	if err != nil {
		return nil, err
	}
	if recipients, err = keys.WrapAll(ctx, l.wrapper(), recipients, k); err != nil {
		return nil, err
	}
	envelope, err := sopsdoc.SealEnvelope(clear, sopsdoc.Content{StringData: s.Data}, k, recipients, time.Now(), nil)
	if err != nil {
		return nil, fmt.Errorf("seal %s/%s: %w", s.Namespace, s.Name, err)
	}
	text, err := manifest.EncodeJSON(envelope.Node(), "")
	if err != nil {
		return nil, err
	}
	sealed := map[string]any{}
	o := NewSealedSecret(s.Namespace, s.Name)
	if err := json.Unmarshal(text, &sealed); err != nil {
		return nil, err
	}
	o.Object["spec"] = map[string]any{"secretName": s.Name, "sealed": sealed}
	return o, s.setSpec(o)
}

// MustSealUnchecked is SealUnchecked for a test.
func (l *Lab) MustSealUnchecked(tb testing.TB, s Secret) *unstructured.Unstructured {
	tb.Helper()
	o, err := l.SealUnchecked(tb.Context(), s)
	if err != nil {
		tb.Fatal(err)
	}
	return o
}
