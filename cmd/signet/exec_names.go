// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// chosenKey is an item of --only.
type chosenKey struct{ key, name string }

func parseOnly(cmd *cobra.Command, lists []string) ([]chosenKey, error) {
	var all []chosenKey
	for _, list := range lists {
		for item := range strings.SplitSeq(list, ",") {
			key, name, named := strings.Cut(strings.TrimSpace(item), "=")
			if !sopsdoc.ValidDataKey(key) || named && !sopsdoc.ValidDataKey(name) {
				return nil, usagef(cmd, "--only holds KEY or KEY=NAME, with letters, digits, -, _ and . only")
			}
			all = append(all, chosenKey{key, name})
		}
	}
	return all, nil
}

// namedValue is a value under the name that the program gets it by.
type namedValue struct {
	placedValue
	name string
}

// Errors about values that cannot be given to a program.
var (
	errNoVariable = errors.New("is no name of a variable")
	errNoFileName = errors.New("is no name of a file")
	errNotText    = errors.New("is binary, which no variable can hold")
	errSteers     = errors.New("would change what programs do")
	errSet        = errors.New("is set already, to something else")
	errNameTaken  = errors.New("has the name of another value")
)

// execValueError says which value it is.
type execValueError struct {
	key, name string
	err       error
}

func (e *execValueError) Error() string {
	text := "key " + report.Visible(e.key)
	if e.name != e.key {
		text += " as " + report.Visible(e.name)
	}
	return fmt.Sprintf("%s: %v", text, e.err)
}

func (e *execValueError) Unwrap() error { return e.err }

// named gives each value its name. All that is wrong is told at once.
func (e *execCommand) named(values []placedValue, only []chosenKey) ([]namedValue, error) {
	var all []namedValue
	var errs []error
	for _, v := range values {
		for _, name := range namesFor(v.key, e.prefix, only) {
			n := namedValue{v, name}
			err := e.usable(n)
			if err == nil && len(only) == 0 && e.replaces(n) {
				err = errSet
			}
			if err == nil && slices.ContainsFunc(all, func(o namedValue) bool { return o.name == name }) {
				err = errNameTaken
			}
			if err != nil {
				errs = append(errs, v.of.wrap("run", &execValueError{v.key, name, err}))
			}
			all = append(all, n)
		}
	}
	for _, c := range only {
		if !slices.ContainsFunc(values, func(v placedValue) bool { return v.key == c.key }) {
			errs = append(errs, fmt.Errorf("--only: %w", &noKeyError{[]string{c.key}, keysOf(values)}))
		}
	}
	return all, errors.Join(errs...)
}

func namesFor(key, prefix string, only []chosenKey) []string {
	if len(only) == 0 {
		return []string{prefix + key}
	}
	var names []string
	for _, c := range only {
		switch {
		case c.key != key:
		case c.name != "":
			names = append(names, c.name)
		default:
			names = append(names, prefix+key)
		}
	}
	return names
}

func keysOf(values []placedValue) []string {
	var all []string
	for _, v := range values {
		all = append(all, v.key)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// usable checks that a program can be given a value under its name.
func (e *execCommand) usable(v namedValue) error {
	switch {
	case e.files && !sopsdoc.ValidDataKey(v.name):
		return errNoFileName
	case e.files:
		return nil
	case !isVariable(v.name):
		return errNoVariable
	case !isText(v.data):
		return errNotText
	case changesPrograms(v.name) && !e.allowOverride:
		return errSteers
	}
	return nil
}

// replaces reports whether a value would take the place of a variable that somebody
// has set to something else.
func (e *execCommand) replaces(v namedValue) bool {
	if e.files || e.pristine || e.allowOverride {
		return false
	}
	old, set := os.LookupEnv(v.name)
	return set && old != string(v.data)
}

func isVariable(name string) bool {
	for i, c := range []byte(name) {
		letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}
