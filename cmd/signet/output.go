// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/report"
)

// outputFlags say where the result goes.
type outputFlags struct {
	output     string
	inPlace    bool
	allowEmpty bool
}

func (f *outputFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.output, "output", "o", "", "write to `FILE` instead of stdout")
	cmd.Flags().BoolVarP(&f.inPlace, "in-place", "i", false, "write back to the files that were read")
	cmd.Flags().BoolVar(&f.allowEmpty, "allow-empty", false, "empty input is no error")
}

// check holds the flags against the arguments.
func (f *outputFlags) check(cmd *cobra.Command, inputs []input) error {
	if f.inPlace && f.output != "" {
		return usagef(cmd, "-i and -o exclude each other")
	}
	for _, in := range inputs {
		if f.inPlace && in.name == "-" {
			return usagef(cmd, "-i cannot write back to stdin")
		}
	}
	return nil
}

// write puts results where the flags say, after all of them are known.
func (f *outputFlags) write(stdout io.Writer, inputs []input, outputs [][]byte, perm fs.FileMode) error {
	if !f.inPlace {
		all := join(outputs)
		if f.output != "" {
			return writeFile(f.output, all, perm)
		}
		if _, err := stdout.Write(all); err != nil {
			return fmt.Errorf("write stdout: %w", report.Cause(err))
		}
		return nil
	}
	for i, in := range inputs {
		if outputs[i] == nil {
			continue
		}
		if err := writeFile(in.name, outputs[i], perm); err != nil {
			return err
		}
	}
	return nil
}
