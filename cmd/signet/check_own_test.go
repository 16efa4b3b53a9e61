// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// This repository is as clean as others are to be: what check finds in it, but for
// notes, is accepted with a reason, and every reason is needed.
func TestCheckOwnRepository(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(root)
	args := []string{"check", "--output", "sarif", "."}
	if _, err := os.Stat(".git"); err != nil {
		args = append(args, "--no-git") // an archive of the sources
	}
	o := runSignet(t, "", args...)
	var log struct {
		Runs []struct {
			Results []struct {
				RuleID    string
				Level     string
				Message   struct{ Text string }
				Locations []struct {
					PhysicalLocation struct{ ArtifactLocation struct{ URI string } }
				}
				Suppressions []struct{ Justification string }
			}
		}
	}
	if err := json.Unmarshal([]byte(o.stdout), &log); err != nil || len(log.Runs) != 1 {
		t.Fatalf("exit %d, %v\n%s", o.code, err, o.stderr)
	}
	type acceptance struct{ rule, reason string }
	used := map[acceptance]bool{}
	for _, r := range log.Runs[0].Results {
		if r.Level == string(levelNote) {
			continue
		}
		if len(r.Suppressions) == 0 {
			t.Errorf("%+v: %s: %s", r.Locations, r.RuleID, r.Message.Text)
			continue
		}
		used[acceptance{r.RuleID, r.Suppressions[0].Justification}] = true
	}
	if o.code != 0 {
		t.Errorf("exit %d\n%s", o.code, o.stderr)
	}
	skips, err := readSkips(newDiskSource(false), root)
	if err != nil || len(skips) == 0 {
		t.Fatalf("%d entries, %v", len(skips), err)
	}
	for _, s := range skips {
		if !used[acceptance{string(s.rule), s.reason}] {
			t.Errorf("%s: nothing is accepted: %s in %s", allowFile, s.rule, s.pattern)
		}
	}
}
