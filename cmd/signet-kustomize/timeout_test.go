// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/internal/userkeys"
)

// A key that hangs ends a build in the time that the environment gives, and is
// named.
func TestTimeLimit(t *testing.T) {
	isolate(t)
	document, keyFile := sealed(t)
	writeFile(t, "db.yaml", document, 0o600)
	tests := []struct {
		name, limit, key string
		code             int
		want             string
	}{
		{"hangs", "2s", "SOPS_AGE_KEY_CMD=sleep 60", exitcode.NotOpened, "error: not done within 2s: no answer from age \"age1"},
		{"hangs, hint", "2s", "SOPS_AGE_KEY_CMD=sleep 60", exitcode.NotOpened, "; a longer $SIGNET_TIMEOUT gives it more time"},
		{"over at once", "1ns", "SOPS_AGE_KEY_FILE=" + keyFile, exitcode.NotOpened, "error: not done within 1ns"},
		{"no duration", "50", "SOPS_AGE_KEY_FILE=" + keyFile, exitcode.Usage, "error: read $SIGNET_TIMEOUT: is no duration: it has no unit\nsignet-kustomize: hint: write 50s for seconds, or 50m for minutes; 0 is none\n"},
		{"time enough", "10m", "SOPS_AGE_KEY_FILE=" + keyFile, 0, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv(userkeys.TimeoutVariable, test.limit)
			if name, value, ok := strings.Cut(test.key, "="); ok {
				t.Setenv(name, value)
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
