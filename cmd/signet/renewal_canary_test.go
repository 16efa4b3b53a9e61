// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestRenewalCanary is TestCanary for the commands that renew, verify and list
// documents: over everything on which unseal fails they show no secret either, and
// leave no plaintext.
func TestRenewalCanary(t *testing.T) {
	isolate(t)
	alice, mallory := newKeyFile(t), newKeyFile(t)
	c := newCanaries(alice, mallory)
	base := t.TempDir()
	n := 0
	for i, row := range openLeaks(t, alice, mallory) {
		names := slices.Sorted(maps.Keys(row.files))
		for _, args := range [][]string{
			{"rotate", "--age", mallory.recipient}, {"rewrap", "--all", "--age", alice.recipient + "," + mallory.recipient},
			{"rotate", "--dry-run", "--age", alice.recipient}, {"verify", "--each-key"}, {"inspect", "--exposed-to", alice.recipient},
		} {
			t.Run(row.name+", "+args[0], func(t *testing.T) {
				n++
				dir := filepath.Join(base, fmt.Sprint(i, n))
				if err := os.Mkdir(dir, 0o700); err != nil {
					t.Fatal(err)
				}
				t.Chdir(dir)
				for name, text := range row.files {
					writeTestFile(t, name, text)
				}
				for name, value := range row.env {
					t.Setenv(name, value)
				}
				inputs := names
				if len(names) == 0 || row.stdin != "" {
					inputs = append([]string{"-"}, names...)
				}
				o := runSignet(t, row.stdin, append(slices.Clone(args), inputs...)...)
				text := o.stderr
				if o.code != 0 || args[0] == "verify" || args[0] == "inspect" { // a stream may hold the Secret in clear, too
					text += o.stdout
				}
				if part := c.in(text); part != "" {
					t.Errorf("exit %d, the output holds %q:\n%.3000s%.3000s", o.code, part, o.stderr, o.stdout)
				}
				checkNewFiles(t, c, dir, row.files)
			})
		}
	}
	t.Logf("%d runs", n)
}
