// SPDX-License-Identifier: Apache-2.0

package merge3

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
)

// Merged is a file whose text was merged, with its sealed documents in place.
type Merged struct {
	// Jobs hold all sealed documents of the file in order.
	Jobs []*Job

	stream *manifest.Stream
}

// Job is what has to be sealed together: one SealedSecret, or the documents of
// one SOPS file, those that only one side has included.
type Job struct {
	Documents []*Document
	// SOPS says that SOPS encrypted the documents.
	SOPS bool
	// Settled says that the documents are in place as one of the versions has
	// them, since no other changed them. Otherwise the caller is to replace each.
	Settled bool
}

// The causes why merged text cannot be used. They come from what Git made of
// moved documents.
var (
	errMissing  = errors.New("a sealed document is missing, or there twice")
	errTogether = errors.New("a sealed document runs into another document")
	errReplaced = errors.New("a sealed document was not replaced")
)

// Merge puts the sealed documents into text, which a program that merges lines
// has made of Base, Ours and Theirs without a conflict. The error says that the
// text does not hold every document once, apart from the others: that is a
// conflict, too.
func (s *Streams) Merge(text []byte) (*Merged, error) {
	stream, err := manifest.Split(text)
	if err != nil {
		return nil, fmt.Errorf("read merged text: %w", err)
	}
	documents, err := s.find(text, stream)
	if err != nil {
		return nil, fmt.Errorf("merge text: %w", err)
	}
	for _, d := range documents {
		d.out.ReplaceBody(d.body())
	}
	m := &Merged{Jobs: jobsOf(documents)}
	if m.stream, err = manifest.Split(stream.Bytes()); err != nil {
		return nil, fmt.Errorf("read merged text: %w", err)
	}
	if !m.place(documents) {
		return nil, fmt.Errorf("merge text: %w", errTogether)
	}
	return m, nil
}

// find returns the documents of the placeholders in a stream, in order.
func (s *Streams) find(text []byte, stream *manifest.Stream) ([]*Document, error) {
	var documents []*Document
	count := map[string]int{}
	for _, doc := range stream.Documents {
		token := tokenOf(bytes.Trim(doc.Body(), "\r\n"))
		if known := s.documents[token]; known != nil && doc.Index > 0 {
			d := known.document(count[token])
			d.out = doc
			d.ends = doc == stream.Documents[len(stream.Documents)-1] && len(bytes.TrimRight(doc.Raw(), " \t\r\n"))+1 >= len(doc.Raw())
			documents = append(documents, d)
			count[token]++
		}
	}
	if len(documents) != s.mentions(text) {
		return nil, errTogether
	}
	for token, known := range s.documents {
		n, inOurs, inTheirs := count[token], len(known.parts[1]) > 0, len(known.parts[2]) > 0
		switch hasID := known.id != (ID{}); {
		case hasID && inOurs && inTheirs && n == 0, hasID && n > 1, n > 0 && !inOurs && !inTheirs:
			return nil, errMissing
		}
	}
	return documents, nil
}

// mentions counts the placeholders in a text, wherever they stand.
func (s *Streams) mentions(text []byte) int {
	const between = `": `
	for n := 0; ; {
		_, rest, ok := bytes.Cut(text, []byte(tokenWord))
		if !ok {
			return n
		}
		text = rest
		token := bytes.TrimLeft(rest[:min(len(rest), len(between)+tokenHexDigits)], between)
		if _, ok := s.documents[string(token[:min(len(token), tokenHexDigits)])]; ok {
			n++
		}
	}
}

// body returns what stands in the place of a document until it is replaced.
func (d *Document) body() []byte {
	p := d.settled()
	if p == nil {
		p = d.Ours
	}
	return d.bodyOf(p)
}

// bodyOf returns the text of p for the place of the document: with a final line
// break unless it ended a file before and does so again.
func (d *Document) bodyOf(p *Part) []byte {
	if d.ends || bytes.HasSuffix(p.Body, []byte("\n")) {
		return p.Body
	}
	return append(slices.Clip(p.Body), '\n')
}

// place finds the documents in the stream that holds them, and reports whether
// they are all there.
func (m *Merged) place(documents []*Document) bool {
	byIndex := map[int]*manifest.Document{}
	for _, doc := range m.stream.Documents {
		byIndex[doc.Index] = doc
	}
	for _, d := range documents {
		want := d.body()
		if d.out = byIndex[d.out.Index]; d.out == nil || !bytes.Equal(trim(d.out.Body()), trim(want)) {
			return false
		}
	}
	return true
}

func trim(text []byte) []byte { return bytes.Trim(text, " \t\r\n") }

// settled returns the version of the document that a merge has to give, if that
// can be told from their texts, else nil.
func (d *Document) settled() *Part {
	equal := func(a, b *Part) bool { return a != nil && bytes.Equal(withoutBreak(a.Body), withoutBreak(b.Body)) }
	switch {
	case d.Theirs == nil:
		return d.Ours
	case d.Ours == nil, equal(d.Base, d.Ours):
		return d.Theirs
	case equal(d.Base, d.Theirs), equal(d.Ours, d.Theirs):
		return d.Ours
	}
	return nil
}

// jobsOf puts the documents into jobs.
func jobsOf(documents []*Document) []*Job {
	var jobs []*Job
	for i, d := range documents {
		if i > 0 && d.sops && documents[i-1].sops && oneFile(documents[i-1], d) {
			last := jobs[len(jobs)-1]
			last.Documents = append(last.Documents, d)
			continue
		}
		jobs = append(jobs, &Job{Documents: []*Document{d}, SOPS: d.sops})
	}
	for _, j := range jobs {
		j.Settled = j.settled()
	}
	return jobs
}

// oneFile reports whether a side has two documents in one SOPS file.
func oneFile(a, b *Document) bool {
	together := func(p, q *Part) bool { return p != nil && q != nil && &p.File[0] == &q.File[0] }
	return together(a.Ours, b.Ours) || together(a.Theirs, b.Theirs)
}

// settled reports whether the documents are in place: each is settled, and
// those of SOPS are all of one file of one side, in order.
func (j *Job) settled() bool {
	if !j.SOPS {
		return j.Documents[0].settled() != nil
	}
	for _, side := range []func(*Document) *Part{
		func(d *Document) *Part { return d.Ours },
		func(d *Document) *Part { return d.Theirs },
	} {
		var parts []*Part
		for _, d := range j.Documents {
			p, want := side(d), d.settled()
			if p == nil || want == nil || !bytes.Equal(p.Body, want.Body) {
				break
			}
			parts = append(parts, p)
		}
		if len(parts) == len(j.Documents) && slices.Equal(parts, parts[0].File) {
			return true
		}
	}
	return false
}

// Replace puts n in the place of the document, as manifest.Document.Replace
// does.
func (d *Document) Replace(n *yaml.Node) error {
	if err := d.out.Replace(n); err != nil {
		return err
	}
	d.done = true
	return nil
}

// Keep puts the document as it is in p, one of its versions, in its place.
func (d *Document) Keep(p *Part) {
	d.out.ReplaceBody(d.bodyOf(p))
	d.done = true
}

// Bytes writes the file. It is an error if a document is left that is not
// settled and was not replaced.
func (m *Merged) Bytes() ([]byte, error) {
	for _, j := range m.Jobs {
		for _, d := range j.Documents {
			if !j.Settled && !d.done {
				return nil, fmt.Errorf("write merged file: %w", errReplaced)
			}
		}
	}
	return m.stream.Bytes(), nil
}
