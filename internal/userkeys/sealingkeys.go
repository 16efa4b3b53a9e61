// SPDX-License-Identifier: Apache-2.0

package userkeys

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/unseal"
)

// SealingKeyDir is where SealingKeys lie in a repository.
const SealingKeyDir = ".signet/keys"

// maxKeyFileBytes is the size of a file with SealingKeys that is read.
const maxKeyFileBytes = 1 << 20

// Limits of what is read from folders of SealingKeys: they are the
// repository's, and so foreign.
const (
	maxKeyFiles  = 1000    // in one folder
	maxKeysBytes = 4 << 20 // in all folders: some 900 hybrid SealingKeys
)

// SealingKeys returns the SealingKeys of SealingKeyFiles, and those in the
// folders for it from where the documents lie up to the root of the repository,
// each with the path of its file, as ShortPath gives it, for its place. A file
// in a folder that cannot be read is passed over with a note: what needs it fails
// for want of a key. Errors are *report.PlacedErrors.
func (s Sources) SealingKeys(documents ...string) ([]unseal.Key, error) {
	var found []unseal.Key
	for _, path := range s.SealingKeyFiles {
		keys, err := readSealingKeys(path)
		if err == nil && len(keys) == 0 {
			err = &report.PlacedError{File: path, Operation: "read", Err: errors.New("holds no SealingKey")}
		}
		if err != nil {
			return nil, err
		}
		found = append(found, keys...)
	}
	paths, err := sealingKeyPaths(documents)
	if err != nil {
		return nil, err
	}
	size := int64(0)
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil {
			size += min(info.Size(), maxKeyFileBytes)
		}
		if size > maxKeysBytes {
			s.printer().Note(path, s.tooManyKeys())
			break
		}
		keys, err := readSealingKeys(path)
		if err != nil {
			s.printer().Line("note", report.Visible(report.Split(err)[0].Error())+"; the file is passed over")
			continue
		}
		found = append(found, keys...)
	}
	return found, nil
}

func (s Sources) tooManyKeys() string {
	help := "move the one that you need into the directory " + SealingKeyDir + " nearest to the document"
	if s.Flags {
		help = "name the file that you need with --sealing-key"
	}
	return fmt.Sprintf("passed over, and so are the SealingKeys after it: there are more than %d bytes of them; %s", maxKeysBytes, help)
}

// sealingKeyPaths lists the files in the folders for SealingKeys that belong to
// the documents, sorted, each once.
func sealingKeyPaths(documents []string) ([]string, error) {
	var dirs, paths []string
	asked := map[string]bool{}
	for _, document := range documents {
		if asked[filepath.Dir(document)] {
			continue
		}
		asked[filepath.Dir(document)] = true
		up, err := keys.SearchPath(document)
		if err != nil { // a pipe, as /dev/stdin may be
			up, err = keys.SearchPath("-")
		}
		if err != nil {
			return nil, findError(document, err)
		}
		for _, dir := range up {
			if !slices.Contains(dirs, dir) {
				dirs = append(dirs, dir)
			}
		}
	}
	for _, dir := range dirs {
		files, err := keyFilesIn(filepath.Join(dir, filepath.FromSlash(SealingKeyDir)))
		if err != nil {
			return nil, err
		}
		paths = append(paths, files...)
	}
	return paths, nil
}

// keyFilesIn lists the manifests in a folder, none if it is not there.
func keyFilesIn(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil, nil
	}
	if err != nil {
		return nil, findError(dir, report.Cause(err))
	}
	var paths []string
	for _, e := range entries {
		if e.Type().IsRegular() && manifest.IsFile(e.Name()) {
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	if len(paths) > maxKeyFiles {
		return nil, findError(dir, fmt.Errorf("holds %d files, the limit is %d", len(paths), maxKeyFiles))
	}
	return paths, nil
}

func findError(path string, err error) error {
	return &report.PlacedError{File: path, Operation: "find SealingKeys", Err: err}
}
