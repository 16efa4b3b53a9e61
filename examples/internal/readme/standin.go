// SPDX-License-Identifier: Apache-2.0

package readme

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signet-secrets/signet/internal/testtool"
)

// tried is a stand-in for a program, @PROGRAM@, that only looks at the flags
// before --: it asks the program for help on the command, which is refused if
// there is no such flag. What is no command gets the help of all, which has a
// line "@NAME@ [command]" or "[flags]" alone. Mistakes go to @MISTAKES@.
const tried = `#!@BASH@
args=()
for a in "$@"; do
  if [ "$a" = -- ]; then break; fi
  args+=("$a")
done
if ! help=$("@PROGRAM@" "${args[@]}" --help 2>&1); then
  echo "@NAME@ $*: ${help%%$'\n'*}" >> "@MISTAKES@"
elif [[ $help == *"  @NAME@ [command]"* || $help == *"  @NAME@ [flags]"* ]]; then
  echo "@NAME@ $*: no such command" >> "@MISTAKES@"
fi
`

// unknown lets a script go on past the programs that are not there: in a script
// that is only tried, all but signet and kubectl.
const unknown = "command_not_found_handle() { return 0; }\ncd() { return 0; }\nexec 2>/dev/null </dev/null\n"

// try checks that signet and kubectl know the commands and flags in a script that
// cannot run, in loops and substitutions too. Nothing of it is done.
func (s *Scratch) try(t testing.TB, script string) {
	t.Helper()
	dir, empty := t.TempDir(), t.TempDir()
	mistakes := filepath.Join(t.TempDir(), "mistakes")
	bash, err := exec.LookPath("bash")
	must(t, err)
	programs := map[string]string{"kubectl": s.kubectl}
	if signet := filepath.Join(s.bin, "signet"); isThere(signet) {
		programs["signet"] = signet
	}
	for name, program := range programs {
		text := strings.NewReplacer("@BASH@", bash, "@PROGRAM@", program, "@NAME@", name, "@MISTAKES@", mistakes).Replace(tried)
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755))
	}
	testtool.Run(t, testtool.Cmd{
		Path: bash, Args: []string{"-c", unknown + script}, Dir: empty, Env: append(s.Env[:len(s.Env):len(s.Env)], "PATH="+dir), Timeout: time.Minute,
	})
	if text, err := os.ReadFile(mistakes); err == nil {
		t.Errorf("mistakes in\n%s\n%s", script, text)
	}
}

func isThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// kubectl is a stand-in for "kubectl apply --server-side -f -": the real one reads
// the manifests, and prints KIND/NAME of each, without a cluster.
const kubectl = `#!@BASH@
if [ "$*" != "apply --server-side -f -" ]; then
  echo "kubectl stands in for apply --server-side -f - only, not for: $*" >&2
  exit 1
fi
exec "@PROGRAM@" label --local -f - -o name read=yes
`

// Kubectl puts a kubectl into PATH that applies to nothing. It reads what it is
// given, fails if that is no manifest, and prints KIND/NAME of each.
func (s *Scratch) Kubectl(t testing.TB) {
	t.Helper()
	bash, err := exec.LookPath("bash")
	must(t, err)
	text := strings.NewReplacer("@BASH@", bash, "@PROGRAM@", s.kubectl).Replace(kubectl)
	must(t, os.WriteFile(filepath.Join(s.bin, "kubectl"), []byte(text), 0o755))
}

// Editor has $EDITOR name an editor that runs a script of bash on its file, $1.
func (s *Scratch) Editor(t testing.TB, script string) {
	t.Helper()
	path := filepath.Join(s.bin, "editor")
	must(t, os.WriteFile(path, []byte("#!/usr/bin/env bash\nset -eu\n"+script+"\n"), 0o755))
	s.Env = append(s.Env, "EDITOR="+path)
}
