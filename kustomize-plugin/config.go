// SPDX-License-Identifier: Apache-2.0

package kustomizeplugin

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/krm"
	"github.com/signet-secrets/signet/internal/tree"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

func knownConfigs() []string {
	return []string{
		sopsdoc.APIVersion + " " + sopsdoc.Kind,
		sopsdoc.APIVersion + " " + krm.UnsealKind,
		krm.KSOPSAPIVersion + " " + krm.KSOPSKind,
	}
}

type configKind int

const (
	selfConfig configKind = iota // a SealedSecret that is its own configuration
	unsealConfig
	ksopsConfig
)

// config is a configuration that was read.
type config struct {
	kind       configKind
	files      []string // nil if there are none
	secretFrom []secretFrom
}

// secretFrom makes one Secret of files, as KSOPS does. Entries of files and
// binaryFiles are paths, or key=path.
type secretFrom struct {
	metadata                 *yaml.Node // a mapping, or nil
	secretType               string
	files, binaryFiles, envs []string
}

// maxConfigFileBytes is how much of the configuration of a legacy plugin is
// read.
const maxConfigFileBytes = manifest.MaxDocumentBytes

// readConfigFile reads the file that a legacy plugin gets its configuration in.
func readConfigFile(path string) (*yaml.Node, error) {
	path, err := filepath.EvalSymlinks(path) // it may lie anywhere
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	text, err := tree.Read(root, filepath.Base(path), maxConfigFileBytes, fmt.Errorf("has more than %d bytes", maxConfigFileBytes))
	if err != nil {
		return nil, err
	}
	doc, err := manifest.Parse(text)
	if err != nil {
		return nil, err
	}
	if root := manifest.Root(doc); root != nil && root.Kind == yaml.MappingNode {
		return root, nil
	}
	return nil, errors.New("it is no configuration")
}

// parseConfig reads a configuration. Fields that its kind has not are errors: a
// misspelt one would leave Secrets out without a word.
func parseConfig(n *yaml.Node) (*config, error) {
	o := &manifest.Object{Node: n}
	switch {
	case o.APIVersion() == sopsdoc.APIVersion && o.Kind() == sopsdoc.Kind:
		return &config{kind: selfConfig}, nil
	case o.APIVersion() == sopsdoc.APIVersion && o.Kind() == krm.UnsealKind:
		return parseUnseal(n)
	case o.APIVersion() == krm.KSOPSAPIVersion && o.Kind() == krm.KSOPSKind:
		return parseKSOPS(n)
	}
	return nil, &unknownConfigError{o.APIVersion(), o.Kind()}
}

func parseUnseal(n *yaml.Node) (*config, error) {
	if err := onlyFields(n, "", "apiVersion", "kind", "metadata", "files"); err != nil {
		return nil, err
	}
	files, err := manifest.Strings(n, "", "files")
	if err != nil {
		return nil, err
	}
	if manifest.Get(n, "files") != nil && len(files) == 0 {
		return nil, &manifest.SyntaxError{Path: "files", Reason: "is empty"}
	}
	return &config{kind: unsealConfig, files: files}, nil
}

func parseKSOPS(n *yaml.Node) (*config, error) {
	if err := onlyFields(n, "", "apiVersion", "kind", "metadata", "files", "secretFrom"); err != nil {
		return nil, err
	}
	c := &config{kind: ksopsConfig}
	var err error
	if c.files, err = manifest.Strings(n, "", "files"); err != nil {
		return nil, err
	}
	list, err := manifest.List(n, "", "secretFrom")
	if err != nil {
		return nil, err
	}
	for _, item := range list {
		from, err := parseSecretFrom(item)
		if err != nil {
			return nil, err
		}
		c.secretFrom = append(c.secretFrom, from)
	}
	if len(c.files) == 0 && len(c.secretFrom) == 0 {
		return nil, &manifest.SyntaxError{Reason: "neither files nor secretFrom says what to open"}
	}
	return c, nil
}

func parseSecretFrom(n *yaml.Node) (s secretFrom, err error) {
	if n.Kind != yaml.MappingNode {
		return s, &manifest.SyntaxError{Line: n.Line, Path: "secretFrom", Reason: "must be a list of mappings"}
	}
	const path = "secretFrom"
	if err := onlyFields(n, path, "metadata", "type", "files", "binaryFiles", "envs"); err != nil {
		return s, err
	}
	if s.metadata, err = parseMetadata(manifest.Get(n, "metadata")); err != nil {
		return s, err
	}
	if t := manifest.Get(n, "type"); !manifest.IsNull(t) {
		if !manifest.IsString(t) {
			return s, &manifest.SyntaxError{Line: t.Line, Path: "secretFrom.type", Reason: "is not a string, put it in quotes"}
		}
		s.secretType = t.Value
	}
	for _, list := range []struct {
		field string
		to    *[]string
	}{{"files", &s.files}, {"binaryFiles", &s.binaryFiles}, {"envs", &s.envs}} {
		if *list.to, err = manifest.Strings(n, path, list.field); err != nil {
			return s, err
		}
	}
	return s, nil
}

// parseMetadata reads the metadata that a Secret is to have: the four fields
// that kustomize knows (kustomize api: types/objectmeta.go).
func parseMetadata(n *yaml.Node) (*yaml.Node, error) {
	const path = "secretFrom.metadata"
	if manifest.IsNull(n) {
		return nil, nil
	}
	if n.Kind != yaml.MappingNode {
		return nil, &manifest.SyntaxError{Line: n.Line, Path: path, Reason: "must be a mapping"}
	}
	if err := onlyFields(n, path, "name", "namespace", "labels", "annotations"); err != nil {
		return nil, err
	}
	// ParseSecret knows what a name and labels can be.
	probe := manifest.Mapping(manifest.String("metadata"), n)
	if _, _, err := manifest.ParseSecret(probe); err != nil {
		var syntax *manifest.SyntaxError
		if errors.As(err, &syntax) {
			return nil, &manifest.SyntaxError{Line: syntax.Line, Path: "secretFrom." + syntax.Path, Reason: syntax.Reason}
		}
		return nil, err
	}
	return n, nil
}

// onlyFields refuses keys of the mapping n that are not among known.
func onlyFields(n *yaml.Node, path string, known ...string) error {
	for _, key := range manifest.Keys(n) {
		if !slices.Contains(known, key) {
			return &fieldError{path: manifest.ChildPath(path, key), known: known}
		}
	}
	return nil
}
