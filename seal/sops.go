// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"context"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// SOPSOptions says how to make SOPS-encrypted Secrets. Reach and Policy of
// Options play no part: a SOPS document opens wherever it is.
type SOPSOptions struct {
	Options
	// Selector chooses the values to encrypt; the zero value is
	// DefaultSelector. One that leaves a value of the Secret in clear, or
	// that encrypts what Kubernetes needs to read, is an error.
	Selector keys.Selector
	// MACOnlyEncrypted leaves values in clear out of the MAC.
	MACOnlyEncrypted bool
}

// DefaultSelector encrypts the values of a Secret and nothing else, which is
// what Flux and KSOPS users write into their rules.
func DefaultSelector() keys.Selector {
	return keys.Selector{Kind: keys.EncryptedRegex, Pattern: "^(data|stringData)$"}
}

// SOPSResult holds SOPS-encrypted documents, one for each Secret.
type SOPSResult struct {
	Nodes     []*yaml.Node // document nodes, nil if Unchanged
	Unchanged bool         // the previous file already is what was asked
	Notes     []string     // as in Result
	DataKey   keys.DataKey // as in Result
}

// SealSOPS encrypts Secret manifests together as one SOPS file, as stock sops
// does with a file of several documents: it can only be opened as a whole.
// prev is as in Seal. Errors are those of Seal other than *sopsdoc.DeniedError
// and *SizeError, a *SelectorError, or those of sopsdoc.EncryptFile.
func SealSOPS(ctx context.Context, docs []*yaml.Node, prev *sopsdoc.PreviousFile, o SOPSOptions) (*SOPSResult, error) {
	r := &SOPSResult{}
	keep := append(slices.Clone(o.KeepMetadata), instanceLabel)
	var plain []*yaml.Node
	for _, doc := range docs {
		in, err := read(doc, Options{Namespace: o.Namespace, KeepMetadata: keep, AllowClear: o.AllowClear})
		if err != nil {
			return nil, err
		}
		plain = append(plain, in.plainNode(doc))
		r.Notes = append(r.Notes, in.notes...)
	}
	k, recipients, kept, err := o.fileKey(ctx, prev)
	if err != nil {
		return nil, err
	}
	r.DataKey = k
	settings := sopsdoc.FileSettings{Recipients: recipients, Selector: o.Selector, MACOnlyEncrypted: o.MACOnlyEncrypted, Now: o.now()}
	if settings.Selector.IsZero() {
		settings.Selector = DefaultSelector()
	}
	r.Nodes, r.Unchanged, err = sopsdoc.EncryptFile(plain, k, settings, kept)
	if err != nil {
		return nil, err
	}
	if kept != nil && !r.Unchanged && o.FreshKeyOnChange {
		return SealSOPS(ctx, docs, nil, o)
	}
	return r, checkSelected(r.Nodes)
}

func (o SOPSOptions) fileKey(ctx context.Context, prev *sopsdoc.PreviousFile) (keys.DataKey, keys.Recipients, *sopsdoc.PreviousFile, error) {
	if prev != nil && !o.FreshKey && prev.File.Metadata.Recipients.Same(o.Recipients) {
		return prev.DataKey, prev.File.Metadata.Recipients, prev, nil
	}
	k := keys.GenerateDataKey()
	recipients, err := keys.WrapAll(ctx, o.Wrapper, o.Recipients, k)
	return k, recipients, nil, err
}

// plainNode copies the manifest without what must not be written: comments at
// the data, fields of the API server and kubectl's copy of the Secret.
func (in *input) plainNode(doc *yaml.Node) *yaml.Node {
	root := manifest.Mapping()
	for i := 0; i+1 < len(in.node.Content); i += 2 {
		key, v := in.node.Content[i], in.node.Content[i+1]
		switch key.Value {
		case "metadata":
			v = in.plainMetadata(v)
		case "apiVersion", "kind":
		default:
			key, v = manifest.String(key.Value), withoutComments(v)
		}
		root.Content = append(root.Content, key, v)
	}
	return &yaml.Node{Kind: yaml.DocumentNode, HeadComment: in.head, Content: []*yaml.Node{root}}
}

func (in *input) plainMetadata(n *yaml.Node) *yaml.Node {
	out := manifest.Mapping()
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, v := n.Content[i], n.Content[i+1]
		switch key.Value {
		case "name", "labels", "namespace":
		case "annotations":
			v = &yaml.Node{Kind: v.Kind, Tag: v.Tag, Content: append([]*yaml.Node(nil), v.Content...)}
			manifest.Delete(v, lastAppliedAnnotation)
			if len(v.Content) == 0 {
				continue
			}
		default:
			continue
		}
		out.Content = append(out.Content, key, v)
	}
	if in.secret.Namespace != "" && manifest.Get(out, "namespace") == nil {
		manifest.Set(out, "namespace", manifest.String(in.secret.Namespace))
	}
	return out
}

func withoutComments(n *yaml.Node) *yaml.Node {
	c := *n
	c.HeadComment, c.LineComment, c.FootComment = "", "", ""
	c.Content = make([]*yaml.Node, len(n.Content))
	for i, child := range n.Content {
		c.Content[i] = withoutComments(child)
	}
	return &c
}

// SelectorError says that a selector does not fit a Secret.
type SelectorError struct {
	Path      string // of the field
	Encrypted bool   // the field would be encrypted but must be readable, else the opposite
}

func (e *SelectorError) Error() string {
	if e.Encrypted {
		return "the selector would encrypt " + e.Path + ", which Kubernetes must read"
	}
	return "the selector would leave " + e.Path + " in clear"
}

// checkSelected makes sure that a selector from the rules hides the values of
// a Secret and nothing that Kubernetes and kustomize must read to tell what
// the object is.
func checkSelected(docs []*yaml.Node) error {
	for _, doc := range docs {
		root := manifest.Root(doc)
		for _, field := range []string{"data", "stringData"} {
			for _, key := range manifest.Keys(manifest.Get(root, field)) {
				if v := manifest.Get(root, field, key); v.Value != "" && !sealed(v) {
					return &SelectorError{Path: manifest.ChildPath(field, key)}
				}
			}
		}
		for _, path := range readPaths() {
			if v := manifest.Get(root, path...); v != nil && sealed(v) {
				return &SelectorError{Path: strings.Join(path, "."), Encrypted: true}
			}
		}
	}
	return nil
}

// readPaths are the fields that tell what an object is.
func readPaths() [][]string {
	return [][]string{{"apiVersion"}, {"kind"}, {"metadata", "name"}, {"metadata", "namespace"}}
}

// Encrypted reports whether every value of a SOPS-encrypted Secret is, so that
// none was written into it afterwards.
func Encrypted(n *yaml.Node) bool {
	for _, field := range []string{"data", "stringData"} {
		m := manifest.Get(manifest.Root(n), field)
		for _, key := range manifest.Keys(m) {
			if v := manifest.Get(m, key); v.Value != "" && !sealed(v) {
				return false
			}
		}
	}
	return true
}

func sealed(v *yaml.Node) bool {
	_, err := sopsdoc.ParseValue(v.Value)
	return err == nil
}
