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

// What no source file outside internal/ and tests may hold.
const (
	noInit   = "func init: importing a package must do nothing; build what is needed in a constructor"
	noRegexp = "package-level regular expression: every program that links the package pays for it at start; use sync.OnceValue"
)

func TestSourceRules(t *testing.T) {
	files, err := sourceFiles(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no source files found")
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

// sourceFiles returns the Go files of the module at dir whatever their build
// constraints, without tests, internal/ at the top, testdata and nested modules.
func sourceFiles(dir string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			if file != dir && skipped(dir, file) {
				return fs.SkipDir
			}
		case strings.HasSuffix(file, ".go") && !strings.HasSuffix(file, "_test.go"):
			files = append(files, file)
		}
		return nil
	})
	return files, err
}

func skipped(dir, folder string) bool {
	name := filepath.Base(folder)
	if name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
		return true
	}
	if folder == filepath.Join(dir, "internal") {
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
