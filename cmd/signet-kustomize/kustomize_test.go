// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	"github.com/signet-secrets/signet/internal/testtool"
)

// The real kustomize finds what install has copied, and runs it in both ways:
// what the program is given, and what it makes of the environment, fit. A build
// fails if the program does.
func TestKustomize(t *testing.T) {
	kustomize := testtool.Path(t, "kustomize")
	document, keyFile := sealed(t)
	tests := []struct {
		name, config     string
		install, flags   []string
		environment, key string
		want             string // on stderr if it fails
	}{
		{"function", unsealConfig, nil, []string{"--enable-exec"}, "PATH", keyFile, ""},
		{"function without a key", unsealConfig, nil, []string{"--enable-exec"}, "PATH", "", "signet-kustomize: error: db.yaml, document 1, prod/db: open: "},
		{"plugin", withoutMetadata(unsealConfig), []string{"--legacy"}, nil, "XDG_CONFIG_HOME", keyFile, ""},
		{"plugin without a key", withoutMetadata(unsealConfig), []string{"--legacy"}, nil, "XDG_CONFIG_HOME", "", "signet-kustomize: error: db.yaml, document 1, prod/db: open: "},
		{"document as its own plugin", document, []string{"--legacy"}, nil, "XDG_CONFIG_HOME", keyFile, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			root := isolate(t)
			writeFile(t, "kustomization.yaml", "generators: [config.yaml]\n", 0o600)
			writeFile(t, "config.yaml", test.config, 0o600)
			writeFile(t, "db.yaml", document, 0o600)
			programs := t.TempDir()
			if o := runProgram(t, "", append(append([]string{"install"}, test.install...), programs)...); o.code != 0 {
				t.Fatalf("%+v", o)
			}
			r := testtool.Run(t, testtool.Cmd{
				Path: kustomize,
				Args: append([]string{"build", "--enable-alpha-plugins", root}, test.flags...),
				Dir:  t.TempDir(), // not where the kustomization is
				Env:  []string{roleVariable + "=", "SOPS_AGE_KEY_FILE=" + test.key, test.environment + "=" + programs},
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
