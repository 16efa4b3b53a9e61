// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/gitrepo"
	"github.com/signet-secrets/signet/seal/keys"
)

// planned makes a repository in the working directory, and its plan.
func planned(t *testing.T) (*initCommand, *cobra.Command, *gitrepo.Repo, *initPlan) {
	t.Helper()
	isolate(t)
	mustGit(t, ".", "init", "-q")
	k := &initCommand{console: console{in: strings.NewReader(""), out: io.Discard, err: io.Discard}, keyName: "main", output: "text", yes: true}
	cmd := newInit(k.console)
	cmd.SetContext(t.Context())
	repo, err := gitrepo.Open(t.Context(), ".")
	if err != nil {
		t.Fatal(err)
	}
	there, err := k.look(t.Context(), repo)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := newInitPlan(&initWant{keyName: "main"}, there)
	if err != nil {
		t.Fatal(err)
	}
	return k, cmd, repo, plan
}

// What was cut off after any step is finished by the next run, which leaves what
// was done as it is.
func TestInitCutOff(t *testing.T) {
	_, _, _, whole := planned(t)
	for n := range len(whole.Steps) {
		t.Run(string(whole.Steps[n].Kind)+" is next", func(t *testing.T) {
			k, cmd, repo, plan := planned(t)
			all := plan.Steps
			plan.Steps = all[:n]
			if err := k.apply(cmd, repo, plan); err != nil {
				t.Fatal(err)
			}
			before := map[string]string{}
			for _, s := range plan.Steps {
				if s.Kind != kindConfig {
					before[s.file] = readTestFile(t, s.file)
				}
			}
			mustRun(t, "", "init", "--yes", "--output", "json")
			for file, text := range before {
				if readTestFile(t, file) != text {
					t.Errorf("%s was changed", file)
				}
			}
			if got := mustRun(t, "", "init", "--check"); got != "nothing to do\n" {
				t.Errorf("after it: %s", got)
			}
			for _, s := range all {
				if s.Kind != kindConfig && readTestFile(t, s.file) == "" {
					t.Errorf("%s is empty", s.file)
				}
			}
		})
	}
}

// Nothing is done after an interrupt.
func TestInitInterrupted(t *testing.T) {
	k, cmd, repo, plan := planned(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	cmd.SetContext(ctx)
	if err := k.apply(cmd, repo, plan); err == nil || plan.count(applied) > 0 {
		t.Errorf("error %v, %d steps done", err, plan.count(applied))
	}
}

// What appears between the plan and its execution is not overwritten.
func TestInitMeanwhile(t *testing.T) {
	for _, name := range []string{keys.RulesFile, attributesFile, ignoreFile, ".git/hooks/pre-commit"} {
		t.Run(name, func(t *testing.T) {
			k, cmd, repo, plan := planned(t)
			writeTestFile(t, name, "theirs\n")
			if err := k.apply(cmd, repo, plan); !errors.Is(err, errInitChanged) {
				t.Errorf("error %v", err)
			}
			if got := readTestFile(t, name); got != "theirs\n" {
				t.Errorf("it holds %q", got)
			}
		})
	}
	t.Run("the key", func(t *testing.T) {
		k, cmd, repo, plan := planned(t)
		writeTestFile(t, plan.Steps[0].file, "theirs\n")
		if err := k.apply(cmd, repo, plan); !errors.Is(err, errInitChanged) || plan.count(applied) > 0 {
			t.Errorf("error %v, %d steps done", err, plan.count(applied))
		}
		if got := readTestFile(t, plan.Steps[0].file); got != "theirs\n" {
			t.Errorf("it holds %q", got)
		}
	})
	t.Run("more in a file that gets more", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "f")
		writeTestFile(t, file, "before\nmore\n")
		s := &initStep{State: stepAppend, file: file, Text: "x\n", before: []byte("before\n"), mode: modeSealed}
		if err := appendStep(s); !errors.Is(err, errInitChanged) {
			t.Errorf("error %v", err)
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		if err := appendStep(s); !errors.Is(err, errInitChanged) {
			t.Errorf("error %v", err)
		}
		if _, err := os.Lstat(file); err == nil {
			t.Error("a file that was removed was made again")
		}
	})
}
