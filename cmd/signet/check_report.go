// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/signet-secrets/signet/internal/buildinfo"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/sarif"
)

// wantsNotes reports whether anybody gets to see findings that are only notes.
func (k *checkCommand) wantsNotes() bool {
	return k.output != "text" || level(k.flags.failOn) == levelNote
}

// chosen leaves out what the flags do not ask for: other rules, and notes where
// nobody sees them.
func (k *checkCommand) chosen(found []finding) []finding {
	return slices.DeleteFunc(slices.Clone(found), func(f finding) bool {
		return len(k.flags.only) > 0 && !slices.Contains(k.flags.only, string(f.Rule)) ||
			slices.Contains(k.flags.skip, string(f.Rule)) ||
			f.Level == levelNote && !k.wantsNotes()
	})
}

// accepted leaves out what somebody has accepted with a reason.
func accepted(found []finding) []finding {
	return slices.DeleteFunc(slices.Clone(found), func(f finding) bool { return f.suppressed != "" })
}

// failing returns how many findings make the command fail.
func (k *checkCommand) failing(found []finding) int {
	n := 0
	for _, f := range found {
		if f.suppressed == "" && f.Level.weight() >= level(k.flags.failOn).weight() {
			n++
		}
	}
	return n
}

// writeSARIF writes findings for code hosts and editors.
func writeSARIF(w io.Writer, found []finding) error {
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	if top := repositoryTop(root); top != "" {
		root = top
	}
	log := &sarif.Log{Tool: program, Version: buildinfo.Version(), URI: "https://github.com/signet-secrets/signet", Root: root}
	for _, t := range ruleTexts() {
		log.Rules = append(log.Rules, sarif.Rule{ID: string(t.rule), Short: t.short, Help: t.short + "; see signet check --help", Level: sarif.Level(t.level)})
	}
	for _, f := range found {
		path := relativeTo(root, f.File)
		log.Results = append(log.Results, sarif.Result{
			Rule: string(f.Rule), Level: sarif.Level(f.Level), Message: report.Visible(f.Message + " (" + f.Hint + ")"), Path: path, Line: f.Line,
			Fingerprint: fingerprintOf(f, path), Suppressed: f.suppressed,
		})
	}
	return log.Write(w)
}

// repositoryTop is the nearest directory upwards with a .git, "" if there is none.
func repositoryTop(dir string) string {
	for {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
		dir = filepath.Dir(dir)
	}
}

// relativeTo is the path of a file as seen from a directory above it, with
// slashes; absolute if it is not below it, "" for stdin.
func relativeTo(root, name string) string {
	if name == "-" {
		return ""
	}
	at, err := filepath.Abs(name)
	if err != nil {
		return filepath.ToSlash(name)
	}
	rel, err := filepath.Rel(root, at)
	if err != nil || !filepath.IsLocal(rel) {
		return filepath.ToSlash(at)
	}
	return filepath.ToSlash(rel)
}

// fingerprintOf is the same for the same problem, wherever it stands in a file.
func fingerprintOf(f finding, path string) string {
	sum := sha256.Sum256([]byte(strings.Join(append([]string{string(f.Rule), path, f.Object}, f.Keys...), "\x00")))
	return hex.EncodeToString(sum[:])
}
