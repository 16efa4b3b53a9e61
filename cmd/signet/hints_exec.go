// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"strings"

	"github.com/signet-secrets/signet/internal/report"
)

// execHint is about running programs.
func execHint(err error) string {
	e, ok := report.As[*execValueError](err)
	if !ok {
		return ""
	}
	switch {
	case errors.Is(err, errNoVariable):
		return "give it another name, and name all keys that are wanted: --only " + e.key + "=" + variableName(e.key) + "; or use --files"
	case errors.Is(err, errNotText):
		return "use --files, or choose other keys with --only"
	case errors.Is(err, errSteers):
		return "give it another name with --only " + e.key + "=NAME, or, if that is what you want, use --allow-override"
	case errors.Is(err, errSet):
		return "to replace it, name all keys that are wanted: --only " + e.key + "; or use --allow-override"
	case errors.Is(err, errNameTaken):
		return "choose one Secret with --name, or give each key a name of its own with --only KEY=NAME"
	case errors.Is(err, errNoFileName):
		return "give it another name: --only KEY=NAME"
	}
	return ""
}

// variableName makes the name of a variable of that of a key.
func variableName(key string) string {
	name := strings.Map(func(c rune) rune {
		if isVariable("_" + string(c)) {
			return c
		}
		return '_'
	}, strings.ToUpper(key))
	if !isVariable(name) {
		name = "_" + name
	}
	return name
}
