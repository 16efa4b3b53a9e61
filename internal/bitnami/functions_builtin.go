// SPDX-License-Identifier: Apache-2.0

package bitnami

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// builtins are the functions of text/template, apart from and, or, html and
// urlquery.
func builtins() map[string]function {
	return map[string]function{
		"print":   ofAny(0, 2, func(args []any) string { return fmt.Sprint(args...) }),
		"println": ofAny(0, 2, func(args []any) string { return fmt.Sprintln(args...) }),
		"printf":  {min: 1, max: -1, call: printf},
		"index":   {min: 1, max: -1, cheap: true, call: index},
		"len":     {min: 1, max: 1, cheap: true, call: length},
		"not":     {min: 1, max: 1, cheap: true, call: func(args []any) (any, error) { return !truth(args[0]), nil }},
		"eq":      {min: 2, max: -1, call: equalAny},
		"ne": {min: 2, max: 2, call: func(args []any) (any, error) {
			same, err := equal(args[0], args[1])
			return !same, err
		}},
		"lt": comparison(func(c int) bool { return c < 0 }),
		"le": comparison(func(c int) bool { return c <= 0 }),
		"gt": comparison(func(c int) bool { return c > 0 }),
		"ge": comparison(func(c int) bool { return c >= 0 }),
	}
}

func comparison(holds func(c int) bool) function {
	return function{min: 2, max: 2, call: func(args []any) (any, error) {
		c, err := compared(args[0], args[1])
		return holds(c), err
	}}
}

func equalAny(args []any) (any, error) {
	for _, arg := range args[1:] {
		if same, err := equal(args[0], arg); same || err != nil {
			return same, err
		}
	}
	return false, nil
}

// formats are the verbs of printf that are supported: with flags, a width and a
// precision, both of up to three digits.
var formats = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`%(%|[-+# 0]*[0-9]{0,3}(\.[0-9]{0,3})?[sdvqxXt])`)
})

func printf(args []any) (any, error) {
	const maxWidth, worst = 1000, 10
	format, err := textArg(args, 0)
	if err != nil {
		return nil, err
	}
	if strings.Contains(formats().ReplaceAllLiteralString(format, ""), "%") {
		return nil, unsupported("has a verb that is not supported")
	}
	total := len(format) + maxWidth*strings.Count(format, "%")
	for _, arg := range args[1:] {
		total += worst * size(arg)
	}
	if err := fits(total); err != nil {
		return nil, err
	}
	return fmt.Sprintf(format, args[1:]...), nil
}

// index follows keys and numbers. A key that a mapping doesn't have is "".
func index(args []any) (any, error) {
	v := args[0]
	if v == nil {
		return nil, failed("has no value to look into")
	}
	for i := range args[1:] {
		var err error
		if v, err = indexOne(v, args, i+1); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func indexOne(v any, args []any, i int) (any, error) {
	if m, ok := v.(map[string]string); ok {
		key, err := textArg(args, i)
		return m[key], err
	}
	n, err := numberArg(args, i)
	if err != nil {
		return nil, err
	}
	switch list := v.(type) {
	case []string:
		if n >= 0 && n < len(list) {
			return list[n], nil
		}
	case []any:
		if n >= 0 && n < len(list) {
			return list[n], nil
		}
	default:
		return nil, unsupported("of %s is not supported", kindOf(v))
	}
	return nil, failed("is out of range")
}

func length(args []any) (any, error) {
	switch v := args[0].(type) {
	case string:
		return len(v), nil
	case []string:
		return len(v), nil
	case []any:
		return len(v), nil
	case map[string]string:
		return len(v), nil
	}
	return nil, failed("has %s, which has no length", kindOf(args[0]))
}
