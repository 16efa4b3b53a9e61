// SPDX-License-Identifier: Apache-2.0

package userkeys

import (
	"errors"
	"testing"
	"time"
)

// Nothing but the very word permits, and the flag decides where it was given.
func TestUnscoped(t *testing.T) {
	tests := []struct {
		name, variable string
		flag, given    bool
		want, invalid  bool
	}{
		{name: "neither"},
		{name: "variable", variable: "true", want: true},
		{name: "variable that says no", variable: "false"},
		{name: "flag", flag: true, given: true, want: true},
		{name: "flag against the variable", variable: "true", given: true},
		{name: "flag before a variable that cannot be read", variable: "yes", flag: true, given: true, want: true},
		{name: "word", variable: "yes", invalid: true},
		{name: "number", variable: "1", invalid: true},
		{name: "capitals", variable: "TRUE", invalid: true},
		{name: "space", variable: "true ", invalid: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv(UnscopedVariable, test.variable)
			got, err := Unscoped(test.flag, test.given)
			if got != test.want || errors.Is(err, errNoSwitch) != test.invalid {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

func TestTimeout(t *testing.T) {
	tests := []struct {
		name, variable string
		flag           time.Duration
		given          bool
		want           time.Duration
		err            string
	}{
		{"neither", "", 0, false, 0, ""},
		{"variable", "50s", 0, false, 50 * time.Second, ""},
		{"flag", "", time.Minute, true, time.Minute, ""},
		{"flag before variable", "50s", 0, true, 0, ""},
		{"flag before nonsense", "x", time.Minute, true, time.Minute, ""},
		{"nonsense", "hunter-2", 0, false, 0, "read $SIGNET_TIMEOUT: is no duration"},
		{"no unit", "50", 0, false, 0, "read $SIGNET_TIMEOUT: is no duration: it has no unit"},
		{"no unit, and perhaps a secret", "123456", 0, false, 0, "read $SIGNET_TIMEOUT: is no duration"},
		{"negative", "-1s", 0, false, 0, "read $SIGNET_TIMEOUT: is no duration"},
		{"negative flag", "", -1, true, 0, "read --timeout: is no duration"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv(TimeoutVariable, test.variable)
			got, err := Timeout(test.flag, test.given)
			text := ""
			if err != nil {
				text = err.Error()
			}
			if got != test.want || text != test.err {
				t.Errorf("%v, error %q", got, text)
			}
		})
	}
}
