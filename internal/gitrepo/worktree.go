// SPDX-License-Identifier: Apache-2.0

package gitrepo

import (
	"context"
	"crypto/fips140"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// OnDisk returns the files of the index at or below paths, or all, as they are in
// the work tree, in the order of git. The name of the content is that of the bytes
// on disk: git is not asked, which would run the filters that its configuration
// names. It is "" for what cannot be read. Files that are gone, submodules, symbolic
// links, what lies behind a link that leads out of the work tree, and files with
// conflicts are left out. What git does not look at on disk (sparse checkouts, files
// assumed to be unchanged) has the content of the index.
func (r *Repo) OnDisk(ctx context.Context, paths ...string) ([]Blob, error) {
	entries, err := r.entries(ctx, paths)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(r.root)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	var blobs []Blob
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		oid := e.OID
		if !e.asInIndex {
			oid, err = hashFile(root, e.Path, newHash(e.OID))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
		}
		blobs = append(blobs, Blob{Path: e.Path, OID: oid})
	}
	return blobs, nil
}

// ReadFile returns the content of a regular file of the work tree, of at most limit
// bytes, as it is on disk. The error is fs.ErrNotExist if there is none, or if it
// lies behind a link that leads out of the work tree, and ErrTooLarge.
func (r *Repo) ReadFile(path string, limit int64) ([]byte, error) {
	root, err := os.OpenRoot(r.root)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f, _, err := openFile(root, path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(text)) > limit {
		return nil, ErrTooLarge
	}
	return text, err
}

// openFile opens a regular file, and tells its size.
func openFile(root *os.Root, path string) (*os.File, int64, error) {
	info, err := root.Lstat(path)
	switch {
	case err == nil && info.Mode().IsRegular():
	case errors.Is(err, fs.ErrPermission):
		return nil, 0, err
	default: // also a file in place of a folder, and what is outside of root
		return nil, 0, fs.ErrNotExist
	}
	f, err := root.Open(path)
	if err != nil {
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// newHash returns the hash of repositories in which a content has the name oid.
// It protects nothing here.
func newHash(oid string) (h hash.Hash) {
	if len(oid) == 2*sha256.Size {
		return sha256.New()
	}
	fips140.WithoutEnforcement(func() { h = sha1.New() })
	return h
}

// hashFile returns the name that git would give to the bytes of a file, "" if it
// cannot be read. The error is fs.ErrNotExist if there is none.
func hashFile(root *os.Root, path string, h hash.Hash) (string, error) {
	f, size, err := openFile(root, path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	fips140.WithoutEnforcement(func() {
		fmt.Fprintf(h, "blob %d\x00", size)
		_, err = io.Copy(h, f)
	})
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Change is a file that is not the same in two lists.
type Change struct {
	Path string
	// Old and New are the names of its content, "" for one that is not known.
	Old, New string
	// HadOld and HasNew say that it is in the lists.
	HadOld, HasNew bool
}

// Changes compares two lists of files, sorted by their paths.
func Changes(old, now []Blob) []Change {
	all := map[string]Change{}
	for _, b := range old {
		all[b.Path] = Change{Path: b.Path, Old: b.OID, HadOld: true}
	}
	for _, b := range now {
		c := all[b.Path]
		c.Path, c.New, c.HasNew = b.Path, b.OID, true
		all[b.Path] = c
	}
	var changes []Change
	for _, c := range all {
		if c.HadOld != c.HasNew || c.Old != c.New || c.New == "" {
			changes = append(changes, c)
		}
	}
	slices.SortFunc(changes, func(a, b Change) int { return strings.Compare(a.Path, b.Path) })
	return changes
}
