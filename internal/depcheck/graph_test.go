// SPDX-License-Identifier: Apache-2.0

package depcheck

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// root is the folder of the module: a test runs in its package's folder.
var root = filepath.Join("..", "..")

// pkg is what `go list -json` says of a package.
type pkg struct {
	ImportPath string
	Imports    []string          // of non-test files
	ImportMap  map[string]string // path in the source to path in the graph, where they differ
	Standard   bool
}

// graph is every package of the module with all that it links, tests left out.
type graph struct {
	byPath map[string]*pkg
}

func newGraph(pkgs []*pkg) *graph {
	g := &graph{byPath: map[string]*pkg{}}
	for _, p := range pkgs {
		for i, imported := range p.Imports {
			if mapped, ok := p.ImportMap[imported]; ok {
				p.Imports[i] = mapped
			}
		}
		g.byPath[p.ImportPath] = p
	}
	return g
}

// load runs `go list` once for all tests.
func load(t *testing.T) *graph {
	t.Helper()
	g, err := loadOnce()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

var loadOnce = sync.OnceValues(func() (*graph, error) {
	if err := readSources(); err != nil {
		return nil, err
	}
	out, err := goCommand("list", "-deps", "-json=ImportPath,Imports,ImportMap,Standard", "./...")
	if err != nil {
		return nil, err
	}
	var pkgs []*pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		p := &pkg{}
		if err := dec.Decode(p); errors.Is(err, io.EOF) {
			return newGraph(pkgs), nil
		} else if err != nil {
			return nil, err
		}
		pkgs = append(pkgs, p)
	}
})

// readSources opens what `go list` depends on. The go command caches a test's
// result until a file changes that the test itself opened; it doesn't see what
// a child process reads, and would go on reporting the result of old imports.
func readSources() error {
	return filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		switch name := entry.Name(); {
		case entry.IsDir() && file != root && (name == "testdata" || strings.HasPrefix(name, ".")):
			return fs.SkipDir
		case strings.HasSuffix(name, ".go"), name == "go.mod", name == "go.sum":
			_, err := os.ReadFile(file)
			return err
		}
		return nil
	})
}

func goCommand(args ...string) ([]byte, error) {
	var stderr bytes.Buffer
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Stderr = root, &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, errors.New("go " + strings.Join(args, " ") + ": " + err.Error() + "\n" + stderr.String())
	}
	return out, nil
}

// own returns the packages of this module, sorted.
func (g *graph) own() []*pkg {
	var own []*pkg
	for _, p := range g.byPath {
		if isOwn(p.ImportPath) {
			own = append(own, p)
		}
	}
	slices.SortFunc(own, func(a, b *pkg) int { return strings.Compare(a.ImportPath, b.ImportPath) })
	return own
}

// chain returns the shortest chain of imports from a package to one that
// banned accepts, nil if there is none.
func (g *graph) chain(from string, banned func(string) bool) []string {
	importer := map[string]string{from: ""}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		if banned(at) {
			return trail(importer, at)
		}
		if p := g.byPath[at]; p != nil {
			for _, imported := range p.Imports {
				if _, seen := importer[imported]; !seen {
					importer[imported] = at
					queue = append(queue, imported)
				}
			}
		}
	}
	return nil
}

func trail(importer map[string]string, to string) []string {
	var chain []string
	for at := to; at != ""; at = importer[at] {
		chain = append(chain, at)
	}
	slices.Reverse(chain)
	return chain
}

// known returns a function that tells whether a banned path (or pattern) names
// something: a package that is linked, one of the standard library or of this
// module, or one in a module of the module graph.
func (g *graph) known(t *testing.T) func(string) bool {
	t.Helper()
	std, err := goCommand("list", "std")
	if err != nil {
		t.Fatal(err)
	}
	mods, err := goCommand("list", "-m", "-f", "{{.Path}}", "all")
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(std))
	for p := range g.byPath {
		packages = append(packages, p)
	}
	modules := strings.Fields(string(mods))
	return func(pattern string) bool {
		if slices.ContainsFunc(packages, func(p string) bool { return match(pattern, p) }) {
			return true
		}
		base := strings.TrimSuffix(pattern, "/...")
		return slices.ContainsFunc(modules, func(m string) bool {
			// k8s.io/... is known by k8s.io/api; sops/v3/stores/... only by a
			// package of that path, below.
			return m != module && (match(pattern, m) || match(m+"/...", base) && listed(base))
		})
	}
}

// listed tells whether the go command can find a package, or one below it.
func listed(base string) bool {
	out, err := goCommand("list", "-find", base+"/...") // its own imports need not be there
	return err == nil && len(bytes.TrimSpace(out)) > 0
}

// rowOf returns the first row that matches a package, nil if there is none.
func rowOf(importPath string) *row {
	for i := range rows {
		if match(rows[i].packages, relative(importPath)) {
			return &rows[i]
		}
	}
	return nil
}

func isOwn(importPath string) bool { return match(module+"/...", importPath) }

// relative strips the module's path; the package at the root is ".".
func relative(importPath string) string {
	if importPath == module {
		return "."
	}
	return strings.TrimPrefix(importPath, module+"/")
}

// match tells whether an import path matches a pattern: "x" is x alone,
// "x/..." is x and all below, "x/*" is one element below x.
func match(pattern, importPath string) bool {
	if pattern == "..." {
		return true
	}
	if base, ok := strings.CutSuffix(pattern, "/..."); ok {
		return importPath == base || strings.HasPrefix(importPath, base+"/")
	}
	if base, ok := strings.CutSuffix(pattern, "/*"); ok {
		return path.Dir(importPath) == base
	}
	return importPath == pattern
}

func matchAny(patterns []string, importPath string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return match(p, importPath) })
}
