// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/signet-secrets/signet/controller/v1alpha1"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// desired is the Secret that an object stands for.
type desired struct {
	object  *v1alpha1.SealedSecret
	secret  *manifest.Secret
	manager string
	// document is the mark of the document that secret comes from.
	document string
}

func newDesired(object *v1alpha1.SealedSecret, o *opened) *desired {
	return &desired{object: object, secret: o.secret, manager: fieldManager(object.Name), document: o.mark}
}

// data returns all values. It is always data that is written: stringData would
// be merged into what is there.
func (d *desired) data() map[string][]byte {
	data := make(map[string][]byte, len(d.secret.Data)+len(d.secret.StringData))
	maps.Copy(data, d.secret.Data)
	for key, value := range d.secret.StringData {
		data[key] = []byte(value)
	}
	return data
}

// values returns all values, to be kept out of texts.
func (d *desired) values() [][]byte {
	return slices.Collect(maps.Values(d.data()))
}

// new returns the Secret as it is made where there is none.
func (d *desired) new() *corev1.Secret {
	return d.fill(metav1.ObjectMeta{Namespace: d.object.Namespace, Name: d.secret.Name})
}

// managedFields returns those with which a Secret is written over, nil to have
// the API server keep what there are. When a Secret is taken over, its keys are
// nobody else's any more, those with the sealed value already included: they are
// ours, so that it shows if somebody removes them.
func (d *desired) managedFields(was *metav1.PartialObjectMetadata) ([]metav1.ManagedFieldsEntry, error) {
	updated, err := asUpdated(was.ManagedFields, d.manager)
	if err != nil {
		return nil, err
	}
	fields, beside := updated, d.partners(was)
	if fields == nil {
		fields = was.ManagedFields
	}
	if owner(was) != d.object.Name {
		if fields, err = withoutData(fields, beside); err != nil {
			return nil, err
		}
		return withData(fields, d.manager, slices.Collect(maps.Keys(d.data())))
	}
	cleared, err := withoutStringData(fields, beside)
	if err != nil || cleared != nil {
		return cleared, err
	}
	return updated, nil
}

// partners returns the field managers of those who may add to the Secret with the
// given metadata, as it is and as it is to be.
func (d *desired) partners(was *metav1.PartialObjectMetadata) []string {
	return append(partners(was.Annotations), partners(d.secret.Annotations)...)
}

// anew returns the Secret s, which was to be written over another one, as one
// that is made where there is none.
func anew(s *corev1.Secret) *corev1.Secret {
	made := s.DeepCopy()
	made.ObjectMeta = metav1.ObjectMeta{
		Namespace: s.Namespace, Name: s.Name,
		Labels: s.Labels, Annotations: s.Annotations, OwnerReferences: s.OwnerReferences,
	}
	return made
}

// probe returns a Secret like s under a name that nobody has, for a dry run.
func probe(s *corev1.Secret) *corev1.Secret {
	p := s.DeepCopy()
	p.Name, p.GenerateName = "", "signet-probe-"
	return p
}

// replacement returns the Secret as it replaces the one with the given metadata,
// of which everything stays that is not ours.
func (d *desired) replacement(was *metav1.PartialObjectMetadata) (*corev1.Secret, error) {
	labels, err := heldBy(was, d.manager, labelsPath())
	if err != nil {
		return nil, err
	}
	annotations, err := heldBy(was, d.manager, annotationsPath())
	if err != nil {
		return nil, err
	}
	m := *was.ObjectMeta.DeepCopy()
	if m.ManagedFields, err = d.managedFields(was); err != nil {
		return nil, err
	}
	drop(m.Labels, labels)
	drop(m.Annotations, append(annotations, AdoptAnnotation))
	return d.fill(m), nil
}

func drop(m map[string]string, keys []string) {
	for _, key := range keys {
		delete(m, key)
	}
}

// fill puts what is sealed, and our marks, into a Secret with the given
// metadata.
func (d *desired) fill(m metav1.ObjectMeta) *corev1.Secret {
	m.Labels = merged(m.Labels, d.secret.Labels)
	m.Labels[ManagedLabel] = ManagedValue
	m.Annotations = merged(m.Annotations, d.secret.Annotations)
	m.Annotations[OwnerAnnotation] = d.object.Name
	m.Annotations[DocumentAnnotation] = d.document
	m.OwnerReferences = d.owners(m.OwnerReferences)
	s := &corev1.Secret{ObjectMeta: m, Type: corev1.SecretType(d.secret.Type), Data: d.data()}
	if d.secret.Immutable {
		s.Immutable = new(true)
	}
	return s
}

func merged(into, from map[string]string) map[string]string {
	m := make(map[string]string, len(into)+len(from)+1)
	maps.Copy(m, into)
	maps.Copy(m, from)
	return m
}

// owners returns the owner references with ours as it should be: none with
// Retain. It is neither that of a controller, which an object can have only
// one of, nor does it hold up a deletion.
func (d *desired) owners(was []metav1.OwnerReference) []metav1.OwnerReference {
	kept := slices.DeleteFunc(slices.Clone(was), func(o metav1.OwnerReference) bool {
		return o.Kind == sopsdoc.Kind && o.APIVersion == v1alpha1.GroupVersion.String() && o.Name == d.object.Name
	})
	if d.object.Spec.DeletionPolicy == v1alpha1.Retain {
		return kept
	}
	return append(kept, ownerReference(d.object))
}

func ownerReference(o *v1alpha1.SealedSecret) metav1.OwnerReference {
	return metav1.OwnerReference{APIVersion: v1alpha1.GroupVersion.String(), Kind: sopsdoc.Kind, Name: o.Name, UID: o.UID}
}

// addition returns what is applied to the Secret with the given metadata that
// the object merges into.
func (d *desired) addition(was *metav1.PartialObjectMetadata) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: d.object.Namespace, Name: d.secret.Name,
			UID: was.UID, ResourceVersion: was.ResourceVersion,
			Labels:      merged(d.secret.Labels, map[string]string{ManagedLabel: ManagedValue}),
			Annotations: merged(d.secret.Annotations, map[string]string{documentAnnotation(d.object.Name): d.document}),
		},
		Type: corev1.SecretType(d.secret.Type),
		Data: d.data(),
	}
}
