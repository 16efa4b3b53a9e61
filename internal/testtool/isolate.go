// SPDX-License-Identifier: Apache-2.0

package testtool

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Isolate takes the keys, tokens and settings of whoever runs the tests out of
// reach until the test ends, so that it can't be parallel: their variables are
// gone, and HOME, which it returns, is an empty directory. Programs come first:
// the caches of Path and of the go command are found by HOME too.
//
// The variables have to be unset: sops panics over some that are empty.
func Isolate(tb testing.TB) (home string) {
	tb.Helper()
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if !personal(name) {
			continue
		}
		tb.Setenv(name, "") // puts it back afterwards
		if err := os.Unsetenv(name); err != nil {
			tb.Fatal(err)
		}
	}
	home = tb.TempDir()
	tb.Setenv("HOME", home)
	tb.Setenv("XDG_CONFIG_HOME", filepath.Join(home, ".config"))
	tb.Setenv("XDG_CACHE_HOME", filepath.Join(home, ".cache"))
	return home
}

// personal reports whether a variable is for Signet, or for a program or service
// that it or its tests use. Those of the tests themselves are not.
func personal(name string) bool {
	if strings.HasPrefix(name, "SIGNET_TEST") {
		return false
	}
	return slices.ContainsFunc([]string{
		"SIGNET_", "SOPS_", "AWS_", "AZURE_", "IDENTITY_", "MSI_", "GOOGLE_", "GCE_", "CLOUDSDK_", "VAULT_", "GNUPGHOME",
		"KUBE", "KUSTOMIZE_", "HELM_", "ARGOCD_", "GIT_", "XDG_",
	}, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}
