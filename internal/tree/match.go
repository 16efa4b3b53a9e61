// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Limits of a Matcher.
const (
	// maxSteps bounds the work. A step is an entry of a directory that is held
	// against a pattern, a part of a path that is followed, or a name that was
	// found; long patterns and names count for more. It is room for 20 patterns
	// in a directory with 10,000 files, and takes a few seconds at most.
	maxSteps = 300_000
	// maxPatterns is room for a path for each of the documents that are parsed
	// in one run, which are some 3,000 (seal/manifest: MaxParsedNodes).
	maxPatterns = 5_000
	// maxPatternBytes is as long as a path can be (Linux: PATH_MAX).
	maxPatternBytes = 4096
)

// Errors about patterns.
var (
	ErrNoMatch = errors.New("no file matches")
	ErrTooMuch = errors.New("too many files and directories have to be looked at, for this pattern and those before it")
)

// PatternError says what is wrong with a pattern, or with what it names.
type PatternError struct {
	Pattern string // as it was given
	Err     error
}

func (e *PatternError) Error() string { return fmt.Sprintf("%q: %v", e.Pattern, e.Err) }

// Unwrap returns the cause.
func (e *PatternError) Unwrap() error { return e.Err }

var _ error = (*PatternError)(nil)

// Matcher finds files by patterns. Its limits are for all that it is ever asked
// for. It is not safe for concurrent use.
type Matcher struct {
	root     *os.Root
	steps    int // that are left
	patterns int // likewise
}

// NewMatcher returns a Matcher of the files below root.
func NewMatcher(root *os.Root) *Matcher {
	return &Matcher{root: root, steps: maxSteps, patterns: maxPatterns}
}

// HasMeta reports whether a text is a pattern and not just a path.
func HasMeta(pattern string) bool { return strings.ContainsAny(pattern, `*?[\`) }

// Match returns the files that paths and patterns (path.Match) name, sorted,
// each once. They are relative to dir, a directory of the root, and must lead to
// what is below it; the result is relative to the root. All have slashes. A
// pattern names files only, not directories, and is an error if it names none; a
// path need not lead to anything. The error joins *PatternErrors, or is one
// alone, with ErrTooMuch, or that of ctx.
func (m *Matcher) Match(ctx context.Context, dir string, patterns []string) ([]string, error) {
	found, seen := map[string]bool{}, map[string]bool{}
	var errs []error
	for _, pattern := range patterns {
		key := path.Clean(pattern)
		if seen[key] {
			continue
		}
		seen[key] = true
		names, err := m.match(ctx, dir, pattern)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case errors.Is(err, ErrTooMuch): // what follows is not looked at
			return nil, &PatternError{Pattern: pattern, Err: err}
		case err != nil:
			errs = append(errs, &PatternError{Pattern: pattern, Err: err})
		}
		for _, name := range names {
			found[name] = true
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return slices.Sorted(maps.Keys(found)), nil
}

func (m *Matcher) match(ctx context.Context, dir, pattern string) ([]string, error) {
	if m.patterns--; m.patterns < 0 {
		return nil, fmt.Errorf("%w: there are more than %d patterns", ErrTooMuch, maxPatterns)
	}
	clean, err := Inside(pattern)
	if err != nil {
		return nil, err
	}
	if len(clean) > maxPatternBytes {
		return nil, fmt.Errorf("has more than %d bytes", maxPatternBytes)
	}
	if _, err := path.Match(clean, ""); err != nil {
		return nil, errors.New("is a malformed pattern")
	}
	if !HasMeta(clean) {
		return []string{path.Join(dir, clean)}, nil
	}
	names := []string{dir}
	for part := range strings.SplitSeq(clean, "/") {
		var next []string
		for _, name := range names {
			children, err := m.children(ctx, name, part)
			if err != nil {
				return nil, err
			}
			next = append(next, children...)
		}
		names = next
	}
	return m.files(ctx, names)
}

// files leaves out directories: dir/* means the files in it.
func (m *Matcher) files(ctx context.Context, names []string) ([]string, error) {
	var files []string
	for _, name := range names {
		if err := m.spend(ctx, depth(name)); err != nil {
			return nil, err
		}
		if info, err := m.root.Stat(filepath.FromSlash(name)); err != nil || !info.IsDir() {
			files = append(files, name)
		}
	}
	if len(files) == 0 {
		return nil, ErrNoMatch
	}
	return files, nil
}

// children returns what in a directory one part of a pattern names. Where dir is
// no directory there is nothing.
func (m *Matcher) children(ctx context.Context, dir, part string) ([]string, error) {
	if err := m.spend(ctx, depth(dir)); err != nil {
		return nil, err
	}
	if !HasMeta(part) {
		name := path.Join(dir, part)
		_, err := m.root.Stat(filepath.FromSlash(name))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
			return nil, nil
		}
		return []string{name}, m.spend(ctx, weight(name))
	}
	f, err := Open(m.root, dir, isFolder)
	if errors.Is(err, ErrNoMatch) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return m.entries(ctx, f, dir, part)
}

// entries returns what in an open directory one part of a pattern names.
func (m *Matcher) entries(ctx context.Context, f *os.File, dir, part string) ([]string, error) {
	const some = 512
	var names []string
	for {
		entries, err := f.Readdirnames(some)
		for _, entry := range entries {
			if err := m.spend(ctx, 1+len(part)*len(entry)/1024); err != nil { // it may try every place
				return nil, err
			}
			if ok, _ := path.Match(part, entry); !ok {
				continue
			}
			name := path.Join(dir, entry)
			if err := m.spend(ctx, weight(name)); err != nil {
				return nil, err
			}
			names = append(names, name)
		}
		if err == io.EOF {
			return names, nil
		}
		if err != nil {
			return nil, Cause(err)
		}
	}
}

func isFolder(mode fs.FileMode) error {
	if !mode.IsDir() {
		return ErrNoMatch
	}
	return nil
}

// depth is how many parts of a path have to be followed.
func depth(name string) int { return 1 + strings.Count(name, "/") }

// weight is what it costs to keep a name.
func weight(name string) int { return 1 + len(name)/64 }

func (m *Matcher) spend(ctx context.Context, steps int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if m.steps -= steps; m.steps < 0 {
		return ErrTooMuch
	}
	return nil
}
