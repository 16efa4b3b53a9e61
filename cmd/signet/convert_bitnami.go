// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/rsa"
	"errors"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/bitnami"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// errNoFromKey says that the private keys are missing.
var errNoFromKey = errors.New("is a SealedSecret of Bitnami, which only the private keys of its controller open")

// privateKeys reads the files of --from-key.
func (v *convertCommand) privateKeys() ([]*rsa.PrivateKey, error) {
	var all []*rsa.PrivateKey
	for _, name := range v.fromKeys {
		data, err := v.readKeys(name)
		if err != nil {
			return nil, &report.PlacedError{File: name, Operation: "read", Err: report.Cause(err)}
		}
		found, err := bitnami.ParseKeys(data)
		if err != nil {
			return nil, &report.PlacedError{File: name, Operation: "read private keys", Err: err}
		}
		for _, k := range found {
			if !slices.ContainsFunc(all, func(other *rsa.PrivateKey) bool { return other.Equal(k) }) {
				all = append(all, k)
			}
		}
	}
	return all, nil
}

// readKeys reads no more than tells bitnami.ParseKeys that it is too much.
func (v *convertCommand) readKeys(name string) ([]byte, error) {
	r := v.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		r = f
	}
	return io.ReadAll(io.LimitReader(r, bitnami.MaxKeyFileBytes+1))
}

// openBitnami opens a SealedSecret of Bitnami, in the tree of its stream.
func (c *conversionRun) openBitnami(in input, p *piece) error {
	n := manifest.Clone(p.Node)
	p.labels, p.annotations = takeOwn(manifest.Get(n, "metadata"))
	result, err := bitnami.Unseal(n, bitnami.Options{Keys: c.private, Namespace: c.namespace, SkipTemplates: c.skipTemplates})
	if err != nil {
		operation := "open"
		if errors.As(err, new(*bitnami.TemplateError)) {
			operation = "convert"
		}
		return p.at(in.name, operation, err)
	}
	p.notes = append(p.notes, result.Notes...)
	p.reach = map[bitnami.Scope]seal.Reach{bitnami.Strict: seal.Strict, bitnami.Namespace: seal.Namespace, bitnami.Cluster: seal.Cluster}[result.Scope]
	secret := result.Secret.Node()
	copyKeyComments(manifest.Root(secret), p.Node)
	if p.Item == 0 {
		secret.HeadComment = p.root.HeadComment
	}
	p.replaceTree(secret)
	return nil
}

// takeOwn takes out of the metadata what is for whoever applies the SealedSecret:
// it stays on the new one. What means something to Sealed Secrets is left.
func takeOwn(metadata *yaml.Node) (labels, annotations map[string]string) {
	take := func(field string, kept func(string) bool) map[string]string {
		own, m := map[string]string{}, manifest.Get(metadata, field)
		for _, key := range manifest.Keys(m) {
			if v := manifest.Get(m, key); manifest.IsString(v) && !kept(key) {
				own[key] = v.Value
				manifest.Delete(m, key)
			}
		}
		return own
	}
	labels = take("labels", func(key string) bool { return strings.HasPrefix(key, sopsdoc.Group+"/") })
	return labels, take("annotations", func(key string) bool {
		return strings.HasPrefix(key, "sealedsecrets.bitnami.com/") || strings.HasPrefix(key, sopsdoc.Group+"/") ||
			key == "kubectl.kubernetes.io/last-applied-configuration"
	})
}

// copyKeyComments takes over the comments at the fields that both documents have
// and in which nobody writes secrets.
func copyKeyComments(to, from *yaml.Node) {
	for i := 0; i+1 < len(from.Content); i += 2 {
		for j := 0; j+1 < len(to.Content); j += 2 {
			if key := from.Content[i]; key.Value == to.Content[j].Value && slices.Contains([]string{"apiVersion", "kind", "metadata"}, key.Value) {
				to.Content[j].HeadComment = key.HeadComment
			}
		}
	}
}

// dress gives a SealedSecret the labels and annotations that its predecessor has
// beside the Secret. Those of the Secret go first.
func (p *piece) dress(n *yaml.Node) (result *yaml.Node, changed bool) {
	set := func(field string, own map[string]string) {
		for _, key := range slices.Sorted(maps.Keys(own)) {
			if manifest.Get(manifest.Root(n), "metadata", field, key) != nil {
				continue
			}
			if !changed {
				n, changed = manifest.Clone(n), true
			}
			metadata := manifest.Get(manifest.Root(n), "metadata")
			if field == "annotations" {
				manifest.SetAnnotation(manifest.Root(n), key, own[key])
				continue
			}
			if m := manifest.Get(metadata, field); m == nil || m.Kind != yaml.MappingNode {
				manifest.Set(metadata, field, manifest.Mapping())
			}
			manifest.Set(manifest.Get(metadata, field), key, manifest.String(own[key]))
		}
	}
	set("labels", p.labels)
	set("annotations", p.annotations)
	return n, changed
}
