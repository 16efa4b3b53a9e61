// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

// setting is what a row of the table of flags says.
type setting struct{ Variable, Default string }

// TestManualHasEveryFlag holds the table of flags in the manual against the
// program: each flag has one row, with its variable and its default.
func TestManualHasEveryFlag(t *testing.T) {
	text, err := os.ReadFile("../../controller/README.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]setting{}
	for _, row := range regexp.MustCompile("(?m)^\\| `--([a-z-]+)` \\| `(\\w+)` \\| (?:`([^`]*)` )?\\| (.*) \\|$").FindAllStringSubmatch(string(text), -1) {
		if _, twice := rows[row[1]]; twice {
			t.Errorf("--%s has two rows", row[1])
		}
		if len(row[4]) < 10 {
			t.Errorf("--%s: the row doesn't say what it means", row[1])
		}
		rows[row[1]] = setting{row[2], plainDuration(row[3])}
	}
	flags := map[string]setting{}
	declared := pflag.NewFlagSet("", pflag.ContinueOnError)
	new(options).add(declared)
	declared.VisitAll(func(f *pflag.Flag) {
		byDefault := plainDuration(f.DefValue)
		switch {
		case f.Name == "allow-keys": // the list is empty then, and that stands for an item
			byDefault = allowDefault
		case byDefault == "[]":
			byDefault = ""
		}
		flags[f.Name] = setting{variable(f.Name), byDefault}
	})
	if diff := cmp.Diff(flags, rows); diff != "" {
		t.Errorf("controller/README.md differs from the program (-program +manual):\n%s", diff)
	}
}

// plainDuration writes a duration in one way, whether it was 10m or 10m0s, and
// leaves other text as it is.
func plainDuration(text string) string {
	if d, err := time.ParseDuration(text); err == nil && strings.ContainsAny(text, "hms") {
		return d.String()
	}
	return text
}
