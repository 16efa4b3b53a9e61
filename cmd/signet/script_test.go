// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/memfile"
	"github.com/signet-secrets/signet/internal/testtool"
	"github.com/signet-secrets/signet/seal/keys/agekey"
)

func TestMain(m *testing.M) {
	if code, ok := memfile.Reap(os.Args); ok {
		os.Exit(code)
	}
	testscript.Main(m, map[string]func(){
		"signet": func() {
			os.Exit(run(context.Background(), os.Args[1:], console{in: os.Stdin, out: os.Stdout, err: os.Stderr}))
		},
	})
}

// TestScript runs the stories in testdata/script. A story finds there:
//
//   - $ALICE and $BOB, the recipients of two X25519 keys made for this run. The
//     identity of Alice is where signet and sops look by themselves, that of
//     Bob in $BOB_KEY. `env HOME=$NOBODY` takes the first away.
//   - the commands below. The secret values in all stories contain "hunter",
//     by which they are recognized.
//
// With UPDATE_SCRIPTS=1 in the environment, `cmp` brings the expected text in a
// story up to date instead of failing.
func TestScript(t *testing.T) {
	alice, bob := generateIdentity(t), generateIdentity(t)
	programs := t.TempDir()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(env *testscript.Env) error {
			env.Values[tbKey{}] = env.T()
			env.Values[rigKey{}] = newRig()
			env.Values[programsKey{}] = programs
			env.Defer(func() { checkNoTemporaryFiles(env) })
			return people{alice, bob}.moveIn(env)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"arrived":  cmdArrived,
			"built":    cmdBuilt,
			"changed":  cmdChanged,
			"editor":   cmdEditor,
			"examples": cmdExamples,
			"expand":   cmdExpand,
			"fails":    cmdFails,
			"helps":    cmdHelps,
			"keep":     cmdKeep,
			"kms":      cmdKMS,
			"listener": cmdListener,
			"masked":   cmdMasked,
			"mode":     cmdMode,
			"pty":      cmdPty,
			"repeat":   cmdRepeat,
			"stock":    cmdStock,
		},
	})
}

type tbKey struct{}

type people struct{ alice, bob agekey.Identity }

func generateIdentity(t *testing.T) agekey.Identity {
	t.Helper()
	id, err := agekey.GenerateClassicIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// moveIn gives a story its keys, a home, and a folder for stock programs.
func (p people) moveIn(env *testscript.Env) error {
	hidden := filepath.Join(env.WorkDir, ".tmp")
	home, bin := filepath.Join(hidden, "home"), filepath.Join(hidden, "bin")
	bobKey := filepath.Join(hidden, "bob.txt")
	for _, dir := range []string{home, bin} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	if err := createPrivate(filepath.Join(home, ".config", "sops", "age", "keys.txt"), p.alice.File(time.Now())); err != nil {
		return err
	}
	env.Setenv("ALICE", p.alice.Recipient())
	env.Setenv("BOB", p.bob.Recipient())
	env.Setenv("BOB_KEY", bobKey)
	env.Setenv("HOME", home)
	env.Setenv("NOBODY", filepath.Join(hidden, "nobody"))
	env.Setenv("GORACE", "atexit_sleep_ms=0")       // not a second for each program
	env.Setenv("AWS_EC2_METADATA_DISABLED", "true") // nothing leaves the machine
	env.Setenv("PATH", bin+string(os.PathListSeparator)+env.Getenv("PATH"))
	setGitEnv(env)
	return createPrivate(bobKey, p.bob.File(time.Now()))
}

// checkNoTemporaryFiles fails a story that leaves a half-written file behind.
func checkNoTemporaryFiles(env *testscript.Env) {
	err := filepath.WalkDir(env.WorkDir, func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(filepath.Base(path), ".signet-") {
			return fmt.Errorf("%s was left behind", path)
		}
		return err
	})
	if err != nil {
		env.T().Fatal(err)
	}
}

// fails CODE COMMAND [ARG]...
//
// The command exits with CODE, prints nothing on stdout, no secret value on
// stderr, and leaves every file and folder as it was.
func cmdFails(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: fails CODE COMMAND [ARG]...")
	}
	before := allBelow(ts, ts.Getenv("WORK"))
	err := ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		ts.Fatalf("%v", err)
	}
	if code := exitStatus(exit); strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
	if out := ts.ReadFile("stdout"); out != "" {
		ts.Fatalf("%d bytes on stdout of a command that failed", len(out))
	}
	if text := ts.ReadFile("stderr"); showsSecret(text) {
		ts.Fatalf("stderr shows a secret value")
	}
	if after := allBelow(ts, ts.Getenv("WORK")); !slices.Equal(before, after) {
		ts.Fatalf("files changed:\nbefore %q\nafter  %q", before, after)
	}
}

func exitStatus(err *exec.ExitError) int {
	if err == nil {
		return 0
	}
	return err.ExitCode()
}

// showsSecret looks for the mark of secret values, also in base64, where it has
// one of three forms.
func showsSecret(text string) bool {
	for _, lead := range []string{"", "x", "xx"} {
		encoded := base64.StdEncoding.EncodeToString([]byte(lead + "hunter"))
		if strings.Contains(text, strings.TrimRight(encoded, "=")[len(lead)+1:7]) {
			return true
		}
	}
	return strings.Contains(text, "hunter")
}

// allBelow describes everything below dir: path, mode and content.
func allBelow(ts *testscript.TestScript, dir string) []string {
	var all []string
	ts.Check(filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		content := ""
		switch {
		case info.Mode().IsRegular():
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			content = string(b)
		case info.Mode()&fs.ModeSymlink != 0:
			content, err = os.Readlink(path)
		}
		all = append(all, fmt.Sprintf("%s %s %s", path, info.Mode(), content))
		return err
	}))
	return all
}

// expand FILE... puts the values of variables such as $ALICE into files.
func cmdExpand(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		text := os.Expand(ts.ReadFile(name), ts.Getenv)
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o666))
	}
}

// stock PROGRAM... brings the real programs of internal/testbin into PATH.
func cmdStock(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		path := testtool.Path(ts.Value(tbKey{}).(testing.TB), name)
		ts.Check(os.Symlink(path, filepath.Join(ts.Getenv("WORK"), ".tmp", "bin", name)))
	}
}

// masked IN OUT replaces everything that is different every time: ciphertext,
// wrapped keys, times, ports, request ids, recipients that are cut, the keys of
// this run, the folder of the story.
func cmdMasked(ts *testscript.TestScript, neg bool, args []string) {
	text := rigOf(ts).named(ts, ts.ReadFile(args[0]))
	for _, random := range []string{
		`ENC\[[^]]*\]`,
		`-----BEGIN AGE ENCRYPTED FILE-----[^"]*?-----END AGE ENCRYPTED FILE-----(\\n)?`,
		`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`,
		`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`,
		`age1pq1[a-z0-9]+\.\.\.[a-z0-9]*`,
	} {
		text = regexp.MustCompile(random).ReplaceAllString(text, "MASKED")
	}
	text = regexp.MustCompile(`(\benc: |127\.0\.0\.1:)[-+/=0-9A-Za-z]{4,}`).ReplaceAllString(text, "${1}MASKED")
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o666))
}

// mode PERM FILE checks the permissions of a file, and that it is no link.
func cmdMode(ts *testscript.TestScript, neg bool, args []string) {
	info, err := os.Lstat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%#o", info.Mode()); got != args[0] {
		ts.Fatalf("%s has mode %s, want %s", args[1], got, args[0])
	}
}

// changed OLD NEW KEY... compares documents line by line: those that differ
// begin with one of the keys, and there is one for each. The time of the change
// may be the same.
func cmdChanged(ts *testscript.TestScript, neg bool, args []string) {
	old, now := strings.Split(ts.ReadFile(args[0]), "\n"), strings.Split(ts.ReadFile(args[1]), "\n")
	if len(old) != len(now) {
		ts.Fatalf("%d lines became %d", len(old), len(now))
	}
	var differ []string
	for i := range old {
		if key, _, _ := strings.Cut(strings.TrimSpace(now[i]), ":"); old[i] != now[i] && key != "lastmodified" {
			differ = append(differ, key)
		}
	}
	slices.Sort(differ)
	if want := slices.Sorted(slices.Values(args[2:])); !slices.Equal(differ, want) {
		ts.Fatalf("lines that differ: %q, want %q", differ, want)
	}
}

// repeat N IN OUT writes a stream of N copies of a document, with its number
// in place of NUMBER.
func cmdRepeat(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	text := ts.ReadFile(args[1])
	var out strings.Builder
	for i := range n {
		out.WriteString("---\n" + strings.ReplaceAll(text, "NUMBER", strconv.Itoa(i+1)))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(out.String()), 0o666))
}

// commands calls f for every command of signet.
func commands(f func(*cobra.Command)) {
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		f(cmd)
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	root := newRoot(console{})
	root.InitDefaultHelpCmd()
	walk(root)
}

// helps checks the help of every command: a synopsis, a paragraph and an
// example, on stdout, the same from --help, -h and the help command.
func cmdHelps(ts *testscript.TestScript, neg bool, args []string) {
	commands(func(cmd *cobra.Command) {
		topic := cmd.IsAdditionalHelpTopicCommand()
		if cmd.Short == "" || cmd.Long == "" || cmd.Example == "" && !topic {
			ts.Fatalf("%s lacks a synopsis, a paragraph or an example", cmd.CommandPath())
		}
		words := strings.Fields(cmd.CommandPath())[1:]
		var texts []string
		for _, args := range [][]string{append(slices.Clone(words), "--help"), append(slices.Clone(words), "-h"), append([]string{"help"}, words...)} {
			ts.Check(ts.Exec("signet", args...))
			if ts.ReadFile("stderr") != "" {
				ts.Fatalf("%s: help on stderr", cmd.CommandPath())
			}
			texts = append(texts, ts.ReadFile("stdout"))
		}
		if texts[0] != texts[1] || texts[0] != texts[2] {
			ts.Fatalf("%s: --help, -h and help differ", cmd.CommandPath())
		}
		parts := []string{cmd.Long, cmd.Example, "Usage:\n  " + cmd.CommandPath()}
		if topic {
			parts = []string{cmd.Long}
		}
		for _, part := range parts {
			if !strings.HasPrefix(texts[0], cmd.Long) || !strings.Contains(texts[0], part) {
				ts.Fatalf("%s: the help lacks %q", cmd.CommandPath(), part)
			}
		}
	})
}

// examples DIR runs each line of each example with bash, in a new copy of DIR
// with an empty home. The KMS key in examples is $KMS_ARN, and a SealingKey that
// an example makes is not there before.
func cmdExamples(ts *testscript.TestScript, neg bool, args []string) {
	const exampleARN = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	n := 0
	commands(func(cmd *cobra.Command) {
		for line := range strings.Lines(cmd.Example) {
			n++
			dir := ts.MkAbs(fmt.Sprintf("example%d", n))
			ts.Check(os.CopyFS(dir, os.DirFS(ts.MkAbs(args[0]))))
			if strings.Contains(line, "key create") {
				ts.Check(os.RemoveAll(filepath.Join(dir, ".signet")))
			}
			line = strings.ReplaceAll(line, exampleARN, ts.Getenv("KMS_ARN"))
			script := `cd "$1"; export SOPS_AGE_KEY_FILE=$HOME/.config/sops/age/keys.txt HOME=$1/home; ` + strings.TrimSpace(line)
			if err := ts.Exec("bash", "-eu", "-o", "pipefail", "-c", script, "bash", dir); err != nil {
				ts.Fatalf("example of %s, %s: %v", cmd.CommandPath(), strings.TrimSpace(line), err)
			}
		}
	})
}
