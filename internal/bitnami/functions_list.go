// SPDX-License-Identifier: Apache-2.0

package bitnami

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// lists are sprig's functions of lists (strings.go, list.go).
func lists() map[string]function {
	return map[string]function{
		"splitList": {min: 2, max: 2, call: func(args []any) (any, error) { return splitArgs(args, -1) }},
		"split":     {min: 2, max: 2, call: split},
		"splitn":    {min: 3, max: 3, call: splitN},
		"join":      {min: 2, max: 2, call: join},
		"list":      {max: -1, call: list},
		"first":     {min: 1, max: 1, cheap: true, call: func(args []any) (any, error) { return end(args[0], false) }},
		"last":      {min: 1, max: 1, cheap: true, call: func(args []any) (any, error) { return end(args[0], true) }},
	}
}

// splitArgs splits the second text at the first, into n parts or all of them.
func splitArgs(args []any, n int) ([]string, error) {
	sep, err := textArg(args, 0)
	if err != nil {
		return nil, err
	}
	s, err := textArg(args, 1)
	if err != nil {
		return nil, err
	}
	parts := utf8.RuneCountInString(s)
	if sep != "" {
		parts = 1 + strings.Count(s, sep)
	}
	if parts > maxListItems && (n < 0 || n > maxListItems) {
		return nil, unsupported("makes a list that is too long")
	}
	return strings.SplitN(s, sep, n), nil
}

func split(args []any) (any, error) {
	parts, err := splitArgs(args, -1)
	if err != nil {
		return nil, err
	}
	return numbered(parts), nil
}

func splitN(args []any) (any, error) {
	n, err := numberArg(args, 1)
	if err != nil {
		return nil, err
	}
	parts, err := splitArgs([]any{args[0], args[2]}, n)
	if err != nil {
		return nil, err
	}
	return numbered(parts), nil
}

// numbered is what sprig has for a list in split: _0, _1, ...
func numbered(parts []string) map[string]string {
	m := make(map[string]string, len(parts))
	for i, part := range parts {
		m["_"+strconv.Itoa(i)] = part
	}
	return m
}

func join(args []any) (any, error) {
	sep, err := textArg(args, 0)
	if err != nil {
		return nil, err
	}
	items := texted(args[1])
	if len(sep) > 0 && len(items) > maxGrownBytes/len(sep) {
		return nil, fits(-1)
	}
	return strings.Join(items, sep), nil
}

// list refuses lists in lists, which could grow without bound, and what has no
// value.
func list(args []any) (any, error) {
	for _, arg := range args {
		switch arg.(type) {
		case string, bool, int, float64:
		default:
			return nil, unsupported("of %s is not supported", kindOf(arg))
		}
	}
	return args, nil
}

// end is the first or last item.
func end(v any, last bool) (any, error) {
	switch v := v.(type) {
	case []any:
		return endOf(v, last), nil
	case []string:
		return endOf(v, last), nil
	}
	return nil, failed("has %s where a list must be", kindOf(v))
}

// endOf is nil if there are no items.
func endOf[T any](all []T, last bool) any {
	switch {
	case len(all) == 0:
		return nil
	case last:
		return all[len(all)-1]
	}
	return all[0]
}
