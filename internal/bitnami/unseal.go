// SPDX-License-Identifier: Apache-2.0

package bitnami

import (
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
)

// Options say how a document is opened.
type Options struct {
	// Keys are private keys, tried in this order. At least one is needed.
	Keys []*rsa.PrivateKey
	// Namespace is that of a document that has none, as its manifest would be
	// applied. A document's own namespace goes first.
	Namespace string
	// SkipTemplates leaves out keys whose template can't be rendered here, with
	// a note, instead of refusing the document.
	SkipTemplates bool
}

// Result is what a document holds.
type Result struct {
	// Secret is the Secret that Sealed Secrets makes of it, without what only
	// Sealed Secrets understands. Values that are text stand in StringData, the
	// others in Data. Metadata is as in the document: what may stand in a
	// Secret that is sealed again is not decided here.
	Secret manifest.Secret
	// Scope is where the document opens.
	Scope Scope
	// Notes say, one sentence each, what was not carried or changed its meaning.
	Notes []string
	// V1 says that the document had the format of before 2018, one blob.
	V1 bool
}

// Unseal opens a SealedSecret of bitnami.com/v1alpha1: both formats, in the
// place and scope that its own metadata and annotations say. n is a node as
// package manifest parses it, and is not changed. A template that is hidden by a
// sealed value of the same key is not looked at.
//
// Without private keys it is an error. Others are a *manifest.SyntaxError for what is
// malformed, an *OpenError for what no key opens, or a *TemplateError.
func Unseal(n *yaml.Node, o Options) (*Result, error) {
	if len(o.Keys) == 0 {
		return nil, errNoKeys
	}
	d, err := readDocument(n)
	if err != nil {
		return nil, err
	}
	if d.namespace == "" {
		d.namespace = o.Namespace
	}
	u := &unsealer{document: d, options: o, opener: opener{keys: o.Keys}}
	u.result = &Result{Scope: d.scope(), V1: d.blob != nil}
	s := &u.result.Secret
	s.Name, s.Namespace = d.name, d.namespace
	if u.result.V1 {
		err = u.unsealBlob()
	} else {
		err = u.unsealItems()
	}
	if err != nil {
		return nil, err
	}
	u.noteDocument()
	u.cleanAnnotations()
	return u.result, nil
}

// unsealer opens one document.
type unsealer struct {
	*document
	options Options
	opener  opener
	result  *Result
}

const (
	annotationPrefix = "sealedsecrets.bitnami.com/"
	namespaceWide    = annotationPrefix + "namespace-wide"
	clusterWide      = annotationPrefix + "cluster-wide"
)

// scope is what the annotations of the document itself say; those of its
// template don't count (sealedsecret_expansion.go: labelFor).
func (d *document) scope() Scope {
	switch {
	case d.annotations[clusterWide] == "true":
		return Cluster
	case d.annotations[namespaceWide] == "true":
		return Namespace
	}
	return Strict
}

// open opens the base64 of one value. Where it fails, the other scopes are
// tried too, only to say so.
func (u *unsealer) open(path, encoded string) ([]byte, error) {
	ciphertext, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, &manifest.SyntaxError{Path: path, Reason: "is not base64"}
	}
	scope := u.result.Scope
	value, causes := u.opener.open(ciphertext, scope.label(u.namespace, u.name))
	if causes == nil {
		return value, nil
	}
	e := &OpenError{Path: path, Causes: causes, Scope: scope, NoNamespace: u.namespace == ""}
	if !slices.ContainsFunc(causes, func(err error) bool { return errors.Is(err, errLabel) }) {
		return nil, e
	}
	for _, other := range []Scope{Strict, Namespace, Cluster} {
		if other == scope {
			continue
		}
		if _, causes := u.opener.open(ciphertext, other.label(u.namespace, u.name)); causes == nil {
			e.OpensAs = other
			break
		}
	}
	return nil, e
}

// unsealItems opens a document of today: each value for itself, the rest of the
// Secret in the template.
func (u *unsealer) unsealItems() error {
	values := make(map[string][]byte, len(u.encrypted))
	for _, key := range slices.Sorted(maps.Keys(u.encrypted)) {
		value, err := u.open(manifest.ChildPath("spec.encryptedData", key), u.encrypted[key])
		if err != nil {
			return err
		}
		values[key] = value
	}
	if err := u.render(values); err != nil {
		return err
	}
	t, s := &u.template, &u.result.Secret
	s.Type, s.Immutable = t.kind, t.immutable
	s.Labels, s.Annotations = maps.Clone(t.labels), maps.Clone(t.annotations)
	u.setValues(values)
	return nil
}

// setValues puts text into StringData and anything else into Data.
func (u *unsealer) setValues(values map[string][]byte) {
	s := &u.result.Secret
	s.Data, s.StringData = map[string][]byte{}, map[string]string{}
	for key, value := range values {
		if isText(value) {
			s.StringData[key] = string(value)
		} else {
			s.Data[key] = value
		}
	}
}

func isText(b []byte) bool {
	return utf8.Valid(b) && !strings.ContainsFunc(string(b), func(r rune) bool {
		return r != '\n' && r != '\t' && unicode.IsControl(r)
	})
}

// render adds what the template's data makes of the values, and removes what it
// sets to null (sealedsecret_expansion.go: unseal).
func (u *unsealer) render(values map[string][]byte) error {
	context := make(map[string]string, len(values)+len(u.template.data))
	for key, text := range u.template.data {
		if text != nil {
			context[key] = *text
		}
	}
	for key, value := range values {
		context[key] = string(value)
	}
	limits := &limits{steps: maxSteps, bytes: maxWork}
	for _, key := range slices.Sorted(maps.Keys(u.template.data)) {
		text := u.template.data[key]
		_, sealed := u.encrypted[key]
		switch {
		case text == nil:
			delete(values, key)
			continue
		case sealed:
			u.note("the template of key %s has no effect: the sealed value goes first", shortQuote(key))
			continue
		}
		out, dynamic, err := renderTemplate(key, *text, context, limits)
		if err != nil && u.options.SkipTemplates {
			u.note("key %s is left out: %v", shortQuote(key), err)
			continue
		}
		if err != nil {
			return err
		}
		if dynamic {
			u.note("key %s was a template and is rendered now: it will not follow changes of the other keys", shortQuote(key))
		}
		values[key] = []byte(out)
	}
	return nil
}

func (u *unsealer) note(format string, args ...any) {
	u.result.Notes = append(u.result.Notes, fmt.Sprintf(format, args...))
}
