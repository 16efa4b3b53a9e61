// SPDX-License-Identifier: Apache-2.0

package bitnami

import (
	"fmt"
	"strconv"
	"strings"
	"text/template/parse"
)

// Limits of the templates of one document, all together but for the sizes.
const (
	maxTemplateBytes = 1 << 20  // text of one template
	maxActions       = 5000     // "{{" in one template: the parser takes a stack frame for each that nests
	maxNesting       = 200      // of nodes: two for each statement and parenthesis
	maxSteps         = 200_000  // nodes evaluated
	maxWork          = 64 << 20 // bytes that functions take and return
	maxValueBytes    = 4 << 20  // one value on the way
	maxOutputBytes   = 1 << 20  // what one template renders, the limit of a whole Secret
	maxListItems     = 20_000   // of one list
)

// limits is what is left of the limits that grow with work.
type limits struct {
	steps int
	bytes int
}

func (l *limits) step() error {
	if l.steps--; l.steps < 0 {
		return refusal{reason: "takes too many steps", unsupported: true}
	}
	return nil
}

func (l *limits) charge(bytes int) error {
	if bytes > maxValueBytes {
		return refusal{reason: "makes a value that is too long", unsupported: true}
	}
	if l.bytes -= bytes; l.bytes < 0 {
		return refusal{reason: "takes too much work", unsupported: true}
	}
	return nil
}

// refusal is why a template can't be rendered. It becomes a TemplateError.
type refusal struct {
	at          parse.Node // nil if unknown
	function    string
	reason      string
	unsupported bool
}

func (r refusal) Error() string { return r.reason }

// failed is for what Sealed Secrets refuses too.
func failed(format string, args ...any) error { return refusal{reason: fmt.Sprintf(format, args...)} }

// unsupported is for what may work in Sealed Secrets.
func unsupported(format string, args ...any) error {
	return refusal{reason: fmt.Sprintf(format, args...), unsupported: true}
}

// locate fills in what an error does not say yet.
func locate(err error, at parse.Node, function string) error {
	r, ok := err.(refusal)
	if !ok {
		return err
	}
	if r.at == nil {
		r.at = at
	}
	if r.function == "" {
		r.function = function
	}
	return r
}

// renderTemplate renders one item of spec.template.data. dynamic says that it
// has actions, so that it is more than plain text. The error is a
// *TemplateError.
func renderTemplate(key, text string, context map[string]string, l *limits) (out string, dynamic bool, err error) {
	out, dynamic, err = render(text, context, l)
	if err == nil {
		return out, dynamic, nil
	}
	e := &TemplateError{Key: key, Reason: "can't be rendered"}
	if r, ok := err.(refusal); ok {
		e.Reason, e.Function, e.Unsupported = r.reason, r.function, r.unsupported
		if r.at != nil {
			e.Line = 1 + strings.Count(text[:min(int(r.at.Position()), len(text))], "\n")
		}
	}
	if p, ok := err.(parseError); ok {
		e.Reason, e.Line = "does not parse", int(p)
	}
	return "", false, e
}

func render(text string, context map[string]string, l *limits) (string, bool, error) {
	if len(text) > maxTemplateBytes || strings.Count(text, "{{") > maxActions {
		return "", false, unsupported("is too long")
	}
	root, err := parseTemplate(text)
	if err != nil {
		return "", false, err
	}
	if err := checkFunctions(root, 0); err != nil {
		return "", false, err
	}
	e := &evaluation{limits: l, vars: []variable{{"$", context}}}
	if _, err := e.walk(context, root); err != nil {
		return "", false, err
	}
	return e.out.String(), strings.Contains(text, "{{"), nil
}

// parseError is the line on which parsing failed, 0 if unknown. The parser's
// text quotes the template.
type parseError int

func (p parseError) Error() string { return "does not parse" }

func parseTemplate(text string) (*parse.ListNode, error) {
	const name = "t"
	tree := parse.New(name)
	tree.Mode = parse.SkipFuncCheck // checkFunctions names them all, with better words
	trees := map[string]*parse.Tree{}
	if _, err := tree.Parse(text, "", "", trees); err != nil {
		return nil, parseErrorOf(err, name)
	}
	if len(trees) > 1 || trees[name] != tree {
		return nil, unsupported("defines a template of its own, which is not supported")
	}
	return tree.Root, nil
}

// parseErrorOf takes the line out of "template: NAME:LINE: ...".
func parseErrorOf(err error, name string) parseError {
	rest, ok := strings.CutPrefix(err.Error(), "template: "+name+":")
	if !ok {
		return 0
	}
	number, _, _ := strings.Cut(rest, ":")
	line, err := strconv.Atoi(number)
	if err != nil {
		return 0
	}
	return parseError(line)
}

// checkFunctions refuses whatever the evaluation doesn't know, also in branches
// that are not taken.
func checkFunctions(n parse.Node, depth int) error {
	if list, ok := n.(*parse.ListNode); ok && list == nil {
		return nil
	}
	if depth > maxNesting {
		return refusal{at: n, reason: "is nested too deeply", unsupported: true}
	}
	children, err := childrenOf(n)
	if err != nil {
		return locate(err, n, "")
	}
	for _, child := range children {
		if err := checkFunctions(child, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func childrenOf(n parse.Node) ([]parse.Node, error) {
	switch n := n.(type) {
	case *parse.ListNode:
		return n.Nodes, nil
	case *parse.ActionNode:
		return []parse.Node{n.Pipe}, nil
	case *parse.IfNode:
		return []parse.Node{n.Pipe, n.List, n.ElseList}, nil
	case *parse.WithNode:
		return []parse.Node{n.Pipe, n.List, n.ElseList}, nil
	case *parse.RangeNode:
		return []parse.Node{n.Pipe, n.List, n.ElseList}, nil
	case *parse.PipeNode:
		children := make([]parse.Node, len(n.Cmds))
		for i, cmd := range n.Cmds {
			children[i] = cmd
		}
		return children, nil
	case *parse.CommandNode:
		return n.Args, nil
	case *parse.ChainNode:
		return []parse.Node{n.Node}, nil
	case *parse.IdentifierNode:
		if _, ok := functions()[n.Ident]; !ok && n.Ident != "and" && n.Ident != "or" {
			return nil, refusal{function: n.Ident, reason: "is not supported", unsupported: true}
		}
		return nil, nil
	case *parse.TemplateNode:
		return nil, refusal{function: "template", reason: "is not supported", unsupported: true}
	}
	return nil, nil
}
