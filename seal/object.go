// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// object puts the envelope into a SealedSecret: the previous object with what
// differs replaced, or a new one. changed is false if nothing differs.
func (in *input) object(e *sopsdoc.Envelope, prev *Previous, o Options) (n *yaml.Node, changed bool) {
	switch {
	case prev == nil && o.Replaces == nil:
		return in.newObject(e, cmp.Or(o.ObjectName, in.secret.Name)), true
	case prev == nil:
		return in.around(e, o), true
	}
	n = manifest.Clone(prev.Object) // two Secrets may have been given the same one
	root := manifest.Root(n)
	spec := manifest.Get(root, "spec")
	if e != prev.Sealed.Envelope {
		manifest.Set(spec, "sealed", e.Node())
		changed = true
	}
	name := cmp.Or(o.ObjectName, manifest.GetString(root, "metadata", "name"))
	if in.rename(root, name) {
		changed = true
	}
	if setCreationPolicy(spec, e.Merge) {
		changed = true
		if !e.Merge && !prev.Sealed.Envelope.Merge {
			in.notes = append(in.notes, noPolicy)
		}
	}
	metadata := manifest.Get(root, "metadata")
	labels := setStrings(metadata, "labels", in.secret.Labels, prev.Sealed.Envelope.Labels)
	annotations := setStrings(metadata, "annotations", in.outside, nil)
	if !changed && !labels && !annotations {
		return prev.Object, false
	}
	return n, true
}

// noPolicy is the note about a policy that somebody wrote into the file.
const noPolicy = "spec.creationPolicy: Merge was taken out: the document is not sealed for that (--merge seals it so)"

// around puts an envelope that owes nothing to the previous one into what
// stands around that.
func (in *input) around(e *sopsdoc.Envelope, o Options) *yaml.Node {
	n := &yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{manifest.Clone(o.Replaces)}}
	if o.Replaces.Kind == yaml.DocumentNode {
		n = n.Content[0]
	}
	root := manifest.Root(n)
	metadata, spec := manifest.Get(root, "metadata"), manifest.Get(root, "spec")
	name, secret := manifest.GetString(metadata, "name"), manifest.GetString(spec, "secretName")
	if secret == "" || secret == name {
		name = in.secret.Name
	}
	in.move(root, cmp.Or(o.ObjectName, name))
	manifest.Set(spec, "sealed", e.Node())
	if setCreationPolicy(spec, e.Merge) && !e.Merge && manifest.Get(manifest.Root(o.Replaces), "spec", "sealed", "merge") == nil {
		in.notes = append(in.notes, noPolicy)
	}
	var labels map[string]string // that both the Secret and the object had
	if old, err := sopsdoc.ParseSealedSecret(manifest.Root(o.Replaces)); err == nil {
		labels = old.Envelope.Labels
	}
	setStrings(metadata, "labels", in.secret.Labels, labels)
	setStrings(metadata, "annotations", in.outside, nil)
	return n
}

// move makes an object of a document one of the given name in the Secret's
// namespace. What says which object of a cluster the old one was goes.
func (in *input) move(root *yaml.Node, name string) {
	metadata := manifest.Get(root, "metadata")
	oldName, oldNamespace := manifest.GetString(metadata, "name"), manifest.GetString(metadata, "namespace")
	in.rename(root, name)
	namespace := cmp.Or(in.secret.Namespace, oldNamespace)
	if namespace != oldNamespace {
		manifest.Set(metadata, "namespace", manifest.String(namespace))
	}
	if name == oldName && namespace == oldNamespace {
		return
	}
	var gone []string
	for _, field := range serverSet() {
		if manifest.Delete(metadata, field) {
			gone = append(gone, "metadata."+field)
		}
	}
	if manifest.Delete(root, "status") {
		gone = append(gone, "status")
	}
	if len(gone) > 0 {
		in.notes = append(in.notes, strings.Join(gone, ", ")+" of the previous document: left out, of use in the old place only")
	}
}

// serverSet are the metadata fields that say which object of a cluster it is.
func serverSet() []string {
	return []string{"creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation", "managedFields",
		"ownerReferences", "resourceVersion", "selfLink", "uid"}
}

// rename gives the object its name, and in it the Secret its own.
func (in *input) rename(root *yaml.Node, name string) (changed bool) {
	metadata, spec := manifest.Get(root, "metadata"), manifest.Get(root, "spec")
	if manifest.GetString(metadata, "name") != name {
		manifest.Set(metadata, "name", manifest.String(name))
		changed = true
	}
	secret := manifest.Get(spec, "secretName")
	if secret == nil && name == in.secret.Name || secret != nil && secret.Value == in.secret.Name {
		return changed
	}
	manifest.Set(spec, "secretName", manifest.String(in.secret.Name))
	return true
}

// setCreationPolicy makes spec.creationPolicy what the document is sealed for.
func setCreationPolicy(spec *yaml.Node, merge bool) (changed bool) {
	const field = "creationPolicy"
	switch is := manifest.GetString(spec, field) == "Merge"; {
	case merge && !is:
		manifest.Delete(spec, field)
		spec.Content = slices.Insert(spec.Content, 0, manifest.String(field), manifest.String("Merge"))
	case !merge && is:
		manifest.Delete(spec, field)
	default:
		return false
	}
	return true
}

// setStrings brings the entries of want into a map of n and takes those of
// old that are not wanted out of it. Others stay.
func setStrings(n *yaml.Node, field string, want, old map[string]string) (changed bool) {
	m := manifest.Get(n, field)
	if m == nil || m.Kind != yaml.MappingNode {
		if len(want) == 0 {
			return false
		}
		manifest.Set(n, field, manifest.StringMap(want))
		return true
	}
	for _, key := range slices.Sorted(maps.Keys(old)) {
		if _, ok := want[key]; !ok && manifest.Delete(m, key) {
			changed = true
		}
	}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if v := manifest.Get(m, key); v == nil || v.Value != want[key] {
			manifest.Set(m, key, manifest.String(want[key]))
			changed = true
		}
	}
	return changed
}
