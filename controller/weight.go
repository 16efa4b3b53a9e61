// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"strconv"

	"github.com/signet-secrets/signet/controller/v1alpha1"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

const maxNodes = sopsdoc.MaxControllerNodes

// What it takes at most to read a document from the API server, to parse it and to
// open it, in bytes: for each byte of its text, and for each node.
const (
	bytesPerByte = 8
	bytesPerNode = 400
)

// largeBytes is the weight from which on a document is large. A document that is
// not is kept in memory until it is opened, and as many may be opened at the same
// time as there are workers.
const largeBytes = 256 << 10

// memoryBytes is what large documents may weigh together while they are opened.
// The heaviest that the API server takes (1.5 MiB) is a quarter of it.
const memoryBytes = 64 << 20

// weightNote is the annotation, in the cache only, with the weight of a large
// document, whose text is not there.
const weightNote = "signet.dev/weight"

// weigh returns the weight of a document. What has more nodes than may be is never
// parsed.
func weigh(spec []byte) int {
	nodes := manifest.JSONNodes(spec)
	if nodes > maxNodes {
		nodes = 0
	}
	return min(bytesPerByte*len(spec)+bytesPerNode*nodes, memoryBytes/4)
}

// weightOf returns the weight of the document of an object in the cache, 0 if it is
// not large.
func weightOf(s *v1alpha1.SealedSecret) int {
	n, err := strconv.Atoi(s.Annotations[weightNote])
	if err != nil {
		return 0
	}
	return n
}
