// SPDX-License-Identifier: Apache-2.0

package restart

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/signet-secrets/signet/internal/controllertest"
)

const crdName = "sealedsecrets.signet.dev"

// loosen lets the API server store any spec and status, as one does that has
// them from a time before the schema, until the test ends.
func loosen(t *testing.T) {
	t.Helper()
	strict := setSchema(t, map[string]any{"openAPIV3Schema": map[string]any{
		"type": "object", "x-kubernetes-preserve-unknown-fields": true,
	}})
	binding := get(t, "admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding", "signet-sealedsecrets")
	lab.Delete(t, binding)
	t.Cleanup(func() {
		setSchema(t, strict)
		binding.SetResourceVersion("")
		if err := lab.Admin.Create(context.Background(), binding); err != nil {
			t.Errorf("restore the policy: %v", err)
		}
	})
	// Until the API server goes by it, it drops what the schema doesn't know.
	controllertest.Until(t, "the loose schema", func(ctx context.Context) error {
		o := controllertest.NewSealedSecret("default", "probe")
		o.Object["spec"] = map[string]any{"unknown": true}
		if err := lab.Admin.Create(ctx, o, client.DryRunAll); err != nil {
			return err
		}
		if _, kept, _ := unstructured.NestedBool(o.Object, "spec", "unknown"); !kept {
			return errors.New("an unknown field is dropped")
		}
		return nil
	})
}

// setSchema replaces the schema of the one version that the CRD has, and returns
// the one before. The API server writes the CRD's status in between, so
// conflicts happen.
func setSchema(t *testing.T, schema any) (before any) {
	t.Helper()
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		crd := get(t, "apiextensions.k8s.io/v1", "CustomResourceDefinition", crdName)
		versions, _, err := unstructured.NestedSlice(crd.Object, "spec", "versions")
		if err != nil {
			return err
		}
		if len(versions) != 1 {
			return fmt.Errorf("the CRD has %d versions", len(versions))
		}
		version := versions[0].(map[string]any)
		before = version["schema"]
		version["schema"] = schema
		if err := unstructured.SetNestedSlice(crd.Object, versions, "spec", "versions"); err != nil {
			return err
		}
		return lab.Admin.Update(context.Background(), crd)
	})
	if err != nil {
		t.Errorf("change the schema: %v", err)
	}
	return before
}

func get(t *testing.T, version, kind, name string) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{}
	o.SetAPIVersion(version)
	o.SetKind(kind)
	if err := lab.Admin.Get(context.Background(), client.ObjectKey{Name: name}, o); err != nil {
		t.Fatal(err)
	}
	return o
}

// malformed are specs that can be stored. "absent" has none.
func malformed(t *testing.T, namespace string) map[string]any {
	t.Helper()
	spec := func(name string, change func(map[string]any)) any {
		s := document(t, namespace, name, values()).Object["spec"].(map[string]any)
		change(s)
		return s
	}
	sealed := func(s map[string]any) map[string]any { return s["sealed"].(map[string]any) }
	return map[string]any{
		"absent":             nil,
		"text":               "text",
		"list":               []any{"text"},
		"empty":              map[string]any{},
		"secret-name-number": spec("secret-name-number", func(s map[string]any) { s["secretName"] = int64(5) }),
		"secret-name-bad":    spec("secret-name-bad", func(s map[string]any) { s["secretName"] = "../kube-system/x" }),
		"suspend-text":       spec("suspend-text", func(s map[string]any) { s["suspend"] = "yes" }),
		"policy-unknown":     spec("policy-unknown", func(s map[string]any) { s["creationPolicy"] = "Steal" }),
		"policy-map":         spec("policy-map", func(s map[string]any) { s["deletionPolicy"] = map[string]any{} }),
		"service-account":    spec("service-account", func(s map[string]any) { s["serviceAccountName"] = "default" }),
		"unknown-field":      spec("unknown-field", func(s map[string]any) { s["unknown"] = true }),
		"sealed-absent":      spec("sealed-absent", func(s map[string]any) { delete(s, "sealed") }),
		"sealed-text":        spec("sealed-text", func(s map[string]any) { s["sealed"] = "text" }),
		"sealed-null":        spec("sealed-null", func(s map[string]any) { s["sealed"] = nil }),
		"scope-list":         spec("scope-list", func(s map[string]any) { sealed(s)["scope"] = []any{"a"} }),
		"labels-list":        spec("labels-list", func(s map[string]any) { sealed(s)["labels"] = []any{"a"} }),
		"immutable-text":     spec("immutable-text", func(s map[string]any) { sealed(s)["immutable"] = "yes" }),
		"sops-text":          spec("sops-text", func(s map[string]any) { sealed(s)["sops"] = "text" }),
		"sops-age-number":    spec("sops-age-number", func(s map[string]any) { sealed(s)["sops"].(map[string]any)["age"] = int64(7) }),
		"signet-absent":      spec("signet-absent", func(s map[string]any) { delete(sealed(s), "signet") }),
		"signet-data-list":   spec("signet-data-list", func(s map[string]any) { sealed(s)["signet"].(map[string]any)["data"] = []any{int64(1)} }),
		"signet-value-in-open": spec("signet-value-in-open", func(s map[string]any) {
			sealed(s)["signet"].(map[string]any)["stringData"].(map[string]any)["password"] = "open"
		}),
	}
}

// One object that can't be read must not keep the others from being read.
func TestMalformedObjectsFailAlone(t *testing.T) {
	ns := lab.Namespace(t)
	// First, for the API server serves a watch that was opened under the
	// strict schema by that schema to its end, and so without unknown fields.
	loosen(t)
	c := run(t)
	lab.Create(t, document(t, ns, "before", values()))
	lab.WaitReady(t, ns, "before")

	bad := malformed(t, ns)
	for name, spec := range bad {
		o := controllertest.NewSealedSecret(ns, name)
		if name != "absent" {
			o.Object["spec"] = spec
		}
		controllertest.Until(t, "store "+name, func(ctx context.Context) error { return lab.Admin.Create(ctx, o) })
		t.Cleanup(func() { _ = lab.Admin.Delete(context.Background(), o) })
	}
	badStatus(t, ns)
	for name := range bad {
		s := lab.WaitReason(t, ns, name, "InvalidDocument")
		if !meta.IsStatusConditionTrue(s.Status.Conditions, "Stalled") {
			t.Errorf("%s: conditions %+v", name, s.Status.Conditions)
		}
	}
	lab.Create(t, document(t, ns, "after", values()))
	lab.WaitReady(t, ns, "after")
	lab.Replace(t, document(t, ns, "before", map[string]string{"password": "new"}))
	lab.WaitData(t, ns, "before", map[string]string{"password": "new"})
	lab.Settle(t, ns)
	good := []string{"Secret before", "Secret after", "Secret bad-status"}
	for name := range versions(t, ns) {
		if strings.HasPrefix(name, "Secret ") && !slices.Contains(good, name) {
			t.Errorf("%s was made", name)
		}
	}
	stop(t, c)

	c = run(t) // which lists them all
	lab.Replace(t, document(t, ns, "after", map[string]string{"password": "new"}))
	lab.WaitData(t, ns, "after", map[string]string{"password": "new"})
	stop(t, c)
}

// badStatus makes a good object with a status that can't be read, which the
// controller writes anew.
func badStatus(t *testing.T, namespace string) {
	t.Helper()
	o := document(t, namespace, "bad-status", values())
	o.Object["status"] = map[string]any{"observedGeneration": "one"}
	lab.Create(t, o)
	t.Cleanup(func() { _ = lab.Admin.Delete(context.Background(), o) })
	patch := []byte(`{"status":{"observedGeneration":"one","conditions":"text","secret":[]}}`)
	controllertest.Until(t, "write a status", func(ctx context.Context) error {
		return lab.Admin.Status().Patch(ctx, o, client.RawPatch("application/merge-patch+json", patch))
	})
	controllertest.Until(t, "the status is written anew", func(ctx context.Context) error {
		s, err := lab.SealedSecret(ctx, namespace, "bad-status")
		if err == nil && (s.Status.ObservedGeneration != 1 || !meta.IsStatusConditionTrue(s.Status.Conditions, "Ready")) {
			err = fmt.Errorf("status %+v", s.Status)
		}
		return err
	})
}
