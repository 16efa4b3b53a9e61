// SPDX-License-Identifier: Apache-2.0

// Package manifest reads and writes streams of Kubernetes manifests: YAML
// documents, concatenated JSON objects and kind List, as yaml.Node trees.
//
// A stream is first cut into documents as bytes. A document that is not
// replaced is written back byte for byte, so comments, order, quoting and
// trailing newlines of everything that is not ours survive. Replaced documents
// keep their place and their separator.
//
// Input is foreign: sizes, depth and the number of nodes are bounded before
// and while parsing, and whatever could make two readers see two different
// objects (anchors, aliases, merge keys, duplicate keys, keys that are not
// strings, unusual tags) is an error that names the line. No error holds a
// piece of the input other than key names.
//
// All functions are safe for concurrent use on different values; a Stream or
// a node is used by one goroutine at a time.
//
// This package knows nothing about sealing, SOPS or keys.
package manifest
