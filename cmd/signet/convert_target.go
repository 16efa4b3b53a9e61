// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/report"
)

// Errors about where a result was to go.
var (
	errOverInput   = errors.New("is one of the inputs, which are never written to")
	errInsideInput = errors.New("is inside of a directory that is read, so that a second run would read it, too")
	errOverTarget  = errors.New("is where a result goes")
	errHoldsOther  = errors.New("is there already and holds something else")
	errOutsideDir  = errors.New("leads out of the directory of --out-dir, through a symbolic link that is there already")
)

// sameTargetError says that two results would go into one file.
type sameTargetError struct{ first, second string }

func (e *sameTargetError) Error() string {
	return fmt.Sprintf("would hold what is made of %s and of %s", report.Visible(e.first), report.Visible(e.second))
}

// files reads what the arguments name, and says where each result goes.
func (v *convertCommand) files(cmd *cobra.Command, args []string) ([]*conversion, error) {
	var all []*conversion
	var names []input
	for _, arg := range args {
		inputs, err := collect([]string{arg})
		if err != nil {
			return nil, err
		}
		for _, in := range inputs {
			one := &conversion{input: in, target: v.out}
			if v.outDir != "" {
				one.target = filepath.Join(v.outDir, relativeName(arg, in))
			}
			all, names = append(all, one), append(names, in)
		}
	}
	if err := v.checkFiles(cmd, names); err != nil {
		return nil, err
	}
	if err := v.checkTargets(all, args); err != nil {
		return nil, err
	}
	for _, one := range all {
		if err := one.read(v.in); err != nil {
			return nil, err
		}
	}
	return all, notEmpty(convertInputs(all), false)
}

func convertInputs(all []*conversion) []input {
	inputs := make([]input, len(all))
	for i, one := range all {
		inputs[i] = one.input
	}
	return inputs
}

// relativeName is the path of an input below the directory in which it was found, or
// the name of a file that was named.
func relativeName(arg string, in input) string {
	if rel, err := filepath.Rel(arg, in.name); in.walked && err == nil {
		return rel
	}
	return filepath.Base(in.name)
}

// checkFiles holds the arguments against the flags.
func (v *convertCommand) checkFiles(cmd *cobra.Command, inputs []input) error {
	stdin := 0
	for _, name := range v.fromKeys {
		if name == "-" {
			stdin++
		}
	}
	for _, in := range inputs {
		switch {
		case in.name == "-" && v.outDir != "":
			return usagef(cmd, "--out-dir needs files with names: use -o for stdin")
		case in.name == "-":
			stdin++
		case in.walked && v.outDir == "":
			return usagef(cmd, "name the directory for what is made of a directory with --out-dir")
		}
	}
	switch {
	case stdin > 1:
		return usagef(cmd, "stdin can be read only once")
	case v.toSOPS() && v.outDir == "" && len(inputs) > 1:
		return usagef(cmd, "sops opens a file only as a whole: name one file, or a directory for the results with --out-dir")
	}
	return noDuplicates(inputs)
}

// checkTargets makes sure that no result goes where an input is, or another
// result.
func (v *convertCommand) checkTargets(all []*conversion, args []string) error {
	inputs, targets := map[string]bool{}, map[string]string{}
	for _, one := range all {
		if one.name != "-" {
			inputs[realTarget(one.name)] = true
		}
	}
	if v.outDir != "" {
		for _, arg := range args {
			if info, err := os.Stat(arg); err == nil && info.IsDir() && liesBelow(realTarget(v.outDir), realTarget(arg)) {
				return writeError(v.outDir, errInsideInput)
			}
		}
	}
	for _, one := range all {
		if one.target == "" {
			continue
		}
		if info, err := os.Stat(one.target); err == nil && info.IsDir() {
			return writeError(one.target, errDirectory)
		}
		path := realTarget(one.target)
		if v.outDir != "" && !liesBelow(path, realTarget(v.outDir)) {
			return writeError(one.target, errOutsideDir)
		}
		if inputs[path] || isTheSame(one.target, one.name) {
			return writeError(one.target, errOverInput)
		}
		if first, twice := targets[path]; twice && v.outDir != "" {
			return writeError(one.target, &sameTargetError{first, one.name})
		}
		targets[path] = one.name
	}
	switch path := realTarget(v.reportFile); {
	case v.reportFile == "":
	case inputs[path]:
		return writeError(v.reportFile, errOverInput)
	case targets[path] != "":
		return writeError(v.reportFile, errOverTarget)
	}
	return nil
}

// realTarget is an absolute path without symbolic links. What does not exist yet
// stays as it is written.
func realTarget(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return filepath.Clean(path)
	}
	missing := ""
	for at := abs; ; at = filepath.Dir(at) {
		if real, err := filepath.EvalSymlinks(at); err == nil {
			return filepath.Join(real, missing)
		}
		if at == filepath.Dir(at) {
			return abs
		}
		missing = filepath.Join(filepath.Base(at), missing)
	}
}

func liesBelow(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

func isTheSame(a, b string) bool {
	first, err := os.Stat(a)
	if err != nil {
		return false
	}
	second, err := os.Stat(b)
	return err == nil && os.SameFile(first, second)
}

// writeTarget writes a result, and the directories that it needs. unchanged
// says that it was there already. A file that holds something else is replaced
// with force only.
func writeTarget(path string, data []byte, force bool) (unchanged bool, err error) {
	switch info, err := os.Stat(path); {
	case err == nil && info.Mode().IsRegular():
		if same, _ := holds(path, data); same {
			return true, nil
		}
		if !force {
			return false, writeError(path, errHoldsOther)
		}
	case errors.Is(err, fs.ErrNotExist):
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return false, writeError(path, err)
		}
	}
	return false, writeFile(path, data, modeSealed)
}
