// SPDX-License-Identifier: Apache-2.0

package main

import "testing"

// TestChangesPrograms protects against a sealed value that makes a program run something.
func TestChangesPrograms(t *testing.T) {
	for name, want := range map[string]bool{
		"PATH": true, "LD_PRELOAD": true, "LD_": true, "DYLD_INSERT_LIBRARIES": true, "BASH_ENV": true, "GIT_SSH_COMMAND": true,
		"GIT_CONFIG_KEY_0": true, "NODE_OPTIONS": true, "SOPS_AGE_KEY_CMD": true, "SIGNET_EDITOR": true,
		"MAKEFLAGS": true, "_JAVA_OPTIONS": true, "LESSOPEN": true, "PSQLRC": true, "GOFLAGS": true, "TAR_OPTIONS": true, "AWS_CONFIG_FILE": true,
		"GIT_SEQUENCE_EDITOR": true, "GIT_DIR": true, "XDG_CONFIG_HOME": true, "RSYNC_RSH": true, "PYTHONBREAKPOINT": true,
		"npm_config_script_shell": true, "KUBE_EDITOR": true, "OPENSSL_CONF": true, "SSL_CERT_FILE": true, "SSLKEYLOGFILE": true,
		"https_proxy": true, "HTTP_PROXY": true, "RUSTC_WRAPPER": true, "MAVEN_OPTS": true,
		"NODE_AUTH_TOKEN": false, "FEATURE_FLAGS": false, "DATABASE_URL": false, "AWS_SECRET_ACCESS_KEY": false, "JAVA_PASSWORD": false,
		"password": false, "GIT_TOKEN": false, "PATHS": false, "SOPS_AGE_KEY": false, "LDAP_PASSWORD": false, "path": false,
	} {
		if changesPrograms(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}

// TestVariableNames protects the names in hints, which are to be pasted, and what
// counts as a variable at all.
func TestVariableNames(t *testing.T) {
	for key, want := range map[string]string{
		"tls.key": "TLS_KEY", "a-b": "A_B", "1st": "_1ST", "ok_2": "OK_2", "": "_", "ä=b": "__B",
	} {
		if got := variableName(key); got != want || !isVariable(got) {
			t.Errorf("%q: %q, want %q", key, got, want)
		}
	}
	for _, name := range []string{"", "1", "a-b", "a b", "a=b", "ä", "a\x00"} {
		if isVariable(name) {
			t.Errorf("%q is one", name)
		}
	}
}
