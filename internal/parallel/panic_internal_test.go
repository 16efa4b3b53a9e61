// SPDX-License-Identifier: Apache-2.0

package parallel

import "testing"

// The functions of programs have no path of the module in their names, which
// tests cannot show: there they have.
func TestOwn(t *testing.T) {
	tests := []struct {
		function, name string
		ok             bool
	}{
		{"github.com/signet-secrets/signet/unseal.Open", "unseal.Open", true},
		{"main.(*unsealCommand).open.func1", "main.(*unsealCommand).open.func1", true},
		{"github.com/somebody/else.Parse", "github.com/somebody/else.Parse", false},
		{"mainframe.Run", "mainframe.Run", false},
	}
	for _, test := range tests {
		if name, ok := own(test.function); name != test.name || ok != test.ok {
			t.Errorf("own(%q) = %q, %v, want %q, %v", test.function, name, ok, test.name, test.ok)
		}
	}
}
