// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
)

// Forms in which other tools write Secrets.

// written returns a Secret as the cluster would get it. A policy of Kyverno
// generates one from name, namespace, and the rest of it below data.
func written(n *yaml.Node) *yaml.Node {
	data := manifest.Get(n, "data")
	if manifest.Get(n, "metadata") != nil || !isMapping(manifest.Get(data, "data")) && !isMapping(manifest.Get(data, "stringData")) {
		return n
	}
	metadata := manifest.Mapping()
	if name := manifest.Get(n, "name"); name != nil {
		metadata.Content = append(metadata.Content, manifest.String("name"), name)
	}
	return secretOf(n.Line, metadata, data)
}

// pulumiSecret returns the Secret that a resource of Pulumi is, nil if it is
// another one.
func pulumiSecret(n *yaml.Node) *yaml.Node {
	properties := manifest.Get(n, "properties")
	if manifest.GetString(n, "type") != "kubernetes:core/v1:Secret" || !isMapping(properties) {
		return nil
	}
	return secretOf(n.Line, nil, properties)
}

// secretOf makes a Secret of its fields. metadata, if there is any, counts
// instead of that among them.
func secretOf(line int, metadata, fields *yaml.Node) *yaml.Node {
	n := manifest.Mapping()
	n.Line = line
	n.Content = append(n.Content, manifest.String("apiVersion"), manifest.String("v1"), manifest.String("kind"), manifest.String("Secret"))
	if metadata != nil {
		n.Content = append(n.Content, manifest.String("metadata"), metadata)
	}
	for i := 0; i+1 < len(fields.Content); i += 2 {
		if metadata == nil || fields.Content[i].Value != "metadata" {
			n.Content = append(n.Content, fields.Content[i], fields.Content[i+1])
		}
	}
	return n
}

// parametersOf returns what puts the values of a Template of OpenShift in the
// place of the names of its parameters, nil if it is none, or has no values.
func parametersOf(n *yaml.Node) *strings.Replacer {
	if manifest.GetString(n, "kind") != "Template" {
		return nil
	}
	var pairs []string
	for _, p := range items(manifest.Get(n, "parameters")) {
		name, value := manifest.GetString(p, "name"), manifest.Get(p, "value")
		if name != "" && value != nil && value.Kind == yaml.ScalarNode && !manifest.IsNull(value) && value.Value != "" {
			pairs = append(pairs, "${"+name+"}", value.Value, "${{"+name+"}}", value.Value)
		}
	}
	if pairs == nil {
		return nil
	}
	return strings.NewReplacer(pairs...)
}

// filledIn returns a Secret with the values that the Template around it gives to
// its parameters.
func (n *nested) filledIn(secret *yaml.Node) *yaml.Node {
	if n.parameters == nil {
		return secret
	}
	c := *secret
	c.Content = make([]*yaml.Node, len(secret.Content))
	for i, child := range secret.Content {
		c.Content[i] = child
		if i%2 == 1 && secret.Content[i-1].Value != "metadata" {
			c.Content[i] = n.replaced(child)
		}
	}
	return &c
}

func (n *nested) replaced(node *yaml.Node) *yaml.Node {
	c := *node
	c.Content = make([]*yaml.Node, len(node.Content))
	for i, child := range node.Content {
		c.Content[i] = n.replaced(child)
	}
	if c.Kind == yaml.ScalarNode {
		c.Value = n.parameters.Replace(c.Value)
	}
	return &c
}

// encodedWords are "Secret" in base64, as far as its letters alone decide it, by
// where it begins among three bytes.
func encodedWords() []string { return []string{"U2VjcmV0", "NlY3Jld", "TZWNyZX"} }

// decodedManifest returns a text that is in base64, perhaps in a data: URL, and
// names a Secret; "" if it is none.
func decodedManifest(text string) string {
	if !manifest.Mentions([]byte(text), encodedWords()...) {
		return ""
	}
	if strings.HasPrefix(text, "data:") {
		_, text, _ = strings.Cut(text, ";base64,")
	}
	text = strings.TrimRight(strings.Join(strings.Fields(text), ""), "=")
	decoded, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil || !utf8.Valid(decoded) || !strings.Contains(string(decoded), "Secret") {
		return ""
	}
	return string(decoded)
}
