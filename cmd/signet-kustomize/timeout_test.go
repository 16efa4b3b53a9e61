// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	"github.com/signet-secrets/signet/internal/userkeys"
)

// A key that hangs ends a build in the time that the environment gives, and is
// named.
func TestTimeLimit(t *testing.T) {
	isolate(t)
	document, keyFile := sealed(t)
	writeFile(t, "db.yaml", document, 0o600)
	list := "apiVersion: v1\nkind: List\nitems: []\nsops: {mac: x}\n"
	tests := []struct {
		name, limit, key string
		code             int
		want             string
	}{
		{"hangs", "300ms", "SOPS_AGE_KEY_CMD=sleep 5", exitNoSecret, "error: not done within 300ms: no answer from age \"age1"},
		{"hangs, hint", "300ms", "SOPS_AGE_KEY_CMD=sleep 5", exitNoSecret, "; a longer $SIGNET_TIMEOUT gives it more time"},
		{"over at once", "1ns", "SOPS_AGE_KEY_FILE=" + keyFile, exitNoSecret, "error: not done within 1ns"},
		{"no duration", "50", "SOPS_AGE_KEY_FILE=" + keyFile, exitFailed, "error: $SIGNET_TIMEOUT: is no duration\nsignet-kustomize: hint: a time limit is written as 50s"},
		{"time enough", "10m", "SOPS_AGE_KEY_FILE=" + keyFile, 0, ""},
		{"List", "", "", exitNoSecret, "hint: open it with sops decrypt, take its items out of the List"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv(userkeys.TimeoutVariable, test.limit)
			if name, value, ok := strings.Cut(test.key, "="); ok {
				t.Setenv(name, value)
			}
			if test.name == "List" {
				writeFile(t, "db.yaml", list, 0o600)
			}
			o := runProgram(t, resourceList())
			if test.code != 0 {
				o.failed(t, test.code, test.want)
			} else if o.code != 0 || !strings.Contains(o.stdout, encodedValue) {
				t.Errorf("%+v", o)
			}
		})
	}
}
