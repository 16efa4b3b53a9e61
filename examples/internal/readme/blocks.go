// SPDX-License-Identifier: Apache-2.0

package readme

import (
	"encoding/base64"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Blocks says how many blocks of shell commands a README has, so that none drops
// out of the test without notice.
type Blocks struct {
	Run     int // to be run
	Cluster int // for a cluster, a cloud or a program that tests don't have
	Make    int // of targets of make and nothing else, which may run the tests themselves
}

// elsewhere begin the lines that introduce a block which can't run in a test.
// Each is followed by anything up to a colon.
func elsewhere() []string { return []string{"On a cluster", "On AWS", "With Helm"} }

// block is a block of shell commands.
type block struct {
	introduction, script string
	cluster              bool
}

// Follow is FollowFile for README.md in the working directory.
func (s *Scratch) Follow(t testing.TB, want Blocks) string {
	t.Helper()
	return s.FollowFile(t, "README.md", want)
}

// FollowFile runs the commands of a Markdown file and returns what they print on
// stdout. It also checks the links of the file, that it has as many blocks as want
// says, the flags in blocks for a cluster, and that there are the targets of make.
func (s *Scratch) FollowFile(t testing.TB, file string, want Blocks) string {
	t.Helper()
	text, err := os.ReadFile(file)
	must(t, err)
	CheckLinks(t, file)
	var script strings.Builder
	var got Blocks
	for _, b := range blocks(string(text)) {
		shell(t, b.script)
		switch targets := makeTargets(b.script); {
		case b.cluster:
			got.Cluster++
			s.try(t, b.script)
		case len(targets) > 0:
			got.Make++
			checkTargets(t, filepath.Join(filepath.Dir(file), "Makefile"), targets)
		default:
			got.Run++
			script.WriteString(b.script)
		}
	}
	if got != want {
		t.Errorf("%s has %+v, want %+v", file, got, want)
	}
	return s.Must(t, script.String())
}

// Commands counts the lines to type in the blocks below a heading of the second
// level.
func Commands(t testing.TB, file, heading string) int {
	t.Helper()
	text, err := os.ReadFile(file)
	must(t, err)
	_, section, _ := strings.Cut(string(text), "\n## "+heading+"\n")
	section, _, _ = strings.Cut(section, "\n## ")
	n := 0
	for _, b := range blocks(section) {
		n += strings.Count(b.script, "\n")
	}
	return n
}

// makeTargets returns the targets of a script that does nothing but make them,
// else nil.
func makeTargets(script string) []string {
	var targets []string
	for line := range strings.Lines(script) {
		command, _, _ := strings.Cut(line, "#")
		words := strings.Fields(command)
		if len(words) != 2 || words[0] != "make" {
			return nil
		}
		targets = append(targets, words[1])
	}
	return targets
}

// checkTargets checks that a Makefile has the targets.
func checkTargets(t testing.TB, makefile string, targets []string) {
	t.Helper()
	text, err := os.ReadFile(makefile)
	must(t, err)
	for _, target := range targets {
		if !strings.Contains("\n"+string(text), "\n"+target+":") {
			t.Errorf("%s has no target %s", makefile, target)
		}
	}
}

// Block returns the commands of the only block for elsewhere whose introduction
// begins with start, for a test that has what they need, or nearly.
func Block(t testing.TB, start string) string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	must(t, err)
	var found []string
	for _, b := range blocks(string(text)) {
		if b.cluster && strings.HasPrefix(b.introduction, start) {
			found = append(found, b.script)
		}
	}
	if len(found) != 1 {
		t.Fatalf("README.md has %d blocks %q", len(found), start)
	}
	return found[0]
}

// blocks returns the blocks of a Markdown text that are marked as sh.
func blocks(text string) []block {
	var found []block
	var introduction string
	var open *block
	for line := range strings.Lines(text) {
		switch trimmed := strings.TrimSpace(line); {
		case open != nil && trimmed == "```":
			found, open = append(found, *open), nil
			introduction = ""
		case open != nil:
			open.script += line
		case trimmed == "```sh":
			open = &block{introduction: introduction, cluster: isElsewhere(introduction)}
		case trimmed != "":
			introduction = trimmed
		}
	}
	return found
}

func isElsewhere(introduction string) bool {
	for _, start := range elsewhere() {
		if strings.HasPrefix(introduction, start) && strings.HasSuffix(introduction, ":") {
			return true
		}
	}
	return false
}

// CheckLinks checks that the relative links of a Markdown file lead to files and
// headings that are there.
func CheckLinks(t testing.TB, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	must(t, err)
	for _, m := range regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(string(text), -1) {
		u, err := url.Parse(m[1])
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if u.Scheme != "" {
			continue
		}
		target := file
		if u.Path != "" {
			target = filepath.Join(filepath.Dir(file), filepath.FromSlash(u.Path))
		}
		switch {
		case !isThere(target):
			t.Errorf("%s: link to %s: there is no such file", file, m[1])
		case u.Fragment != "" && !hasHeading(t, target, u.Fragment):
			t.Errorf("%s: link to %s: there is no such heading", file, m[1])
		}
	}
}

// hasHeading reports whether a heading of a Markdown file has an anchor, by the
// rules of GitHub: small letters, no punctuation, - for a space.
func hasHeading(t testing.TB, file, anchor string) bool {
	t.Helper()
	text, err := os.ReadFile(file)
	must(t, err)
	for _, m := range regexp.MustCompile("(?m)^#+ (.+)$").FindAllStringSubmatch(string(text), -1) {
		plain := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		if strings.ReplaceAll(plain, " ", "-") == anchor {
			return true
		}
	}
	return false
}

// forms are the ways in which a value can stand in a file.
func forms(value string) []string {
	return []string{value, base64.StdEncoding.EncodeToString([]byte(value))}
}
