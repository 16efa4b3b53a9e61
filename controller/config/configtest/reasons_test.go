// SPDX-License-Identifier: Apache-2.0

package configtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"
)

// source is where the controller says which reasons it gives.
const source = "../../reason.go"

// declared is what the source says about reasons: the values of all constants of
// type Reason, and those that the method stalled returns true for. It is read
// and not imported, because the package would bring the controller's modules.
func declared(tb testing.TB) (reasons, stalled []string) {
	tb.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), source, nil, 0)
	if err != nil {
		tb.Fatal(err)
	}
	values := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ValueSpec:
			if t, ok := n.Type.(*ast.Ident); ok && t.Name == "Reason" {
				values[n.Names[0].Name] = literal(tb, n.Values[0])
				reasons = append(reasons, values[n.Names[0].Name])
			}
		case *ast.FuncDecl:
			if n.Name.Name == "stalled" {
				stalled = cases(n)
			}
		}
		return true
	})
	for i, name := range stalled {
		stalled[i] = values[name]
	}
	if len(reasons) < 10 || len(stalled) == 0 {
		tb.Fatalf("%s is not as this test expects: reasons %q, stalled %q", source, reasons, stalled)
	}
	return reasons, stalled
}

// cases returns the names that stand in the case clauses of a function.
func cases(f *ast.FuncDecl) []string {
	var names []string
	ast.Inspect(f, func(n ast.Node) bool {
		if c, ok := n.(*ast.CaseClause); ok {
			for _, e := range c.List {
				if ident, ok := e.(*ast.Ident); ok {
					names = append(names, ident.Name)
				}
			}
		}
		return true
	})
	return names
}

func literal(tb testing.TB, e ast.Expr) string {
	tb.Helper()
	lit, ok := e.(*ast.BasicLit)
	if !ok {
		tb.Fatalf("%s: a reason is no literal", source)
	}
	text, err := strconv.Unquote(lit.Value)
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

func TestEveryReasonHasARow(t *testing.T) {
	reasons, stalled := declared(t)
	for _, reason := range reasons {
		_, found := find(reason)
		if !found && !slices.Contains(eventReasons, reason) {
			t.Errorf("reason %s: add a row to outcomes, or the name to eventReasons if no condition has it", reason)
		}
	}
	for _, o := range outcomes {
		if !slices.Contains(reasons, o.reason) {
			t.Errorf("row %s: the controller has no such reason", o.reason)
		}
		if o.stalled != slices.Contains(stalled, o.reason) {
			t.Errorf("row %s: stalled is %v, in the controller it is not", o.reason, o.stalled)
		}
	}
}
