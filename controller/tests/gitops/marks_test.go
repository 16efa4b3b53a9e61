// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"maps"
	"strings"
	"testing"

	"github.com/signet-secrets/signet/internal/controllertest"
)

// marks are the labels and annotations by which these tools know what is theirs.
// On the Secret they would make it theirs too, to be pruned.
func marks() (labels, annotations map[string]string) {
	return map[string]string{
			"app.kubernetes.io/instance":            "shop",
			"app.kubernetes.io/managed-by":          "Helm",
			"argocd.argoproj.io/instance":           "shop",
			"argocd.argoproj.io/secret-type":        "repository",
			"kustomize.toolkit.fluxcd.io/name":      "shop",
			"kustomize.toolkit.fluxcd.io/namespace": "flux-system",
			"helm.toolkit.fluxcd.io/name":           "shop",
			"team":                                  "of-a-kustomization",
		}, map[string]string{
			"argocd.argoproj.io/tracking-id":        "shop:signet.dev/SealedSecret:prod/db",
			"argocd.argoproj.io/sync-wave":          "-1",
			"argocd.argoproj.io/sync-options":       "Prune=false",
			"kustomize.toolkit.fluxcd.io/checksum":  "0",
			"kustomize.toolkit.fluxcd.io/prune":     "disabled",
			"kustomize.toolkit.fluxcd.io/reconcile": "disabled",
			"meta.helm.sh/release-name":             "shop",
			"helm.sh/hook":                          "pre-install",
		}
}

func TestMarksStayOnTheSealedSecret(t *testing.T) {
	for _, how := range [][]string{{"apply"}, serverSide("argocd-controller"), serverSide("kustomize-controller"), {"create"}} {
		t.Run(how[len(how)-1], func(t *testing.T) {
			ns := start(t)
			first, then := values()
			o := document(t, ns, first, nil)
			o.SetLabels(label())
			_, annotations := marks()
			o.SetAnnotations(annotations)
			kubectl(t, o, how...)
			s := unsealed(t, ns, first)
			unmarked(t, s.Labels, s.Annotations)

			// A change of the marks alone does not touch the Secret.
			changed := label()
			maps.DeleteFunc(changed, func(key, _ string) bool { return strings.HasPrefix(key, "argocd") })
			changed["app.kubernetes.io/instance"] = "renamed"
			next := document(t, ns, first, nil)
			next.Object["spec"] = o.Object["spec"]
			next.SetLabels(changed)
			kubectl(t, next, updateLike(how)...)
			lab.Settle(t, ns)
			lab.Unchanged(t, s)

			// And neither do they come with a new document.
			o = document(t, ns, then, nil)
			o.SetLabels(label())
			kubectl(t, o, updateLike(how)...)
			s = unsealed(t, ns, then)
			unmarked(t, s.Labels, s.Annotations)
		})
	}
}

func label() map[string]string {
	labels, _ := marks()
	return labels
}

// updateLike is how the same tool writes an object that is there.
func updateLike(how []string) []string {
	if how[0] == "create" {
		return []string{"replace"}
	}
	return how
}

func unmarked(t *testing.T, labels, annotations map[string]string) {
	t.Helper()
	if len(labels) != 2 || labels["app"] != "db" || labels["signet.dev/managed"] != "true" {
		t.Errorf("labels %v, want those that were sealed", labels)
	}
	if len(annotations) != 2 || annotations["signet.dev/sealed-secret"] != "db" || annotations["signet.dev/document"] == "" {
		t.Errorf("annotations %v, want none but those of Signet", annotations)
	}
}

// A Secret of Argo CD itself is one by a label that is legitimate, if it is
// sealed.
func TestSealedLabelOfArgoCD(t *testing.T) {
	ns := start(t)
	first, _ := values()
	o := lab.MustSeal(t, controllertest.Secret{
		Namespace: ns, Name: "db", Data: first, Labels: map[string]string{"argocd.argoproj.io/secret-type": "repository"},
	})
	kubectl(t, o, serverSide("argocd-controller")...)
	if s := unsealed(t, ns, first); s.Labels["argocd.argoproj.io/secret-type"] != "repository" {
		t.Errorf("labels %v", s.Labels)
	}
}
