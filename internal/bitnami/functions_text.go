// SPDX-License-Identifier: Apache-2.0

package bitnami

import (
	"fmt"
	"strings"
)

// texting are sprig's functions of strings (strings.go and functions.go there).
func texting() map[string]function {
	return map[string]function{
		"trim":  ofPure(strings.TrimSpace),
		"upper": ofPure(strings.ToUpper),
		"lower": ofPure(strings.ToLower),
		//lint:ignore SA1019 it is what sprig does
		"title":      ofPure(strings.Title),
		"trimSuffix": ofTexts(func(suffix, s string) any { return strings.TrimSuffix(s, suffix) }),
		"trimPrefix": ofTexts(func(prefix, s string) any { return strings.TrimPrefix(s, prefix) }),
		"trimAll":    ofTexts(func(cutset, s string) any { return strings.Trim(s, cutset) }),
		"contains":   ofTexts(func(part, s string) any { return strings.Contains(s, part) }),
		"hasPrefix":  ofTexts(func(prefix, s string) any { return strings.HasPrefix(s, prefix) }),
		"hasSuffix":  ofTexts(func(suffix, s string) any { return strings.HasSuffix(s, suffix) }),
		"repeat":     ofNumber(repeat),
		"indent":     ofNumber(func(n int, s string) (any, error) { return indent("", n, s) }),
		"nindent":    ofNumber(func(n int, s string) (any, error) { return indent("\n", n, s) }),
		"trunc":      ofNumber(func(n int, s string) (any, error) { return trunc(n, s), nil }),
		"replace":    {min: 3, max: 3, call: replace},
		"substr":     {min: 3, max: 3, call: substring},
		"quote":      ofAny(0, 10, quote),
		"squote":     ofAny(0, 2, squote),
		"cat":        ofAny(0, 2, cat),
		"toString":   {min: 1, max: 1, call: func(args []any) (any, error) { return strval(args[0]), nil }},
	}
}

func repeat(n int, s string) (any, error) {
	if n < 0 {
		return nil, failed("has a negative number")
	}
	if len(s) > 0 && n > maxGrownBytes/len(s) {
		return nil, fits(-1)
	}
	return strings.Repeat(s, n), nil
}

func indent(before string, n int, s string) (any, error) {
	if n < 0 {
		return nil, failed("has a negative number")
	}
	lines := 1 + strings.Count(s, "\n")
	if n > maxGrownBytes/lines {
		return nil, fits(-1)
	}
	pad := strings.Repeat(" ", n)
	return before + pad + strings.ReplaceAll(s, "\n", "\n"+pad), nil
}

// trunc keeps the first bytes, or the last if n is negative.
func trunc(n int, s string) string {
	switch {
	case n < 0 && len(s)+n > 0:
		return s[len(s)+n:]
	case n >= 0 && len(s) > n:
		return s[:n]
	}
	return s
}

func replace(args []any) (any, error) {
	var s [3]string
	for i := range s {
		var err error
		if s[i], err = textArg(args, i); err != nil {
			return nil, err
		}
	}
	from, to, in := s[0], s[1], s[2]
	if len(to) > 0 && strings.Count(in, from) > maxGrownBytes/len(to) {
		return nil, fits(-1)
	}
	return strings.ReplaceAll(in, from, to), nil
}

// substring counts bytes. What is out of range makes sprig panic, which
// text/template makes an error.
func substring(args []any) (any, error) {
	start, err := numberArg(args, 0)
	if err != nil {
		return nil, err
	}
	end, err := numberArg(args, 1)
	if err != nil {
		return nil, err
	}
	s, err := textArg(args, 2)
	if err != nil {
		return nil, err
	}
	switch {
	case start < 0:
		start = 0
	case end < 0 || end > len(s):
		end = len(s)
	}
	if start > end || end < 0 || end > len(s) {
		return nil, failed("has numbers that are out of range")
	}
	return s[start:end], nil
}

func quote(args []any) string {
	var out []string
	for _, arg := range args {
		if arg != nil {
			out = append(out, fmt.Sprintf("%q", strval(arg)))
		}
	}
	return strings.Join(out, " ")
}

func squote(args []any) string {
	var out []string
	for _, arg := range args {
		if arg != nil {
			out = append(out, fmt.Sprintf("'%v'", arg))
		}
	}
	return strings.Join(out, " ")
}

func cat(args []any) string {
	var out []string
	for _, arg := range args {
		if arg != nil {
			out = append(out, fmt.Sprint(arg))
		}
	}
	return strings.Join(out, " ")
}
