// SPDX-License-Identifier: Apache-2.0

package kustomizeplugin

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/signet-secrets/signet/seal/manifest"
)

// Limits of what is read for one configuration.
const (
	maxFileBytes  = manifest.MaxStreamBytes
	maxTotalBytes = manifest.MaxStreamBytes
	// maxEntries bounds the folders that a pattern is looked for in.
	maxEntries = 100_000
)

// tree is the folder of a kustomization with all below it. Nothing outside can
// be reached through it: not with an absolute path, not with "..", and not
// through a symlink that leads out or is absolute. Nothing in it can make a
// reader wait for ever, as a named pipe would.
type tree struct {
	root *os.Root
	left int // bytes that may still be read
}

func openTree(dir string) (*tree, error) {
	if dir == "" {
		return nil, errors.New("the folder of the kustomization is not known")
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &tree{root: root, left: maxTotalBytes}, nil
}

func (t *tree) close() { t.root.Close() }

// inside returns the clean form of a path or pattern that is below the root.
func inside(name string) (string, error) {
	clean := path.Clean(name)
	switch {
	case path.IsAbs(name), filepath.IsAbs(name), filepath.VolumeName(name) != "", clean == "..", strings.HasPrefix(clean, "../"):
		return "", errOutside
	case strings.ContainsRune(name, 0):
		return "", errors.New("is no path")
	}
	return clean, nil
}

// stat follows symlinks within the tree.
func (t *tree) stat(name string) (os.FileInfo, error) {
	info, err := t.root.Stat(filepath.FromSlash(name))
	return info, cause(err)
}

// open opens a file or folder that is one of the wanted kind, without waiting
// for whoever may write into it.
func (t *tree) open(name string, wanted func(os.FileMode) error) (*os.File, error) {
	info, err := t.stat(name)
	if err != nil {
		return nil, err
	}
	if err := wanted(info.Mode()); err != nil {
		return nil, err
	}
	f, err := t.root.OpenFile(filepath.FromSlash(name), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, cause(err)
	}
	info, err = f.Stat() // it may have been exchanged
	if err == nil {
		err = wanted(info.Mode())
	}
	if err != nil {
		f.Close()
		return nil, cause(err)
	}
	return f, nil
}

func regular(m os.FileMode) error {
	switch {
	case m.IsDir():
		return errDirectory
	case !m.IsRegular():
		return errNotRegular
	}
	return nil
}

// read returns the content of a file.
func (t *tree) read(name string) ([]byte, error) {
	clean, err := inside(name)
	if err != nil {
		return nil, err
	}
	f, err := t.open(clean, regular)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	limit := min(maxFileBytes, t.left)
	text, err := readAtMost(f, limit)
	if err != nil {
		return nil, cause(err)
	}
	t.left -= len(text)
	return text, nil
}

func readAtMost(r io.Reader, limit int) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err == nil && len(text) > limit {
		err = fmt.Errorf("has more bytes than may be read, which are %d for all files together", maxTotalBytes)
	}
	return text, err
}

// match returns the files that a path or pattern names, sorted. A pattern
// (path.Match) that matches none is an error.
func (t *tree) match(pattern string) ([]string, error) {
	clean, err := inside(pattern)
	if err != nil {
		return nil, err
	}
	if _, err := path.Match(clean, ""); err != nil {
		return nil, errors.New("is a malformed pattern")
	}
	if !hasMeta(clean) {
		return []string{clean}, nil
	}
	names := []string{"."}
	budget := maxEntries
	for part := range strings.SplitSeq(clean, "/") {
		var next []string
		for _, dir := range names {
			found, err := t.children(dir, part, &budget)
			if err != nil {
				return nil, err
			}
			next = append(next, found...)
		}
		names = next
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		info, err := t.stat(name)
		return err == nil && info.IsDir() // dir/* means the files in it
	})
	if len(names) == 0 {
		return nil, errNoMatch
	}
	slices.Sort(names)
	return names, nil
}

func hasMeta(pattern string) bool { return strings.ContainsAny(pattern, `*?[\`) }

// children returns what in a folder one part of a pattern names. Where dir is
// no folder there is nothing.
func (t *tree) children(dir, part string, budget *int) ([]string, error) {
	if !hasMeta(part) {
		name := path.Join(dir, part)
		if _, err := t.stat(name); isMissing(err) || errors.Is(err, syscall.ENOTDIR) {
			return nil, nil
		}
		return []string{name}, nil
	}
	f, err := t.open(dir, func(m os.FileMode) error {
		if !m.IsDir() {
			return errNoMatch
		}
		return nil
	})
	if errors.Is(err, errNoMatch) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := f.Readdirnames(*budget + 1)
	if err != nil && err != io.EOF {
		return nil, cause(err)
	}
	if *budget -= len(entries); *budget < 0 {
		return nil, fmt.Errorf("more than %d files and folders have to be looked at", maxEntries)
	}
	var names []string
	for _, entry := range entries {
		if ok, _ := path.Match(part, entry); ok {
			names = append(names, path.Join(dir, entry))
		}
	}
	return names, nil
}

// cause takes the path out of an error about a file, and tells one that leads
// out of the tree by its text, which is all that package os offers.
func cause(err error) error {
	var at *os.PathError
	if !errors.As(err, &at) {
		return err
	}
	if at.Err.Error() == "path escapes from parent" {
		return errOutside
	}
	return at.Err
}
