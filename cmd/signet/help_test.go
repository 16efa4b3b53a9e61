// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The reference has every command and flag, and its table of contents leads to
// headings that are there.
func TestReference(t *testing.T) {
	out := new(strings.Builder)
	root := newRoot(console{out: io.Discard})
	root.InitDefaultHelpCmd()
	if err := writeReference(out, root); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	commands(func(cmd *cobra.Command) {
		_, section, found := strings.Cut(text, "\n## "+heading(cmd)+"\n")
		if !cmd.HasParent() {
			return
		}
		section, _, _ = strings.Cut(section, "\n## ")
		if !found {
			t.Errorf("no section about %s", cmd.CommandPath())
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if got := strings.Contains(section, "--"+f.Name); got == f.Hidden && f.Name != "help" {
				t.Errorf("%s: --%s is there: %t", cmd.CommandPath(), f.Name, got)
			}
		})
	})
	headings := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^## (.+)$`).FindAllStringSubmatch(text, -1) {
		headings[strings.NewReplacer(" ", "-", ":", "").Replace(strings.ToLower(m[1]))] = true
	}
	links := regexp.MustCompile(`\]\(#([^)]+)\)`).FindAllStringSubmatch(text, -1)
	for _, m := range links {
		if !headings[m[1]] {
			t.Errorf("no heading #%s", m[1])
		}
	}
	if len(links) != len(headings) || len(links) < 20 {
		t.Errorf("%d links to %d headings", len(links), len(headings))
	}
}

// Prose of the help must not turn into markup.
func TestReferenceProse(t *testing.T) {
	out := new(strings.Builder)
	writeProse(out, "One *two*\n[three] <four>.\n\n  kms=*\n    more\n\nLast")
	const want = "One \\*two\\* \\[three\\] &lt;four>.\n\n```text\nkms=*\n  more\n```\n\nLast\n\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}
