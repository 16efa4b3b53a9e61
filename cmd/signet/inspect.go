// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

const inspectLong = `Show what can be seen of sealed documents and SealingKeys without any key: where
they open, who can open them, the names of their values and when they were last
changed. Recipients that belong to SealingKeys at hand are shown with their name.

What is shown is what the document claims. Only unseal and verify verify it.

--exposed-to RECIPIENT lists what somebody can read, or could at any time: the
documents that are or were sealed for a recipient, directly or through a
SealingKey, now and in the whole history of the Git repository. For each it tells
whether what is there now is still the same ciphertext, and so surely the same
value, or was sealed anew since, perhaps with the same value. RECIPIENT is a whole
recipient, the beginning of one, or the name of a SealingKey.`

const inspectExample = `  signet inspect sealed.yaml
  signet inspect . --output json
  signet inspect --exposed-to arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab .`

// inspection is what inspect shows of one document.
type inspection struct {
	File       string      `json:"file"`
	Document   int         `json:"document"`
	Kind       string      `json:"kind"` // SealedSecret, or SOPS and the kind of the object
	Namespace  string      `json:"namespace,omitempty"`
	Name       string      `json:"name"`                 // of the object
	SecretName string      `json:"secretName,omitempty"` // where it is another
	Scope      string      `json:"scope,omitempty"`
	Type       string      `json:"type,omitempty"`
	Merge      bool        `json:"merge,omitempty"` // is added to a Secret of somebody else
	Data       []string    `json:"data"`
	StringData []string    `json:"stringData"`
	Recipients []recipient `json:"recipients"`
	Threshold  int         `json:"threshold,omitempty"`
	Modified   string      `json:"lastModified"`
	// Made is when the data key was made, "" if not all entries tell.
	Made    string `json:"dataKeyCreatedAt,omitempty"`
	Version string `json:"version"`
	// Of a SealingKey: what is sealed for PublicKey, it opens in Namespaces.
	PublicKey  string   `json:"publicKey,omitempty"`
	Namespaces []string `json:"namespaces,omitempty"`
	sorted     bool
}

// recipient is one key that can open a document.
type recipient struct {
	Type        string `json:"type"`
	ID          string `json:"id"`
	PostQuantum *bool  `json:"postQuantum,omitempty"` // absent if nobody can tell
	SealingKey  string `json:"sealingKey,omitempty"`  // whose recipient it is, if one is at hand
	Role        string `json:"role,omitempty"`
	AWSProfile  string `json:"awsProfile,omitempty"`
	Group       int    `json:"group,omitempty"`
	CreatedAt   string `json:"createdAt,omitempty"`
}

func newInspect(c console) *cobra.Command {
	var output string
	x := exposedCommand{console: c}
	cmd := &cobra.Command{
		Use:     "inspect [flags] FILE|DIR|-...",
		Short:   "Show who can open documents, and where",
		Long:    inspectLong,
		Example: inspectExample,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOutput(cmd, output); err != nil {
				return err
			}
			switch {
			case len(args) == 0:
				return usagef(cmd, "name a file, a directory or - for stdin")
			case cmd.Flags().Changed("exposed-to"):
				x.output = output
				return x.run(cmd, args)
			case x.noHistory || x.fail:
				return usagef(cmd, "--no-history and --fail are for --exposed-to")
			}
			return inspect(c, args, output)
		},
	}
	addOutput(cmd, &output, "`FORMAT`: text or json")
	x.addFlags(cmd)
	return cmd
}

func inspect(c console, args []string, output string) error {
	inputs, err := collect(args)
	if err != nil {
		return err
	}
	shown := []inspection{}
	var errs []error
	for _, in := range inputs {
		if err := in.readSettled(c.in, "open"); err != nil {
			return err
		}
		if in.walked && !in.mentionsSealed() {
			continue
		}
		found, err := in.inspect()
		errs = append(errs, report.Split(err)...)
		shown = append(shown, found...)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := nameSealingKeys(c, inputs, shown); err != nil {
		return err
	}
	if output == "json" {
		return writeJSON(c.out, shown)
	}
	for i, s := range shown {
		if i > 0 {
			fmt.Fprintln(c.out)
		}
		s.print(c.out)
	}
	if len(shown) == 0 {
		printer(c.err).Line("note", "nothing sealed found")
	}
	return nil
}

// nameSealingKeys tells which recipients belong to SealingKeys at hand.
func nameSealingKeys(c console, inputs []input, shown []inspection) error {
	found, err := (&keyFlags{}).findSealingKeys(c.err, inputs)
	if err != nil {
		return err
	}
	names := map[string]string{}
	for _, k := range found {
		names[k.Recipient] = k.Name
	}
	for _, s := range shown {
		for i, r := range s.Recipients {
			if r.Type == string(keys.Age) {
				s.Recipients[i].SealingKey = names[r.ID]
			}
		}
	}
	return nil
}

func (in input) mentionsSealed() bool { return in.mentions(sopsdoc.Group, sopsdoc.MetadataKey) }

func (in input) inspect() ([]inspection, error) {
	objects, err := in.objects(toInspect, sopsdoc.Group, sopsdoc.MetadataKey)
	if err != nil {
		return nil, exitcode.Opening(err)
	}
	var all []inspection
	var errs []error
	for _, f := range objects {
		s, err := inspectObject(f)
		if err != nil {
			errs = append(errs, exitcode.Opening(f.at(in.name, "read", err)))
			continue
		}
		s.File, s.Document = in.name, f.doc.Index
		all = append(all, s)
	}
	return all, errors.Join(errs...)
}

// toInspect is toOpen, with SealingKeys.
func toInspect(f found) (bool, error) {
	if f.APIVersion() == sopsdoc.APIVersion && f.Kind() == sopsdoc.KeyKind {
		return true, nil
	}
	return toOpen(f)
}

func inspectObject(f found) (inspection, error) {
	switch {
	case f.Group() != sopsdoc.Group:
		return inspectSOPS(f)
	case f.Kind() == sopsdoc.KeyKind:
		return inspectKeyObject(f)
	}
	doc, err := sopsdoc.ParseSealedSecret(f.Node)
	if err != nil {
		return inspection{}, err
	}
	e := doc.Envelope
	s := inspectMetadata(e.Metadata)
	s.Kind, s.Namespace, s.Name = sopsdoc.Kind, doc.Namespace, doc.Name
	if doc.SecretName != doc.Name {
		s.SecretName = doc.SecretName
	}
	s.Scope, s.Type, s.Merge = e.Scope.String(), e.Type, e.Merge
	s.Data, s.StringData = append(s.Data, e.DataKeys()...), append(s.StringData, e.StringDataKeys()...)
	s.sorted = sopsdoc.Sorted(manifest.Get(f.Node, "spec", "sealed"))
	return s, nil
}

func inspectKeyObject(f found) (inspection, error) {
	k, err := sopsdoc.ParseSealingKey(f.Node)
	if err != nil {
		return inspection{}, err
	}
	s := inspectKey(k)
	s.sorted = sopsdoc.Sorted(manifest.Get(f.Node, "spec", "sealed"))
	return s, nil
}

func inspectKey(k *sopsdoc.SealingKey) inspection {
	s := inspectMetadata(k.Metadata)
	s.Kind, s.Name, s.PublicKey, s.Namespaces, s.sorted = sopsdoc.KeyKind, k.Name, k.Recipient, k.Namespaces, true
	return s
}

func inspectSOPS(f found) (inspection, error) {
	file, err := sopsdoc.ParseFile(f.Tree())
	if err != nil {
		return inspection{}, err
	}
	s := inspectMetadata(file.Metadata)
	s.Kind = "SOPS " + f.Kind()
	s.Namespace, s.Name, s.Type = f.Namespace(), f.Name(), manifest.GetString(f.Node, "type")
	s.Data = append(s.Data, slices.Sorted(slices.Values(manifest.Keys(manifest.Get(f.Node, "data"))))...)
	s.StringData = append(s.StringData, slices.Sorted(slices.Values(manifest.Keys(manifest.Get(f.Node, "stringData"))))...)
	s.sorted = true
	return s, nil
}

func inspectMetadata(md *sopsdoc.Metadata) inspection {
	s := inspection{Modified: md.LastModified, Version: md.Version, Data: []string{}, StringData: []string{}, Recipients: []recipient{}}
	if made, known := md.Recipients.Created(); known {
		s.Made = made.UTC().Format(time.RFC3339)
	}
	groups := md.Recipients.Groups
	for i, group := range groups {
		for _, e := range group {
			r := describe(e)
			if len(groups) > 1 {
				r.Group = i + 1
				s.Threshold = cmp.Or(md.Recipients.Threshold, len(groups))
			}
			s.Recipients = append(s.Recipients, r)
		}
	}
	return s
}

func describe(e keys.Entry) recipient {
	r := recipient{Type: string(e.Type()), ID: report.WithoutKeys(e.ID())}
	if pq, known := postQuantum(e); known {
		r.PostQuantum = &pq
	}
	if made, known := (keys.Recipients{Groups: []keys.Group{{e}}}).Created(); known {
		r.CreatedAt = made.UTC().Format(time.RFC3339)
	}
	if k, ok := e.(keys.KMSEntry); ok {
		r.Role, r.AWSProfile = k.Role, k.AWSProfile
	}
	return r
}
