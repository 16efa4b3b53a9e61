// SPDX-License-Identifier: Apache-2.0

package installtest

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/signet-secrets/signet/internal/testtool"
)

// A selector that selects nothing is no error for the API server.
func TestSelectorsSelectThePod(t *testing.T) {
	all := objects(t, build(t, install(t, []string{"default"}, []string{"network-policy/metrics", "monitoring/service-monitor"})))
	labels := podOf(t, "default").Labels
	paths := map[string][]string{
		"Deployment":          {"spec", "selector", "matchLabels"},
		"Service":             {"spec", "selector"},
		"PodDisruptionBudget": {"spec", "selector", "matchLabels"},
		"NetworkPolicy":       {"spec", "podSelector", "matchLabels"},
	}
	seen := map[string]bool{}
	for _, o := range all {
		path, ok := paths[o.GetKind()]
		if o.GetKind() == "ServiceMonitor" {
			path, ok = []string{"spec", "selector", "matchLabels"}, true
			labels = only(t, all, "Service", "signet-controller-metrics").GetLabels()
		}
		if !ok {
			continue
		}
		seen[o.GetKind()] = true
		selector, _, err := unstructured.NestedStringMap(o.Object, path...)
		if err != nil {
			t.Fatal(err)
		}
		if len(selector) == 0 && o.GetName() != "signet-deny-all" {
			t.Errorf("%s %s: selects everything", o.GetKind(), o.GetName())
		}
		for key, value := range selector {
			if labels[key] != value {
				t.Errorf("%s %s: selects %s=%s, which is not there", o.GetKind(), o.GetName(), key, value)
			}
		}
	}
	if len(seen) != len(paths)+1 {
		t.Errorf("only %v were looked at", seen)
	}
}

// Everything that has a namespace is in the controller's own, except the rights
// in watched namespaces.
func TestNamespaces(t *testing.T) {
	for _, folder := range []string{"default", "namespaced"} {
		all := objects(t, buildConfig(t, folder))
		only(t, all, "Namespace", "signet-system")
		for _, o := range all {
			ns := o.GetNamespace()
			if ns != "" && ns != "signet-system" && !(folder == "namespaced" && strings.HasPrefix(o.GetKind(), "Role")) {
				t.Errorf("%s: %s %s is in namespace %s", folder, o.GetKind(), o.GetName(), ns)
			}
		}
	}
}

// The program knows the flags that the manifests set, and listens where they
// look for it.
func TestFlagsExist(t *testing.T) {
	program := filepath.Join(t.TempDir(), "signet-controller")
	built := testtool.Run(t, testtool.Cmd{
		Path: "go", Args: []string{"build", "-o", program, "./cmd/signet-controller"}, Dir: testtool.Root(t), Timeout: testTimeout,
	})
	if built.ExitCode != 0 {
		t.Fatalf("go build: %s", built.Stderr)
	}
	help := string(testtool.Run(t, testtool.Cmd{Path: program, Args: []string{"--help"}}).Stdout)
	flag := regexp.MustCompile(`^--[a-z-]+`)
	for _, pod := range []*corev1.Pod{podOf(t, "default"), podOf(t, "namespaced"), withAge(t)} {
		for _, arg := range pod.Spec.Containers[0].Args {
			if name := flag.FindString(arg); name == "" || !strings.Contains(help, name+" ") {
				t.Errorf("%s: the program has no such flag", arg)
			}
		}
		ports := map[string]int32{}
		for _, p := range pod.Spec.Containers[0].Ports {
			ports[p.Name] = p.ContainerPort
		}
		if diff := cmp.Diff(map[string]int32{"metrics": 8080, "health": 8081}, ports); diff != "" {
			t.Errorf("ports (-want +got):\n%s", diff)
		}
	}
	for _, address := range []string{`(default ":8080")`, `(default ":8081")`} {
		if !strings.Contains(help, address) {
			t.Errorf("the program doesn't listen on %s, but the Pod says so", address)
		}
	}
}

// withAge returns the Pod with the component for an age identity.
func withAge(tb testing.TB) *corev1.Pod {
	tb.Helper()
	return podFrom(tb, build(tb, install(tb, []string{"manager"}, []string{"manager/age-identity"})))
}

// The flag and the mounted file are the same, and the controller, which is not
// root, may read it.
func TestAgeIdentityIsMounted(t *testing.T) {
	spec := withAge(t).Spec
	mount, volume := spec.Containers[0].VolumeMounts[0], spec.Volumes[0]
	if mount.Name != volume.Name || !mount.ReadOnly {
		t.Errorf("mount %+v of volume %s", mount, volume.Name)
	}
	file := mount.MountPath + "/keys.txt"
	if args := spec.Containers[0].Args; args[len(args)-1] != "--age-key-file="+file {
		t.Errorf("args %q, the file is %s", args, file)
	}
	if mode := *volume.Secret.DefaultMode; mode != 0o440 || spec.SecurityContext.FSGroup == nil {
		t.Errorf("mode %o, group %v", mode, spec.SecurityContext.FSGroup)
	}
}

// Not every network plugin enforces NetworkPolicies: the SDK of AWS must not get
// the role of the node where none does.
func TestMetadataServiceIsNotAsked(t *testing.T) {
	for _, folder := range []string{"default", "namespaced"} {
		want := corev1.EnvVar{Name: "AWS_EC2_METADATA_DISABLED", Value: "true"}
		if env := podOf(t, folder).Spec.Containers[0].Env; !slices.Contains(env, want) {
			t.Errorf("%s: the environment is %v", folder, env)
		}
	}
}
