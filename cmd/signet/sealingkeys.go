// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// sealingKeyDir is where SealingKeys lie in a repository.
const sealingKeyDir = ".signet/keys"

// Limits of what is read from folders of SealingKeys: they are the
// repository's, and so foreign.
const (
	maxKeyFiles     = 1000 // in one folder
	maxKeyFileBytes = 1 << 20
	maxKeysBytes    = 4 << 20 // in all folders: some 900 hybrid SealingKeys
)

// sealingKeyFile is a SealingKey and the file that it is in.
type sealingKeyFile struct {
	unseal.Key
	path string
}

// options returns with which keys to open the inputs.
func (f *keyFlags) options(stderr io.Writer, inputs []input, interactive bool) (unseal.Options, error) {
	allow, err := f.allowList(keys.AllowForUser(os.Getenv("VAULT_ADDR")))
	if err != nil {
		return unseal.Options{}, err
	}
	unwrapper := newServices(stderr, allow).unwrapper(ageSources(stderr, f.ageKeyFiles, interactive))
	found, err := f.findSealingKeys(stderr, inputs)
	if err != nil {
		return unseal.Options{}, err
	}
	ring := make([]unseal.Key, len(found))
	for i, k := range found {
		ring[i] = k.Key
	}
	return unseal.Options{
		Unwrapper: unwrapper,
		Keyring:   unseal.NewKeyring(unseal.KeyOptions{Unwrapper: unwrapper, ParseIdentity: parseIdentity}, ring...),
	}, nil
}

// parseIdentity implements unseal.ParseIdentity.
func parseIdentity(text string) (string, keys.Unwrapper, error) {
	id, err := agekey.ParseIdentity(text)
	if err != nil {
		return "", nil, err
	}
	return id.Recipient(), agekey.NewUnwrapper(agekey.Sources{Identities: []agekey.Identity{id}}), nil
}

// findSealingKeys returns the SealingKeys of --sealing-key, and those in the
// folders for it from where the inputs lie up to the root of the repository. A
// file there that cannot be read is passed over with a note: what needs it
// fails for want of a key.
func (f *keyFlags) findSealingKeys(stderr io.Writer, inputs []input) ([]sealingKeyFile, error) {
	var found []sealingKeyFile
	for _, path := range f.sealingKeys {
		keys, err := readSealingKeys(path)
		if err == nil && len(keys) == 0 {
			err = &placedError{file: path, operation: "read", err: errNoSealingKey}
		}
		if err != nil {
			return nil, err
		}
		found = append(found, keys...)
	}
	paths, err := sealingKeyPaths(inputs)
	if err != nil {
		return nil, err
	}
	size := int64(0)
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil {
			size += min(info.Size(), maxKeyFileBytes)
		}
		if size > maxKeysBytes {
			note(stderr, path, fmt.Sprintf("passed over, and so are the SealingKeys after it: there are more than %d bytes of them; "+
				"name the file that you need with --sealing-key", maxKeysBytes))
			break
		}
		keys, err := readSealingKeys(path)
		if err != nil {
			fmt.Fprintf(stderr, "signet: note: %s; the file is passed over\n", visible(split(err)[0].Error()))
			continue
		}
		found = append(found, keys...)
	}
	return found, nil
}

var errNoSealingKey = errors.New("holds no SealingKey")

// sealingKeyPaths lists the files in the folders for SealingKeys that belong to
// the inputs, sorted, each once.
func sealingKeyPaths(inputs []input) ([]string, error) {
	var dirs, paths []string
	asked := map[string]bool{}
	for _, in := range inputs {
		document := in.document()
		if asked[filepath.Dir(document)] {
			continue
		}
		asked[filepath.Dir(document)] = true
		up, err := keys.SearchPath(document)
		if err != nil { // a pipe, as /dev/stdin may be
			up, err = keys.SearchPath("-")
		}
		if err != nil {
			return nil, &placedError{file: in.name, operation: "find SealingKeys", err: err}
		}
		for _, dir := range up {
			if !slices.Contains(dirs, dir) {
				dirs = append(dirs, dir)
			}
		}
	}
	for _, dir := range dirs {
		files, err := keyFilesIn(filepath.Join(dir, filepath.FromSlash(sealingKeyDir)))
		if err != nil {
			return nil, err
		}
		paths = append(paths, files...)
	}
	return paths, nil
}

// document is the path that tells to which repository an input belongs: the
// working directory's for what is no file.
func (in input) document() string {
	if in.name == "-" || in.fromCommand {
		return "-"
	}
	return in.name
}

// keyFilesIn lists the manifests in a folder, none if it is not there.
func keyFilesIn(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil, nil
	}
	if err != nil {
		return nil, &placedError{file: dir, operation: "find SealingKeys", err: cause(err)}
	}
	var paths []string
	for _, e := range entries {
		name := e.Name()
		if e.Type().IsRegular() && !strings.HasPrefix(name, ".") && slices.Contains(manifestSuffixes, strings.ToLower(filepath.Ext(name))) {
			paths = append(paths, filepath.Join(dir, name))
		}
	}
	if len(paths) > maxKeyFiles {
		return nil, &placedError{file: dir, operation: "find SealingKeys", err: fmt.Errorf("holds %d files, the limit is %d", len(paths), maxKeyFiles)}
	}
	return paths, nil
}

// readKey is the operation of errors about SealingKeys that are malformed.
const readKey = "read SealingKey"

// readSealingKeys reads the SealingKeys in a file. Other objects in it do not
// matter, one that is malformed does.
func readSealingKeys(path string) ([]sealingKeyFile, error) {
	if info, err := os.Stat(path); err == nil && info.Size() > maxKeyFileBytes {
		return nil, &placedError{file: shortPath(path), operation: "read", err: fmt.Errorf("has more than %d bytes", maxKeyFileBytes)}
	}
	in := input{name: shortPath(path)}
	if err := in.read(nil); err != nil {
		return nil, err
	}
	objects, err := in.objects(func(f found) (bool, error) {
		return f.Group() == sopsdoc.Group && f.Kind() == sopsdoc.KeyKind, nil
	}, sopsdoc.Group)
	if err != nil {
		return nil, err
	}
	var all []sealingKeyFile
	for _, f := range objects {
		key, err := sopsdoc.ParseSealingKey(f.Node)
		if err != nil {
			return nil, f.at(in.name, readKey, err)
		}
		all = append(all, sealingKeyFile{unseal.Key{SealingKey: key, Place: in.name}, path})
	}
	return all, nil
}

// shortPath is a path as somebody in the working directory would write it.
func shortPath(path string) string {
	wd, err := os.Getwd()
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(wd, path); err == nil && len(rel) < len(path) {
		return rel
	}
	return path
}
