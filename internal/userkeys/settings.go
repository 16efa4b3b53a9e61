// SPDX-License-Identifier: Apache-2.0

package userkeys

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/signet-secrets/signet/internal/report"
)

const (
	// TimeoutVariable holds a time limit for a whole run, as in 50s.
	TimeoutVariable = "SIGNET_TIMEOUT"
	// UnscopedVariable permits SOPS documents, which nothing binds to a
	// namespace, where there is a limit of namespaces: true or false.
	UnscopedVariable = "SIGNET_ALLOW_UNSCOPED"
)

var (
	errNoDuration  = errors.New("is no duration")
	errNoSwitch    = errors.New("is neither true nor false")
	errNotAbsolute = errors.New("is not an absolute path")
)

// SettingError says that what the user has set cannot be used.
type SettingError struct {
	// Where it stands: in a flag, as in --timeout, a variable, as in
	// $SIGNET_TIMEOUT, or a file.
	Where string
	Err   error
}

func (e *SettingError) Error() string { return "read " + e.Where + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *SettingError) Unwrap() error { return e.Err }

// Usage reports whether it stands in a flag or a variable, so that the program
// was called wrongly.
func (e *SettingError) Usage() bool {
	return strings.HasPrefix(e.Where, "--") || strings.HasPrefix(e.Where, "$")
}

func (e *SettingError) hint() string {
	if number, ok := report.As[unitError](e.Err); ok {
		return fmt.Sprintf("write %[1]ss for seconds, or %[1]sm for minutes; 0 is none", number.number)
	}
	switch {
	case errors.As(e.Err, new(*movedError)):
		return movedHint
	case e.Where == ageKeyFlag:
		return "correct the path; without the flag age identities are looked for where SOPS looks"
	}
	switch e.Err {
	case errNoDuration:
		return "a time limit is written as 50s or 2m; 0 is none"
	case errNoSwitch:
		return "write it as true or false"
	case errNotAbsolute:
		return ""
	}
	return "an allow-list holds items like kms=arn:aws:kms:*:111122223333:key/*, or the word default, separated by spaces, commas or line breaks"
}

// Timeout returns the time limit of a run: that of the flag if it was given,
// else that of the environment, else 0 for none. The error is a *SettingError.
func Timeout(flag time.Duration, given bool) (time.Duration, error) {
	text := os.Getenv(TimeoutVariable)
	switch {
	case given && flag < 0:
		return 0, &SettingError{"--timeout", errNoDuration}
	case given || text == "":
		return flag, nil
	}
	limit, err := time.ParseDuration(text)
	switch {
	case err != nil && shortNumber(text):
		return 0, &SettingError{"$" + TimeoutVariable, unitError{text}}
	case err != nil || limit < 0:
		return 0, &SettingError{"$" + TimeoutVariable, errNoDuration}
	}
	return limit, nil
}

// unitError says that a duration is a number.
type unitError struct{ number string }

func (unitError) Error() string { return "is no duration: it has no unit" }

// shortNumber reports whether text may be shown: nobody keeps a secret of so few
// digits in a variable for a time.
func shortNumber(text string) bool {
	return len(text) <= 5 && text != "" && strings.Trim(text, "0123456789") == ""
}

// Unscoped reports whether SOPS documents are permitted under a limit: what the
// flag says if it was given, else what the environment says, else false. The
// error is a *SettingError.
func Unscoped(flag, given bool) (bool, error) {
	switch text := os.Getenv(UnscopedVariable); {
	case given:
		return flag, nil
	case text == "true":
		return true, nil
	case text == "false", text == "":
		return false, nil
	}
	return false, &SettingError{"$" + UnscopedVariable, errNoSwitch}
}
