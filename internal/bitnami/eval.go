// SPDX-License-Identifier: Apache-2.0

package bitnami

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template/parse"
)

// evaluation renders one template, as text/template/exec.go does for the types
// that there can be: nil (no value), string, bool, int, float64, []string,
// []any without lists in it, and map[string]string.
type evaluation struct {
	limits *limits
	out    strings.Builder
	vars   []variable
}

type variable struct {
	name  string
	value any
}

// control is how a list of nodes ended.
type control int

const (
	proceed control = iota
	breakLoop
	continueLoop
)

func (e *evaluation) walk(dot any, n parse.Node) (control, error) {
	if err := e.limits.step(); err != nil {
		return proceed, locate(err, n, "")
	}
	switch n := n.(type) {
	case *parse.TextNode:
		return proceed, e.write(n, string(n.Text))
	case *parse.ActionNode:
		v, err := e.pipe(dot, n.Pipe)
		if err == nil && len(n.Pipe.Decl) == 0 {
			err = e.print(n, v)
		}
		return proceed, err
	case *parse.ListNode:
		return e.list(dot, n)
	case *parse.IfNode:
		return e.branch(dot, &n.BranchNode, false)
	case *parse.WithNode:
		return e.branch(dot, &n.BranchNode, true)
	case *parse.RangeNode:
		return proceed, e.loop(dot, n)
	case *parse.BreakNode:
		return breakLoop, nil
	case *parse.ContinueNode:
		return continueLoop, nil
	case *parse.CommentNode:
		return proceed, nil
	}
	return proceed, locate(unsupported("uses a statement that is not supported"), n, "")
}

func (e *evaluation) list(dot any, n *parse.ListNode) (control, error) {
	if n == nil {
		return proceed, nil
	}
	for _, node := range n.Nodes {
		if c, err := e.walk(dot, node); c != proceed || err != nil {
			return c, err
		}
	}
	return proceed, nil
}

func (e *evaluation) write(at parse.Node, s string) error {
	if e.out.Len()+len(s) > maxOutputBytes {
		return locate(unsupported("renders to more than %d bytes", maxOutputBytes), at, "")
	}
	if err := e.limits.charge(len(s)); err != nil {
		return locate(err, at, "")
	}
	e.out.WriteString(s)
	return nil
}

func (e *evaluation) print(at parse.Node, v any) error {
	if s, ok := v.(string); ok {
		return e.write(at, s)
	}
	if err := e.limits.charge(size(v)); err != nil {
		return locate(err, at, "")
	}
	return e.write(at, printable(v))
}

// branch is if and with.
func (e *evaluation) branch(dot any, n *parse.BranchNode, sets bool) (control, error) {
	defer e.pop(len(e.vars))
	v, err := e.pipe(dot, n.Pipe)
	switch {
	case err != nil:
		return proceed, err
	case !truth(v):
		return e.list(dot, n.ElseList)
	case sets:
		dot = v
	}
	return e.list(dot, n.List)
}

// pop forgets variables that were declared since there were n.
func (e *evaluation) pop(n int) { e.vars = e.vars[:n] }

func (e *evaluation) loop(dot any, n *parse.RangeNode) error {
	defer e.pop(len(e.vars))
	over, err := e.pipe(dot, n.Pipe)
	if err != nil {
		return err
	}
	count, at, err := elements(over)
	if err != nil {
		return locate(err, n, "range")
	}
	if _, ok := over.(int); ok && len(n.Pipe.Decl) > 1 {
		return locate(failed("over a number has one variable only"), n, "range")
	}
	for i := range count {
		index, element := at(i)
		c, err := e.iterate(n, index, element)
		if err != nil {
			return err
		}
		if c == breakLoop {
			return nil
		}
	}
	if count > 0 {
		return nil
	}
	_, err = e.list(dot, n.ElseList)
	return err
}

// iterate runs the body once. The loop's own variables are on top of e.vars,
// where the pipeline has put them.
func (e *evaluation) iterate(n *parse.RangeNode, index, element any) (control, error) {
	if err := e.limits.step(); err != nil {
		return proceed, locate(err, n, "range")
	}
	names := n.Pipe.Decl
	values := []any{element}
	if len(names) > 1 {
		values = []any{index, element}
	}
	for i, name := range names {
		if err := e.set(name.Ident[0], values[i]); err != nil {
			return proceed, locate(err, n, "range")
		}
	}
	defer e.pop(len(e.vars))
	return e.list(element, n.List)
}

// elements returns how many turns a range takes, and the index and element of
// each.
func elements(over any) (int, func(i int) (index, element any), error) {
	switch v := over.(type) {
	case nil:
		return 0, nil, nil
	case []string:
		return len(v), func(i int) (any, any) { return i, v[i] }, nil
	case []any:
		return len(v), func(i int) (any, any) { return i, v[i] }, nil
	case map[string]string:
		keys := slices.Sorted(maps.Keys(v))
		return len(keys), func(i int) (any, any) { return keys[i], v[keys[i]] }, nil
	case int:
		return max(v, 0), func(i int) (any, any) { return nil, i }, nil
	}
	return 0, nil, failed("can't go over %s", kindOf(over))
}

func (e *evaluation) set(name string, v any) error {
	for i := len(e.vars) - 1; i >= 0; i-- {
		if e.vars[i].name == name {
			e.vars[i].value = v
			return nil
		}
	}
	return failed("sets a variable that is not declared")
}

func (e *evaluation) variable(name string) (any, error) {
	for i := len(e.vars) - 1; i >= 0; i-- {
		if e.vars[i].name == name {
			return e.vars[i].value, nil
		}
	}
	return nil, failed("uses a variable that is not declared")
}

// printable is how an action shows a value.
func printable(v any) string {
	if v == nil {
		return "<no value>"
	}
	return fmt.Sprint(v)
}
