// SPDX-License-Identifier: Apache-2.0

package noadmission

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/signet-secrets/signet/internal/controllertest"
	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
)

type values = map[string]string

// none fails the test if there is a Secret of a name.
func none(t *testing.T, ns, name string) {
	t.Helper()
	if s, err := lab.Secret(t.Context(), ns, name); s != nil || err != nil {
		t.Errorf("Secret %v, error %v, want none", s, err)
	}
}

// A document is copied from a namespace to one that the attacker controls. The
// controller doesn't even call a key service for it.
func TestCopyIsRefused(t *testing.T) {
	t.Parallel()
	victim, ns := lab.Namespace(t), lab.Namespace(t)
	start(t, ns)
	for _, test := range []struct {
		name   string
		secret controllertest.Secret
		edit   func(*unstructured.Unstructured)
		reason string
	}{
		{"as it is", controllertest.Secret{}, nil, "ScopeMismatch"},
		{"namespace scope", controllertest.Secret{Reach: seal.Namespace}, nil, "ScopeMismatch"},
		{"cluster scope", controllertest.Secret{Reach: seal.Cluster}, nil, "Unsealed"},
		{"as an addition", controllertest.Secret{Spec: map[string]any{"creationPolicy": "Merge"}}, nil, "SecretNotFound"},
		{"another scope written into it", controllertest.Secret{}, func(o *unstructured.Unstructured) {
			controllertest.Set(t, o, ns+"/db", "spec", "sealed", "scope")
		}, "InvalidDocument"}, // the encryption context says otherwise
		{"any scope written into it", controllertest.Secret{}, func(o *unstructured.Unstructured) {
			controllertest.Set(t, o, "*/*", "spec", "sealed", "scope")
		}, "InvalidDocument"},
	} {
		t.Run(test.name, func(t *testing.T) {
			key := lab.KMSKey()
			s := test.secret
			s.Namespace, s.Name, s.Data, s.For = victim, "db", values{"password": "correct horse"}, []keys.Entry{key}
			o := lab.MustSeal(t, s)
			o.SetNamespace(ns)
			if test.edit != nil {
				test.edit(o)
			}
			lab.Create(t, o)
			lab.WaitReason(t, ns, "db", test.reason)
			if test.reason == "Unsealed" {
				lab.WaitData(t, ns, "db", values{"password": "correct horse"})
				lab.Delete(t, lab.MustSecret(t, ns, "db"))
			} else {
				none(t, ns, "db")
				if n := lab.Decrypts(key); n != 0 {
					t.Errorf("%d key calls, want none", n)
				}
			}
			lab.Delete(t, o)
		})
	}
}

// An addition is for the place that it was sealed for, too: the Secret of the
// attacker's namespace consents, and gets nothing.
func TestCopyOfAnAdditionIsRefused(t *testing.T) {
	t.Parallel()
	victim, ns := lab.Namespace(t), lab.Namespace(t)
	start(t, ns)
	was := lab.Foreign(t, ns, "app", values{"a": "1"}, map[string]string{"signet.dev/merge": "extra"})
	o := lab.MustSealAddition(t, controllertest.Secret{Namespace: victim, Name: "app", Data: values{"password": "correct horse"}}, "extra")
	o.SetNamespace(ns)
	lab.Create(t, o)
	lab.WaitReason(t, ns, "extra", "ScopeMismatch")
	lab.Unchanged(t, was)
}

// A document that names another Secret than it was sealed for.
func TestAnotherNameIsRefused(t *testing.T) {
	t.Parallel()
	ns := lab.Namespace(t)
	start(t, ns)
	o := lab.MustSeal(t, controllertest.Secret{Namespace: ns, Name: "db", Data: values{"password": "correct horse"}})
	controllertest.Set(t, o, "other", "spec", "secretName")
	lab.Create(t, o)
	lab.WaitReason(t, ns, "db", "ScopeMismatch")
	none(t, ns, "db")
	none(t, ns, "other")
}

// What may not come out: the document is in order, and opens. Types of the
// cluster's own credentials, marks of Signet and marks of tools that would prune
// or overwrite the Secret.
func TestDeniedIsRefused(t *testing.T) {
	t.Parallel()
	ns := lab.Namespace(t)
	start(t, ns, "--deny-types", "example.com/denied", "--deny-metadata", "example.com/*,tier=gold")
	for _, test := range []struct {
		name   string
		secret controllertest.Secret
		reason string
	}{
		{"service-account-token", controllertest.Secret{Type: "kubernetes.io/service-account-token",
			Annotations: map[string]string{"kubernetes.io/service-account.name": "default"}}, "TypeDenied"},
		{"bootstrap-token", controllertest.Secret{Type: "bootstrap.kubernetes.io/token"}, "TypeDenied"},
		{"helm-release", controllertest.Secret{Type: "helm.sh/release.v1"}, "TypeDenied"},
		{"adopt", controllertest.Secret{Annotations: map[string]string{"signet.dev/adopt": "other"}}, "TypeDenied"},
		{"owner", controllertest.Secret{Annotations: map[string]string{"signet.dev/sealed-secret": "other"}}, "TypeDenied"},
		{"label", controllertest.Secret{Labels: map[string]string{"signet.dev/managed": "false"}}, "TypeDenied"},
		{"merge-label", controllertest.Secret{Labels: map[string]string{"signet.dev/merge": "other"}}, "TypeDenied"},
		{"argocd", controllertest.Secret{Annotations: map[string]string{"argocd.argoproj.io/tracking-id": "x"}}, "TypeDenied"},
		{"flux", controllertest.Secret{Labels: map[string]string{"kustomize.toolkit.fluxcd.io/name": "x"}}, "TypeDenied"},
		{"helm", controllertest.Secret{Labels: map[string]string{"app.kubernetes.io/managed-by": "Helm"}}, "TypeDenied"},
		{"flag-type", controllertest.Secret{Type: "example.com/denied"}, "TypeDenied"},
		{"flag-prefix", controllertest.Secret{Annotations: map[string]string{"example.com/note": "x"}}, "TypeDenied"},
		{"flag-value", controllertest.Secret{Labels: map[string]string{"tier": "gold"}}, "TypeDenied"},
		{"other-value", controllertest.Secret{Labels: map[string]string{"tier": "silver"}}, "Unsealed"},
		{"merge", controllertest.Secret{Annotations: map[string]string{"signet.dev/merge": "other"}}, "Unsealed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := test.secret
			s.Namespace, s.Name, s.Data = ns, test.name, values{"password": "correct horse"}
			lab.Create(t, lab.MustSealUnchecked(t, s))
			lab.WaitReason(t, ns, test.name, test.reason)
			if test.reason != "Unsealed" {
				none(t, ns, test.name)
			}
		})
	}
}

// Merge with Retain is refused by the definition of SealedSecrets, and without
// it has no meaning of its own: the SealedSecret was deleted while no controller
// ran, and its keys are taken out all the same.
func TestMergeTakesItsKeysOutWhenDeletedMeanwhile(t *testing.T) {
	t.Parallel()
	ns := lab.Namespace(t)
	c := start(t, ns)
	long := longName()
	lab.Foreign(t, ns, "app", values{"theirs": "1"}, map[string]string{"signet.dev/merge": "left,right," + long})
	for key, name := range map[string]string{"left": "left", "right": "right", "long": long} {
		lab.Create(t, lab.MustSealAddition(t, controllertest.Secret{
			Namespace: ns, Name: "app", Data: values{key: "2"}, Spec: map[string]any{"deletionPolicy": "Retain"},
		}, name))
		lab.WaitReady(t, ns, name)
	}
	lab.WaitData(t, ns, "app", values{"theirs": "1", "left": "2", "right": "2", "long": "2"})
	stop(t, c)
	for _, name := range []string{"left", long} {
		lab.Delete(t, controllertest.NewSealedSecret(ns, name))
	}
	start(t, ns)
	lab.WaitData(t, ns, "app", values{"theirs": "1", "right": "2"})
	lab.WaitReady(t, ns, "right")
}
