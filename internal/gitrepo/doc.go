// SPDX-License-Identifier: Apache-2.0

// Package gitrepo asks the git program about a repository: what is tracked,
// staged, in a revision or in history, and how it is configured.
//
// It runs git, as the hooks and drivers do from which it is called. A clone may
// come from anybody, and so may its configuration: the commands are plumbing, run
// nothing that a repository names (hooks, external diffs, text conversions, file
// system monitors, pagers, signature checks) and fetch nothing. Lists are separated
// by NUL, names and paths are passed so that none of them can be an option, and
// paths are literal, relative to the top of the work tree, with slashes. What
// git's variables say (GIT_DIR, GIT_INDEX_FILE and so on) holds, so that a hook
// sees the index that git is about to commit.
//
// Nothing is locked, refreshed or written, but for SetConfig. Values of a Repo are
// safe for concurrent use.
//
// The package knows nothing of what is in the files, other than that they can stand
// for files that Git LFS keeps elsewhere.
package gitrepo
