// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// renderedRules looks at what builds have made.
type renderedRules struct {
	wanted  bool // the Secrets in it are
	secrets []rendered
}

const (
	skippedHint  = "kustomize leaves functions out without a word unless it is run with --enable-alpha-plugins --enable-exec"
	leftoverHint = "open it: signet unseal -- COMMAND; if a function should have: " + skippedHint
	functionHint = "list it under generators: or transformers:, not under resources:"
	valueHint    = "what uses it would get the ciphertext: put the value into a Secret, encrypted as a whole document, and open that"
)

// check finds in an input what was not opened.
func (r *renderedRules) check(in input) ([]finding, error) {
	words := []string{sopsdoc.Group, sopsdoc.MetadataKey, sopsdoc.ValuePrefix, encryptedPrefixBase64}
	if r.wanted {
		words = append(words, "Secret")
	}
	var all []finding
	var last *manifest.Document
	_, err := in.objects(func(f found) (bool, error) {
		if f.doc != last {
			last = f.doc
			all = append(all, aroundObjects(in.name, f)...)
		}
		if f.IsSecret() {
			r.secrets = append(r.secrets, renderedSecret(f.Object))
		}
		found, err := leftover(in.name, f)
		all = append(all, found...)
		return false, err
	}, words...)
	return all, err
}

// leftover is about one object.
func leftover(file string, f found) ([]finding, error) {
	is := func(message, hint string) ([]finding, error) {
		return []finding{f.find(file, ruleLeftover, message, hint)}, nil
	}
	switch {
	case f.Group() == sopsdoc.Group && f.Kind() == sopsdoc.Kind:
		return is("a "+sopsdoc.Kind+" that was not opened", leftoverHint)
	case isFunction(f.Object):
		return is("the configuration of a function, "+f.Kind()+", came out as a resource", functionHint)
	case sopsdoc.FileMAC(f.Node) != "":
		return is("encrypted by SOPS and not opened", leftoverHint)
	}
	if paths := encryptedPaths(f.Node, "", f.IsSecret()); len(paths) > 0 {
		return is("still encrypted by SOPS: "+some(paths), valueHint)
	}
	_, err := toOpen(f) // is there an object of our API that it does not know?
	return nil, err
}

// aroundObjects is about what stands in a List beside its items: SOPS encrypts
// it as one document. f is its first item.
func aroundObjects(file string, f found) []finding {
	if f.Item == 0 {
		return nil
	}
	list := manifest.Mapping()
	root := manifest.Root(f.root)
	for _, key := range manifest.Keys(root) {
		if key != "items" {
			list.Content = append(list.Content, manifest.String(key), manifest.Get(root, key))
		}
	}
	whole := found{&manifest.Object{Node: list}, f.doc, f.root}
	all, err := leftover(file, whole)
	if err != nil {
		return nil // a List of our API is none of our objects
	}
	return all
}

// encryptedPaths returns where values are that SOPS has encrypted. Those of a
// Secret may be in base64.
func encryptedPaths(n *yaml.Node, path string, secret bool) []string {
	var paths []string
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			paths = append(paths, encryptedPaths(n.Content[i+1], manifest.ChildPath(path, n.Content[i].Value), secret)...)
		}
	case yaml.SequenceNode:
		for _, item := range n.Content {
			paths = append(paths, encryptedPaths(item, path, secret)...)
		}
	case yaml.ScalarNode:
		if sopsdoc.LooksEncrypted(n.Value) || secret && strings.HasPrefix(n.Value, encryptedPrefixBase64) {
			return []string{report.Visible(path)}
		}
	}
	return paths
}
