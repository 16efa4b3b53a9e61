// SPDX-License-Identifier: Apache-2.0

package sopsfile

import (
	"context"
	"fmt"
	"strings"

	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// Format is one of SOPS's file formats, by the name that `sops --input-type`
// knows.
type Format string

// The formats of SOPS 3.13 (sops: cmd/sops/formats/formats.go).
const (
	YAML   Format = "yaml"
	JSON   Format = "json"
	Dotenv Format = "dotenv"
	INI    Format = "ini"
	Binary Format = "binary"
)

// FormatOf returns the format of a file by the end of its name, as SOPS does:
// .yaml and .yml, .json, .env and .ini in lower case; any other is Binary.
func FormatOf(path string) Format {
	for _, f := range []struct {
		suffix string
		format Format
	}{{".yaml", YAML}, {".yml", YAML}, {".json", JSON}, {".env", Dotenv}, {".ini", INI}} {
		if strings.HasSuffix(path, f.suffix) {
			return f.format
		}
	}
	return Binary
}

// Limits of what is read and written; those of the tree are per file.
const (
	maxFileBytes   = manifest.MaxDocumentBytes
	maxNodes       = 200_000
	maxResultBytes = 64 << 20
)

// store reads and writes the trees of one format (sops: sops.go, type Store).
type store struct {
	// read returns what the file holds, metadata included.
	read func(content []byte) ([]sopsdoc.Branch, error)
	// metadata takes the metadata out of what was read; nil if there is none.
	metadata func(branches []sopsdoc.Branch) (sopsdoc.Branch, error)
	write    func(branches []sopsdoc.Branch) ([]byte, error)
}

func (f Format) store() (store, bool) {
	switch f {
	case YAML:
		return store{readYAML, nestedMetadata, writeYAML}, true
	case JSON:
		return store{readJSON, nestedMetadata, writeJSON}, true
	case Binary:
		return store{readJSON, nestedMetadata, writeBinary}, true
	case Dotenv:
		return store{readDotenv, prefixedMetadata, writeDotenv}, true
	case INI:
		return store{readINI, sectionMetadata, writeINI}, true
	}
	return store{}, false
}

func (s store) load(content []byte) ([]sopsdoc.Branch, error) {
	if len(content) > maxFileBytes {
		return nil, invalid("", "the file has %d bytes, the limit is %d", len(content), maxFileBytes)
	}
	return s.read(content)
}

// Open returns the content of a SOPS file in clear, as `sops decrypt` prints
// it, after it has authenticated all of it. Of o, Namespace and Policy play no
// part, and Keyring as in unseal.OpenFile. The error is a *sopsdoc.InvalidError
// or *sopsdoc.TamperedError, or that of UnwrapFile: with a limit by Namespaces
// nothing is opened. None holds a value.
// Open is safe for concurrent use.
func Open(ctx context.Context, content []byte, f Format, o unseal.Options) ([]byte, error) {
	s, ok := f.store()
	if !ok {
		return nil, fmt.Errorf("unknown format %q", string(f))
	}
	branches, err := s.load(content)
	if err != nil {
		return nil, err
	}
	block, err := s.metadata(branches)
	if err != nil {
		return nil, err
	}
	if block == nil {
		return nil, invalid(sopsdoc.MetadataKey, "is missing: the file is not encrypted")
	}
	md, err := parseMetadata(block)
	if err != nil {
		return nil, err
	}
	if err := checkForeign(branches); err != nil {
		return nil, err
	}
	k, err := o.UnwrapFile(ctx, md.Recipients)
	if err != nil {
		return nil, err
	}
	if err := sopsdoc.DecryptTree(branches, md, k); err != nil {
		return nil, err
	}
	// Once more: apiVersion may have been encrypted.
	if err := checkForeign(branches); err != nil {
		return nil, err
	}
	return s.write(branches)
}

// checkForeign refuses objects of Signet's own API, as unseal.OpenFile does.
func checkForeign(branches []sopsdoc.Branch) error {
	for _, b := range branches {
		for _, item := range b {
			text, ok := item.Value.(string)
			if !ok || item.Comment != nil || item.Key != "apiVersion" {
				continue
			}
			if group, _, _ := strings.Cut(text, "/"); group == sopsdoc.Group {
				return invalid(sopsdoc.MetadataKey, "an object of %s must not have SOPS metadata at its top level", sopsdoc.Group)
			}
		}
	}
	return nil
}

func invalid(path, format string, args ...any) error {
	return &sopsdoc.InvalidError{Path: path, Reason: fmt.Sprintf(format, args...)}
}
