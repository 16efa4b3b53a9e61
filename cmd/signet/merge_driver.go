// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/merge3"
	"github.com/signet-secrets/signet/internal/parallel"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

const mergeDriverLong = `Merge two versions of a file over the one that both began with. Git calls it for
the files that .gitattributes gives the attribute merge=signet.

Sealed documents are opened and merged value by value: a value that only one side
has changed is as on that side. They are sealed again for those whom the rules in
the work tree name and both sides list, or one has added that could open what was
there before: a merge lets nobody else in, whatever documents and rules of a
branch say. Everything else in the file is merged as Git does it.

What both sides have changed in different ways is a conflict, and so is a document
that does not open. So is whatever is not the same on both sides if one of them was
sealed anew by somebody who need not have been able to open what was there, which
takes public keys only; and a scope, or use for merging, that differs where both
sides have changed something. The file then holds its three versions, sealed as they
are, which nothing takes for a manifest. The exit code is 0 if the result is in
OURS, else 1 or more.`

const mergeDriverExample = `  git config merge.signet.driver 'signet merge-driver --marker-size %L --path=%P -- %O %A %B'`

// mergeTimeout is the time that a merge may take if nothing says otherwise: Git
// waits, and so does whoever has called it.
const mergeTimeout = time.Minute

// mergeDriver holds the flags of `signet merge-driver`.
type mergeDriver struct {
	console
	keyFlags
	mergeChoices
	markerSize int
	path       string
	timeout    time.Duration
	flags      driverFlags
}

// mergeChoices are what a user has chosen who finishes a merge. The driver itself
// leaves them empty: it takes no sides, and its rules are those on disk.
type mergeChoices struct {
	side       string // that is taken for what both have changed
	allowClear []string
	freshKey   bool
	findRule   func() (*keys.Rule, error) // instead of looking on disk
}

// The names of the sides.
const (
	sideOurs   = "ours"
	sideTheirs = "theirs"
)

func newMergeDriver(c console) *cobra.Command {
	m := &mergeDriver{console: c}
	cmd := &cobra.Command{
		Use:     "merge-driver [flags] -- BASE OURS THEIRS",
		Short:   "Merge sealed documents, for Git",
		Long:    mergeDriverLong,
		Example: mergeDriverExample,
		RunE:    m.run,
	}
	m.keyFlags.add(cmd)
	cmd.Flags().StringVar(&m.path, "path", "", "`PATH` of the file in the work tree, for rules and SealingKeys (default that of OURS)")
	m.flags.add(cmd, m)
	return cmd
}

// mergedFiles are the three files that Git gives a merge driver, and what is in
// them.
type mergedFiles struct {
	names              [3]string // base, ours, theirs
	base, ours, theirs []byte
}

func (m *mergeDriver) run(cmd *cobra.Command, args []string) error {
	if len(args) != 3 {
		return usagef(cmd, "three files are expected after --, as Git names them: base, ours, theirs")
	}
	if m.path == "" {
		m.path = args[1]
	}
	m.checkFlags(cmd)
	files, err := readMerged(args)
	if errors.Is(err, manifest.ErrTooLarge) {
		note(m.err, m.path, "is as it was, like a binary file that Git cannot merge; take one side as a whole: git checkout --ours -- "+
			report.Quoted(m.path)+", or --theirs; then git add "+report.Quoted(m.path))
		return m.place(err)
	}
	if err != nil {
		return err
	}
	streams, err := merge3.NewStreams(files.base, files.ours, files.theirs)
	if err == nil && !streams.Sealed() || err != nil && !files.concernUs() {
		return m.plain(cmd.Context(), files)
	}
	limit, limitErr := m.limit(cmd)
	// Git takes what is in OURS for the result of a conflict: from here on, whatever
	// happens, that is no version that looks as if it were merged.
	unmerged := &merge3.ConflictFile{Base: files.base, Ours: files.ours, Theirs: files.theirs, Notes: []string{"not merged: signet merge-driver did not finish"}}
	if err := m.write(files, unmerged.Bytes(m.markerSize)); err != nil {
		return err
	}
	var merged []byte
	if err = errors.Join(m.place(err), limitErr); err == nil {
		watch := new(userkeys.Watch)
		err = watch.Within(cmd.Context(), limit, func(ctx context.Context) (err error) {
			defer parallel.Recover(&err)
			merged, err = m.merge(ctx, streams, watch)
			return err
		})
	}
	if err != nil {
		return m.refuse(files, unmerged, err)
	}
	return m.write(files, merged)
}

// readMerged reads the files. The error wraps manifest.ErrTooLarge if one of them is
// larger than anything that could be sealed.
func readMerged(names []string) (*mergedFiles, error) {
	f := &mergedFiles{names: [3]string(names)}
	for i, data := range []*[]byte{&f.base, &f.ours, &f.theirs} {
		var err error
		*data, err = readBounded(names[i])
		if errors.Is(err, manifest.ErrTooLarge) {
			return nil, err
		}
		if err != nil {
			return nil, &report.PlacedError{File: names[i], Operation: "read", Err: report.Cause(err)}
		}
	}
	return f, nil
}

// concernUs reports whether any version could hold something sealed, also one
// that cannot be read.
func (f *mergedFiles) concernUs() bool {
	return slices.ContainsFunc([][]byte{f.base, f.ours, f.theirs}, func(data []byte) bool {
		return manifest.Mentions(data, sopsdoc.Group, sopsdoc.MetadataKey)
	})
}

// place places an error at the file.
func (m *mergeDriver) place(err error) error {
	if err == nil {
		return nil
	}
	return &report.PlacedError{File: m.path, Operation: "merge", Err: err}
}

func (m *mergeDriver) write(f *mergedFiles, data []byte) error {
	return writeFile(f.names[1], data, modeSealed)
}

// refuse writes why there is no merge into the file in conflict, and tells how to
// go on.
func (m *mergeDriver) refuse(f *mergedFiles, c *merge3.ConflictFile, err error) error {
	errs := report.Split(err)
	c.Notes = nil
	for _, part := range errs {
		line, _, _ := strings.Cut(part.Error(), "\n")
		c.Notes = append(c.Notes, report.WithoutKeys(line))
	}
	next := m.next(errs)
	c.Notes = append(c.Notes, next)
	note(m.err, m.path, "holds its three versions now, sealed as they are; "+next)
	return errors.Join(append(errs, m.write(f, c.Bytes(m.markerSize)))...)
}

// next says how to go on with a file in conflict.
func (m *mergeDriver) next(errs []error) string {
	file := report.Quoted(m.path)
	edit, add := "signet edit ", "; then git add "+file
	switch {
	case slices.ContainsFunc(errs, unmergeable):
		return takeWholeSide(m.path) + add
	case slices.ContainsFunc(errs, func(err error) bool { return !inConflict(err) }): // nobody has to decide anything
		return "when that is mended, finish the merge: " + edit + file + add
	case slices.ContainsFunc(errs, func(err error) bool { return !inEditor(err) }):
		return "take one side for what is in conflict: " + edit + "--ours " + file + ", or --theirs" + add
	}
	return "finish the merge: " + edit + file + ", or take one side for what is in conflict: " + edit + "--ours " + file + ", or --theirs" + add
}

// takeWholeSide is how to go on where nothing can be merged.
func takeWholeSide(path string) string {
	file := report.Quoted(path)
	return "take one side as a whole: git checkout --ours -- " + file + ", or --theirs; put in what the other has: signet set " + file + " KEY"
}

// unmergeable reports whether the versions cannot be merged by taking a side for
// what is in conflict.
func unmergeable(err error) bool {
	return errors.Is(err, errSeveralFiles) || isA[*layoutError](err) || isA[*merge3.SideError](err)
}

// inConflict reports whether both sides have made changes that cannot both stay.
func inConflict(err error) bool {
	return isA[*itemsError](err) || errors.Is(err, errTextConflict) || errors.Is(err, errSelectors)
}

// inEditor reports whether all of a conflict can be decided in an editor.
func inEditor(err error) bool {
	e, ok := report.As[*itemsError](err)
	return ok && !e.sops && !slices.ContainsFunc(e.items, func(c merge3.Conflict) bool { return !editableItem(c) })
}
