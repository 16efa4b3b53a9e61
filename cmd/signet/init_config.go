// SPDX-License-Identifier: Apache-2.0

package main

import (
	"path"
	"strings"
)

// gitVariable is one of Git's, with the value that it should have.
type gitVariable struct{ name, value string }

// Git runs these through a shell, in every clone that has them, and replaces what
// begins with %. They hold nothing that may be gone in a later version.
const (
	textconvValue    = "signet textconv"
	mergeDriverValue = "signet merge-driver --marker-size %L --path=%P -- %O %A %B"
)

// initVariables are what a clone needs.
func initVariables(diff string) []gitVariable {
	textconv := textconvValue
	if diff == diffKeyless {
		textconv += " --keyless"
	}
	return []gitVariable{
		{"diff.signet.textconv", textconv},
		{"diff.signet.cachetextconv", "false"}, // it would write what is shown into the repository
		{"merge.signet.name", "values of sealed documents, one by one"},
		{"merge.signet.driver", mergeDriverValue},
		{"merge.signet.recursive", "binary"}, // the base of a base is no document
	}
}

// configSteps set what is not set in this clone. What is set to something else
// stays.
func configSteps(w *initWant, there *initState) []*initStep {
	var missing, other []string
	for _, v := range initVariables(w.diff) {
		value, ok := there.config[v.name]
		line := "git config " + v.name + " '" + v.value + "'"
		switch {
		case !ok:
			missing = append(missing, line)
		case !v.fits(value, w.diff):
			other = append(other, line)
		}
	}
	step := func(state stepState, lines []string) *initStep {
		return &initStep{Kind: kindConfig, Path: "Git configuration", State: state, Text: strings.Join(lines, "\n") + "\n"}
	}
	var steps []*initStep
	if missing != nil {
		steps = append(steps, step(stepLocal, missing))
	}
	if other != nil {
		s := step(stepConflict, other)
		s.conflict("these variables are set to something else; if signet may have them, run")
		steps = append(steps, s)
	}
	if steps == nil {
		steps = append(steps, step(stepDone, nil))
	}
	return steps
}

// fits reports whether a value does what is wanted.
func (v gitVariable) fits(value, diff string) bool {
	switch v.name {
	case "merge.signet.name":
		return true // only shown
	case "diff.signet.cachetextconv":
		switch strings.ToLower(value) {
		case "false", "no", "off", "0":
			return true
		}
		return false
	case "diff.signet.textconv":
		if diff == "" && sameCommand(value, textconvValue+" --keyless") {
			return true
		}
	}
	return value == v.value || sameCommand(value, v.value)
}

// sameCommand reports whether a value is the same command with another path to
// signet.
func sameCommand(value, want string) bool {
	name, args, _ := strings.Cut(value, " ")
	_, wanted, _ := strings.Cut(want, " ")
	return path.Base(name) == program && args == wanted
}
