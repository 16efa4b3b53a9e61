// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signet-secrets/signet/internal/testtool"
)

// The real kustomize finds what install has copied, and runs it in both ways:
// what the program is given, and what it makes of the environment, fit. A build
// fails if the program does.
func TestKustomize(t *testing.T) {
	programs := map[string]string{"kustomize": testtool.Path(t, "kustomize"), "kubectl": testtool.Path(t, "kubectl")}
	document, keyFile := sealed(t)
	config := withoutMetadata(unsealConfig)
	const noKey = "signet-kustomize: error: db.yaml, document 1, prod/db: open: "
	legacy := []string{"--legacy"}
	tests := []struct {
		name, config     string
		install          []string
		build            string
		environment, key string // DIR is where it was installed
		want             string // on stderr if it fails
	}{
		{"function", unsealConfig, nil, "kustomize build --enable-exec", "PATH=DIR", keyFile, ""},
		{"function without a key", unsealConfig, nil, "kustomize build --enable-exec", "PATH=DIR", "", noKey},
		{"plugin", config, legacy, "kustomize build", "KUSTOMIZE_PLUGIN_HOME=DIR/kustomize/plugin", keyFile, ""},
		{"plugin of kubectl", config, legacy, "kubectl kustomize", "KUSTOMIZE_PLUGIN_HOME=DIR/kustomize/plugin", keyFile, ""},
		{"plugin by the other variable", config, legacy, "kubectl kustomize", "XDG_CONFIG_HOME=DIR", keyFile, ""},
		{"plugin without a key", config, legacy, "kustomize build", "KUSTOMIZE_PLUGIN_HOME=DIR/kustomize/plugin", "", noKey},
		{"document as its own plugin", document, legacy, "kustomize build", "KUSTOMIZE_PLUGIN_HOME=DIR/kustomize/plugin", keyFile, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			root := isolate(t)
			writeFile(t, "kustomization.yaml", "generators: [config.yaml]\n", 0o600)
			writeFile(t, "config.yaml", test.config, 0o600)
			writeFile(t, "db.yaml", document, 0o600)
			dir := t.TempDir()
			if o := runProgram(t, "", append(append([]string{"install"}, test.install...), dir)...); o.code != 0 {
				t.Fatalf("%+v", o)
			}
			args := strings.Fields(test.build)
			r := testtool.Run(t, testtool.Cmd{
				Path: programs[args[0]],
				Args: append(args[1:], "--enable-alpha-plugins", root),
				Dir:  t.TempDir(), // not where the kustomization is
				Env:  []string{roleVariable + "=", "SOPS_AGE_KEY_FILE=" + test.key, strings.Replace(test.environment, "DIR", dir, 1)},
			})
			switch opened := strings.Contains(string(r.Stdout), encodedValue); {
			case test.want == "" && (r.ExitCode != 0 || !opened):
				t.Errorf("exit %d\n%s\n%s", r.ExitCode, r.Stdout, r.Stderr)
			case test.want != "" && (r.ExitCode == 0 || len(r.Stdout) > 0 || !strings.Contains(string(r.Stderr), test.want)):
				t.Errorf("exit %d, %d bytes on stdout\n%s", r.ExitCode, len(r.Stdout), r.Stderr)
			}
		})
	}
}

// withoutMetadata is a configuration without the annotation that makes it one of
// a KRM function.
func withoutMetadata(config string) string {
	head, rest, _ := strings.Cut(config, "  annotations:")
	_, files, _ := strings.Cut(rest, "files:")
	return head + "files:" + files
}

// What install says is what both programs need: below ~/.config no variable, and
// elsewhere one that leaves the user's settings where they are. The key and the
// allow-list of these builds are in ~/.config.
func TestInstallSaysHow(t *testing.T) {
	programs := map[string]string{"build": testtool.Path(t, "kustomize"), "kustomize": testtool.Path(t, "kubectl")}
	document, keyFile := sealed(t)
	for _, dir := range []string{".config", "my plugins"} {
		t.Run(dir, func(t *testing.T) {
			root := isolate(t)
			home := filepath.Dir(os.Getenv("XDG_CONFIG_HOME"))
			t.Setenv("XDG_CONFIG_HOME", "")
			writeFile(t, filepath.Join(home, ".config/sops/age/keys.txt"), readFile(t, keyFile), 0o600)
			writeFile(t, filepath.Join(home, ".config/signet/allow-keys"), "kms=arn:aws:kms:*:111122223333:key/*", 0o600)
			writeFile(t, "kustomization.yaml", "generators: [config.yaml]\n", 0o600)
			writeFile(t, "config.yaml", withoutMetadata(unsealConfig), 0o600)
			writeFile(t, "db.yaml", document, 0o600)
			o := runProgram(t, "", "install", "--legacy", filepath.Join(home, dir))
			env := []string{roleVariable + "="}
			said, without := "find the plugins with KUSTOMIZE_PLUGIN_HOME='"+home+"/my plugins/kustomize/plugin'\n", ""
			if dir == ".config" {
				said = "find the plugins without a variable or, "
			} else {
				env = append(env, "KUSTOMIZE_PLUGIN_HOME="+home+"/my plugins/kustomize/plugin")
				without = "without a variable"
			}
			if o.code != 0 || !strings.Contains(o.stderr, said) || without != "" && strings.Contains(o.stderr, without) {
				t.Errorf("install says\n%s\nwant %s", o.stderr, said)
			}
			for verb, program := range programs {
				r := testtool.Run(t, testtool.Cmd{Path: program, Args: []string{verb, "--enable-alpha-plugins", root}, Dir: t.TempDir(), Env: env})
				if r.ExitCode != 0 || !strings.Contains(string(r.Stdout), encodedValue) {
					t.Errorf("%s: exit %d\n%s", program, r.ExitCode, r.Stderr)
				}
			}
		})
	}
}

// XDG_CONFIG_HOME, set for the plugin's sake, must not take the allow-list out of
// sight without a word.
func TestMovedAllowList(t *testing.T) {
	kubectl := testtool.Path(t, "kubectl")
	document, keyFile := sealed(t)
	root := isolate(t)
	home, dir := filepath.Dir(os.Getenv("XDG_CONFIG_HOME")), t.TempDir()
	writeFile(t, filepath.Join(home, ".config/signet/allow-keys"), "kms=arn:aws:kms:*:111122223333:key/*", 0o600)
	writeFile(t, "kustomization.yaml", "generators: [config.yaml]\n", 0o600)
	writeFile(t, "config.yaml", withoutMetadata(unsealConfig), 0o600)
	writeFile(t, "db.yaml", document, 0o600)
	if o := runProgram(t, "", "install", "--legacy", dir); o.code != 0 {
		t.Fatalf("%+v", o)
	}
	build := func(env ...string) testtool.Result {
		t.Helper()
		env = append([]string{roleVariable + "=", "SOPS_AGE_KEY_FILE=" + keyFile}, env...)
		return testtool.Run(t, testtool.Cmd{Path: kubectl, Args: []string{"kustomize", "--enable-alpha-plugins", root}, Dir: t.TempDir(), Env: env})
	}
	r := build("XDG_CONFIG_HOME=" + dir)
	outcome{r.ExitCode, string(r.Stdout), ""}.failed(t, 1)
	for _, want := range []string{
		"signet-kustomize: error: read $XDG_CONFIG_HOME: there is no allow-list in " + dir + "/signet/allow-keys, but there is one in " + home + "/.config/signet/allow-keys",
		"signet-kustomize: hint: let kustomize find plugins with KUSTOMIZE_PLUGIN_HOME=", "say with $SIGNET_ALLOW_KEYS what",
		"exit status 2",
	} {
		if !strings.Contains(string(r.Stderr), want) {
			t.Errorf("stderr lacks %q:\n%s", want, r.Stderr)
		}
	}
	for _, env := range [][]string{
		{"XDG_CONFIG_HOME=" + dir, "SIGNET_ALLOW_KEYS=default"},
		{"KUSTOMIZE_PLUGIN_HOME=" + dir + "/kustomize/plugin"},
	} {
		if r := build(env...); r.ExitCode != 0 || !strings.Contains(string(r.Stdout), encodedValue) {
			t.Errorf("%q: exit %d\n%s", env, r.ExitCode, r.Stderr)
		}
	}
	writeFile(t, filepath.Join(dir, "signet/allow-keys"), "default", 0o600)
	if r := build("XDG_CONFIG_HOME=" + dir); r.ExitCode != 0 {
		t.Errorf("with a list in that place: exit %d\n%s", r.ExitCode, r.Stderr)
	}
}
