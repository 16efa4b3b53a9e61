// SPDX-License-Identifier: Apache-2.0

//go:build linux

package argocd_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/internal/testtool"
)

// loot is what is in the sidecar's files and variables.
const loot = "AGE-SECRET-KEY-1CORRECTHORSEBATTERYSTAPLE"

// replace puts a script in the place of a program.
func (p *plugin) replace(t *testing.T, program, script string) {
	t.Helper()
	if err := os.Remove(p.path(program)); err != nil {
		t.Fatal(err)
	}
	write(t, p.path(program), "#!/bin/sh\n"+script)
	if err := os.Chmod(p.path(program), 0o755); err != nil {
		t.Fatal(err)
	}
}

// refuses checks that nothing comes out and that nothing of the sidecar is shown.
func (p *plugin) refuses(t *testing.T, a app, parts ...string) {
	t.Helper()
	got := p.ask(t, "generate", a)
	if len(got.Manifests) > 0 || got.Error == "" {
		t.Fatalf("%d manifests came out, want an error: %s", len(got.Manifests), got.Manifests)
	}
	if strings.Contains(got.Error+p.logged(t), loot) {
		t.Error("the error or the log shows what is in the sidecar")
	}
	for _, part := range parts {
		if !strings.Contains(got.Error, part) {
			t.Errorf("%q is missing: %s", part, got.Error)
		}
	}
}

// remoteBases are Applications that refer to a base from wherever kustomize
// takes one.
func remoteBases(base string) map[string]map[string]string {
	quoted, _ := json.Marshal(base)
	list := ": [" + string(quoted) + "]\n"
	return map[string]map[string]string{
		"resources":    {"kustomization.yaml": "resources" + list},
		"components":   {"kustomization.yaml": "components" + list},
		"generators":   {"kustomization.yaml": "generators" + list},
		"transformers": {"kustomization.yaml": "transformers" + list},
		"validators":   {"kustomization.yaml": "validators" + list},
		"a base":       {"kustomization.yaml": "resources: [base]\n", "base/kustomization.yaml": "resources" + list},
		"a component": {
			"kustomization.yaml":   "components: [c]\n",
			"c/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources" + list,
		},
	}
}

// kustomize gives the ?ref= of a remote base to git, which takes it for an
// option if it looks like one. No such option runs a program.
func TestRunsNoPrograms(t *testing.T) {
	dir := t.TempDir()
	marker, key := filepath.Join(dir, "marker"), filepath.Join(dir, "key")
	write(t, key, loot)
	attack := "file:///x//y?ref=" + url.QueryEscape("--upload-pack=touch "+marker+"; cat $SOPS_AGE_KEY_FILE </dev/null >&2; false")
	env := []string{"SOPS_AGE_KEY_FILE=" + key, "SIGNET_GIT_PROTOCOLS="}
	p := start(t, setup{env: env})
	for name, files := range remoteBases(attack) {
		t.Run(name, func(t *testing.T) {
			p.refuses(t, app{files: files}, "no 'git' program on path", "signet: error: run kustomize: exit status 1\nsignet: hint: nothing is fetched from other places")
			if _, err := os.Lstat(marker); !os.IsNotExist(err) {
				t.Errorf("a program was run: %v", err)
			}
		})
	}
	t.Run("git that is found", func(t *testing.T) { // what holds if PATH does not
		testtool.Run(t, testtool.Cmd{Path: "git", Args: []string{"init", "--quiet"}, Dir: dir})
		got := testtool.Run(t, testtool.Cmd{
			Path: "git", Args: []string{"fetch", "--depth=1", "file:///x", "--upload-pack=touch " + marker}, Dir: dir, Env: []string{"GIT_ALLOW_PROTOCOL=none"},
		})
		if _, err := os.Lstat(marker); !os.IsNotExist(err) || !strings.Contains(string(got.Stderr), "transport 'file' not allowed") {
			t.Errorf("exit %d, %v\n%s", got.ExitCode, err, got.Stderr)
		}
	})
	t.Run("opened by the administrator", func(t *testing.T) { // the attack is one
		p := start(t, setup{env: append(env, "SIGNET_GIT_PROTOCOLS=file")})
		p.refuses(t, app{files: remoteBases(attack)["resources"]}, "signet: error: run kustomize: exit status 1")
		if _, err := os.Lstat(marker); err != nil {
			t.Errorf("no program was run: %v", err)
		}
	})
}

// What is at an address is not fetched, except by loopback addresses, until the
// administrator opens it. Then it goes by the proxy of the sidecar.
func TestFetchesNothing(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(settings)) }))
	defer proxy.Close()
	env := []string{"HTTP_PROXY=" + proxy.URL, "http_proxy=" + proxy.URL, "NO_PROXY=", "no_proxy="}
	fetched := map[string]string{"kustomization.yaml": "resources: [\"http://keys.example.com/settings.yaml\"]\n"}
	closed := start(t, setup{env: env})
	for name, files := range remoteBases("http://keys.example.com/settings.yaml") {
		t.Run(name, func(t *testing.T) {
			closed.refuses(t, app{files: files}, "signet: error: run kustomize: exit status 1")
		})
	}
	t.Run("hint", func(t *testing.T) {
		closed.refuses(t, app{files: fetched}, "proxyconnect tcp: dial tcp 127.0.0.1:1:", "\nsignet: hint: nothing is fetched from other places")
	})
	t.Run("opened by the administrator", func(t *testing.T) {
		start(t, setup{env: append(env, "SIGNET_GIT_PROTOCOLS=https")}).generates(t, app{files: fetched}, settingsJSON)
	})
}

// What renders has none of the sidecar's variables, in which keys may be.
func TestRenderersGetNoKeys(t *testing.T) {
	keys := []string{
		"SOPS_AGE_KEY=" + loot, "SOPS_AGE_KEY_CMD=echo " + loot, "VAULT_TOKEN=" + loot, "AZURE_CLIENT_SECRET=" + loot,
		"GOOGLE_CREDENTIALS=" + loot, "AWS_SESSION_TOKEN=" + loot, "HTTPS_PROXY=http://user:" + loot + "@proxy.example.com", "NO_PROXY=example.com",
	}
	tests := []struct {
		name string
		env  []string
		want map[string]string
	}{
		{"closed", keys, map[string]string{
			"PATH": "/nonexistent", "GIT_ALLOW_PROTOCOL": "none", "HTTP_PROXY": "http://127.0.0.1:1", "HTTPS_PROXY": "http://127.0.0.1:1",
		}},
		{"opened", append(keys, "SIGNET_GIT_PROTOCOLS=https"), map[string]string{
			"GIT_ALLOW_PROTOCOL": "https", "GIT_TERMINAL_PROMPT": "0",
			"HTTPS_PROXY": "http://user:" + loot + "@proxy.example.com", "NO_PROXY": "example.com",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := start(t, setup{env: tt.env})
			seen := filepath.Join(p.dir, "seen")
			tt.want["HOME"], tt.want["TMPDIR"] = "/nonexistent", filepath.Join(p.dir, "tmp")
			if tt.want["PATH"] == "" {
				tt.want["PATH"] = p.bin + ":/usr/bin:/bin"
			}
			for program, file := range map[string]string{"kustomize": "kustomization.yaml", "helm": "Chart.yaml"} {
				p.replace(t, program, "/usr/bin/env >"+seen+"\n/bin/cat settings.yaml\n")
				p.generates(t, app{files: map[string]string{file: "", "settings.yaml": settings}}, settingsJSON)
				if diff := cmp.Diff(tt.want, variables(t, seen)); diff != "" {
					t.Errorf("environment of %s (-want +got):\n%s", program, diff)
				}
			}
		})
	}
	if _, err := os.Lstat("/nonexistent"); !os.IsNotExist(err) {
		t.Errorf("the home directory of what renders is there: %v", err)
	}
}

// variables reads what env has printed, without what shells add.
func variables(t *testing.T, path string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		switch name {
		case "PWD", "OLDPWD", "SHLVL", "_":
		default:
			all[name] = value
		}
	}
	return all
}
