// SPDX-License-Identifier: Apache-2.0

package manifest

import "fmt"

// MaxParsedNodes bounds what is parsed of one stream, or of several files
// together (CheckNodes): a node takes some 3 us and 200 bytes. It is room for
// 3,000 sealed documents.
const MaxParsedNodes = 400_000

// TooMuchError says that parsing documents would take too much time and memory.
type TooMuchError struct {
	Documents int
	Nodes     int // in all of them, as Document.Nodes counts
}

func (e *TooMuchError) Error() string {
	return fmt.Sprintf("too much of it has to be parsed: %d documents with up to %d nodes, the limit is %d", e.Documents, e.Nodes, MaxParsedNodes)
}

// CheckNodes returns a *TooMuchError for documents that are not to be parsed in
// one run. One alone is bounded by Parse.
func CheckNodes(docs []*Document) error {
	nodes := 0
	for _, d := range docs {
		nodes += d.Nodes()
	}
	if len(docs) > 1 && nodes > MaxParsedNodes {
		return &TooMuchError{len(docs), nodes}
	}
	return nil
}

// Concerning returns the documents that might hold an object that names one of
// the words (MightConcern). The error is that of CheckNodes.
func (s *Stream) Concerning(words ...string) ([]*Document, error) {
	var docs []*Document
	for _, d := range s.Documents {
		if d.Index > 0 && MightConcern(d.raw, words...) {
			docs = append(docs, d)
		}
	}
	if err := CheckNodes(docs); err != nil {
		return nil, err
	}
	return docs, nil
}
