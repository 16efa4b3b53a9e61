// SPDX-License-Identifier: Apache-2.0

package security

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"filippo.io/age"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/signet-secrets/signet/internal/controllertest"
	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/seal/keys"
)

const (
	// canary is in every value of this test, in the shape of a password. Its
	// length is a multiple of 3, so that it looks the same within base64.
	canary = "Tr0ub4dor-canary-x9"
	// oldCanary is what the values were before.
	oldCanary = "C0rrect-canary-hrs4"
	// canaryWord is one of the words of a passphrase.
	canaryWord = "zebrawd"
)

// secretValues are values as people have them: one line and several.
func secretValues(marker string) values {
	return values{"passphrase": "plum " + canaryWord + "\torchid", "password": marker, "config": "user: app\npassword: \"" + marker + "\"\n"}
}

// TestNothingSecretIsTold drives every path on which something goes wrong that
// knows values, with API servers, policies and webhooks that repeat them, and
// looks for these in all that the controller says: log, events, statuses and
// metrics.
func TestNothingSecretIsTold(t *testing.T) {
	t.Parallel()
	for name, drive := range map[string]func(*testing.T, string){
		"documents that don't open":     driveBadDocuments,
		"Secrets that are not accepted": driveBadSecrets,
		"policy, forbidden":             func(t *testing.T, ns string) { driveRefusedCreation(t, ns, "Forbidden") },
		"policy, invalid":               func(t *testing.T, ns string) { driveRefusedCreation(t, ns, "Invalid") },
		"policy on changes":             driveRefusedChanges,
		"webhook":                       driveWebhook,
		"quota":                         driveQuota,
	} {
		t.Run(name, func(t *testing.T) {
			ns := namespace(t)
			drive(t, ns)
			lab.Pass(t, ns)
			searchAll(t)
		})
	}
}

// searchAll looks for the canaries wherever the controller writes.
func searchAll(t *testing.T) {
	t.Helper()
	metrics, err := shared.Metrics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{"log": shared.Log(), "metrics": metrics}
	for _, gvk := range []schema.GroupVersionKind{
		{Version: "v1", Kind: "Event"},
		{Group: "signet.dev", Version: "v1alpha1", Kind: "SealedSecret"},
		{Group: "signet.dev", Version: "v1alpha1", Kind: "SealingKey"},
	} {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(gvk)
		if err := lab.Admin.List(t.Context(), list); err != nil {
			t.Fatal(err)
		}
		if len(list.Items) == 0 && gvk.Kind != "SealingKey" {
			t.Errorf("there is no %s to search", gvk.Kind)
		}
		text, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		texts[gvk.Kind] = string(text)
	}
	for place, text := range texts {
		if form := found(text); form != "" {
			i := strings.Index(text, form)
			t.Errorf("%s: %q in ...%s", place, form, text[max(0, i-300):min(len(text), i+100)])
		}
	}
}

// found returns the form in which a text holds a canary, or "".
func found(text string) string {
	if strings.Contains(text, canaryWord) {
		return canaryWord
	}
	for _, marker := range []string{canary, oldCanary} {
		in64 := base64.StdEncoding.EncodeToString([]byte(marker))
		forms := []string{marker, strings.ToLower(marker), hex.EncodeToString([]byte(marker)), in64[:len(in64)-4]}
		for _, shift := range []string{"x", "xx"} { // the other alignments within base64
			shifted := base64.StdEncoding.EncodeToString([]byte(shift + marker))
			forms = append(forms, shifted[4:len(shifted)-4])
		}
		for _, form := range forms {
			if strings.Contains(text, form) {
				return form
			}
		}
	}
	return ""
}

func driveBadDocuments(t *testing.T, ns string) {
	stranger, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	add := func(name, reason string, s controllertest.Secret, edit func(*unstructured.Unstructured)) {
		t.Helper()
		s.Namespace, s.Name, s.Data = ns, name, secretValues(canary)
		o := lab.MustSeal(t, s)
		if edit != nil {
			edit(o)
		}
		lab.Create(t, o)
		lab.WaitReason(t, ns, name, reason)
	}
	add("undecryptable", "KeyUnavailable", controllertest.Secret{For: keysOf(keys.AgeEntry{Recipient: stranger.Recipient().String()})}, nil)
	add("tampered", "TamperedDocument", controllertest.Secret{}, func(o *unstructured.Unstructured) {
		controllertest.Set(t, o, "other", "spec", "sealed", "labels", "app")
	})
	add("swapped", "TamperedDocument", controllertest.Secret{}, func(o *unstructured.Unstructured) {
		data, _, _ := unstructured.NestedStringMap(o.Object, "spec", "sealed", "signet", "stringData")
		controllertest.Set(t, o, data["config"], "spec", "sealed", "signet", "stringData", "password")
	})
	add("clear", "InvalidDocument", controllertest.Secret{}, func(o *unstructured.Unstructured) {
		controllertest.Set(t, o, "clear-text", "spec", "sealed", "signet", "stringData", "password")
	})
	key := lab.KMSKey()
	lab.KMS.Deny(kmstest.Denial{KeyARN: key.ARN, Operation: "Decrypt"})
	add("denied", "KeyAccessDenied", controllertest.Secret{For: keysOf(key)}, nil)
	sealingKey, recipient, err := lab.SealingKey(t.Context(), ns, key.ARN, ns)
	if err != nil {
		t.Fatal(err)
	}
	lab.Create(t, sealingKey)
	add("sealing-key", "KeyAccessDenied", controllertest.Secret{For: keysOf(recipient)}, nil)
}

// driveQuota: the plugin that enforces quotas goes by the status.
func driveQuota(t *testing.T, ns string) {
	lab.Pass(t, ns)
	hard := corev1.ResourceList{corev1.ResourceSecrets: resource.MustParse("0")}
	q := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "none"}, Spec: corev1.ResourceQuotaSpec{Hard: hard}}
	lab.Create(t, q)
	q.Status = corev1.ResourceQuotaStatus{Hard: hard, Used: hard}
	if err := lab.Admin.Status().Update(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	probe := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "probe"}}
	controllertest.Until(t, "the quota is in effect", func(ctx context.Context) error {
		if lab.Admin.Create(ctx, probe.DeepCopy(), client.DryRunAll) == nil {
			return errAccepted
		}
		return nil
	})
	lab.Create(t, lab.MustSeal(t, controllertest.Secret{Namespace: ns, Name: "app", Data: secretValues(canary)}))
	lab.WaitReason(t, ns, "app", "QuotaExceeded")
	lab.Delete(t, q)
}

func driveBadSecrets(t *testing.T, ns string) {
	add := func(name, reason string, s controllertest.Secret) {
		t.Helper()
		s.Namespace, s.Name = ns, name
		lab.Create(t, lab.MustSealUnchecked(t, s))
		lab.WaitReason(t, ns, name, reason)
	}
	add("docker", "WriteRefused", controllertest.Secret{Type: "kubernetes.io/dockerconfigjson", Data: values{".dockerconfigjson": canary}})
	add("tls", "WriteRefused", controllertest.Secret{Type: "kubernetes.io/tls", Data: values{"tls.key": canary}})
	add("large", "WriteRefused", controllertest.Secret{Data: values{"large": strings.Repeat(canary, 1<<20/len(canary)+1)}})
	add("label", "WriteRefused", controllertest.Secret{Data: secretValues(canary), Labels: map[string]string{"app": "no label!"}})

	lab.Foreign(t, ns, "app", secretValues(oldCanary), map[string]string{mergeMark: "conflict,incompatible"})
	lab.Create(t, addition(t, ns, "conflict", "app", values{"password": canary}))
	lab.WaitReason(t, ns, "conflict", "KeyConflict")
	lab.Create(t, lab.MustSealAddition(t, controllertest.Secret{Namespace: ns, Name: "app", Type: "a/b", Data: values{"x": canary}}, "incompatible"))
	lab.WaitReason(t, ns, "incompatible", "SecretIncompatible")
	lab.Create(t, controllertest.Named(lab.MustSeal(t, controllertest.Secret{Namespace: ns, Name: "app", Data: secretValues(canary)}), "unowned"))
	lab.WaitReason(t, ns, "unowned", "SecretNotOwned")
}

// policyText is an admission policy that refuses operations on the Secrets of a
// namespace, and repeats values in its message.
const policyText = `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: %[1]s}
spec:
  matchConstraints:
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: %[1]s}}
    resourceRules:
    - {apiGroups: [""], apiVersions: [v1], operations: %[2]s, resources: [secrets]}
  matchConditions:
  - {name: no-marker, expression: "!request.name.startsWith('marker-')"}
  validations:
  - expression: "false"
    reason: %[3]s
    messageExpression: "'value: ' + string(%[4]s.data.password) + ', part: ' + %[5]s"
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: %[1]s}
spec: {policyName: %[1]s, validationActions: [Deny]}
`

// echo applies a policy, and waits until it refuses and repeats, which check
// returns nil for.
func echo(t *testing.T, ns, operations, reason, object, part string, check func(context.Context) error) {
	t.Helper()
	if err := lab.Cluster.Apply(t.Context(), fmt.Appendf(nil, policyText, ns, operations, reason, object, part)); err != nil {
		t.Fatal(err)
	}
	controllertest.Until(t, "the policy repeats values", check)
}

// repeated returns nil if an error of the API server holds a canary.
func repeated(err error) error {
	if err == nil {
		return errAccepted
	}
	if found(err.Error()) == "" {
		return err
	}
	return nil
}

// repeats returns a check whether the creation of a Secret is refused with its
// values.
func repeats(s *corev1.Secret) func(context.Context) error {
	return func(ctx context.Context) error {
		return repeated(lab.Admin.Create(ctx, s.DeepCopy(), client.DryRunAll))
	}
}

func driveRefusedCreation(t *testing.T, ns, reason string) {
	probe := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "probe"}, StringData: secretValues(canary)}
	echo(t, ns, "[CREATE]", reason, "object", "'none'", repeats(probe))
	lab.Create(t, lab.MustSeal(t, controllertest.Secret{Namespace: ns, Name: "app", Data: secretValues(canary)}))
	if text := message(t, ns, "app", "WriteRefused"); !strings.Contains(text, "ValidatingAdmissionPolicy '"+ns+"'") {
		t.Errorf("%q doesn't name the policy", text)
	}
}

// The values that are there already the controller doesn't know, and a part of a
// value nobody can find.
func driveRefusedChanges(t *testing.T, ns string) {
	put := func(name, secret, marker string) *unstructured.Unstructured {
		return controllertest.Named(lab.MustSeal(t, controllertest.Secret{Namespace: ns, Name: secret, Data: secretValues(marker)}), name)
	}
	app := lab.Foreign(t, ns, "app", secretValues(oldCanary), map[string]string{mergeMark: "extra"})
	lab.Create(t, addition(t, ns, "extra", "app", values{"x": canary}))
	for _, name := range []string{"update", "rename"} {
		lab.Create(t, put(name, name, oldCanary))
	}
	for _, name := range []string{"extra", "update", "rename"} {
		lab.WaitReady(t, ns, name)
	}
	echo(t, ns, "[UPDATE, DELETE]", "Forbidden", "oldObject", "string(oldObject.data.password).lowerAscii()", func(ctx context.Context) error {
		return repeated(lab.Admin.Delete(ctx, app.DeepCopy(), client.DryRunAll))
	})
	lab.Replace(t, put("update", "update", canary))
	lab.WaitReason(t, ns, "update", "WriteRefused")
	lab.Replace(t, put("rename", "renamed", canary))
	lab.WaitReady(t, ns, "rename")
	lab.Delete(t, controllertest.NewSealedSecret(ns, "extra"))
	for _, name := range []string{"rename", "extra"} {
		controllertest.Until(t, "the log tells about "+name, func(context.Context) error {
			for line := range strings.Lines(shared.Log()) {
				if strings.Contains(line, ns) && strings.Contains(line, "name="+name) && strings.Contains(line, "denied request") {
					return nil
				}
			}
			return errors.New("it doesn't")
		})
	}
}
