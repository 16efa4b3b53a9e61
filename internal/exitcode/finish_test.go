// SPDX-License-Identifier: Apache-2.0

package exitcode

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/signet-secrets/signet/internal/report"
)

func TestFinish(t *testing.T) {
	failed, usage := errors.New("it failed"), &UsageError{Command: "x", Err: errors.New("wrong")}
	tests := []struct {
		name    string
		errs    []error
		untried int
		code    int
		want    string // in what is printed
	}{
		{"nothing", nil, 0, 0, ""},
		{"an error", []error{failed}, 0, Failed, "x: error: it failed\nx: hint: help\n"},
		{"the worst of several", []error{failed, usage}, 0, Usage, "x: error: wrong\n"},
		{"some not tried", []error{failed}, 3, Failed, "3"},
		{"interrupted", nil, 3, Failed, "x: error: interrupted\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			code := Finish(report.Printer{Program: "x", W: &out}, test.errs, test.untried, func(error) []string { return []string{"help"} })
			if code != test.code || !strings.Contains(out.String(), test.want) || (test.want == "") != (out.Len() == 0) {
				t.Errorf("exit code %d, want %d; printed\n%s", code, test.code, out.String())
			}
		})
	}
}
