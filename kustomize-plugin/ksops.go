// SPDX-License-Identifier: Apache-2.0

package kustomizeplugin

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"path"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/krm"
	"github.com/signet-secrets/signet/internal/parallel"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/tree"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal/sopsfile"
)

var errNotUTF8 = errors.New("is not UTF-8 text, which stringData must be")

// ksops does what KSOPS 4.5.1 does with its configuration (viaduct-ai/
// kustomize-sops: ksops.go, generate): the documents of files come first, as
// SOPS prints them, then a Secret for each entry of secretFrom.
func (r *run) ksops(ctx context.Context, c *config) error {
	opened, err := r.openSOPSFiles(ctx, c.paths())
	if err != nil {
		return err
	}
	next := func() (f sopsFile) {
		f, opened = opened[0], opened[1:]
		return f
	}
	for range c.files {
		nodes, err := next().manifests()
		if err != nil {
			return err
		}
		r.generated = append(r.generated, nodes...)
	}
	for _, from := range c.secretFrom {
		secret, err := from.secret(next)
		if err != nil {
			return err
		}
		r.generated = append(r.generated, secret)
	}
	for _, n := range r.generated {
		r.withoutOptions("configuration "+krm.KSOPSKind, manifest.Root(n))
	}
	return nil
}

// paths lists the files of the configuration in the order of their use: those
// of files, then for each Secret files, binaryFiles and envs.
func (c *config) paths() []string {
	all := append([]string(nil), c.files...)
	for _, from := range c.secretFrom {
		for _, item := range append(append([]string(nil), from.files...), from.binaryFiles...) {
			_, file, _ := keyAndPath(item)
			all = append(all, file)
		}
		all = append(all, from.envs...)
	}
	return all
}

// keyAndPath splits key=path; a path alone has its last part as key.
func keyAndPath(item string) (key, file string, err error) {
	key, file, found := strings.Cut(item, "=")
	switch {
	case !found:
		return path.Base(item), item, nil
	case key == "" || file == "" || strings.Contains(file, "="):
		return "", file, fmt.Errorf("%s is neither a path nor key=path", report.Visible(item))
	}
	return key, file, nil
}

// sopsFile is the text of a SOPS-encrypted file in clear.
type sopsFile struct {
	name string
	text []byte
}

func (f sopsFile) at(operation string, err error) error {
	return &report.PlacedError{File: f.name, Operation: operation, Err: err}
}

// openSOPSFiles reads and opens files, in the order given.
func (r *run) openSOPSFiles(ctx context.Context, names []string) ([]sopsFile, error) {
	f, err := openFolder(r.root)
	if err != nil {
		return nil, &report.PlacedError{File: r.root, Operation: "read", Err: tree.Cause(err)}
	}
	defer f.close()
	content, err := f.readAll(ctx, names)
	if err != nil {
		return nil, err
	}
	opened := make([]sopsFile, len(names))
	for i, name := range names {
		opened[i].name = name
		if err := notOurs(content[i]); err != nil {
			return nil, opened[i].at("read", err)
		}
	}
	o, err := r.options()
	if err != nil {
		return nil, err
	}
	return opened, joined(parallel.Try(ctx, len(names), func(i int) (err error) {
		if opened[i].text, err = sopsfile.Open(ctx, content[i], sopsfile.FormatOf(names[i]), o); err != nil {
			return opened[i].at("open", inClear(content[i], sopsfile.FormatOf(names[i]), err))
		}
		return nil
	}))
}

// inClear marks the error of a file that is not encrypted at all, which is no
// damage: it has no metadata or, where SOPS makes JSON of any text, is none.
func inClear(content []byte, format sopsfile.Format, err error) error {
	invalid, ok := report.As[*sopsdoc.InvalidError](err)
	switch {
	case !ok:
		return err
	case invalid.Path == sopsdoc.MetadataKey && strings.HasPrefix(invalid.Reason, "is missing"),
		format == sopsfile.Binary && !bytes.HasPrefix(bytes.TrimSpace(content), []byte("{")):
		return &clearError{err}
	}
	return err
}

// notOurs refuses a file with an object of Signet's API. An envelope alone is
// refused by sopsfile.
func notOurs(content []byte) error {
	if !manifest.Mentions(content, sopsdoc.Group) {
		return nil
	}
	stream, err := manifest.Split(content)
	if err != nil {
		return nil // not a manifest at all
	}
	for _, doc := range stream.Documents {
		_, objects, err := doc.Objects()
		if err != nil {
			return nil
		}
		for _, o := range objects {
			if o.Group() == sopsdoc.Group {
				return errOurs
			}
		}
	}
	return nil
}

// manifests returns the objects in a file.
func (f sopsFile) manifests() ([]*yaml.Node, error) {
	stream, err := manifest.Split(f.text)
	if err != nil {
		return nil, f.at("read what was opened", err)
	}
	var all []*yaml.Node
	for _, doc := range stream.Documents {
		node, err := doc.Node()
		if err != nil {
			return nil, f.at("read what was opened", err)
		}
		if node == nil {
			continue
		}
		o := &manifest.Object{Node: manifest.Root(node)}
		if o.Kind() == "" || o.APIVersion() == "" {
			return nil, f.at("read what was opened", errNotObject)
		}
		all = append(all, node)
	}
	return all, nil
}

// secret makes a Secret of the files that next returns in turn.
func (s secretFrom) secret(next func() sopsFile) (*yaml.Node, error) {
	text, data := map[string]string{}, map[string]string{}
	for _, item := range s.files {
		key, _, err := keyAndPath(item)
		f := next()
		switch {
		case err != nil:
			return nil, f.at("read", err)
		case !utf8.Valid(f.text):
			return nil, f.at("read what was opened", errNotUTF8)
		}
		text[key] = string(f.text)
	}
	for _, item := range s.binaryFiles {
		key, _, err := keyAndPath(item)
		f := next()
		if err != nil {
			return nil, f.at("read", err)
		}
		data[key] = base64.StdEncoding.EncodeToString(f.text)
	}
	for range s.envs {
		f := next()
		if err := readDotenv(f.text, text); err != nil {
			return nil, f.at("read what was opened", err)
		}
	}
	return s.node(text, data), nil
}

func (s secretFrom) node(text, data map[string]string) *yaml.Node {
	metadata := s.metadata
	if metadata == nil {
		metadata = manifest.Mapping()
	}
	n := manifest.Mapping(
		manifest.String("apiVersion"), manifest.String("v1"),
		manifest.String("kind"), manifest.String("Secret"),
		manifest.String("metadata"), manifest.Clone(metadata),
	)
	if s.secretType != "" {
		manifest.Set(n, "type", manifest.String(s.secretType))
	}
	if len(text) > 0 {
		manifest.Set(n, "stringData", manifest.StringMap(text))
	}
	if len(data) > 0 {
		manifest.Set(n, "data", manifest.StringMap(data))
	}
	return n
}
