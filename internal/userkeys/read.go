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

// MaxParsedNodes bounds what is parsed of one stream: a node takes some 3 us
// and 200 bytes. It is room for 3,000 SealedSecrets.
const MaxParsedNodes = 400_000

// TooMuchError says that a stream would take too much time and memory.
type TooMuchError struct{ Documents, Nodes int }

func (e *TooMuchError) Error() string {
	return fmt.Sprintf("too much of it has to be parsed: %d documents with up to %d nodes, the limit is %d", e.Documents, e.Nodes, MaxParsedNodes)
}

// ReadSealingKeys reads the SealingKeys in a file. Other objects in it do not
// matter, one that is malformed does. Errors are *report.PlacedErrors, perhaps
// several joined.
func ReadSealingKeys(path string) ([]unseal.Key, error) {
	name := report.ShortPath(path)
	stream, err := readStream(path)
	if err != nil {
		return nil, &report.PlacedError{File: name, Operation: "read", Err: report.Cause(err)}
	}
	var documents []*manifest.Document
	nodes := 0
	for _, doc := range stream.Documents {
		if doc.Index > 0 && manifest.MightConcern(doc.Raw(), sopsdoc.Group) {
			documents = append(documents, doc)
			nodes += doc.Nodes()
		}
	}
	if len(documents) > 1 && nodes > MaxParsedNodes {
		return nil, &report.PlacedError{File: name, Operation: "read", Err: &TooMuchError{len(documents), nodes}}
	}
	return parseSealingKeys(name, documents)
}

func readStream(path string) (*manifest.Stream, error) {
	if info, err := os.Stat(path); err == nil && info.Size() > MaxKeyFileBytes {
		return nil, fmt.Errorf("has more than %d bytes", MaxKeyFileBytes)
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
		node, err := doc.Node()
		var objects []*manifest.Object
		if err == nil {
			objects, err = manifest.Objects(node)
		}
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
