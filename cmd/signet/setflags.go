// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/signet-secrets/signet/internal/report"
)

// Errors about an argument that may be a value, which they do not show.
var (
	errDashValue  = errors.New("VALUE is -, which stands for nothing here")
	errFlagValue  = errors.New("unknown flag, which is not shown: it may be a value")
	errFlagFormat = errors.New("has a value that is not valid, which is not shown")
)

// valueFlagError says that an argument is no flag, or not a valid one, without the
// text: it may be a value that begins with -.
func valueFlagError(err error) error {
	if errors.As(err, new(*pflag.NotExistError)) {
		return errFlagValue
	}
	if e, ok := report.As[*pflag.InvalidValueError](err); ok {
		return fmt.Errorf("--%s: %w", e.GetFlag().Name, errFlagFormat)
	}
	if e, ok := report.As[*pflag.ValueRequiredError](err); ok {
		return fmt.Errorf("--%s: needs a value", e.GetFlag().Name)
	}
	return errFlagValue
}

// withoutRecipient is an error about the recipients of a flag, without them: what
// follows -p at once may be a value, too.
func withoutRecipient(err error) error {
	if e, ok := report.As[*recipientError](err); ok {
		return &recipientError{e.where, e.kind, errors.New("is no valid recipient")}
	}
	return err
}
