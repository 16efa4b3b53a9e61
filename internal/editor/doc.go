// SPDX-License-Identifier: Apache-2.0

// Package editor finds the editor of a user and runs it on a file that must leave
// no copies: no swap file, backup, undo file, history or recovery file outside of
// the directory that the file is in.
//
// Three things see to that. What an editor keeps beside a file is in that
// directory anyway. What it keeps below $TMPDIR, $XDG_STATE_HOME and
// $XDG_CACHE_HOME is sent there, by the environment. For the rest, editors that
// the package knows get flags. Those that are known to keep copies elsewhere, or
// to return before the user is done, are refused; unknown ones are run as they
// are, with a note.
//
// The package cannot know what plugins do, nor what the user saves under another
// name. The directory, and removing it, is for the caller; see internal/memfile.
package editor
