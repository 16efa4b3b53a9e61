// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	"github.com/signet-secrets/signet/internal/exitcode"
)

// valueLeaks are failing paths of the commands about single values.
func valueLeaks(t *testing.T, alice, mallory keyFile) []leak {
	sealed := mustRun(t, canarySecret("", ""), "seal", "-", "-a", alice.recipient)
	labelled := mustRun(t, canarySecret(", labels: {app: x"+canaryValue+"}", ""), "seal", "-", "-a", alice.recipient, "--allow-clear", "password")
	var rows []leak
	add := func(name, document string, key keyFile, code int, args ...string) {
		rows = append(rows, leak{
			name: args[0] + ": " + name, args: args, stdin: document, code: code, env: map[string]string{"SOPS_AGE_KEY_FILE": key.path},
			files: map[string]string{".sops.yaml": "creation_rules: [{age: " + alice.recipient + "}]\n", "value": canaryValue, "other.yaml": sealed},
		})
	}
	add("no key", sealed, alice, exitcode.Failed, "get", "-", "other")
	add("another identity", sealed, mallory, exitcode.NotOpened, "get", "-", "password")
	add("tampered", strings.Replace(sealed, "scope: prod/db", "scope: prod/dc", 1), alice, exitcode.NotOpened, "get", "-", "password")
	add("the value as a key", sealed, alice, exitcode.Usage, "get", "-", "password="+canaryValue)
	add("the value as a key", sealed, alice, exitcode.Usage, "unset", "-", "password="+canaryValue)
	add("the value as a key", sealed, alice, exitcode.Usage, "set", "-", "password="+canaryValue)
	add("value twice", sealed, alice, exitcode.Usage, "set", "-", "password", canaryValue, "--from-file", "value")
	add("too many", sealed, alice, exitcode.Usage, "set", "-", "password", "x", canaryValue)
	add("in clear", canarySecret("", ""), alice, exitcode.Failed, "set", "-", "other", "x")
	add("broken", canarySecret("", " x: [a\n"), alice, exitcode.Failed, "set", "-", "other", "x")
	add("there already", sealed, alice, exitcode.Failed, "set", "--create-only", "-", "password", canaryValue)
	add("no such key", sealed, alice, exitcode.Failed, "set", "--replace-only", "-", "other", canaryValue)
	add("value in a label", labelled, alice, exitcode.Failed, "set", "-", "other", "x"+canaryValue)
	add("the same value", sealed, alice, 0, "set", "other.yaml", "password", canaryValue)
	add("a new value", sealed, alice, 0, "set", "-", "other", canaryValue+"-other")
	add("to be added, no namespace", sealed, alice, exitcode.Usage, "set", "-", "other", canaryValue, "--merge-into", "db")
	add("to be added, in the place of another", sealed, alice, exitcode.Failed, "set", "-", "other", canaryValue, "--merge-into", "db", "-n", "prod", "--object-name", "db")
	add("several", sealed+"---\n"+sealed, alice, exitcode.Failed, "unset", "-", "password")
	add("no program", sealed, alice, 127, "exec", "-", "--", "no-such-program")
	add("a value as an item", sealed, alice, exitcode.Usage, "exec", "--only", "password=A "+canaryValue, "-", "--", "true")
	add("another identity", sealed, mallory, exitcode.NotOpened, "exec", "-", "--", "true")
	return rows
}
