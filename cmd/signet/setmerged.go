// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// setMerged seals one value for adding to a Secret of somebody else, and puts it
// into the file: in the place of the document of that name, or behind all others.
// It opens nothing.
func (s *setCommand) setMerged(cmd *cobra.Command, args []string, o seal.Options) error {
	key := args[1]
	name, err := s.mergedName(cmd, key)
	if err != nil {
		return err
	}
	in, err := s.mergedInput(args[0])
	if err != nil {
		return err
	}
	raw := slices.Clone(in.stream.Bytes())
	old, err := s.mergedBefore(in, name, key)
	if err != nil {
		return err
	}
	limits, err := s.limitsFor(in)
	if err != nil {
		return err
	}
	data, err := s.value(cmd.Context(), args)
	if err != nil {
		return err
	}
	o.Merge, o.ObjectName = true, name
	if old != nil {
		o.Replaces = old.Tree()
	}
	object := s.namespace + "/" + name
	result, err := s.sealMerged(cmd, key, data, o)
	if err != nil {
		return &report.PlacedError{File: args[0], Object: object, Operation: "seal", Err: err}
	}
	out, err := withMerged(in, old, result)
	if err != nil {
		return err
	}
	for _, text := range limits.notes(found{Object: &manifest.Object{Node: manifest.Root(result.Node)}}, o) {
		note(s.err, report.Source(args[0])+", "+object, text)
	}
	note(s.err, report.Source(args[0])+", "+object, "Secret "+s.namespace+"/"+s.mergeInto+
		" must consent: its owner gives it the annotation signet.dev/merge: "+name+", in `signet edit` if it is sealed")
	return saveNew(s.console, args[0], raw, out)
}

// sealMerged seals a Secret that holds nothing but the value.
func (s *setCommand) sealMerged(cmd *cobra.Command, key string, data []byte, o seal.Options) (result *seal.Result, err error) {
	secret := &manifest.Secret{Name: s.mergeInto, Namespace: s.namespace, StringData: map[string]string{}, Data: map[string][]byte{}}
	if isText(data) && !s.binary {
		secret.StringData[key] = string(data)
	} else {
		secret.Data[key] = data
	}
	err = s.within(cmd.Context(), cmd, s.console, func(ctx context.Context, sources userkeys.Sources) (err error) {
		if o.Wrapper, err = sources.Wrapper(); err != nil {
			return err
		}
		result, err = seal.Seal(ctx, secret.Node(), nil, o)
		return err
	})
	return result, err
}

// mergedName returns the name of the SealedSecret that gets the value.
func (s *setCommand) mergedName(cmd *cobra.Command, key string) (string, error) {
	switch {
	case !sopsdoc.ValidSecretName(s.mergeInto):
		return "", usagef(cmd, "--merge-into %q is not a valid name for a Secret", s.mergeInto)
	case s.namespace == "":
		return "", usagef(cmd, "--merge-into needs -n, the namespace of the Secret")
	case !sopsdoc.ValidNamespace(s.namespace):
		return "", usagef(cmd, "-n %q is not a valid namespace", s.namespace)
	case s.objectName != "" && !sopsdoc.ValidSecretName(s.objectName):
		return "", usagef(cmd, "--object-name %q is not a valid name", s.objectName)
	}
	name := s.mergeInto + "-" + strings.NewReplacer("_", "-", ".", "-").Replace(strings.ToLower(key))
	name = cmp.Or(s.objectName, strings.TrimRight(name, "-"))
	if !sopsdoc.ValidSecretName(name) {
		return "", usagef(cmd, "the name of the SealedSecret cannot be made of these of the Secret and the key: give it one with --object-name")
	}
	return name, nil
}

// mergedInput reads the file; one that is not there yet is empty.
func (s *setCommand) mergedInput(file string) (input, error) {
	if _, err := os.Stat(file); file != "-" && errors.Is(err, fs.ErrNotExist) {
		stream, err := manifest.Split(nil)
		return input{name: file, stream: stream, notes: new(bytes.Buffer)}, err
	}
	return readSealed(s.console, file)
}

// mergedOtherError says that the document that would be replaced holds more than
// the value.
type mergedOtherError struct {
	name string
	keys []string // nil if it is not one for adding
}

func (e *mergedOtherError) Error() string {
	if e.keys == nil {
		return "is there already, and not sealed for adding to this Secret"
	}
	return "is there already, and holds other keys too: " + strings.Join(e.keys, ", ")
}

// errSOPSFile says that nothing can be put beside the documents of a file.
var errSOPSFile = errors.New("is encrypted by SOPS, which opens a file only as a whole")

// mergedBefore returns the document of the name, or nil. It must hold nothing but
// the value for the same Secret.
func (s *setCommand) mergedBefore(in input, name, key string) (*found, error) {
	all, err := in.objects(func(f found) (bool, error) {
		if sopsdoc.FileMAC(f.Node) != "" {
			return false, errSOPSFile
		}
		return f.Group() == sopsdoc.Group && f.Kind() == sopsdoc.Kind && f.Name() == name && placeOf(f, s.namespace).namespace == s.namespace, nil
	}, sopsdoc.Group, sopsdoc.MetadataKey)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	f := all[0]
	doc, err := sopsdoc.ParseSealedSecret(f.Node)
	if err != nil {
		return nil, f.at(in.name, "read", err)
	}
	if len(all) > 1 || !doc.Envelope.Merge || placeOf(f, "").name != s.mergeInto {
		return nil, f.at(in.name, "set "+key, &mergedOtherError{name: name})
	}
	others := slices.Concat(doc.Envelope.DataKeys(), doc.Envelope.StringDataKeys())
	others = slices.DeleteFunc(others, func(k string) bool { return k == key })
	if len(others) > 0 {
		return nil, f.at(in.name, "set "+key, &mergedOtherError{name, others})
	}
	return &f, nil
}

// withMerged puts the sealed document into the stream.
func withMerged(in input, old *found, result *seal.Result) ([]byte, error) {
	if old == nil {
		text, err := manifest.EncodeYAML(result.Node)
		if err != nil {
			return nil, err
		}
		return join([][]byte{in.stream.Bytes(), text}), nil
	}
	(&target{in: in}).place(*old, result.Node)
	return in.replaced([]found{*old})
}

// saveNew is save for a file that may not be there yet.
func saveNew(c console, file string, raw, data []byte) error {
	if _, err := os.Lstat(file); file != "-" && errors.Is(err, fs.ErrNotExist) && len(raw) == 0 {
		return replaceNone(file, data)
	}
	return save(c, file, raw, data)
}
