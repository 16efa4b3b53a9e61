// SPDX-License-Identifier: Apache-2.0

package testtool

import (
	"os"
	"path/filepath"
	"testing"
)

func TestIsolate(t *testing.T) {
	gone := []string{
		"SIGNET_TIMEOUT", "SIGNET_ALLOW_KEYS", "SOPS_AGE_KEY", "AWS_PROFILE", "AZURE_CLIENT_SECRET", "GOOGLE_APPLICATION_CREDENTIALS",
		"VAULT_ADDR", "GNUPGHOME", "KUBECONFIG", "KUSTOMIZE_PLUGIN_HOME", "GIT_DIR", "XDG_DATA_HOME",
	}
	for _, name := range gone {
		t.Setenv(name, "outside")
	}
	t.Setenv("SIGNET_TESTBIN_CACHE", "outside")
	t.Setenv("HOME", "/outside")
	t.Setenv("XDG_CONFIG_HOME", "/outside")
	t.Run("isolated", func(t *testing.T) {
		home := Isolate(t)
		for _, name := range gone {
			if value, there := os.LookupEnv(name); there {
				t.Errorf("%s is %q", name, value)
			}
		}
		if got := os.Getenv("SIGNET_TESTBIN_CACHE"); got != "outside" {
			t.Errorf("a variable of the tests is %q", got)
		}
		entries, err := os.ReadDir(home)
		if err != nil || len(entries) > 0 || os.Getenv("HOME") != home {
			t.Errorf("HOME is %q with %v, %v; want %q, empty", os.Getenv("HOME"), entries, err, home)
		}
		if config, err := os.UserConfigDir(); err != nil || filepath.Dir(config) != home {
			t.Errorf("configuration in %q, %v, want it below %q", config, err, home)
		}
	})
	for _, name := range append(gone, "SIGNET_TESTBIN_CACHE") {
		if got := os.Getenv(name); got != "outside" {
			t.Errorf("afterwards %s is %q", name, got)
		}
	}
	if os.Getenv("HOME") != "/outside" || os.Getenv("XDG_CONFIG_HOME") != "/outside" {
		t.Error("afterwards HOME or XDG_CONFIG_HOME is another")
	}
}
