// SPDX-License-Identifier: Apache-2.0

package userkeys

import (
	"errors"
	"testing"
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
			if got != test.want || errors.As(err, new(*SwitchError)) != test.invalid {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}
