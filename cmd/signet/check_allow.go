// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/tree"
	"github.com/signet-secrets/signet/seal/manifest"
)

// allowance says, in a comment of a file, that what a rule finds there is
// accepted.
type allowance struct {
	line   int
	rule   rule
	reason string // "" is none, and accepts nothing
}

// near is how many lines an allowance may be from the line of a finding: it
// stands above an object, or on one of its first lines.
const near = 4

var allowComment = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?:#|/\*|<!--)[ \t]*signet:allow[ \t]+([a-z,-]+)(?:[ \t]+([^\s*-].*?))??[ \t]*(?:\*/.*|-->.*)?\r?$`)
})

// allowances returns those of a file, also those without a reason.
func allowances(text []byte) []allowance {
	if !bytes.Contains(text, []byte("signet:allow")) {
		return nil
	}
	var all []allowance
	number := 0
	for line := range bytes.Lines(text) {
		number++
		found := allowComment().FindSubmatch(bytes.TrimRight(line, "\n"))
		if found == nil {
			continue
		}
		for name := range strings.SplitSeq(string(found[1]), ",") {
			all = append(all, allowance{number, rule(name), string(found[2])})
		}
	}
	return all
}

// allow marks what a comment near it accepts. What has no line is accepted by a
// comment at the top of the file.
func allow(all []finding, by []allowance) {
	for i := range all {
		unexplained := 0
		for _, a := range by {
			if a.rule != all[i].Rule || abs(a.line-max(all[i].Line, 1)) > near {
				continue
			}
			if unexplained = a.line; a.reason != "" {
				all[i].suppressed = a.reason
				break
			}
		}
		if unexplained > 0 && all[i].suppressed == "" {
			all[i].Message += fmt.Sprintf("; the comment signet:allow on line %d gives no reason, and so does not count", unexplained)
		}
	}
}

func abs(n int) int { return max(n, -n) }

// allowFile is where a repository says what check is to accept.
const allowFile = ".signet/check.yaml"

// skip is one entry of the allowFile.
type skip struct {
	rule    rule
	pattern string // of path.Match, for the file or a directory that it is in
	reason  string
}

// readSkips reads the allowFile below a directory. An entry without a reason is
// an error.
func readSkips(src source, root string) ([]skip, error) {
	at := filepath.Join(root, filepath.FromSlash(allowFile))
	text, err := src.read(at)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	fail := func(err error) ([]skip, error) {
		return nil, &report.PlacedError{File: report.ShortPath(at), Operation: "read", Err: tree.Cause(err)}
	}
	if err != nil {
		return fail(err)
	}
	n, err := manifest.Parse(text)
	switch {
	case err != nil:
		return fail(err)
	case n == nil:
		return nil, nil
	}
	list, err := manifest.List(manifest.Root(n), "", "skip")
	if err != nil {
		return fail(err)
	}
	var all []skip
	for i, entry := range list {
		s := skip{rule(manifest.GetString(entry, "rule")), manifest.GetString(entry, "path"), manifest.GetString(entry, "reason")}
		_, bad := path.Match(s.pattern, "")
		switch {
		case !slices.Contains(ruleNames(), string(s.rule)):
			return fail(fmt.Errorf("skip[%d].rule: there is no such rule", i))
		case s.pattern == "" || bad != nil:
			return fail(fmt.Errorf("skip[%d].path: a path or a pattern is expected", i))
		case strings.TrimSpace(s.reason) == "":
			return fail(fmt.Errorf("skip[%d].reason: a reason is expected", i))
		}
		all = append(all, s)
	}
	return all, nil
}

// matches reports whether an entry is about a file, or a directory that it is in.
func (s skip) matches(rel string) bool {
	for name := filepath.ToSlash(rel); name != "." && name != "/" && name != ""; name = path.Dir(name) {
		if ok, _ := path.Match(strings.TrimSuffix(s.pattern, "/"), name); ok {
			return true
		}
	}
	return false
}
