// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signet-secrets/signet/seal/keys"
)

const manual = "README.md"

// onlyEvents are the reasons that no condition has.
func onlyEvents() []Reason { return []Reason{Updated, Healed, Recreated, Adopted, Deleted} }

// TestManualHasEveryReason protects whoever looks a reason up: each has a row
// that says the same about Stalled as the code, and each of a condition a
// chapter that the row leads to.
func TestManualHasEveryReason(t *testing.T) {
	text := readDoc(t, manual)
	anchors := anchorsOf(text)
	for _, reason := range declaredReasons(t) {
		t.Run(string(reason), func(t *testing.T) {
			if slices.Contains(onlyEvents(), reason) {
				if !strings.Contains(text, "\n| Normal | `"+string(reason)+"` |") {
					t.Error("no row in the table of events")
				}
				return
			}
			anchor := strings.ToLower(string(reason))
			row := lineOf(text, "| [`"+string(reason)+"`](#"+anchor+") |")
			if row == "" {
				t.Fatal("no row in the table of reasons")
			}
			if got, want := strings.Contains(row, "| Stalled |"), reason.stalled(); got != want {
				t.Errorf("row says Stalled: %v, the code %v", got, want)
			}
			if !slices.Contains(anchors, anchor) {
				t.Error("no chapter")
			}
		})
	}
}

// TestManualHasEveryMetric holds the table of metrics against what is
// registered, both ways.
func TestManualHasEveryMetric(t *testing.T) {
	text := readDoc(t, manual)
	descs := make(chan *prometheus.Desc, 100)
	newMetrics(&keys.Counters{}).Describe(descs)
	close(descs)
	var names []string
	for d := range descs {
		found := regexp.MustCompile(`fqName: "([^"]+)"`).FindStringSubmatch(d.String())
		if found == nil {
			t.Fatalf("no name in %s", d)
		}
		names = append(names, found[1])
		if lineOf(text, "| `"+found[1]+"` |") == "" {
			t.Errorf("%s has no row", found[1])
		}
	}
	for _, row := range regexp.MustCompile("(?m)^\\| `(signet_[a-z_]+)` \\|").FindAllStringSubmatch(text, -1) {
		if !slices.Contains(names, row[1]) {
			t.Errorf("row of %s: there is no such metric", row[1])
		}
	}
}

// TestRunbooksExist follows the links of the alerts into the manual. A label in
// a link stands for any reason, of which the test above sees to the chapters.
func TestRunbooksExist(t *testing.T) {
	anchors := anchorsOf(readDoc(t, manual))
	links := 0
	err := filepath.WalkDir("config/monitoring", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text := readDoc(t, path)
		for _, found := range regexp.MustCompile(`runbook_url: *'?([^'\n]+)`).FindAllStringSubmatch(text, -1) {
			links++
			_, anchor, _ := strings.Cut(found[1], "/controller/README.md#")
			if anchor != "{{ $labels.reason | toLower }}" && !slices.Contains(anchors, anchor) {
				t.Errorf("%s: %s leads nowhere", path, found[1])
			}
		}
		for _, found := range regexp.MustCompile(`- alert: (\w+)`).FindAllStringSubmatch(text, -1) {
			if lineOf(readDoc(t, manual), "| `"+found[1]+"` |") == "" {
				t.Errorf("alert %s has no row", found[1])
			}
		}
		return nil
	})
	if err != nil || links == 0 {
		t.Fatalf("%d links, error %v", links, err)
	}
}

// TestLinksOfManual follows the links of the manual to its own chapters and to
// other files of the repository.
func TestLinksOfManual(t *testing.T) {
	text := readDoc(t, manual)
	links := regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(text, -1)
	if len(links) < 20 {
		t.Fatalf("found only %d links", len(links))
	}
	for _, link := range links {
		path, anchor, _ := strings.Cut(link[1], "#")
		if strings.Contains(path, "://") {
			continue
		}
		if path == "" {
			path = manual
		}
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%s: %v", link[1], err)
			continue
		}
		if anchor != "" && !slices.Contains(anchorsOf(readDoc(t, path)), anchor) {
			t.Errorf("%s: no such chapter", link[1])
		}
	}
}

// declaredReasons returns the values of all constants of type Reason.
func declaredReasons(t *testing.T) []Reason {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "reason.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var found []Reason
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if of, ok := spec.Type.(*ast.Ident); !ok || of.Name != "Reason" {
			return true
		}
		for _, v := range spec.Values {
			text, err := strconv.Unquote(v.(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, Reason(text))
		}
		return true
	})
	if len(found) < 20 {
		t.Fatalf("found only the reasons %q", found)
	}
	return found
}

// anchorsOf returns what GitHub makes of the headings of a Markdown text.
func anchorsOf(text string) []string {
	var anchors []string
	code := false
	for l := range strings.Lines(text) {
		if strings.HasPrefix(l, "```") {
			code = !code
		}
		if title := strings.TrimLeft(l, "#"); !code && title != l && strings.HasPrefix(title, " ") {
			anchors = append(anchors, strings.Map(slug, strings.ToLower(strings.TrimSpace(title))))
		}
	}
	return anchors
}

func slug(r rune) rune {
	switch {
	case r == ' ':
		return '-'
	case r == '-', r == '_', unicode.IsLetter(r), unicode.IsDigit(r):
		return r
	}
	return -1
}

// lineOf returns the line of a text that begins with start, "" if there is none.
func lineOf(text, start string) string {
	for l := range strings.Lines(text) {
		if strings.HasPrefix(l, start) {
			return l
		}
	}
	return ""
}

func readDoc(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
