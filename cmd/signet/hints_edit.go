// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"io/fs"

	"github.com/signet-secrets/signet/internal/editor"
	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/internal/foreground"
	"github.com/signet-secrets/signet/internal/memfile"
	"github.com/signet-secrets/signet/internal/report"
)

// editHint is about editing, and about plaintext in memory.
func editHint(err error) string {
	if e, ok := report.As[*editor.RefusedError](err); ok {
		return "set EDITOR to " + e.Instead + "; --any-editor takes it all the same"
	}
	if _, ok := report.As[*editor.UnusableError](err); ok {
		return "set EDITOR to a program that is there, as in EDITOR=vim signet edit FILE"
	}
	if _, ok := report.As[*memfile.NoMemoryError](err); ok {
		return "name a directory with --temp-dir, best one in memory or on an encrypted disk"
	}
	if e, ok := report.As[*editedElsewhereError](err); ok {
		edited := report.Quoted(e.edited)
		return "take what you have changed from there, as in: signet get " + edited + " KEY | signet set " + report.Quoted(e.file) + " KEY; then remove it"
	}
	if e, ok := report.As[*unfinishedError](err); ok && exitcode.Of(err) == exitcode.Failed {
		return unfinishedHint(e)
	}
	if e, ok := report.As[*stillOpenError](err); ok {
		return "the file is as it was; put what is right in the place of " + toDecide + ", or take one side: signet edit --ours " + report.Quoted(e.file) + ", or --theirs"
	}
	if e, ok := report.As[*leftError](err); ok {
		return leftHint(e)
	}
	if _, ok := report.As[*foreground.InterruptedError](err); ok {
		return "nothing was written"
	}
	placed, ok := report.As[*report.PlacedError](err)
	switch {
	case errors.Is(err, editor.ErrNone):
		return "set EDITOR to an editor in the terminal, as in EDITOR=vim signet edit FILE"
	case errors.Is(err, memfile.ErrFull):
		return "name another directory with --temp-dir; in a container, give it more shared memory, as in docker run --shm-size 256m"
	case ok && placed.Operation == "edit" && errors.Is(err, fs.ErrNotExist):
		return "to make it: signet edit --create " + report.Quoted(placed.File)
	case errors.Is(err, errNoConflict):
		return "to edit it: signet edit FILE; --ours and --theirs are for what the merge driver has left"
	case errors.Is(err, errEmptied):
		return "to remove the Secrets, remove the file"
	case errors.As(err, new(*editor.ExitError)), errors.Is(err, errNotCorrected):
		return "the file is as it was"
	}
	return ""
}

// unfinishedHint says how to settle a conflict that cannot be settled in this way.
func unfinishedHint(e *unfinishedError) string {
	file := report.Quoted(e.file)
	switch {
	case unmergeable(e.err):
		return takeWholeSide(e.file)
	case e.side != "":
		return "when that is mended: signet edit --" + e.side + " " + file
	case inConflict(e.err):
		return "take one side for what is in conflict: signet edit --ours " + file + ", or --theirs"
	}
	return "when that is mended: signet edit " + file
}

// leftHint says how to settle what is left of a conflict.
func leftHint(e *leftError) string {
	file := report.Quoted(e.file)
	side := "take one side for it: signet edit --ours " + file + ", or --theirs"
	if !e.editable {
		return side
	}
	return "decide on all of it: signet edit " + file + "; or " + side
}
