// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"encoding/base64"
	"errors"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// check refuses what Seal would refuse, in so far as no version has it.
func (a *amendment) check(o Options) error {
	secretType := a.clear.Type
	if slices.ContainsFunc(a.versions, func(v sopsdoc.Previous) bool { return v.Envelope.Type == secretType }) {
		secretType = ""
	}
	if err := o.policy().Check(secretType, a.new.secret.Labels, a.new.secret.Annotations); err != nil {
		return err
	}
	values := contentValues(a.content)
	sealed := slices.Concat(
		metadataFields("label", a.clear.Labels),
		metadataFields("annotation", a.clear.Annotations),
		metadataFields("annotation", a.new.outside),
	)
	err := checkClear(values, sealed, o.AllowClear, func(key string, f clearField) bool {
		return a.known(key, values[key], func(c sopsdoc.Clear) bool {
			return f.kind == "label" && has(c.Labels, f.key, f.text) || f.kind == "annotation" && has(c.Annotations, f.key, f.text)
		})
	})
	if err != nil {
		return err
	}
	return checkClear(values, nodeFields(a.prev.Object), o.AllowClear, func(key string, _ clearField) bool {
		return a.known(key, values[key], func(sopsdoc.Clear) bool { return true })
	})
}

// known reports whether a version holds the value and, in clear, what match
// finds.
func (a *amendment) known(key, value string, match func(sopsdoc.Clear) bool) bool {
	return slices.ContainsFunc(a.versions, func(v sopsdoc.Previous) bool {
		return has(contentValues(v.Content), key, value) && match(v.Envelope.Clear)
	})
}

// stringsOf returns the scalars of a mapping by their keys.
func stringsOf(n *yaml.Node) map[string]string {
	out := map[string]string{}
	for _, key := range manifest.Keys(n) {
		if v := manifest.Get(n, key); v.Kind == yaml.ScalarNode {
			out[key] = v.Value
		}
	}
	return out
}

// contentValues returns all values as they are in a Secret that was applied.
func contentValues(c sopsdoc.Content) map[string]string {
	out := maps.Clone(c.StringData)
	if out == nil {
		out = map[string]string{}
	}
	for key, text := range c.Data {
		out[key] = decoded(text)
	}
	return out
}

// decoded returns what text is the base64 of, or text.
func decoded(text string) string {
	if b, err := base64.StdEncoding.DecodeString(text); err == nil {
		return string(b)
	}
	return text
}

// checkSize lets a document stay too large, but not grow.
func (a *amendment) checkSize(n *yaml.Node) (notes []string, err error) {
	notes, err = checkSize(n, dataBytes(a.content))
	now := new(SizeError)
	if !errors.As(err, &now) {
		return notes, err
	}
	_, err = checkSize(a.prev.Object, dataBytes(a.prev.Sealed.Content))
	before := new(SizeError)
	if errors.As(err, &before) && before.What == now.What && now.Bytes <= before.Bytes {
		return nil, nil
	}
	return nil, now
}
