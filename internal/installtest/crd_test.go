// SPDX-License-Identifier: Apache-2.0

package installtest

import (
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// The API server must give envelopes back as they were sealed, and never mix
// two: see x-kubernetes-map-type and preserve-unknown-fields in the Kubernetes
// reference.
func TestEnvelopesAreLeftAlone(t *testing.T) {
	for _, name := range []string{"sealedsecrets.signet.dev", "sealingkeys.signet.dev"} {
		t.Run(name, func(t *testing.T) {
			crd := as[apiextensionsv1.CustomResourceDefinition](t, only(t, objects(t, buildConfig(t, "crd")), "CustomResourceDefinition", name))
			sealed := envelope(t, crd)
			if sealed.XMapType == nil || *sealed.XMapType != "atomic" {
				t.Error("spec.sealed is not atomic: two appliers would mix two documents")
			}
			for path, schema := range map[string]apiextensionsv1.JSONSchemaProps{
				"sealed": sealed, "sealed.signet": sealed.Properties["signet"], "sealed.sops": sealed.Properties["sops"],
			} {
				if schema.XPreserveUnknownFields == nil || !*schema.XPreserveUnknownFields {
					t.Errorf("spec.%s: fields that are not declared would be dropped", path)
				}
			}
			checkPlain(t, "spec.sealed", sealed)
		})
	}
}

// checkPlain finds what would change an object on its way into the cluster, and
// fields that nobody explained.
func checkPlain(tb testing.TB, path string, schema apiextensionsv1.JSONSchemaProps) {
	tb.Helper()
	if schema.Default != nil || schema.Nullable {
		tb.Errorf("%s: has a default, or may be null", path)
	}
	if schema.Description == "" {
		tb.Errorf("%s: no description", path)
	}
	for name, property := range schema.Properties {
		checkPlain(tb, path+"."+name, property)
	}
}

// A status of -1 is what keeps kstatus from calling a new object current.
func TestNewObjectsAreNotObserved(t *testing.T) {
	for _, o := range objects(t, buildConfig(t, "crd")) {
		crd := as[apiextensionsv1.CustomResourceDefinition](t, o)
		status := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["status"]
		if status.Default == nil || string(status.Default.Raw) != `{"observedGeneration":-1}` {
			t.Errorf("%s: status has the default %v", crd.Name, status.Default)
		}
		// For a status that is there but doesn't say it.
		if observed := status.Properties["observedGeneration"]; observed.Default == nil || string(observed.Default.Raw) != "-1" {
			t.Errorf("%s: status.observedGeneration has the default %v", crd.Name, observed.Default)
		}
	}
}

func TestNamesOfTheAPI(t *testing.T) {
	short := map[string]string{"sealedsecrets.signet.dev": "ssec", "sealingkeys.signet.dev": "skey"}
	for _, o := range objects(t, buildConfig(t, "crd")) {
		crd := as[apiextensionsv1.CustomResourceDefinition](t, o)
		names := crd.Spec.Names
		if len(names.ShortNames) != 1 || names.ShortNames[0] != short[crd.Name] {
			t.Errorf("%s: short names %q", crd.Name, names.ShortNames)
		}
		if len(names.Categories) != 1 || names.Categories[0] != "signet" {
			t.Errorf("%s: categories %q", crd.Name, names.Categories)
		}
		if columns := crd.Spec.Versions[0].AdditionalPrinterColumns; len(columns) < 4 || columns[0].Name != "Ready" {
			t.Errorf("%s: columns %v", crd.Name, columns)
		}
		if crd.Spec.Versions[0].Subresources == nil || crd.Spec.Versions[0].Subresources.Status == nil {
			t.Errorf("%s: the status is no subresource: who may write the spec could write it", crd.Name)
		}
	}
}
