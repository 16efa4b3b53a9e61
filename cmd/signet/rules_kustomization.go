// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// kustFile is what rules want to know of a kustomization. What it is made of
// that does not have the form that kustomize wants is left out.
type kustFile struct {
	namespace, prefix, suffix string
	resources                 []string // paths, of directories too
	generators                []kustGenerator
	patches                   []kustPatch
}

// kustGenerator makes a Secret of values and files.
type kustGenerator struct {
	line                  int
	name                  string
	literals, envs, files []string
}

// kustPatch changes Secrets by operations in a file. Those that stand in the
// kustomization are found as in any other object.
type kustPatch struct {
	line   int
	file   string
	target patchKinds
}

// parseKust reads a kustomization, nil if it is none.
func parseKust(text []byte) *kustFile {
	n, err := lenient(text, 1)
	if err != nil || n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	k := &kustFile{
		namespace: manifest.GetString(n, "namespace"), prefix: manifest.GetString(n, "namePrefix"), suffix: manifest.GetString(n, "nameSuffix"),
	}
	for _, field := range []string{"resources", "bases", "components"} {
		k.resources = append(k.resources, texts(manifest.Get(n, field))...)
	}
	for _, g := range items(manifest.Get(n, "secretGenerator")) {
		k.generators = append(k.generators, parseGenerator(g, manifest.GetString(g, "name")))
	}
	for _, entry := range items(manifest.Get(n, "generators")) {
		inner, err := lenient([]byte(entry.Value), entry.Line+1)
		if entry.Kind == yaml.ScalarNode && err == nil && inner != nil && manifest.GetString(inner, "kind") == "SecretGenerator" {
			k.generators = append(k.generators, parseGenerator(inner, manifest.GetString(inner, "metadata", "name")))
		}
	}
	for _, field := range []string{"patches", "patchesJson6902"} {
		for _, p := range items(manifest.Get(n, field)) {
			if file := manifest.GetString(p, "path"); file != "" {
				k.patches = append(k.patches, kustPatch{p.Line, file, targetOf(p)})
			}
		}
	}
	return k
}

func parseGenerator(n *yaml.Node, name string) kustGenerator {
	g := kustGenerator{line: n.Line, name: name}
	g.literals, g.envs, g.files = texts(manifest.Get(n, "literals")), texts(manifest.Get(n, "envs")), texts(manifest.Get(n, "files"))
	if env := manifest.GetString(n, "env"); env != "" {
		g.envs = append(g.envs, env)
	}
	return g
}

// items returns those of a list, or nil.
func items(n *yaml.Node) []*yaml.Node {
	if n == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	return n.Content
}

// texts returns the scalars of a list.
func texts(n *yaml.Node) []string {
	var all []string
	for _, item := range items(n) {
		if item.Kind == yaml.ScalarNode {
			all = append(all, item.Value)
		}
	}
	return all
}

const literalHint = "put the value into a Secret, seal that, and list it under resources; or encrypt the file with sops and let the function of signet open it"

// clearLiterals tells of values that kustomizations make Secrets of.
func (s *scan) clearLiterals(r *scanned) []finding {
	if r.kust == nil {
		return nil
	}
	var all []finding
	add := func(rule rule, line int, object string, keys []string, message, hint string) {
		if len(keys) > 0 {
			all = append(all, finding{Rule: rule, Level: rule.level(), File: r.file.name, Line: line, Object: report.Visible(object),
				Keys: keys, Message: message + some(keys), Hint: hint})
		}
	}
	dir := filepath.Dir(r.file.at)
	for _, g := range r.kust.generators {
		add(ruleClearLiteral, g.line, g.name, assigned(g.literals), "a generator of Secrets with values in clear: ", literalHint)
		for _, name := range g.envs {
			text := s.inTree(dir, name)
			add(ruleClearLiteral, g.line, g.name, assigned(strings.Split(string(text), "\n")),
				"a generator of Secrets reads "+report.Visible(name)+", which is in clear: ", literalHint)
		}
		var clear []string
		for _, entry := range g.files {
			key, name, ok := strings.Cut(entry, "=")
			if !ok {
				key, name = filepath.Base(entry), entry
			}
			if text := s.inTree(dir, name); isClearFile(text) {
				clear = append(clear, report.Visible(key))
			}
		}
		add(ruleClearLiteral, g.line, g.name, clear, "a generator of Secrets reads files in clear: ", literalHint)
	}
	for _, p := range r.kust.patches {
		add(ruleClearSecret, p.line, "", patched(s.inTree(dir, p.file), p.target), patchMessage, patchHint)
	}
	return all
}

// inTree returns what is in a file that a kustomization in a directory names,
// nil if the source does not have it, as Git does not have what it ignores.
func (s *scan) inTree(dir, name string) []byte {
	at := filepath.Join(dir, filepath.FromSlash(name))
	if filepath.IsAbs(name) || s.list.repo != nil && !s.list.known[at] {
		return nil
	}
	text, err := s.src.read(at)
	if err != nil {
		return nil
	}
	return text
}

// assigned returns the names in lines like NAME=VALUE that have a value. A file
// of them that sops has encrypted has none in clear.
func assigned(lines []string) []string {
	if slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, "sops_mac=") }) {
		return nil
	}
	var names []string
	for _, line := range lines {
		line = strings.TrimSpace(line)
		name, value, ok := strings.Cut(line, "=")
		value = strings.Trim(strings.TrimSpace(value), `"'`)
		if ok && !strings.HasPrefix(line, "#") && value != "" && !isReference(value, false) && !sopsdoc.LooksEncrypted(value) {
			names = append(names, report.Visible(strings.TrimSpace(name)))
		}
	}
	return names
}

// isClearFile reports whether a file of a Secret is neither empty, nor encrypted,
// nor public by its nature.
func isClearFile(text []byte) bool {
	switch trimmed := bytes.TrimSpace(text); {
	case len(trimmed) == 0, manifest.Mentions(trimmed, sopsdoc.ValuePrefix, sopsdoc.APIVersion):
		return false
	case bytes.HasPrefix(trimmed, []byte("-----BEGIN CERTIFICATE")), bytes.HasPrefix(trimmed, []byte("-----BEGIN PUBLIC KEY")):
		return bytes.Contains(trimmed, []byte("PRIVATE KEY"))
	}
	return true
}
