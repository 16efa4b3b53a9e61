// SPDX-License-Identifier: Apache-2.0

package installtest

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// rights are rules, one string "verb group/resource" for each single right,
// sorted.
func rights(rules ...rbacv1.PolicyRule) []string {
	var all []string
	for _, r := range rules {
		for _, group := range r.APIGroups {
			for _, resource := range r.Resources {
				for _, verb := range r.Verbs {
					all = append(all, verb+" "+group+"/"+resource)
				}
			}
		}
	}
	slices.Sort(all)
	return all
}

// expand is rights from lines "verb,verb group/resource".
func expand(lines ...string) []string {
	var all []string
	for _, line := range lines {
		verbs, what, _ := strings.Cut(line, " ")
		for verb := range strings.SplitSeq(verbs, ",") {
			all = append(all, verb+" "+what)
		}
	}
	slices.Sort(all)
	return all
}

// inNamespace and inCluster are all that the controller may do beyond its own
// namespace.
func inNamespace() []string {
	return []string{
		"get,list,watch signet.dev/sealedsecrets",
		"patch signet.dev/sealedsecrets/status",
		"get,list,watch,create,update,patch,delete /secrets",
		"create,patch events.k8s.io/events",
	}
}

func inCluster() []string {
	return []string{"list,watch signet.dev/sealingkeys", "patch signet.dev/sealingkeys/status"}
}

func TestRightsOfTheController(t *testing.T) {
	all := objects(t, buildConfig(t, "default"))
	role := as[rbacv1.ClusterRole](t, only(t, all, "ClusterRole", "signet-controller"))
	want := expand(slices.Concat(inNamespace(), inCluster())...)
	if diff := cmp.Diff(want, rights(role.Rules...)); diff != "" {
		t.Errorf("in the cluster (-want +got):\n%s", diff)
	}
	own := as[rbacv1.Role](t, only(t, all, "Role", "signet-controller-lease"))
	want = expand("get,create,update coordination.k8s.io/leases")
	if diff := cmp.Diff(want, rights(own.Rules...)); diff != "" || own.Namespace != "signet-system" {
		t.Errorf("in namespace %s (-want +got):\n%s", own.Namespace, diff)
	}
	for _, rule := range own.Rules {
		if !slices.Equal(rule.Verbs, []string{"create"}) && !slices.Equal(rule.ResourceNames, []string{"signet-controller"}) {
			t.Errorf("%q of Leases with any of the names %q, want that of the controller only", rule.Verbs, rule.ResourceNames)
		}
	}
	for _, o := range all {
		if kind := o.GetKind(); strings.HasSuffix(kind, "RoleBinding") {
			checkSubject(t, o)
		}
	}
}

func TestRightsOfTheNamespacedController(t *testing.T) {
	all := objects(t, buildConfig(t, "namespaced"))
	role := as[rbacv1.ClusterRole](t, only(t, all, "ClusterRole", "signet-controller-sealingkeys"))
	if diff := cmp.Diff(expand(inCluster()...), rights(role.Rules...)); diff != "" {
		t.Errorf("in the cluster (-want +got):\n%s", diff)
	}
	var granted, bound []string
	for _, o := range all {
		switch {
		case o.GetKind() == "ClusterRole" && o.GetName() != role.Name:
			t.Errorf("ClusterRole %s: too much for some namespaces", o.GetName())
		case o.GetKind() == "Role" && o.GetName() == "signet-controller":
			granted = append(granted, o.GetNamespace())
			if diff := cmp.Diff(expand(inNamespace()...), rights(as[rbacv1.Role](t, o).Rules...)); diff != "" {
				t.Errorf("in namespace %s (-want +got):\n%s", o.GetNamespace(), diff)
			}
		case strings.HasSuffix(o.GetKind(), "RoleBinding"):
			checkSubject(t, o)
			if o.GetName() == "signet-controller" {
				bound = append(bound, o.GetNamespace())
			}
		}
	}
	watched := watchedNamespaces(t, all)
	if !slices.Equal(granted, watched) || !slices.Equal(bound, watched) || len(watched) < 2 {
		t.Errorf("it watches %q, and has roles in %q and bindings in %q", watched, granted, bound)
	}
}

// watchedNamespaces returns what the Deployment says.
func watchedNamespaces(tb testing.TB, all []*unstructured.Unstructured) []string {
	tb.Helper()
	d := as[appsv1.Deployment](tb, only(tb, all, "Deployment", "signet-controller"))
	for _, arg := range d.Spec.Template.Spec.Containers[0].Args {
		if list, ok := strings.CutPrefix(arg, "--watch-namespaces="); ok {
			return strings.Split(list, ",")
		}
	}
	return nil
}

// checkSubject checks that a binding is for the controller's account and nobody
// else.
func checkSubject(tb testing.TB, o *unstructured.Unstructured) {
	tb.Helper()
	subjects, _, err := unstructured.NestedSlice(o.Object, "subjects")
	if err != nil {
		tb.Fatal(err)
	}
	want := []any{map[string]any{"kind": "ServiceAccount", "name": "signet-controller", "namespace": "signet-system"}}
	if diff := cmp.Diff(want, subjects); diff != "" {
		tb.Errorf("%s %s/%s: subjects (-want +got):\n%s", o.GetKind(), o.GetNamespace(), o.GetName(), diff)
	}
}

// Whoever writes a status can hold an update back, and SealingKeys are for
// administrators.
func TestRightsOfUsers(t *testing.T) {
	want := map[string][]string{
		"signet-sealedsecrets-view": expand("get,list,watch signet.dev/sealedsecrets"),
		"signet-sealedsecrets-edit": expand("get,list,watch,create,update,patch,delete,deletecollection signet.dev/sealedsecrets"),
	}
	got := map[string][]string{}
	for _, o := range objects(t, buildConfig(t, "user-roles")) {
		got[o.GetName()] = rights(as[rbacv1.ClusterRole](t, o).Rules...)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
