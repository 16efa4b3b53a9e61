// SPDX-License-Identifier: Apache-2.0

package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Blob is a regular file of the index or of a revision.
type Blob struct {
	Path string // relative to the top of the work tree, with slashes
	OID  string // hexadecimal name of the content, for BlobReader.Read
}

// Tracked returns the regular files at or below paths, or all, that git tracks
// and those that it would track: it does not ignore them. They are sorted.
// Submodules, symbolic links and files that are gone from the disk are left out.
func (r *Repo) Tracked(ctx context.Context, paths ...string) ([]string, error) {
	out, err := r.output(ctx, withPaths([]string{"ls-files", "-z", "--cached", "--others", "--exclude-standard"}, paths)...)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, name := range fields(out) {
		info, err := os.Lstat(filepath.Join(r.root, filepath.FromSlash(name)))
		if err == nil && info.Mode().IsRegular() {
			files = append(files, name)
		}
	}
	slices.Sort(files)
	return slices.Compact(files), nil // unmerged ones are listed several times
}

// Ignored returns those of paths, which need not exist, that git ignores: they are
// not tracked, and what .gitignore and its like say leaves them out.
func (r *Repo) Ignored(ctx context.Context, paths ...string) ([]string, error) {
	if len(paths) == 0 {
		return nil, nil
	}
	// It knows no literal paths. None is a pattern for it, and "./" keeps a colon
	// in front from being one of its signs.
	const here = "./"
	cmd := r.Command(ctx, "--no-literal-pathspecs", "check-ignore", "-z", "--stdin")
	cmd.Stdin = strings.NewReader(here + strings.Join(paths, "\x00"+here) + "\x00")
	out, err := r.outputOf(cmd, "check-ignore")
	if failed := new(Error); errors.As(err, &failed) && failed.Code == 1 {
		return nil, nil // none of them
	}
	ignored := fields(out)
	for i, path := range ignored {
		ignored[i] = strings.TrimPrefix(path, here)
	}
	return ignored, err
}

// Staged returns the files at or below paths, or all, whose content in the index
// is not that of HEAD, in the order of git. Those that were removed, submodules,
// symbolic links and files with conflicts are left out.
func (r *Repo) Staged(ctx context.Context, paths ...string) ([]Blob, error) {
	out, err := r.output(ctx, withPaths([]string{"diff", "--cached", "--raw", "-z", "--no-abbrev", "--no-renames", "--no-ext-diff",
		"--no-textconv", "--no-relative", "--no-color", "--ignore-submodules=all", "-O" + os.DevNull, "--diff-filter=ACMT"}, paths)...)
	if err != nil {
		return nil, err
	}
	var blobs []Blob
	all := fields(out)
	for i := 0; i+1 < len(all); i += 2 {
		c, err := parseRaw(all[i])
		if err != nil {
			return nil, err
		}
		if isFile(c.mode) {
			blobs = append(blobs, Blob{Path: all[i+1], OID: c.oid})
		}
	}
	return blobs, nil
}

// Index returns the files of the index at or below paths, or all, in the order of
// git. Submodules, symbolic links and files with conflicts are left out.
func (r *Repo) Index(ctx context.Context, paths ...string) ([]Blob, error) {
	entries, err := r.entries(ctx, paths)
	var blobs []Blob
	for _, e := range entries {
		blobs = append(blobs, e.Blob)
	}
	return blobs, err
}

// Unmerged returns the paths at or below paths, or all, of which the index has
// several versions, because a merge is not finished. They are sorted.
func (r *Repo) Unmerged(ctx context.Context, paths ...string) ([]string, error) {
	out, err := r.output(ctx, withPaths([]string{"ls-files", "-z", "--unmerged"}, paths)...)
	if err != nil {
		return nil, err
	}
	var files []string
	err = eachEntry("ls-files", out, 3, func(_ []string, path string) { files = append(files, path) }) // mode oid stage\tpath
	slices.Sort(files)
	return slices.Compact(files), err
}

// indexEntry is a regular file of the index.
type indexEntry struct {
	Blob
	asInIndex bool // git does not look at the file on disk
}

func (r *Repo) entries(ctx context.Context, paths []string) ([]indexEntry, error) {
	out, err := r.output(ctx, withPaths([]string{"ls-files", "-z", "--stage", "-v"}, paths)...)
	if err != nil {
		return nil, err
	}
	var entries []indexEntry
	err = eachEntry("ls-files", out, 4, func(parts []string, path string) { // tag mode oid stage\tpath
		if isFile(parts[1]) && parts[3] == "0" {
			// A small letter: assumed to be unchanged; S: not checked out.
			asInIndex := parts[0] == "S" || parts[0] != strings.ToUpper(parts[0])
			entries = append(entries, indexEntry{Blob{Path: path, OID: parts[2]}, asInIndex})
		}
	})
	return entries, err
}

// Tree returns the files of a revision at or below paths, or all, in the order of
// git, without submodules and symbolic links. The error is a *RevisionError where
// rev names none.
func (r *Repo) Tree(ctx context.Context, rev string, paths ...string) ([]Blob, error) {
	commit, err := r.Resolve(ctx, rev)
	if err != nil {
		return nil, err
	}
	out, err := r.output(ctx, withPaths([]string{"ls-tree", "-r", "-z", "--full-tree", commit}, paths)...)
	if err != nil {
		return nil, err
	}
	var blobs []Blob
	err = eachEntry("ls-tree", out, 3, func(parts []string, path string) { // mode type oid\tpath
		if isFile(parts[0]) {
			blobs = append(blobs, Blob{Path: path, OID: parts[2]})
		}
	})
	return blobs, err
}

// eachEntry calls f for each entry of a list of git, with the n words before its
// path, which a command has printed.
func eachEntry(command, out string, n int, f func(words []string, path string)) error {
	for _, line := range fields(out) {
		info, path, _ := strings.Cut(line, "\t")
		words := strings.Fields(info)
		if len(words) != n {
			return unexpected(command)
		}
		f(words, path)
	}
	return nil
}

// RevisionError says that a text names no commit of the repository.
type RevisionError struct{ Revision string }

func (e *RevisionError) Error() string {
	return fmt.Sprintf("%q is no revision of this repository", e.Revision)
}

// Resolve returns the hexadecimal name of the commit that rev names. The error is
// a *RevisionError if there is none, and if rev begins with a hyphen.
func (r *Repo) Resolve(ctx context.Context, rev string) (string, error) {
	if rev == "" || strings.HasPrefix(rev, "-") || strings.ContainsAny(rev, "\x00\r\n") {
		return "", &RevisionError{rev}
	}
	out, err := r.output(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	if errors.As(err, new(*Error)) {
		return "", &RevisionError{rev}
	}
	out = strings.TrimSpace(out)
	if err == nil && !isOID(out) {
		return "", &RevisionError{rev}
	}
	return out, err
}

// withPaths adds paths, so that none can be an option.
func withPaths(args, paths []string) []string {
	args = append(args, "--")
	if slices.Contains(paths, ".") { // all: ls-tree takes it for a name
		return args
	}
	return append(args, paths...)
}

// unexpected says that a command of git has printed something else than it documents.
func unexpected(command string) error {
	return fmt.Errorf("git %s: has printed something that is not documented", command)
}

// change is one line of `git diff --raw`.
type change struct{ mode, oid string }

// parseRaw reads ":oldmode newmode oldoid newoid status".
func parseRaw(line string) (change, error) {
	parts := strings.Fields(line)
	if len(parts) != 5 || !strings.HasPrefix(parts[0], ":") || !isOID(parts[3]) {
		return change{}, unexpected("diff --raw")
	}
	return change{mode: parts[1], oid: parts[3]}, nil
}

// isFile tells regular files from symbolic links and submodules.
func isFile(mode string) bool { return strings.HasPrefix(mode, "100") }

func isOID(s string) bool {
	return (len(s) == 40 || len(s) == 64) && strings.Trim(s, "0123456789abcdef") == ""
}
