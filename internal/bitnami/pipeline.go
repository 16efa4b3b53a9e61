// SPDX-License-Identifier: Apache-2.0

package bitnami

import (
	"strings"
	"text/template/parse"
)

// missing is the last argument of a command that no other precedes.
type missing struct{}

func isMissing(v any) bool {
	_, ok := v.(missing)
	return ok
}

// pipe evaluates a pipeline and declares or sets its variables.
func (e *evaluation) pipe(dot any, n *parse.PipeNode) (any, error) {
	if n == nil {
		return nil, nil
	}
	var v any = missing{}
	for _, cmd := range n.Cmds {
		var err error
		if v, err = e.command(dot, cmd, v); err != nil {
			return nil, err
		}
	}
	for _, decl := range n.Decl {
		if !n.IsAssign {
			e.vars = append(e.vars, variable{decl.Ident[0], v})
			continue
		}
		if err := e.set(decl.Ident[0], v); err != nil {
			return nil, locate(err, decl, "")
		}
	}
	return v, nil
}

// command evaluates one part of a pipeline; last is the value of the part
// before it.
func (e *evaluation) command(dot any, cmd *parse.CommandNode, last any) (any, error) {
	if err := e.limits.step(); err != nil {
		return nil, locate(err, cmd, "")
	}
	first := cmd.Args[0]
	if f, ok := first.(*parse.IdentifierNode); ok {
		return e.call(dot, f, cmd.Args[1:], last)
	}
	if len(cmd.Args) > 1 || !isMissing(last) {
		return nil, locate(failed("gives an argument to what is no function"), cmd, "")
	}
	if _, ok := first.(*parse.NilNode); ok {
		return nil, locate(failed("has nil alone"), cmd, "")
	}
	return e.operand(dot, first)
}

// operand evaluates an argument, or a command that is no function.
func (e *evaluation) operand(dot any, n parse.Node) (any, error) {
	if err := e.limits.step(); err != nil {
		return nil, locate(err, n, "")
	}
	switch n := n.(type) {
	case *parse.DotNode:
		return dot, nil
	case *parse.NilNode:
		return nil, nil
	case *parse.StringNode:
		return n.Text, nil
	case *parse.BoolNode:
		return n.True, nil
	case *parse.NumberNode:
		v, err := number(n)
		return v, locate(err, n, "")
	case *parse.FieldNode:
		return field(dot, n.Ident, n)
	case *parse.VariableNode:
		v, err := e.variable(n.Ident[0])
		if err != nil {
			return nil, locate(err, n, "")
		}
		return field(v, n.Ident[1:], n)
	case *parse.ChainNode:
		v, err := e.operand(dot, n.Node)
		if err != nil {
			return nil, err
		}
		return field(v, n.Field, n)
	case *parse.PipeNode:
		return e.pipe(dot, n)
	case *parse.IdentifierNode:
		return e.call(dot, n, nil, missing{})
	}
	return nil, locate(unsupported("has an expression that is not supported"), n, "")
}

// number is a constant where any type may stand (exec.go: idealConstant).
func number(n *parse.NumberNode) (any, error) {
	hex := len(n.Text) > 2 && n.Text[0] == '0' && (n.Text[1] == 'x' || n.Text[1] == 'X') && !strings.ContainsAny(n.Text, "pP")
	switch {
	case n.IsComplex:
		return nil, unsupported("has a complex number")
	case n.IsFloat && !hex && n.Text[0] != '\'' && strings.ContainsAny(n.Text, ".eEpP"):
		return n.Float64, nil
	case n.IsInt:
		return int(n.Int64), nil
	}
	return nil, failed("has a number that is too large")
}

// field follows names: a map has values under them, and what is no value has
// none under any.
func field(v any, names []string, at parse.Node) (any, error) {
	for _, name := range names {
		switch m := v.(type) {
		case nil:
		case map[string]string:
			value, ok := m[name]
			if v = value; !ok {
				v = nil
			}
		default:
			return nil, locate(failed("asks for a field of %s", kindOf(v)), at, "")
		}
	}
	return v, nil
}

// call evaluates a function with its arguments, the last of which may come from
// the pipeline.
func (e *evaluation) call(dot any, f *parse.IdentifierNode, nodes []parse.Node, last any) (any, error) {
	if f.Ident == "and" || f.Ident == "or" {
		return e.logic(dot, f, nodes, last)
	}
	args := make([]any, 0, len(nodes)+1)
	for _, n := range nodes {
		v, err := e.operand(dot, n)
		if err != nil {
			return nil, err
		}
		args = append(args, v)
	}
	if !isMissing(last) {
		args = append(args, last)
	}
	fn := functions()[f.Ident]
	if len(args) < fn.min || fn.max >= 0 && len(args) > fn.max {
		return nil, locate(failed("takes %s, has %d", fn.arity(), len(args)), f, f.Ident)
	}
	v, err := e.apply(fn, args)
	return v, locate(err, f, f.Ident)
}

func (e *evaluation) apply(fn function, args []any) (any, error) {
	if !fn.cheap {
		total := 0
		for _, arg := range args {
			total += size(arg)
		}
		if err := e.limits.charge(total); err != nil {
			return nil, err
		}
	}
	v, err := fn.call(args)
	if err != nil || fn.cheap {
		return v, err
	}
	return v, e.limits.charge(size(v))
}

// logic is and and or, which stop at the first argument that decides.
func (e *evaluation) logic(dot any, f *parse.IdentifierNode, nodes []parse.Node, last any) (any, error) {
	if len(nodes) == 0 && isMissing(last) {
		return nil, locate(failed("has no arguments"), f, f.Ident)
	}
	var v any
	for _, n := range nodes {
		var err error
		if v, err = e.operand(dot, n); err != nil {
			return nil, err
		}
		if truth(v) == (f.Ident == "or") {
			return v, nil
		}
	}
	if !isMissing(last) {
		v = last
	}
	return v, nil
}
