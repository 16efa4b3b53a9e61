// SPDX-License-Identifier: Apache-2.0

package installtest

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// The manual's way without a cloud is all of default but for what lets the
// controller out to key services, and an age identity.
func TestWithoutACloud(t *testing.T) {
	resources, components := manualWithoutACloud(t)
	names := func(all []*unstructured.Unstructured) []string {
		var names []string
		for _, o := range all {
			names = append(names, o.GetKind()+" "+o.GetName())
		}
		slices.Sort(names)
		return names
	}
	whole := names(objects(t, buildConfig(t, "default")))
	open := []string{"NetworkPolicy signet-controller-eks-pod-identity", "NetworkPolicy signet-controller-https"}
	want := slices.DeleteFunc(slices.Clone(whole), func(name string) bool { return slices.Contains(open, name) })
	if len(want) != len(whole)-len(open) {
		t.Fatalf("default has not all of %q: %q", open, whole)
	}
	manifests := build(t, install(t, resources, components))
	if diff := cmp.Diff(want, names(objects(t, manifests))); diff != "" {
		t.Errorf("objects (-default without a cloud +manual):\n%s", diff)
	}
	if diff := cmp.Diff(withAge(t).Spec, podFrom(t, manifests).Spec); diff != "" {
		t.Errorf("Pod (-manager with an age identity +manual):\n%s", diff)
	}
}

// manualWithoutACloud returns what the kustomization in that chapter of the
// manual takes in, as folders of the install manifests.
func manualWithoutACloud(t *testing.T) (resources, components []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(config(t), "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)\n### Without a cloud\n.*?```yaml\n.*?\nresources:\n(.*?)components:\n(.*?)```").FindSubmatch(text)
	if block == nil {
		t.Fatal("the chapter has no kustomization")
	}
	folders := func(list []byte) []string {
		var folders []string
		for _, line := range regexp.MustCompile(`(?m)^- https://github\.com/signet-secrets/signet/controller/config/(\S+)\?ref=`).FindAllSubmatch(list, -1) {
			folders = append(folders, string(line[1]))
		}
		return folders
	}
	return folders(block[1]), folders(block[2])
}
