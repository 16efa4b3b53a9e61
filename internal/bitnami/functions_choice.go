// SPDX-License-Identifier: Apache-2.0

package bitnami

import "strconv"

// choices are sprig's functions that pick a value (defaults.go), and atoi.
func choices() map[string]function {
	return map[string]function{
		"default": {min: 1, max: -1, cheap: true, call: func(args []any) (any, error) {
			if len(args) < 2 || !truth(args[1]) {
				return args[0], nil
			}
			return args[1], nil
		}},
		"empty": {min: 1, max: 1, cheap: true, call: func(args []any) (any, error) { return !truth(args[0]), nil }},
		"coalesce": {max: -1, cheap: true, call: func(args []any) (any, error) {
			for _, arg := range args {
				if truth(arg) {
					return arg, nil
				}
			}
			return nil, nil
		}},
		"ternary": {min: 3, max: 3, cheap: true, call: func(args []any) (any, error) {
			which, ok := args[2].(bool)
			switch {
			case !ok:
				return nil, failed("has %s as argument 3, which must be a boolean", kindOf(args[2]))
			case which:
				return args[0], nil
			}
			return args[1], nil
		}},
		"atoi": ofText(func(s string) (any, error) {
			n, _ := strconv.Atoi(s) // its value where it fails, too
			return n, nil
		}),
	}
}
