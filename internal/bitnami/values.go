// SPDX-License-Identifier: Apache-2.0

package bitnami

import "fmt"

// truth is what if and with go by (exec.go: isTrue). Sprig's empty is its
// opposite for the types that there are here.
func truth(v any) bool {
	switch v := v.(type) {
	case string:
		return v != ""
	case bool:
		return v
	case int:
		return v != 0
	case float64:
		return v != 0
	case []string:
		return len(v) > 0
	case []any:
		return len(v) > 0
	case map[string]string:
		return len(v) > 0
	}
	return false
}

// kindOf says what a value is, for errors.
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "no value"
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case int, float64:
		return "a number"
	case []string, []any:
		return "a list"
	}
	return "a mapping"
}

// size is roughly how many bytes a value takes.
func size(v any) int {
	const each = 16
	n := each
	switch v := v.(type) {
	case string:
		return len(v)
	case []string:
		for _, s := range v {
			n += each + len(s)
		}
	case []any:
		for _, item := range v {
			n += each + size(item)
		}
	case map[string]string:
		for key, value := range v {
			n += each + len(key) + len(value)
		}
	}
	return n
}

// strval is sprig's text of any value (strings.go).
func strval(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return fmt.Sprint(v)
}

// strings of a list, or of anything else as a list of one (sprig's strslice).
func texted(v any) []string {
	switch v := v.(type) {
	case nil:
		return nil
	case []string:
		return v
	case []any:
		list := make([]string, 0, len(v))
		for _, item := range v {
			if item != nil {
				list = append(list, strval(item))
			}
		}
		return list
	}
	return []string{strval(v)}
}

// compared is the order of two values, where text/template has one: -1, 0, 1.
func compared(a, b any) (int, error) {
	switch a := a.(type) {
	case string:
		if b, ok := b.(string); ok {
			return order(a, b), nil
		}
	case int:
		if b, ok := b.(int); ok {
			return order(a, b), nil
		}
	case float64:
		if b, ok := b.(float64); ok {
			return order(a, b), nil
		}
	}
	return 0, failed("compares %s with %s", kindOf(a), kindOf(b))
}

func order[T string | int | float64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// equal is text/template's eq of two values. Lists and mappings are left to it.
func equal(a, b any) (bool, error) {
	if a == nil || b == nil {
		return a == nil && b == nil, nil
	}
	if a, ok := a.(bool); ok {
		if b, ok := b.(bool); ok {
			return a == b, nil
		}
	}
	c, err := compared(a, b)
	return c == 0, err
}
