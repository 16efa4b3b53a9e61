// SPDX-License-Identifier: Apache-2.0

package installtest

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
)

// TestManualHasEveryRight holds the table of rights in the manual against the
// roles, both ways: those in the cluster and those in the controller's own
// namespace.
func TestManualHasEveryRight(t *testing.T) {
	all := objects(t, buildConfig(t, "default"))
	cluster := as[rbacv1.ClusterRole](t, only(t, all, "ClusterRole", "signet-controller"))
	own := as[rbacv1.Role](t, only(t, all, "Role", "signet-controller-lease"))
	inCluster, inOwn := manualRights(t)
	if diff := cmp.Diff(rights(cluster.Rules...), inCluster); diff != "" {
		t.Errorf("in the cluster (-role +manual):\n%s", diff)
	}
	if diff := cmp.Diff(rights(own.Rules...), inOwn); diff != "" {
		t.Errorf("in its own namespace (-role +manual):\n%s", diff)
	}
}

// manualRights returns what the rows of the manual grant, as rights does.
func manualRights(t *testing.T) (inCluster, inOwn []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(config(t), "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	groups := map[string]string{"sealedsecrets": "signet.dev", "sealingkeys": "signet.dev", "secrets": "", "events": "events.k8s.io", "leases": "coordination.k8s.io"}
	// | `secrets`: get, list, watch | the namespaces it serves | ... |
	row := regexp.MustCompile("(?m)^\\| ((?:`[a-z/]+`(?: \\([a-z0-9.]+\\))?(?:, )?)+): ([a-z, ]+) \\| ([^|]+) \\|")
	for _, found := range row.FindAllStringSubmatch(string(text), -1) {
		var granted []string
		for _, quoted := range regexp.MustCompile("`([a-z/]+)`").FindAllStringSubmatch(found[1], -1) {
			kind, _, _ := strings.Cut(quoted[1], "/")
			group, known := groups[kind]
			if !known {
				t.Fatalf("of which group is %s?", quoted[1])
			}
			granted = append(granted, expand(strings.ReplaceAll(found[2], " ", "")+" "+group+"/"+quoted[1])...)
		}
		if found[3] == "its own namespace" {
			inOwn = append(inOwn, granted...)
		} else {
			inCluster = append(inCluster, granted...)
		}
	}
	slices.Sort(inCluster)
	slices.Sort(inOwn)
	return inCluster, inOwn
}
