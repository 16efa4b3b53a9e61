// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/merge3"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/manifest"
)

// errEditedElsewhere says that the result could not take the place of the file.
var errEditedElsewhere = errors.New("was changed by another program while you edited it")

// editedElsewhereError says where the result is instead, sealed.
type editedElsewhereError struct{ file, edited string }

func (e *editedElsewhereError) Error() string {
	return report.Visible(e.file) + ": write: " + errEditedElsewhere.Error() + "; what you have edited is in " + report.Visible(e.edited) + ", sealed"
}

func (e *editedElsewhereError) Unwrap() error { return errEditedElsewhere }

// elsewhere deals with a file that another program has changed: both changes are
// written, or, if they are in each other's way, the result beside the file.
func (s *sealedSecrets) elsewhere(ctx context.Context, edited []*target, o seal.Options) error {
	now, err := readBounded(s.file)
	if err == nil {
		if data, ok := s.merged(ctx, now, edited, o); ok && save(s.console, s.file, now, data) == nil {
			note(s.err, s.file, errMeanwhile.Error()+"; both changes are in it")
			return nil
		}
	}
	beside, err := writeBeside(s.file, edited[0].bytes())
	if err != nil {
		return err
	}
	return &editedElsewhereError{s.file, beside}
}

// maxBeside is how many results may lie beside a file.
const maxBeside = 100

// writeBeside writes a file that is not there yet beside another one, and returns
// its name. Nothing that is there is replaced or followed: a link may have come
// with the repository, and a file be what an earlier edit has left.
func writeBeside(file string, data []byte) (beside string, err error) {
	for n := 1; n <= maxBeside; n++ {
		beside = file + ".edited"
		if n > 1 {
			beside += "." + strconv.Itoa(n)
		}
		if err = writeNew(beside, data, modeSealed); !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	if err != nil {
		return "", writeError(beside, err)
	}
	return beside, nil
}

// merged returns the file as it is now with what was edited, sealed. It is false if
// that cannot be done without a choice.
func (s *sealedSecrets) merged(ctx context.Context, now []byte, edited []*target, o seal.Options) (data []byte, ok bool) {
	in, err := readTarget("-", bytes.NewReader(now))
	if err != nil {
		return nil, false
	}
	in.name = s.file
	theirs, err := in.targets(s.name)
	if err != nil || !slices.Equal(labels(theirs), labels(edited)) || s.open(s.cmd, s.console, theirs...) != nil {
		return nil, false
	}
	ownDocs(theirs)
	for i, t := range theirs {
		if t.isSOPS() != edited[i].isSOPS() || !t.merge(s.opened[i], edited[i]) {
			return nil, false
		}
	}
	for i, t := range theirs {
		if sameFile(theirs, i) || !t.changed() {
			continue
		}
		if _, err := s.apply(ctx, s.cmd, s.console, t, o); err != nil {
			return nil, false
		}
	}
	return theirs[0].bytes(), true
}

// merge puts what was edited into a target, which another program has changed
// since base. It is false if both have changed the same.
func (t *target) merge(base, edited *target) bool {
	if t.isSOPS() {
		n, conflicts := merge3.Trees(manifest.Root(base.file.Documents[base.at]), edited.root(), t.root())
		if len(conflicts) > 0 || n == nil {
			return false
		}
		doc := *t.docs[t.at]
		doc.Content = []*yaml.Node{n}
		t.docs[t.at] = &doc
		return true
	}
	old, object := base.opened.Document.Envelope, base.object().Node
	from := merge3.NewVersion(object, old.Clear, base.opened.Content)
	ours := merge3.NewVersion(object, edited.change.Clear, edited.change.Content)
	if !t.opened.Document.Envelope.Succeeds(base.opened.DataKey, t.opened.DataKey) {
		return false // what the user has put in would be under the data key of somebody else
	}
	theirs := merge3.NewVersion(t.object().Node, t.change.Clear, t.change.Content)
	merged, conflicts := merge3.Secrets(&from, ours, theirs)
	t.change = seal.Change{Clear: merged.Clear, Content: merged.Content}
	return len(conflicts) == 0
}

// ownDocs gives the targets of SOPS files documents that can be changed, those of
// one file the same.
func ownDocs(all []*target) {
	for i, t := range all {
		switch {
		case !t.isSOPS():
		case sameFile(all, i):
			t.docs = all[i-1].docs
		default:
			t.docs = nil
			for _, n := range t.file.Documents {
				t.docs = append(t.docs, manifest.Clone(n))
			}
		}
	}
}

// sameFile reports whether a target is sealed together with the one before.
func sameFile(all []*target, i int) bool {
	return i > 0 && &all[i].job[0] == &all[i-1].job[0]
}
