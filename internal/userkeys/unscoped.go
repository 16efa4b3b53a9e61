// SPDX-License-Identifier: Apache-2.0

package userkeys

import "os"

// UnscopedVariable permits SOPS documents, which nothing binds to a namespace,
// where there is a limit of namespaces: true or false.
const UnscopedVariable = "SIGNET_ALLOW_UNSCOPED"

// Unscoped reports whether SOPS documents are permitted under a limit: what the
// flag says if it was given, else what the environment says, else false. The
// error is a *SwitchError.
func Unscoped(flag, given bool) (bool, error) {
	switch text := os.Getenv(UnscopedVariable); {
	case given:
		return flag, nil
	case text == "true":
		return true, nil
	case text == "false", text == "":
		return false, nil
	}
	return false, &SwitchError{"$" + UnscopedVariable}
}

// SwitchError says that a variable is neither true nor false.
type SwitchError struct{ Where string }

func (e *SwitchError) Error() string { return e.Where + ": is neither true nor false" }
