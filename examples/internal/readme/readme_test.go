// SPDX-License-Identifier: Apache-2.0

package readme

import (
	"os"
	"path/filepath"
	"regexp"
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

// The pages that lead to the examples, and those that they lead to.
func TestLinks(t *testing.T) {
	for _, page := range []string{"README.md", "kustomize-plugin/README.md", "kustomize-plugin/argocd/README.md", "examples/02-aws-kms/README.md", "docs/commands.md", "docs/migrate.md", "docs/operations.md"} {
		t.Run(page, func(t *testing.T) { CheckLinks(t, filepath.Join("..", "..", "..", filepath.FromSlash(page))) })
	}
}

// The front page names the commands that there are, and no others.
func TestTableOfCommands(t *testing.T) {
	s := Start(t, "signet", "signet-kustomize")
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	there, named := map[string]bool{}, map[string]bool{}
	_, commands, _ := strings.Cut(s.Must(t, "signet --help"), "\nSet up:\n")
	commands, _, _ = strings.Cut(commands, "\nFlags:\n")
	for _, m := range regexp.MustCompile("(?m)^  ([a-z-]+) ").FindAllStringSubmatch(commands, -1) {
		there[m[1]] = true
	}
	delete(there, "help")
	for _, m := range regexp.MustCompile("(?m)^\\| `signet ([a-z-]+)").FindAllStringSubmatch(string(text), -1) {
		named[m[1]] = true
	}
	if diff := cmp.Diff(there, named); diff != "" || len(there) == 0 {
		t.Errorf("README.md (-signet --help +README.md):\n%s", diff)
	}
	help := s.Must(t, "signet-kustomize help")
	for _, of := range []string{"signet-kustomize", "signet-kustomize install DIR"} {
		if !strings.Contains(help, "\n  "+of) || !strings.Contains(string(text), "\n| `"+of+"` |") {
			t.Errorf("%q is not both in README.md and in the help of the program", of)
		}
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
	directories, err := filepath.Glob(filepath.Join("..", "..", "[0-9]*"))
	if err != nil || len(directories) == 0 {
		t.Fatalf("%d examples, %v", len(directories), err)
	}
	for _, f := range directories {
		name := filepath.Base(f)
		if !isThere(filepath.Join(f, "README.md")) {
			continue // the test of the front page
		}
		if strings.Count(string(text), "| ["+name+"]("+name+") |") != 1 {
			t.Errorf("the table of examples/README.md has no line for %s", name)
		}
	}
}

// A command line that cannot run is still one that signet and kubectl know.
func TestTry(t *testing.T) {
	s := Start(t, "signet")
	for _, script := range []string{
		"aws kms create-key --frobnicate && kubectl -n prod wait --for=condition=Ready sealedsecret/db --timeout=60s",
		"for f in prod/*.yaml; do signet unseal \"$f\" | signet seal - -o \"$f\"; done\ncd nowhere\nsignet unseal -- kustomize build --no-such .",
		"key=$(signet key create prod --kms arn) >> file",
	} {
		s.try(t, script)
	}
	for _, script := range []string{
		"signet seal --frobnicate -i secret.yaml", "aws x || true; echo $(signet sael -i secret.yaml)", "if signet key list; then kubectl apply --sever-side -f -; fi",
		"kubectl aply -f -", "signet unseal - --nope -- kustomize build .",
	} {
		fake := &record{TB: t}
		s.try(fake, script)
		if len(fake.errors) != 1 {
			t.Errorf("%d mistakes are seen in %s: %q", len(fake.errors), script, fake.errors)
		}
	}
}

// record is a test that keeps its errors.
type record struct {
	testing.TB
	errors []string
}

func (r *record) Errorf(format string, args ...any) { r.errors = append(r.errors, format) }

func TestMakeTargets(t *testing.T) {
	for script, want := range map[string][]string{
		"make test      # all\nmake verify\n": {"test", "verify"},
		"git clone x && cd x\nmake build\n":   nil,
		"make build && signet\n":              nil,
	} {
		if diff := cmp.Diff(want, makeTargets(script)); diff != "" {
			t.Errorf("%q: %s", script, diff)
		}
	}
	fake := &record{TB: t}
	checkTargets(fake, filepath.Join("..", "..", "..", "Makefile"), []string{"test", "verify", "frobnicate"})
	if len(fake.errors) != 1 {
		t.Errorf("%d targets are missing, want one", len(fake.errors))
	}
}
