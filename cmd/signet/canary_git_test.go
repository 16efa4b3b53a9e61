// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	"github.com/signet-secrets/signet/internal/exitcode"
)

// gitLeaks are paths of the commands that Git calls, and of diff: most of them
// fail.
func gitLeaks(t *testing.T, alice, mallory keyFile) []leak {
	sealed := func(value string, args ...string) string {
		text := strings.ReplaceAll(canarySecret("", ""), canaryValue, value)
		return mustRun(t, text, append([]string{"seal", "-", "-a", alice.recipient}, args...)...)
	}
	base, ours, theirs := sealed(canaryValue), sealed(canaryValue+"-ours"), sealed(canaryValue+"-theirs")
	sops, otherSOPS := sealed(canaryValue, "--as", "sops"), sealed(canaryValue+"-ours", "--as", "sops")
	tampered := strings.Replace(theirs, "scope: prod/db", "scope: prod/dc", 1)
	var rows []leak
	add := func(name string, key keyFile, code int, base, ours, theirs string, args ...string) {
		rows = append(rows, leak{
			name: args[0] + ": " + name, args: args, code: code, env: map[string]string{"SOPS_AGE_KEY_FILE": key.path},
			files: map[string]string{".sops.yaml": "creation_rules: [{age: " + alice.recipient + "}]\n", "base.yaml": base, "ours.yaml": ours, "theirs.yaml": theirs},
		})
	}
	driver := []string{"merge-driver", "--path=db.yaml", "--", "base.yaml", "ours.yaml", "theirs.yaml"}
	add("conflict", alice, exitcode.Failed, base, ours, theirs, driver...)
	add("conflict of SOPS documents", alice, exitcode.Failed, "", sops, otherSOPS, driver...)
	add("merged", alice, 0, base, base, theirs, driver...)
	add("another identity", mallory, exitcode.Failed, base, ours, theirs, driver...)
	add("another identity, SOPS", mallory, exitcode.Failed, "", sops, otherSOPS, driver...)
	add("tampered", alice, exitcode.Failed, base, ours, tampered, driver...)
	add("opened", alice, 0, "", ours, "", "textconv", "ours.yaml")
	add("opened, SOPS", alice, 0, "", sops, "", "textconv", "ours.yaml")
	add("another identity", mallory, 0, "", ours, "", "textconv", "ours.yaml")
	add("tampered", alice, 0, "", tampered, "", "textconv", "ours.yaml")
	add("no file", alice, exitcode.Failed, "", "", "", "textconv", "missing.yaml")
	add("two files", alice, 0, "", ours, theirs, "diff", "--no-index", "ours.yaml", "theirs.yaml")
	add("JSON", alice, 0, "", sops, theirs, "diff", "--no-index", "--output=json", "ours.yaml", "theirs.yaml")
	add("another identity", mallory, 0, "", ours, theirs, "diff", "--no-index", "ours.yaml", "theirs.yaml")
	add("another identity, shown", mallory, exitcode.NotOpened, "", ours, theirs, "diff", "--show=always", "--no-index", "ours.yaml", "theirs.yaml")
	add("tampered, shown", alice, exitcode.NotOpened, "", ours, tampered, "diff", "--show=always", "--no-index", "ours.yaml", "theirs.yaml")
	add("shown in a pipe", alice, exitcode.Failed, "", ours, theirs, "diff", "--show", "--no-index", "ours.yaml", "theirs.yaml")
	return rows
}
