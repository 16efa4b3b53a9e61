// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// editorProgram is what `editor` makes: it keeps what it is shown as $SHOWN/N, where
// N counts how often it was opened, and does what that time is for.
const editorProgram = `#!/bin/sh
n=$(($(cat "$SHOWN/n" 2>/dev/null || echo 0) + 1))
echo $n > "$SHOWN/n"
for file; do :; done
cp "$file" "$SHOWN/$n"
if [ -f "$SHOWN/run-$n" ]; then . "$SHOWN/run-$n"; fi
if [ -f "$SHOWN/sed-$n" ]; then sed -f "$SHOWN/sed-$n" "$file" > "$file.new" && mv "$file.new" "$file"; fi
`

// editor [CHANGE]...
//
// The editor in $EDITOR makes these changes, one each time that it is opened, and
// then none. A change is a sed script or, behind !, one of the shell, where $file is
// the file. What it is shown is in $SHOWN/1, $SHOWN/2 and so on, outside of $WORK.
func cmdEditor(ts *testscript.TestScript, neg bool, args []string) {
	shown := ts.Value(tbKey{}).(testing.TB).TempDir()
	// kak is the name of an editor that is known, and needs no arguments.
	program := filepath.Join(shown, "kak")
	ts.Check(os.WriteFile(program, []byte(editorProgram), 0o700))
	for i, change := range args {
		name := fmt.Sprintf("sed-%d", i+1)
		if shell, ok := strings.CutPrefix(change, "!"); ok {
			name, change = fmt.Sprintf("run-%d", i+1), shell
		}
		ts.Check(os.WriteFile(filepath.Join(shown, name), []byte(change+"\n"), 0o600))
	}
	ts.Setenv("SHOWN", shown)
	ts.Setenv("EDITOR", program)
	ts.Setenv("VISUAL", "")
	ts.Setenv("SIGNET_EDITOR", "")
}
