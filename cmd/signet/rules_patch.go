// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/base64"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/manifest"
)

const (
	patchMessage = "a patch puts values in clear into a Secret: "
	patchHint    = "patch what is not secret, and put the value into the sealed Secret itself"
)

// patchKinds says what is known of the kinds that a patch, as kustomize, Argo CD,
// Flux and helmfile have them, is for.
type patchKinds int

const (
	otherKinds patchKinds = iota // only others than Secrets
	anyKind                      // whatever has the name or the labels
	secretKind                   // Secrets, perhaps among others
)

// targetOf says what a patch is for. The kind is a regular expression.
func targetOf(n *yaml.Node) patchKinds {
	kind := manifest.GetString(n, "target", "kind")
	if kind == "" {
		return anyKind
	}
	re, err := regexp.Compile("^(?:" + kind + ")$")
	if err == nil && re.MatchString("Secret") || kind == "Secret" {
		return secretKind
	}
	return otherKinds
}

// patch tells of a JSON patch for Secrets that stands in an object.
func (n *nested) patch(node *yaml.Node) {
	ops := manifest.Get(node, "patch")
	if ops == nil {
		return
	}
	target := targetOf(node)
	keys := patchedBy(ops, target)
	if ops.Kind == yaml.ScalarNode {
		keys = patched([]byte(ops.Value), target)
	}
	if len(keys) == 0 {
		return
	}
	is := n.of.find(n.in.name, ruleClearSecret, patchMessage+some(keys), patchHint)
	is.Line, is.Keys = node.Line, keys
	n.all = append(n.all, is)
}

// patched returns the keys of a Secret that operations of a JSON patch set.
func patched(text []byte, target patchKinds) []string {
	n, err := lenient(text, 1)
	if err != nil || n == nil {
		return nil
	}
	return patchedBy(n, target)
}

// patchedBy is patched for a list of operations. Only Secrets have stringData, and
// ConfigMaps have data, too.
func patchedBy(n *yaml.Node, target patchKinds) []string {
	var names []string
	for i, op := range items(n) {
		path, value := manifest.GetString(op, "path"), manifest.Get(op, "value")
		if what := manifest.GetString(op, "op"); what != "add" && what != "replace" || value == nil || lookOf(value, false) != inClear {
			continue
		}
		for _, field := range []string{"/data", "/stringData"} {
			rest, ok := strings.CutPrefix(path, field)
			if field == "/data" && (target == otherKinds || target == anyKind && !areEncoded(value)) {
				continue
			}
			switch {
			case ok && rest == "" && value.Kind == yaml.MappingNode:
				names = append(names, clearKeys(value)...)
			case ok && (rest == "" || rest[0] == '/'):
				key := strings.NewReplacer("~1", "/", "~0", "~").Replace(strings.TrimPrefix(rest, "/"))
				if key == "" {
					key = "operation " + strconv.Itoa(i)
				}
				names = append(names, report.Visible(key))
			}
		}
	}
	return names
}

// shortestEncoded is how long a text must be to be taken for base64 in what may be
// a ConfigMap: many words are base64, too.
const shortestEncoded = 8

// areEncoded reports whether values can be those below data in a Secret: all are
// base64.
func areEncoded(n *yaml.Node) bool {
	if n.Kind != yaml.ScalarNode {
		return len(n.Content) > 0 && !slices.ContainsFunc(manifest.Keys(n), func(key string) bool { return !areEncoded(manifest.Get(n, key)) })
	}
	_, err := base64.StdEncoding.DecodeString(n.Value) // which passes over line breaks, as Kubernetes does
	return err == nil && len(n.Value) >= shortestEncoded
}

// clearKeys returns the keys of a mapping whose values are in clear.
func clearKeys(n *yaml.Node) []string {
	var names []string
	for _, key := range manifest.Keys(n) {
		if lookOf(manifest.Get(n, key), false) == inClear {
			names = append(names, report.Visible(key))
		}
	}
	return names
}
