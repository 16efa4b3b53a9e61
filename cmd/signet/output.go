// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"io/fs"

	"github.com/signet-secrets/signet/internal/report"
)

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
