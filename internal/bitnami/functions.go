// SPDX-License-Identifier: Apache-2.0

package bitnami

import (
	"fmt"
	"maps"
	"sync"
)

// function is one of text/template (funcs.go) or of sprig 3.3.0, which Sealed
// Secrets 0.40.0 links. Types of arguments are checked as strictly as there.
type function struct {
	min, max int // arguments; max -1 is any number
	cheap    bool
	call     func(args []any) (any, error)
}

// arity says how many arguments it takes.
func (f function) arity() string {
	switch {
	case f.max < 0:
		return fmt.Sprintf("%d arguments or more", f.min)
	case f.max == f.min:
		return fmt.Sprintf("%d arguments", f.min)
	}
	return fmt.Sprintf("%d to %d arguments", f.min, f.max)
}

// functions are those that the evaluation knows, apart from and and or.
var functions = sync.OnceValue(func() map[string]function {
	all := map[string]function{}
	for _, some := range []map[string]function{builtins(), texting(), encodings(), lists(), choices()} {
		maps.Copy(all, some)
	}
	return all
})

// These make a function of one that takes strings, or a number and a string.

func ofText(f func(string) (any, error)) function {
	return function{min: 1, max: 1, call: func(args []any) (any, error) {
		s, err := textArg(args, 0)
		if err != nil {
			return nil, err
		}
		return f(s)
	}}
}

func ofPure(f func(string) string) function {
	return ofText(func(s string) (any, error) { return f(s), nil })
}

func ofTexts(f func(a, b string) any) function {
	return function{min: 2, max: 2, call: func(args []any) (any, error) {
		a, err := textArg(args, 0)
		if err != nil {
			return nil, err
		}
		b, err := textArg(args, 1)
		if err != nil {
			return nil, err
		}
		return f(a, b), nil
	}}
}

func ofNumber(f func(n int, s string) (any, error)) function {
	return function{min: 2, max: 2, call: func(args []any) (any, error) {
		n, err := numberArg(args, 0)
		if err != nil {
			return nil, err
		}
		s, err := textArg(args, 1)
		if err != nil {
			return nil, err
		}
		return f(n, s)
	}}
}

// ofAny is for functions that take any values, whose order of magnitude of the
// result is up to grows times that of its arguments.
func ofAny(atLeast, grows int, f func(args []any) string) function {
	return function{min: atLeast, max: -1, call: func(args []any) (any, error) {
		total := 0
		for _, arg := range args {
			total += size(arg)
		}
		if err := fits(total * grows); err != nil {
			return nil, err
		}
		return f(args), nil
	}}
}

func textArg(args []any, i int) (string, error) {
	if s, ok := args[i].(string); ok {
		return s, nil
	}
	return "", failed("has %s as argument %d, which must be a string", kindOf(args[i]), i+1)
}

func numberArg(args []any, i int) (int, error) {
	switch n := args[i].(type) {
	case int:
		return n, nil
	case float64: // text/template takes the constant 3.0 for a 3 here
		return 0, unsupported("has a number with a point as argument %d", i+1)
	}
	return 0, failed("has %s as argument %d, which must be a number", kindOf(args[i]), i+1)
}

// maxGrownBytes is what a function may make on the way, before its result is
// judged: twice a value in the worst notation.
const maxGrownBytes = 4 * maxValueBytes

// fits judges the length of a result before it is made.
func fits(bytes int) error {
	if bytes < 0 || bytes > maxGrownBytes {
		return unsupported("makes a value that is too long")
	}
	return nil
}
