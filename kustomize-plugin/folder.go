// SPDX-License-Identifier: Apache-2.0

package kustomizeplugin

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/signet-secrets/signet/internal/parallel"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/tree"
	"github.com/signet-secrets/signet/seal/manifest"
)

// maxTotalBytes is how much is read for one configuration, in all files.
const maxTotalBytes = manifest.MaxStreamBytes

// folder is the directory of a kustomization with all below it; package tree
// says what cannot happen there.
type folder struct {
	root *os.Root
	left int // bytes that may still be read
}

func openFolder(dir string) (*folder, error) {
	if dir == "" {
		return nil, errors.New("the directory of the kustomization is not known")
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &folder{root: root, left: maxTotalBytes}, nil
}

func (f *folder) close() { f.root.Close() }

// read returns the content of a file.
func (f *folder) read(name string) ([]byte, error) {
	clean, err := tree.Inside(name)
	if err != nil {
		return nil, err
	}
	text, err := tree.Read(f.root, clean, f.left, fmt.Errorf("the files have more than %d bytes together", maxTotalBytes))
	if err != nil {
		return nil, err
	}
	f.left -= len(text)
	return text, nil
}

// readAll reads files one after the other: their limit is for all together.
func (f *folder) readAll(ctx context.Context, names []string) ([][]byte, error) {
	content := make([][]byte, len(names))
	errs := make([]error, len(names))
	for i, name := range names {
		if ctx.Err() != nil {
			errs[i] = parallel.ErrNotTried
			continue
		}
		text, err := f.read(name)
		if err != nil {
			errs[i] = &report.PlacedError{File: name, Operation: "read", Err: err}
		}
		content[i] = text
	}
	return content, joined(errs)
}

// match returns the files that paths and patterns name, sorted, each once. The
// error is that of joined.
func (f *folder) match(ctx context.Context, patterns []string) ([]string, error) {
	names, err := tree.NewMatcher(f.root).Match(ctx, ".", patterns)
	if err != nil && ctx.Err() != nil {
		return nil, &UntriedError{Count: len(patterns)}
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
