// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/userkeys"
)

// A command line with a mistake must not end the merge driver before it knows its
// files: OURS would stay as it was, and look as if it were merged.

// lateFlag is a flag whose mistake is told when it is used.
type lateFlag struct {
	pflag.Value
	wrong bool
}

func (f *lateFlag) Set(text string) error {
	f.wrong = f.Value.Set(text) != nil
	return nil
}

// driverFlags are what a command line of the merge driver got wrong.
type driverFlags struct {
	markerSize, timeout *lateFlag
	asked               []string // the names that were looked for
}

func (d *driverFlags) add(cmd *cobra.Command, m *mergeDriver) {
	flags := cmd.Flags()
	flags.IntVar(&m.markerSize, "marker-size", minMarkerSize, "`NUMBER` of characters in the markers of a conflict")
	flags.DurationVar(&m.timeout, "timeout", 0,
		"`DURATION`, as in 50s, after which the file counts as one that does not open; 0 is none (default $"+userkeys.TimeoutVariable+", else 1m)")
	late := func(name string) *lateFlag {
		flag := flags.Lookup(name)
		value := &lateFlag{Value: flag.Value}
		flag.Value = value
		return value
	}
	d.markerSize, d.timeout = late("marker-size"), late("timeout")
	// Git keeps the command line of an older or newer signet: that flags have
	// changed is no reason to leave a file unmerged. Nothing but this function is
	// told the names of those that there are not.
	cmd.FParseErrWhitelist.UnknownFlags = true
	flags.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		d.asked = append(d.asked, name)
		return pflag.NormalizedName(name)
	})
}

// unknown are the flags of the command line that there are not.
func (d *driverFlags) unknown(cmd *cobra.Command) []string {
	asked := slices.Clone(d.asked) // looking for them asks again
	slices.Sort(asked)
	return slices.DeleteFunc(slices.Compact(asked), func(name string) bool { return cmd.Flags().Lookup(name) != nil })
}

// minMarkerSize is the usual number of characters, and the smallest, as Git has it.
const minMarkerSize = 7

// checkFlags tells of what the merge does without, and sets it right.
func (m *mergeDriver) checkFlags(cmd *cobra.Command) {
	for _, name := range m.flags.unknown(cmd) {
		note(m.err, m.path, "this signet has no flag --"+report.Visible(name)+" and goes on without it")
	}
	if m.flags.markerSize.wrong {
		m.markerSize = minMarkerSize
		note(m.err, m.path, "--marker-size is no number: the markers of a conflict have "+strconv.Itoa(minMarkerSize)+" characters or more")
	}
}

var errNoTimeout = errors.New("--timeout is no duration, as in 50s")

// limit is the time limit of the flag, the environment, or the usual one.
func (m *mergeDriver) limit(cmd *cobra.Command) (time.Duration, error) {
	given := cmd.Flags().Changed("timeout")
	switch {
	case m.flags.timeout.wrong:
		return 0, m.place(errNoTimeout)
	case !given && os.Getenv(userkeys.TimeoutVariable) == "":
		return mergeTimeout, nil
	}
	return userkeys.Timeout(m.timeout, given)
}
