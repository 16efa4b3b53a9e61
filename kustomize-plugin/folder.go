// SPDX-License-Identifier: Apache-2.0

package kustomizeplugin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/tree"
	"github.com/signet-secrets/signet/seal/manifest"
)

// Limits of what is read for one configuration.
const (
	maxFileBytes  = manifest.MaxStreamBytes
	maxTotalBytes = manifest.MaxStreamBytes
)

// folder is that of a kustomization with all below it; package tree says what
// cannot happen there.
type folder struct {
	root *os.Root
	left int // bytes that may still be read
}

func openFolder(dir string) (*folder, error) {
	if dir == "" {
		return nil, errors.New("the folder of the kustomization is not known")
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &folder{root: root, left: maxTotalBytes}, nil
}

func (t *folder) close() { t.root.Close() }

func regular(m fs.FileMode) error {
	switch {
	case m.IsDir():
		return errDirectory
	case !m.IsRegular():
		return errNotRegular
	}
	return nil
}

// read returns the content of a file.
func (t *folder) read(name string) ([]byte, error) {
	clean, err := tree.Inside(name)
	if err != nil {
		return nil, err
	}
	f, err := tree.Open(t.root, clean, regular)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	limit := min(maxFileBytes, t.left)
	text, err := readAtMost(f, limit)
	if err != nil {
		return nil, tree.Cause(err)
	}
	t.left -= len(text)
	return text, nil
}

// readAll reads files one after the other: their limit is for all together.
func (t *folder) readAll(ctx context.Context, names []string) ([][]byte, error) {
	content := make([][]byte, len(names))
	errs := make([]error, len(names))
	for i, name := range names {
		if ctx.Err() != nil {
			errs[i] = errNotTried
			continue
		}
		text, err := t.read(name)
		if err != nil {
			errs[i] = &report.PlacedError{File: name, Operation: "read", Err: err}
		}
		content[i] = text
	}
	return content, joined(errs)
}

func readAtMost(r io.Reader, limit int) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err == nil && len(text) > limit {
		err = fmt.Errorf("has more bytes than may be read, which are %d for all files together", maxTotalBytes)
	}
	return text, err
}

// match returns the files that paths and patterns name, sorted, each once. The
// error is that of tryInParallel.
func (t *folder) match(ctx context.Context, patterns []string) ([]string, error) {
	names, err := tree.NewMatcher(t.root).Match(ctx, ".", patterns)
	if err != nil && ctx.Err() != nil {
		return nil, &UntriedError{Documents: len(patterns)}
	}
	var errs []error
	for _, err := range report.Split(err) {
		if e, ok := report.As[*tree.PatternError](err); ok {
			err = &report.PlacedError{File: e.Pattern, Operation: "read", Err: e.Err}
		}
		errs = append(errs, err)
	}
	return names, errors.Join(errs...)
}
