// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/internal/gitrepo"
	"github.com/signet-secrets/signet/internal/report"
)

// exposedCommand is `signet inspect --exposed-to`.
type exposedCommand struct {
	console
	recipient string
	noHistory bool
	fail      bool
	output    string
}

func (x *exposedCommand) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&x.recipient, "exposed-to", "", "list what this `RECIPIENT` can read, or could: now and in Git history")
	flags.BoolVar(&x.noHistory, "no-history", false, "with --exposed-to, look only at the files as they are now")
	flags.BoolVar(&x.fail, "fail", false, "with --exposed-to, fail if anything is listed")
}

// exposure is a document that a recipient can read, or could.
type exposure struct {
	File   string   `json:"file"`
	Object string   `json:"object"`
	Keys   []string `json:"keys"` // of values, in all versions that were exposed
	// First and Last are the commits that have made the first and the last version
	// that was exposed; absent if none is in history.
	First   *exposedIn `json:"first,omitempty"`
	Last    *exposedIn `json:"last,omitempty"`
	Through []string   `json:"through,omitempty"` // SealingKeys
	Now     string     `json:"now"`
	Same    []string   `json:"sameCiphertext,omitempty"` // keys whose value is surely the same
}

// exposedIn is a commit.
type exposedIn struct {
	Commit string    `json:"commit"`
	Time   time.Time `json:"time"`
}

// What became of a document that was exposed.
const (
	exposedOpens = "opens"           // the recipient can open it now
	exposedSame  = "same ciphertext" // values are still sealed with the data key that was exposed
	exposedAnew  = "sealed anew"     // perhaps with the same values
	exposedGone  = "gone"            // there is no such document any more
)

// exposedError makes the program fail because of what was listed.
type exposedError struct{ documents int }

func (e *exposedError) Error() string {
	return "inspect: " + plural(e.documents, "document") + " exposed"
}

// shortest is how many characters the beginning of a recipient has that stands for
// the whole, at least.
const shortest = 12

func (x *exposedCommand) run(cmd *cobra.Command, args []string) error {
	if len(x.recipient) == 0 {
		return usagef(cmd, "--exposed-to takes a recipient, at least %d characters of one, or the name of a SealingKey", shortest)
	}
	s := &sightings{command: x, versions: map[string][]sighting{}}
	found, err := interruptible(cmd.Context(), func() ([]exposure, error) {
		if err := s.look(cmd.Context(), args); err != nil {
			return nil, err
		}
		s.readRules(args)
		ids, err := s.resolve(x.recipient)
		if err != nil {
			return nil, err
		}
		return s.exposures(ids), nil
	})
	if err != nil {
		return err
	}
	return x.print(found, s)
}

func (x *exposedCommand) print(found []exposure, s *sightings) error {
	if x.output == "json" {
		if err := writeJSON(x.out, append([]exposure{}, found...)); err != nil {
			return err
		}
	} else {
		for _, e := range found {
			if err := writeOut(x.out, []byte(e.text())); err != nil {
				return err
			}
		}
	}
	if x.fail && len(found) > 0 {
		return &exposedError{len(found)}
	}
	if x.fail && s.partial {
		return errPartHistory
	}
	if len(found) == 0 {
		printer(x.err).Line("note", s.nothing())
	}
	return nil
}

// nothing says of what nothing was found, and no more than that.
func (s *sightings) nothing() string {
	switch {
	case s.command.noHistory || s.repo == nil:
		return "nothing is sealed for this recipient now"
	case s.partial || s.unread > 0:
		return "nothing is sealed for this recipient, now and in the history that could be read"
	}
	return "nothing is, or was, sealed for this recipient"
}

// errPartHistory says that a part of the history is not at hand.
var errPartHistory = errors.New("inspect: the history was not looked at, or only a part of it")

func (e exposure) text() string {
	var b strings.Builder
	name := report.Source(e.File)
	if e.Object != "" {
		name += ", " + e.Object
	}
	fmt.Fprintf(&b, "%s: %s\n", report.Visible(name), report.Visible(strings.Join(e.Keys, ", ")))
	if e.First != nil {
		fmt.Fprintf(&b, "  in Git     from %s to %s\n", e.First, e.Last)
	}
	if len(e.Through) > 0 {
		fmt.Fprintf(&b, "  through    SealingKey %s\n", report.Visible(strings.Join(e.Through, ", ")))
	}
	now := map[string]string{
		exposedOpens: "opens for this recipient",
		exposedSame:  "still the same ciphertext, and so surely the same value: " + strings.Join(e.Same, ", "),
		exposedAnew:  "sealed anew since, perhaps with the same values",
		exposedGone:  "is there no more; its values may be in use elsewhere",
	}[e.Now]
	fmt.Fprintf(&b, "  now        %s\n", report.Visible(now))
	return b.String()
}

func (at *exposedIn) String() string {
	const short = 12
	return at.Time.UTC().Format(time.RFC3339) + " (commit " + at.Commit[:min(short, len(at.Commit))] + ")"
}

// look finds every version of what the arguments name, and of SealingKeys.
func (s *sightings) look(ctx context.Context, args []string) error {
	inputs, err := s.collect(args)
	if err != nil {
		return err
	}
	var errs []error
	for _, in := range inputs {
		if err := in.read(s.command.in); err != nil {
			errs = append(errs, err)
			continue
		}
		if in.walked && !in.mentionsSealed() {
			continue
		}
		seen, err := s.read(in)
		if err != nil {
			errs = append(errs, report.Split(exitcode.Opening(err))...)
			continue
		}
		s.current = append(s.current, currentFile{in.name, s.path(ctx, in.name), seen})
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := s.readSealingKeys(inputs); err != nil {
		return err
	}
	if !s.command.noHistory {
		if err := s.lookBack(ctx, args); err != nil {
			return err
		}
	}
	for _, m := range s.missing {
		if !slices.ContainsFunc(s.commits, func(v gitrepo.Version) bool { return s.concerns([]string{m.arg}, v.Path) }) {
			return m.err
		}
	}
	return nil
}

// missingPath is an argument that names nothing now, but perhaps did once.
type missingPath struct {
	arg string
	err error
}

func (s *sightings) collect(args []string) ([]input, error) {
	var all []input
	for _, arg := range args {
		inputs, err := collect([]string{arg})
		switch {
		case !s.command.noHistory && (errors.Is(err, errNoFiles) || errors.Is(err, fs.ErrNotExist)):
			s.missing = append(s.missing, missingPath{arg, err})
		case err != nil:
			return nil, err
		}
		all = append(all, inputs...)
	}
	return all, noDuplicates(all)
}

// path is that of a file in its repository, "" if it is in none.
func (s *sightings) path(ctx context.Context, name string) string {
	if s.command.noHistory || name == "-" {
		return ""
	}
	repo, err := s.repository(ctx, filepath.Dir(name))
	if err != nil {
		return ""
	}
	path, err := repo.Rel(name)
	if err != nil {
		return ""
	}
	return path
}

// repository returns the one repository that is looked at.
func (s *sightings) repository(ctx context.Context, dir string) (*gitrepo.Repo, error) {
	if s.repo == nil && s.noRepo == nil {
		s.repo, s.noRepo = gitrepo.Open(ctx, dir)
	}
	return s.repo, s.noRepo
}
