// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

const rotateLong = `Make new data keys for sealed documents, for the recipients that the rules name:
after somebody was removed from .sops.yaml, or because the old ones have served
long enough. Every value gets new ciphertext; what the documents hold, and
everything else in the file, stays as it is. Files are changed in place, one after
the other is complete; stdin goes to stdout.

rotate takes access away from now on, rewrap only adds. Neither of the two changes
a leaked password, nor what is in Git history: whoever could open it there still
can. Change such values where they come from; "signet inspect --exposed-to" lists
them.

--stale is for offboarding: it rotates only what has other recipients than the
rules say, and so finishes by itself when it is run again. SOPS files it always
rotates: nothing protects the list of recipients in them, and somebody may have
taken himself out of it before he was taken out of the rules. --before and
--older-than go by the age of the data keys. A run of any kind that was interrupted
is finished with the --before that it has printed. Documents whose age is not known,
because stock sops has made them, count as old unless they were changed since;
those that name a time in the future, or after their last change, count as old.

A file in which a document fails stays as it is. The other files are done, unless
a key service refuses everything. A SealingKey gets a successor instead: signet
key rotate.`

// rotateCommand holds the flags of `signet rotate`.
type rotateCommand struct {
	*renewal
	before, olderThan string
}

func newRotate(c console) *cobra.Command {
	r := &rotateCommand{renewal: &renewal{console: c, names: renewalNames{actRotate, "rotating", "rotated"}}}
	r.choose = r.chooseRotate
	cmd := &cobra.Command{
		Use:     "rotate [flags] FILE|DIR|-...",
		Short:   "Make new data keys, and take access away",
		Long:    rotateLong,
		Example: "  signet rotate --stale .\n  signet rotate --older-than 90d --dry-run .",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := r.times(cmd); err != nil {
				return err
			}
			return r.run(cmd, args)
		},
	}
	r.addFlags(cmd)
	cmd.Flags().BoolVar(&r.stale, "stale", false, "only documents whose recipients are not those of the rules, and all SOPS files")
	cmd.Flags().StringVar(&r.before, "before", "", "only data keys made before this `TIME`, as in 2026-01-31 or 2026-01-31T09:30:00Z")
	cmd.Flags().StringVar(&r.olderThan, "older-than", "", "only data keys older than this `DURATION`, as in 90d or 12h")
	return cmd
}

// chooseRotate decides whether rotate does something with a document.
func (r *rotateCommand) chooseRotate(doc *renewable) action {
	switch {
	case r.stale && !doc.sops && doc.have.Same(doc.want):
		return actNothing // what a SOPS file lists proves nothing
	case r.madeBefore != nil:
		return doc.olderThan(*r.madeBefore, r.now)
	}
	return actRotate
}

// times reads the flags about the age of data keys.
func (r *rotateCommand) times(cmd *cobra.Command) error {
	given := 0
	for _, name := range []string{"stale", "before", "older-than"} {
		if cmd.Flags().Changed(name) {
			given++
		}
	}
	if given > 1 {
		return usagef(cmd, "--stale, --before and --older-than exclude each other")
	}
	now := time.Now()
	switch {
	case r.before != "":
		t, err := parseTime(r.before)
		if err != nil {
			return usagef(cmd, "--before: %w", err)
		}
		if t.After(now) {
			return usagef(cmd, "--before: %s is in the future: what is rotated now would be old again", r.before)
		}
		r.madeBefore = &t
	case cmd.Flags().Changed("older-than"):
		d, err := parseAge(r.olderThan)
		if err != nil {
			return usagef(cmd, "--older-than: %w", err)
		}
		t := now.Add(-d).UTC().Truncate(time.Second)
		r.madeBefore = &t
	case cmd.Flags().Changed("before"):
		return usagef(cmd, "--before: %w", errTime)
	}
	return nil
}

// Errors about what flags say of times.
var (
	errTime = errors.New("not a time such as 2026-01-31 or 2026-01-31T09:30:00Z")
	errAge  = errors.New("not a duration such as 90d or 12h")
)

// parseTime reads a time, or a day, which begins at midnight UTC.
func parseTime(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, errTime
}

// parseAge reads a duration, also one in days.
func parseAge(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		const most = 36_500
		n, err := strconv.Atoi(days)
		if err != nil || n < 0 || n > most {
			return 0, errAge
		}
		return time.Duration(n) * 24 * time.Hour, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, errAge
	}
	return d, nil
}
