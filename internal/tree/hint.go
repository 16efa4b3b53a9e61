// SPDX-License-Identifier: Apache-2.0

package tree

import "errors"

// Hint tells what helps against an error of this package, "" if it does not
// know. What helps against ErrOutside depends on what the root is.
func Hint(err error) string {
	switch {
	case errors.Is(err, ErrNoMatch):
		return "paths and patterns are relative to the directory of the kustomization; * does not match /, and there is no **"
	case errors.Is(err, ErrTooMuch):
		return "name the files by narrower patterns, and fewer of them"
	case errors.Is(err, ErrDirectory):
		return "name the files in it"
	case errors.Is(err, ErrNotRegular):
		return "name a file: pipes, sockets and devices are not read"
	}
	return ""
}
