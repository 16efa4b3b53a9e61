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
}

// elsewhere begin the lines that introduce a block which can't run in a test.
// Each is followed by anything up to a colon.
func elsewhere() []string { return []string{"On a cluster", "On AWS", "With Helm"} }

// block is a block of shell commands.
type block struct {
	introduction, script string
	cluster              bool
}

// Follow runs the commands of README.md in the working directory and returns
// what they print on stdout. It also checks the links of the README, and that it
// has as many blocks as want says.
func (s *Scratch) Follow(t testing.TB, want Blocks) string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	must(t, err)
	CheckLinks(t, "README.md")
	var script strings.Builder
	var got Blocks
	for _, b := range blocks(string(text)) {
		shell(t, b.script)
		if b.cluster {
			got.Cluster++
			continue
		}
		got.Run++
		script.WriteString(b.script)
	}
	if got != want {
		t.Errorf("README.md has %+v, want %+v", got, want)
	}
	return s.Must(t, script.String())
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

// CheckLinks checks that the relative links of a Markdown file lead somewhere.
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
		if u.Scheme != "" || u.Path == "" {
			continue
		}
		if _, err := os.Stat(filepath.Join(filepath.Dir(file), filepath.FromSlash(u.Path))); err != nil {
			t.Errorf("%s: link to %s: there is no such file", file, m[1])
		}
	}
}

// forms are the ways in which a value can stand in a file.
func forms(value string) []string {
	return []string{value, base64.StdEncoding.EncodeToString([]byte(value))}
}
