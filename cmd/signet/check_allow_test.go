// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
)

// Whoever forgets the reason of a comment is told so, and others are not.
func TestAllowWithoutReason(t *testing.T) {
	for _, tt := range []struct {
		name, comment string
		told          bool
	}{
		{"no reason", "# signet:allow clear-secret", true},
		{"blanks", "# signet:allow clear-secret  \r", true},
		{"of several rules", "# signet:allow unscoped,clear-secret", true},
		{"in another kind of comment", "# <!-- signet:allow clear-secret -->", true},
		{"of another rule", "# signet:allow unscoped", false},
		{"no comment", "# a Secret", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			isolate(t)
			writeTestFile(t, "db.yaml", "# the database\n"+tt.comment+"\n"+clearSecretText)
			o := runSignet(t, "", "check", "db.yaml")
			told := strings.Contains(o.stdout, "password; the comment signet:allow on line 2 gives no reason, and so does not count\n")
			if o.code != 1 || told != tt.told {
				t.Errorf("exit %d\n%s%s", o.code, o.stdout, o.stderr)
			}
		})
	}
	t.Run("one of two has a reason", func(t *testing.T) {
		isolate(t)
		writeTestFile(t, "db.yaml", "# signet:allow clear-secret\n# signet:allow clear-secret an example\n"+clearSecretText)
		if o := runSignet(t, "", "check", "db.yaml"); o.code != 0 || o.stdout != "" {
			t.Errorf("exit %d\n%s%s", o.code, o.stdout, o.stderr)
		}
	})
}
