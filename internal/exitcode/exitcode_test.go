// SPDX-License-Identifier: Apache-2.0

package exitcode

import (
	"errors"
	"fmt"
	"testing"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/unseal"
)

// What an error means depends on whether documents were to be opened; a mistake
// in a setting does not.
func TestOf(t *testing.T) {
	why := errors.New("why")
	placed := func(operation string, document int) error {
		return &report.PlacedError{File: "a.yaml", Document: document, Operation: operation, Err: why}
	}
	tests := []struct {
		name          string
		err           error
		code, opening int
	}{
		{"nothing", nil, 0, 0},
		{"something", why, Failed, Failed},
		{"usage", fmt.Errorf("x: %w", &UsageError{"a", why}), Usage, Usage},
		{"its own code", fmt.Errorf("x: %w", &CodeError{127, why}), 127, 127},
		{"variable", &userkeys.SettingError{Where: "$SIGNET_TIMEOUT", Err: why}, Usage, Usage},
		{"flag", &userkeys.SettingError{Where: "--timeout", Err: why}, Usage, Usage},
		{"file of settings", &userkeys.SettingError{Where: "/etc/allow-keys", Err: why}, Failed, Failed},
		{"time", &userkeys.TimeoutError{}, NotOpened, NotOpened},
		{"time of a command", &userkeys.TimeoutError{Command: "kustomize"}, Failed, Failed},
		{"no key", fmt.Errorf("open: %w", &keys.NoKeyError{}), Failed, NotOpened},
		{"joined of nothing", &keys.NoKeyError{}, Failed, Failed},
		{"file", placed("read", 0), Failed, Failed},
		{"malformed", placed("read", 1), Failed, NotOpened},
		{"sealed", placed("open", 1), Failed, NotOpened},
		{"sealed, of no document", placed("open", 0), Failed, NotOpened},
		{"not written", placed("write", 1), Failed, Failed},
		{"SealingKey", placed("read SealingKey", 1), Failed, Failed},
		{"unknown object in the resources", &report.PlacedError{File: "resources", Operation: "read", Err: &unseal.UnknownObjectError{}}, Failed, NotOpened},
		{"too much", &report.PlacedError{File: "-", Operation: "read", Err: &manifest.TooMuchError{}}, Failed, NotOpened},
		{"several", errors.Join(placed("read", 0), placed("open", 1)), Failed, NotOpened},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Of(test.err); got != test.code {
				t.Errorf("got %d, want %d", got, test.code)
			}
			err := Opening(test.err)
			if got := Of(err); got != test.opening {
				t.Errorf("opening: got %d, want %d", got, test.opening)
			}
			if len(report.Split(err)) != len(report.Split(test.err)) || fmt.Sprint(err) != fmt.Sprint(test.err) {
				t.Errorf("opening has changed it: %v", err)
			}
		})
	}
}
