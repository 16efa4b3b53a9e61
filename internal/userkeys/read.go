// SPDX-License-Identifier: Apache-2.0

package userkeys

import (
	"errors"
	"fmt"
	"os"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// readKey is the operation of errors about SealingKeys that are malformed.
const readKey = "read SealingKey"

// readSealingKeys reads the SealingKeys in a file. Other objects in it do not
// matter, one that is malformed does. Errors are *report.PlacedErrors, perhaps
// several joined.
func readSealingKeys(path string) ([]unseal.Key, error) {
	name := report.ShortPath(path)
	stream, err := readStream(path)
	if err != nil {
		return nil, &report.PlacedError{File: name, Operation: "read", Err: report.Cause(err)}
	}
	documents, err := stream.Concerning(sopsdoc.Group)
	if err != nil {
		return nil, &report.PlacedError{File: name, Operation: "read", Err: err}
	}
	return parseSealingKeys(name, documents)
}

func readStream(path string) (*manifest.Stream, error) {
	if info, err := os.Stat(path); err == nil && info.Size() > maxKeyFileBytes {
		return nil, fmt.Errorf("has more than %d bytes", maxKeyFileBytes)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, errors.New("is a directory")
	}
	return manifest.Read(f)
}

// parseSealingKeys looks at all documents before it reads a SealingKey in one.
func parseSealingKeys(name string, documents []*manifest.Document) ([]unseal.Key, error) {
	type place struct {
		*manifest.Object
		doc *manifest.Document
	}
	var found []place
	var errs []error
	for _, doc := range documents {
		_, objects, err := doc.Objects()
		if err != nil {
			errs = append(errs, &report.PlacedError{File: name, Document: doc.Index, Operation: "read", Err: err})
		}
		for _, o := range objects {
			if o.Group() == sopsdoc.Group && o.Kind() == sopsdoc.KeyKind {
				found = append(found, place{o, doc})
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	var all []unseal.Key
	for _, o := range found {
		key, err := sopsdoc.ParseSealingKey(o.Node)
		if err != nil {
			return nil, report.At(name, o.doc, o.Object, readKey, err)
		}
		all = append(all, unseal.Key{SealingKey: key, Place: name})
	}
	return all, nil
}
