// SPDX-License-Identifier: Apache-2.0

package unseal_test

import (
	"context"
	"errors"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// What is for the Secret of somebody else does not come out as one of its own
// where that would be applied, and no key is used to find out.
func TestWholeSecrets(t *testing.T) {
	id := newIdentity(t)
	s := &manifest.Secret{Name: "db", Namespace: "prod", StringData: map[string]string{"password": canary}}
	own := sealed(t, seal.Strict, id.Recipient())
	result, err := seal.Seal(context.Background(), s.Node(), nil, seal.Options{Recipients: groupOf(id.Recipient()), Wrapper: ageWrapper(), Merge: true})
	if err != nil {
		t.Fatal(err)
	}
	merged := result.Node
	edited, taken := manifest.Clone(own), manifest.Clone(merged)
	set(edited, "Merge", "spec", "creationPolicy")
	drop(taken, "spec", "creationPolicy")
	tests := []struct {
		name     string
		document *yaml.Node
		target   any
	}{
		{"of its own", own, nil},
		{"for merging", merged, new(*unseal.MergeError)},
		{"field added", edited, new(*sopsdoc.InvalidError)},
		{"field taken away", taken, new(*sopsdoc.InvalidError)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			count := &observed{Unwrapper: unwrapperOf(id)}
			if _, err := unseal.Open(t.Context(), test.document, unseal.Options{Unwrapper: count}); err != nil {
				t.Errorf("does not open for people: %v", err)
			}
			count.calls.Store(0)
			_, err := unseal.Open(t.Context(), test.document, unseal.Options{Unwrapper: count, WholeSecrets: true})
			switch {
			case test.target == nil && err != nil:
				t.Error(err)
			case test.target != nil && (!errors.As(err, test.target) || count.calls.Load() > 0):
				t.Errorf("error %v after %d calls", err, count.calls.Load())
			}
		})
	}
}

func TestCheckUnopened(t *testing.T) {
	tests := []struct{ name, document, want string }{
		{"List", "{kind: List, items: [{kind: Secret}], sops: {mac: x}}", "a List that SOPS has encrypted as a whole is not opened"},
		{"empty SecretList", "{kind: SecretList, items: [], sops: {mac: x}}", "a SecretList that SOPS has encrypted as a whole is not opened"},
		{"List in clear", "{kind: List, items: [{kind: Secret}]}", ""},
		{"List with a sealed item", "{kind: List, items: [{kind: Secret, sops: {mac: x}}]}", ""},
		{"object", "{kind: Secret, sops: {mac: x}}", ""},
		{"no object", "sops", ""},
		{"SealingKey", "{apiVersion: signet.dev/v1alpha1, kind: SealingKey, sops: {mac: x}}", "sops: an object of signet.dev must not have SOPS metadata at its top level"},
		{"SealingKey in a List", "{kind: List, items: [{apiVersion: signet.dev/v1alpha1, kind: SealingKey, sops: {mac: x}}]}", "sops: an object of signet.dev must not have SOPS metadata at its top level"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			doc, err := manifest.Parse([]byte(test.document))
			if err != nil {
				t.Fatal(err)
			}
			objects, err := manifest.Objects(doc)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if err := unseal.CheckUnopened(doc, objects); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("error %q, want %q", got, test.want)
			}
		})
	}
}
