// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// input is a Secret manifest sorted into what goes under seal, what goes
// outside, and what is left out.
type input struct {
	secret  *manifest.Secret
	outside map[string]string // annotations for the SealedSecret's own metadata
	node    *yaml.Node        // the manifest's mapping
	head    string            // comment above the document
	notes   []string
}

// gitOpsPrefixes are annotations that tell a GitOps tool what to do with the
// object it applies, which is the SealedSecret.
var gitOpsPrefixes = []string{
	"argocd.argoproj.io/", "kustomize.toolkit.fluxcd.io/", "kustomize.config.k8s.io/", "config.kubernetes.io/", "helm.sh/",
}

// Keys that are left out when sealing. The first belongs to whoever applies
// the SealedSecret, and would make Argo CD prune the Secret; the second holds
// the Secret in clear.
const (
	instanceLabel         = "app.kubernetes.io/instance"
	lastAppliedAnnotation = "kubectl.kubernetes.io/last-applied-configuration"
)

// substituteAnnotation keeps Flux from rewriting ${x} in clear fields.
const substituteAnnotation = "kustomize.toolkit.fluxcd.io/substitute"

func read(n *yaml.Node, o Options) (*input, error) {
	secret, dropped, err := manifest.ParseSecret(n)
	if err != nil {
		return nil, err
	}
	if err := o.place(secret); err != nil {
		return nil, err
	}
	in := &input{secret: secret, node: manifest.Root(n)}
	if n.Kind == yaml.DocumentNode {
		in.head = n.HeadComment
	}
	if len(dropped) > 0 {
		in.notes = append(in.notes, strings.Join(dropped, ", ")+": left out, set by the API server or of use in one cluster only")
	}
	in.sortMetadata(o.KeepMetadata)
	in.dropComments()
	return in, in.checkClear(o.AllowClear)
}

// place gives the Secret its namespace and checks its names.
func (o Options) place(s *manifest.Secret) error {
	switch {
	case s.Namespace == "":
		s.Namespace = o.Namespace
	case o.Namespace != "" && o.Namespace != s.Namespace:
		return &NamespaceError{Object: s.Namespace, Given: o.Namespace}
	}
	if !sopsdoc.ValidSecretName(s.Name) {
		return &manifest.SyntaxError{Path: "metadata.name", Reason: fmt.Sprintf("%q is not a valid name", s.Name)}
	}
	if s.Namespace != "" && !sopsdoc.ValidNamespace(s.Namespace) {
		return &manifest.SyntaxError{Path: "metadata.namespace", Reason: fmt.Sprintf("%q is not a valid name", s.Namespace)}
	}
	return nil
}

// sortMetadata moves annotations of GitOps tools outside and leaves out what
// must not follow the Secret.
func (in *input) sortMetadata(keep []string) {
	in.outside = map[string]string{}
	drop := func(m map[string]string, key, where string) {
		if _, ok := m[key]; ok && !slices.Contains(keep, key) {
			delete(m, key)
			in.notes = append(in.notes, where+" "+key+" was left out (--keep-metadata "+key+" seals it)")
		}
	}
	drop(in.secret.Labels, instanceLabel, "label")
	drop(in.secret.Annotations, instanceLabel, "annotation")
	if _, ok := in.secret.Annotations[lastAppliedAnnotation]; ok {
		delete(in.secret.Annotations, lastAppliedAnnotation)
		in.notes = append(in.notes, "annotation "+lastAppliedAnnotation+" was left out: it holds the Secret in clear")
	}
	for key, value := range in.secret.Annotations {
		if slices.ContainsFunc(gitOpsPrefixes, func(p string) bool { return strings.HasPrefix(key, p) }) {
			delete(in.secret.Annotations, key)
			in.outside[key] = value
		}
	}
	if in.substitutable() {
		in.outside[substituteAnnotation] = "disabled"
	}
}

// substitutable reports whether Flux would rewrite a clear field.
func (in *input) substitutable() bool {
	for _, m := range []map[string]string{in.secret.Labels, in.secret.Annotations} {
		for key, value := range m {
			if text := key + value; strings.Contains(text, "${") || strings.Contains(text, "$$") {
				return true
			}
		}
	}
	return false
}

// keptComments are the keys of a Secret whose comments stay: those above and
// beside what is not secret. People write old passwords next to data.
var keptComments = []string{"apiVersion", "kind", "metadata"}

// dropComments counts the comments that do not make it into the document.
func (in *input) dropComments() {
	dropped := 0
	for i := 0; i+1 < len(in.node.Content); i += 2 {
		key, v := in.node.Content[i], in.node.Content[i+1]
		switch {
		case !slices.Contains(keptComments, key.Value):
			dropped += comments(key) + comments(v)
		case v.Kind == yaml.ScalarNode:
			dropped += comments(v) // beside apiVersion and kind, which change
		}
	}
	if dropped > 0 {
		in.notes = append(in.notes, fmt.Sprintf("comments in or after the data were left out (%d): they could hold secrets", dropped))
	}
}

func comments(n *yaml.Node) int {
	count := 0
	for _, c := range []string{n.HeadComment, n.LineComment, n.FootComment} {
		if c != "" {
			count++
		}
	}
	for _, child := range n.Content {
		count += comments(child)
	}
	return count
}

// newObject writes a SealedSecret of the given name. Comments of the manifest
// that stay are those above the document and within apiVersion, kind and metadata.
func (in *input) newObject(e *sopsdoc.Envelope, name string) *yaml.Node {
	s := in.secret
	metadata := manifest.Mapping()
	in.carry(metadata, "name", manifest.String(name))
	if s.Namespace != "" {
		in.carry(metadata, "namespace", manifest.String(s.Namespace))
	}
	if len(s.Labels) > 0 {
		in.carry(metadata, "labels", manifest.StringMap(s.Labels))
	}
	if len(in.outside) > 0 {
		in.carry(metadata, "annotations", manifest.StringMap(in.outside))
	}
	spec := manifest.Mapping(manifest.String("secretName"), manifest.String(s.Name))
	if e.Merge {
		setCreationPolicy(spec, true)
	}
	manifest.Set(spec, "sealed", e.Node())
	root := manifest.Mapping(
		in.key("apiVersion"), manifest.String(sopsdoc.APIVersion),
		in.key("kind"), manifest.String(sopsdoc.Kind),
		in.key("metadata"), metadata,
		manifest.String("spec"), spec,
	)
	return &yaml.Node{Kind: yaml.DocumentNode, HeadComment: in.head, Content: []*yaml.Node{root}}
}

// carry sets a metadata field together with the comments of its old one.
func (in *input) carry(metadata *yaml.Node, field string, v *yaml.Node) {
	key := manifest.String(field)
	old := manifest.Get(in.node, "metadata")
	copyComments(key, keyNode(old, field))
	if was := manifest.Get(old, field); was != nil && v.Kind == yaml.ScalarNode {
		v.LineComment = was.LineComment
	}
	metadata.Content = append(metadata.Content, key, v)
}

// key returns the node for a top-level key with the comments of the old one.
func (in *input) key(name string) *yaml.Node {
	key := manifest.String(name)
	copyComments(key, keyNode(in.node, name))
	return key
}

func copyComments(to, from *yaml.Node) {
	if from != nil {
		to.HeadComment, to.LineComment = from.HeadComment, from.LineComment
	}
}

// keyNode returns the node of a key itself.
func keyNode(n *yaml.Node, name string) *yaml.Node {
	for i := 0; n != nil && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i]
		}
	}
	return nil
}
