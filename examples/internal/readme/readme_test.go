// SPDX-License-Identifier: Apache-2.0

package readme

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBlocks(t *testing.T) {
	text := strings.Join([]string{
		"# Title", "", "Do this:", "", "```sh", "one", "  two", "```", "", "```yaml", "a: b", "```", "",
		"On a cluster, with Flux:", "", "```sh", "kubectl", "```", "", "```sh", "three", "```", "On a cluster it is so.", "```sh", "four", "```", "",
	}, "\n")
	want := []block{
		{"Do this:", "one\n  two\n", false}, {"On a cluster, with Flux:", "kubectl\n", true},
		{"", "three\n", false}, {"On a cluster it is so.", "four\n", false},
	}
	if diff := cmp.Diff(want, blocks(text), cmp.AllowUnexported(block{})); diff != "" {
		t.Error(diff)
	}
}

// The table of examples has a line for every one.
func TestTableOfExamples(t *testing.T) {
	table := filepath.Join("..", "..", "README.md")
	text, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	CheckLinks(t, table)
	folders, err := filepath.Glob(filepath.Join("..", "..", "[0-9]*"))
	if err != nil || len(folders) == 0 {
		t.Fatalf("%d examples, %v", len(folders), err)
	}
	for _, f := range folders {
		name := filepath.Base(f)
		if strings.Count(string(text), "| ["+name+"]("+name+") |") != 1 {
			t.Errorf("the table of examples/README.md has no line for %s", name)
		}
	}
}
