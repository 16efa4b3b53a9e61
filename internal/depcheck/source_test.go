// SPDX-License-Identifier: Apache-2.0

package depcheck

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// What no source file that ships may hold.
const (
	noInit     = "func init: importing a package must do nothing; build what is needed in a constructor"
	noTemplate = "text/template: a call of a template keeps the linker from leaving out methods, and so makes programs larger; text/template/parse is fine"
	noRegexp   = "package-level regular expression: every program that links the package pays for it at start; use sync.OnceValue"
)

func TestSourceRules(t *testing.T) {
	graph := load(t)
	files, err := sourceFiles(root, func(name string) bool { return slices.Contains(daily, name) || graph.ships(name) })
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range slices.Concat([]string{"seal", "unseal", "kustomize-plugin", "controller", "cmd/signet"}, shared, daily) {
		folder = filepath.Join(root, filepath.FromSlash(folder))
		if !slices.ContainsFunc(files, func(file string) bool { return filepath.Dir(file) == folder }) {
			t.Errorf("no source file of %s is looked at", folder)
		}
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found, err := violations(file, src)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range found {
			t.Error(v)
		}
	}
}

// ships tells whether a package, relative to the module, is for others: all are
// but those in internal/ that no program links.
func (g *graph) ships(name string) bool {
	return !match("internal/...", name) || slices.ContainsFunc(g.own(), func(p *pkg) bool {
		return match("cmd/...", relative(p.ImportPath)) &&
			g.chain(p.ImportPath, func(linked string) bool { return linked == module+"/"+name }) != nil
	})
}

// sourceFiles returns the Go files of the packages that ship in the module at
// dir, whatever their build constraints, without tests, testdata and nested
// modules.
func sourceFiles(dir string, ships func(name string) bool) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			if file != dir && skipped(file) {
				return fs.SkipDir
			}
		case strings.HasSuffix(file, ".go") && !strings.HasSuffix(file, "_test.go"):
			name, err := filepath.Rel(dir, filepath.Dir(file))
			if err != nil {
				return err
			}
			if ships(filepath.ToSlash(name)) {
				files = append(files, file)
			}
		}
		return nil
	})
	return files, err
}

func skipped(folder string) bool {
	name := filepath.Base(folder)
	if name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
		return true
	}
	_, err := os.Stat(filepath.Join(folder, "go.mod"))
	return !errors.Is(err, fs.ErrNotExist)
}

func violations(file string, src []byte) ([]string, error) {
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, file, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var found []string
	report := func(at token.Pos, rule string) {
		found = append(found, fmt.Sprintf("%s: %s", fset.Position(at), rule))
	}
	for _, name := range []string{"text/template", "html/template"} {
		if importName(tree, name) != "" {
			report(tree.Name.Pos(), noTemplate)
		}
	}
	regexpName := importName(tree, "regexp")
	for _, decl := range tree.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil && d.Name.Name == "init" {
				report(d.Pos(), noInit)
			}
		case *ast.GenDecl:
			if d.Tok == token.VAR && regexpName != "" && compiles(d, regexpName) {
				report(d.Pos(), noRegexp)
			}
		}
	}
	return found, nil
}

// compiles tells whether a declaration calls a Compile function of regexp,
// other than in the body of a function that is only called later.
func compiles(decl ast.Node, regexpName string) bool {
	found := false
	ast.Inspect(decl, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.SelectorExpr:
			name, ok := n.X.(*ast.Ident)
			found = found || ok && name.Name == regexpName &&
				slices.Contains([]string{"Compile", "CompilePOSIX", "MustCompile", "MustCompilePOSIX"}, n.Sel.Name)
		}
		return !found
	})
	return found
}

// importName returns the name by which a file calls an imported package, "" if
// it doesn't import it.
func importName(tree *ast.File, importPath string) string {
	for _, spec := range tree.Imports {
		if got, err := strconv.Unquote(spec.Path.Value); err != nil || got != importPath {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return filepath.Base(importPath)
	}
	return ""
}

func TestShips(t *testing.T) {
	internal := []string{module + "/internal/shared", module + "/internal/below"}
	g := newGraph([]*pkg{
		{ImportPath: module + "/cmd/program", Imports: internal[:1]},
		{ImportPath: internal[0], Imports: internal[1:]},
		{ImportPath: internal[1]},
		{ImportPath: module + "/internal/equipment", Imports: internal},
		{ImportPath: module + "/internal/equipment/cmd", Imports: []string{module + "/internal/equipment"}},
		{ImportPath: module + "/library/internal/part"},
	})
	for name, want := range map[string]bool{
		"cmd/program": true, "library/internal/part": true, "not/in/the/graph": true,
		"internal/shared": true, "internal/below": true, "internal": false,
		"internal/equipment": false, "internal/equipment/cmd": false, "internal/not/in/the/graph": false,
	} {
		if got := g.ships(name); got != want {
			t.Errorf("ships(%q) = %v, want %v", name, got, want)
		}
	}
}

func TestSourceFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{
		"a.go", "a_test.go", "a_windows.go", "lib/b.go", "lib/testdata/c.go", "lib/_old/d.go", ".hidden/e.go",
		"nested/go.mod", "nested/f.go", "internal/shared/g.go", "internal/shared/h_test.go", "internal/equipment/i.go",
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	files, err := sourceFiles(dir, func(name string) bool { return name != "internal/equipment" })
	if err != nil {
		t.Fatal(err)
	}
	for i := range files {
		files[i] = filepath.ToSlash(strings.TrimPrefix(files[i], dir+string(filepath.Separator)))
	}
	want := []string{"a.go", "a_windows.go", "internal/shared/g.go", "lib/b.go"}
	if slices.Sort(files); !slices.Equal(files, want) {
		t.Errorf("sourceFiles = %q, want %q", files, want)
	}
}

func TestViolations(t *testing.T) {
	tests := []struct {
		name, src string
		want      string // the rule, "" if the source keeps all
	}{
		{"init", "package p\nfunc init() {}", noInit},
		{"method named init", "package p\ntype t struct{}\nfunc (t) init() {}", ""},
		{"regexp", "package p\nimport \"regexp\"\nvar r = regexp.MustCompile(`a`)", noRegexp},
		{"regexp renamed, in a table", "package p\nimport re \"regexp\"\nvar r = []any{re.MustCompile(`a`)}", noRegexp},
		{"regexp on first use", "package p\nimport (\"regexp\"; \"sync\")\nvar r = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`a`) })", ""},
		{"regexp in a function", "package p\nimport \"regexp\"\nfunc f() { regexp.MustCompile(`a`) }", ""},
		{"template", "package p\nimport \"text/template\"\nvar t template.Template", noTemplate},
		{"template renamed", "package p\nimport _ \"html/template\"", noTemplate},
		{"parser of templates", "package p\nimport \"text/template/parse\"\nvar t parse.Tree", ""},
		{"regexp as a type", "package p\nimport \"regexp\"\nvar r *regexp.Regexp", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			found, err := violations("p.go", []byte(test.src))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(found, "; "); got != "" != (test.want != "") || !strings.HasSuffix(got, test.want) {
				t.Errorf("violations = %q, want %q", got, test.want)
			}
		})
	}
}
