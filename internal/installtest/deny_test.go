// SPDX-License-Identifier: Apache-2.0

package installtest

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// The lists of what is denied stand in the program, in two policies and in a
// rule of the CustomResourceDefinition. They must be the same.
func TestDeniedIsTheSameEverywhere(t *testing.T) {
	all := objects(t, buildConfig(t, "default"))
	denied := sopsdoc.Denied()
	documents := as[admissionv1.ValidatingAdmissionPolicy](t, only(t, all, "ValidatingAdmissionPolicy", "signet-sealedsecrets"))
	account := as[admissionv1.ValidatingAdmissionPolicy](t, only(t, all, "ValidatingAdmissionPolicy", "signet-controller-account"))
	crd := as[apiextensionsv1.CustomResourceDefinition](t, only(t, all, "CustomResourceDefinition", "sealedsecrets.signet.dev"))
	for _, list := range []struct {
		name string
		want []string
		got  []string
	}{
		{"types, policy on SealedSecrets", denied.Types, texts(variable(t, documents, "deniedTypes"))},
		{"metadata, policy on SealedSecrets", denied.Metadata, texts(variable(t, documents, "deniedMetadata"))},
		{"types, policy on the controller", denied.Types, texts(variable(t, account, "deniedTypes"))},
		{"types, CustomResourceDefinition", denied.Types, texts(envelopeRule(t, crd))},
	} {
		if diff := cmp.Diff(list.want, list.got); diff != "" {
			t.Errorf("%s (-program +manifest):\n%s", list.name, diff)
		}
	}
}

// texts returns the string literals of a CEL expression.
func texts(expression string) []string {
	var all []string
	for _, m := range regexp.MustCompile(`'([^']*)'`).FindAllStringSubmatch(expression, -1) {
		all = append(all, m[1])
	}
	return all
}

func variable(tb testing.TB, p *admissionv1.ValidatingAdmissionPolicy, name string) string {
	tb.Helper()
	for _, v := range p.Spec.Variables {
		if v.Name == name {
			return v.Expression
		}
	}
	tb.Fatalf("policy %s has no variable %s", p.Name, name)
	return ""
}

func envelopeRule(tb testing.TB, crd *apiextensionsv1.CustomResourceDefinition) string {
	tb.Helper()
	sealed := envelope(tb, crd)
	for _, rule := range sealed.XValidations {
		if strings.Contains(rule.Rule, "self.type") {
			return rule.Rule
		}
	}
	tb.Fatal("spec.sealed has no rule on its type")
	return ""
}

// envelope returns the schema of spec.sealed.
func envelope(tb testing.TB, crd *apiextensionsv1.CustomResourceDefinition) apiextensionsv1.JSONSchemaProps {
	tb.Helper()
	if len(crd.Spec.Versions) != 1 {
		tb.Fatalf("%s has %d versions", crd.Name, len(crd.Spec.Versions))
	}
	return crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"].Properties["sealed"]
}
