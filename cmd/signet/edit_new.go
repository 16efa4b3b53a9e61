// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// newSecret is a file that is not there yet.
type newSecret struct {
	*editCommand
	cmd     *cobra.Command
	file    string
	options seal.Options
	objects []*manifest.Object
}

// text is a Secret without values, called like the file.
func (s *newSecret) text() ([]byte, error) {
	namespace, name, both := strings.Cut(s.name, "/")
	if !both {
		namespace, name = s.namespace, s.name
	}
	if base := filepath.Base(s.file); name == "" {
		name = strings.TrimSuffix(base, filepath.Ext(base))
	}
	if !sopsdoc.ValidSecretName(name) {
		name = "name"
	}
	metadata := manifest.Mapping(manifest.String("name"), manifest.String(name))
	if namespace != "" {
		manifest.Set(metadata, "namespace", manifest.String(namespace))
	}
	body, err := manifest.EncodeYAML(manifest.Mapping(
		manifest.String("apiVersion"), manifest.String("v1"),
		manifest.String("kind"), manifest.String("Secret"),
		manifest.String("metadata"), metadata,
		manifest.String("type"), manifest.String("Opaque"),
	))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	remarks(&b, "A new Secret, which is sealed in "+s.file+". Saved without a change, nothing is written.",
		"Lines that begin with "+remarkMark+" are left out.")
	b.Write(body)
	b.WriteString("stringData:\n")
	remarks(&b, "  password: correct horse battery staple")
	return b.Bytes(), nil
}

func (s *newSecret) take(text []byte) (changed bool, err error) {
	if s.objects, err = readView(text); err != nil {
		return false, err
	}
	if len(s.objects) == 0 {
		return false, &report.PlacedError{File: s.file, Operation: "edit", Err: errEmptied}
	}
	var errs []error
	for _, o := range s.objects {
		_, _, err := manifest.ParseSecret(o.Node)
		errs = append(errs, err)
	}
	return true, errors.Join(errs...)
}

func (s *newSecret) seal(ctx context.Context) error {
	o := s.options
	o.Now, o.Namespace = time.Now(), s.namespace
	outputs := make([][]byte, len(s.objects))
	var notes [][2]string
	limits, err := s.limitsFor(input{name: s.file})
	if err != nil {
		return err
	}
	err = s.within(ctx, s.cmd, s.console, func(ctx context.Context, sources userkeys.Sources) (err error) {
		if o.Wrapper, err = sources.Wrapper(); err != nil {
			return err
		}
		for i, object := range s.objects {
			result, err := seal.Seal(ctx, object.Tree(), nil, o)
			if err == nil {
				outputs[i], err = manifest.EncodeYAML(result.Node)
			}
			if err != nil {
				return &report.PlacedError{File: s.file, Object: report.ObjectName(object), Operation: "seal", Err: err}
			}
			for _, text := range append(result.Notes, limits.notes(found{Object: object}, o)...) {
				notes = append(notes, [2]string{s.file + ", " + report.ObjectName(object), text})
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, n := range notes {
		note(s.err, n[0], n[1])
	}
	return replaceNone(s.file, join(outputs))
}
