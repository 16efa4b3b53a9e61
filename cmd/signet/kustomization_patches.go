// SPDX-License-Identifier: Apache-2.0

package main

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/krm"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// patchTarget is what a patch or a replacement is for; each is a regular expression
// (kustomize api: types/selector.go).
type patchTarget struct {
	Kind string `yaml:"kind"`
	Name string `yaml:"name"`
}

// secrets returns which Secrets are meant, if any are.
func (t patchTarget) secrets() (only *regexp.Regexp, ok bool) {
	anchored := func(text string) *regexp.Regexp {
		re, err := regexp.Compile("^(?:" + text + ")$")
		if text == "" || err != nil {
			return nil // all, as for who cannot read it
		}
		return re
	}
	if kind := anchored(t.Kind); kind != nil && !kind.MatchString("Secret") {
		return nil, false
	}
	return anchored(t.Name), true
}

// namePatch is an item of patches and of patchesJson6902.
type namePatch struct {
	Path    string      `yaml:"path"`
	Patch   string      `yaml:"patch"`
	Target  patchTarget `yaml:"target"`
	Options struct {
		AllowNameChange bool `yaml:"allowNameChange"`
	} `yaml:"options"`
}

// fieldCopy is an item of replacements, or what stands in its file.
type fieldCopy struct {
	Path    string `yaml:"path"`
	Targets []struct {
		Select     patchTarget `yaml:"select"`
		FieldPaths []string    `yaml:"fieldPaths"`
	} `yaml:"targets"`
}

// loosenings returns what patches and replacements of a kustomization in a
// directory can do to names. What cannot be read can do anything.
func (r *buildReader) loosenings(dir string, k *kustomization) []loosening {
	var all []loosening
	for _, n := range []yaml.Node{k.Patches, k.PatchesJSON6902} {
		var patches []namePatch
		if n.Decode(&patches) != nil {
			return []loosening{anything()}
		}
		for _, p := range patches {
			all = append(all, r.patchLoosens(dir, p)...)
		}
	}
	var replacements []fieldCopy
	if k.Replacements.Decode(&replacements) != nil {
		return []loosening{anything()}
	}
	for _, p := range replacements {
		all = append(all, r.replacementLoosens(dir, p)...)
	}
	return all
}

// patchLoosens is about one patch. One that is no JSON patch cannot rename but
// by its option (kustomize api: resource/resource.go, ApplySmPatch).
func (r *buildReader) patchLoosens(dir string, p namePatch) []loosening {
	only, ok := p.Target.secrets()
	if !ok {
		return nil
	}
	text := []byte(p.Patch)
	if p.Path != "" {
		var err error
		if text, err = r.content(path.Join(dir, p.Path), maxKustomizationBytes); err != nil {
			return []loosening{anything()}
		}
	}
	var operations []struct {
		Op   string `yaml:"op"`
		Path string `yaml:"path"`
	}
	var l loosening
	if yaml.Unmarshal(text, &operations) != nil {
		l.name = p.Options.AllowNameChange
	}
	for _, o := range operations {
		whole := o.Path == "" || o.Path == "/" || o.Path == "/metadata"
		l.name = l.name || whole || o.Path == "/metadata/name"
		l.namespace = l.namespace || whole || o.Path == "/metadata/namespace"
	}
	return l.list(only)
}

// list is empty if nothing is loosened.
func (l loosening) list(only *regexp.Regexp) []loosening {
	if l == (loosening{}) {
		return nil
	}
	l.only = only
	return []loosening{l}
}

func (r *buildReader) replacementLoosens(dir string, p fieldCopy) []loosening {
	if p.Path != "" {
		text, err := r.content(path.Join(dir, p.Path), maxKustomizationBytes)
		var several []fieldCopy
		if err != nil || yaml.Unmarshal(text, &several) != nil && yaml.Unmarshal(text, &p) != nil {
			return []loosening{anything()}
		}
		for i := range several {
			p.Targets = append(p.Targets, several[i].Targets...)
		}
	}
	var all []loosening
	for _, t := range p.Targets {
		only, ok := t.Select.secrets()
		if !ok {
			continue
		}
		var l loosening
		for _, field := range t.FieldPaths {
			whole := field == "metadata" || strings.ContainsAny(field, "*[")
			l.name = l.name || whole || field == "metadata.name"
			l.namespace = l.namespace || whole || field == "metadata.namespace"
		}
		all = append(all, l.list(only)...)
	}
	return all
}

// transformersLoosen returns what transformers can do to names of which these
// are the configurations (kustomize api: internal/builtins).
func transformersLoosen(in input) []loosening {
	var all []loosening
	for _, doc := range in.stream.Documents {
		_, objects, err := doc.Objects()
		if err != nil {
			return []loosening{anything()}
		}
		for _, o := range objects {
			all = append(all, transformerLoosens(o)...)
		}
	}
	return all
}

func transformerLoosens(o *manifest.Object) []loosening {
	harmless := []string{"AnnotationsTransformer", "LabelTransformer", "ImageTagTransformer", "ReplicaCountTransformer"}
	affixes := []string{"PrefixTransformer", "SuffixTransformer", "PrefixSuffixTransformer"}
	builtin := o.APIVersion() == "builtin"
	switch {
	case o.Group() == sopsdoc.Group, o.APIVersion() == krm.KSOPSAPIVersion, builtin && slices.Contains(harmless, o.Kind()):
		return nil
	case builtin && slices.Contains(affixes, o.Kind()):
		return []loosening{{affixes: true}}
	case builtin && o.Kind() == "NamespaceTransformer":
		return []loosening{{namespace: true}}
	}
	return []loosening{anything()}
}
