// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"strconv"
	"unique"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/signet-secrets/signet/controller/v1alpha1"
)

// Indexes of the cache.
const (
	// secretIndex lists SealedSecrets by the name of their Secret, where that is
	// not their own name: an index of the usual case would take more memory than
	// it saves.
	secretIndex = "secret"
	// ownerIndex lists Secrets by the SealedSecret that they belong to where
	// that has another name.
	ownerIndex = "owner"
	// mergerIndex lists Secrets by the field managers of SealedSecrets that
	// have merged into them.
	mergerIndex = "merger"
)

// secretMetadata returns an empty object for the metadata of a Secret.
func secretMetadata() *metav1.PartialObjectMetadata {
	return &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}}
}

// cacheOptions says what is kept in memory: SealedSecrets, SealingKeys, and the
// metadata of the Secrets that carry our label. No value of any Secret is.
func cacheOptions(o Options) cache.Options {
	options := cache.Options{
		ByObject: map[client.Object]cache.ByObject{
			&v1alpha1.SealedSecret{}: {Transform: trimSealedSecret},
			&v1alpha1.SealingKey{}:   {Transform: trimSealingKey},
			secretMetadata(): {
				Label:     labels.SelectorFromSet(labels.Set{ManagedLabel: ManagedValue}),
				Transform: trimSecret,
			},
		},
		SyncPeriod:               &o.ResyncPeriod,
		DefaultWatchErrorHandler: watchFailed,
		// A read of anything else is a mistake that would start a watch.
		ReaderFailOnMissingInformer:  true,
		DefaultUnsafeDisableDeepCopy: new(true), // nothing here changes what it reads
	}
	if len(o.Namespaces) > 0 {
		options.DefaultNamespaces = map[string]cache.Config{}
		for _, ns := range o.Namespaces {
			options.DefaultNamespaces[ns] = cache.Config{}
		}
	}
	return options
}

// trimSealedSecret drops what the controller doesn't use: the document too, when
// it is done with, or large. It is read again should it be needed.
func trimSealedSecret(o any) (any, error) {
	s, ok := o.(*v1alpha1.SealedSecret)
	if !ok {
		return o, nil
	}
	s.ManagedFields, s.Labels = nil, nil
	s.Annotations = only(s.Annotations, weightNote) // of one that was trimmed before
	s.Spec.Sealed = v1alpha1.Envelope{}
	if len(s.Spec.Raw) > 0 {
		s.Annotations = nil
	}
	if weight := weigh(s.Spec.Raw); weight > largeBytes {
		s.Annotations = map[string]string{weightNote: strconv.Itoa(weight)}
		s.Spec.Raw = nil
	}
	ready := meta.FindStatusCondition(s.Status.Conditions, Ready)
	if ready != nil && ready.Status == metav1.ConditionTrue && s.Status.ObservedGeneration == s.Generation {
		s.Spec.Raw = nil
	}
	shareTexts(&s.Status)
	return s, nil
}

// shareTexts keeps what is the same in nearly all objects once in memory.
func shareTexts(s *v1alpha1.SealedSecretStatus) {
	share(&s.Key)
	share(&s.PolicyDigest)
	for i := range s.Conditions {
		c := &s.Conditions[i]
		share(&c.Type)
		share((*string)(&c.Status))
		share(&c.Reason)
		share(&c.Message)
	}
}

func share(s *string) { *s = unique.Make(*s).Value() }

func trimSealingKey(o any) (any, error) {
	if k, ok := o.(*v1alpha1.SealingKey); ok {
		k.ManagedFields, k.Annotations, k.Labels = nil, nil, nil
		k.Spec.Sealed = v1alpha1.KeyEnvelope{}
	}
	return o, nil
}

// trimSecret keeps of the metadata of a Secret our marks, who owns it and who
// manages which fields.
func trimSecret(o any) (any, error) {
	m, ok := o.(*metav1.PartialObjectMetadata)
	if !ok {
		return o, nil
	}
	m.Labels = nil // ours it has, or it would not be here
	m.Annotations = only(m.Annotations, OwnerAnnotation, AdoptAnnotation, MergeAnnotation)
	m.Finalizers = nil
	return m, nil
}

func only(m map[string]string, keys ...string) map[string]string {
	var kept map[string]string
	for _, key := range keys {
		if value, ok := m[key]; ok {
			if kept == nil {
				kept = make(map[string]string, 1)
			}
			kept[key] = value
		}
	}
	return kept
}

// addIndexes sets up the indexes.
func addIndexes(ctx context.Context, c cache.Cache) error {
	err := c.IndexField(ctx, &v1alpha1.SealedSecret{}, secretIndex, func(o client.Object) []string {
		if name := secretName(o.(*v1alpha1.SealedSecret)); name != o.GetName() {
			return []string{name}
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = c.IndexField(ctx, secretMetadata(), ownerIndex, func(o client.Object) []string {
		if of := owner(o.(*metav1.PartialObjectMetadata)); of != "" && of != o.GetName() {
			return []string{of}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.IndexField(ctx, secretMetadata(), mergerIndex, func(o client.Object) []string {
		return mergers(o.(*metav1.PartialObjectMetadata))
	})
}

// mapper knows the kinds that the controller uses, so that it need not ask the
// API server for all there are.
func mapper() meta.RESTMapper {
	m := meta.NewDefaultRESTMapper([]schema.GroupVersion{v1alpha1.GroupVersion, {Version: "v1"}})
	add := func(gv schema.GroupVersion, kind, plural, singular string, scope meta.RESTScope) {
		// A cache of single namespaces asks for the kind of the list too.
		for _, k := range []string{kind + "List", kind} {
			m.AddSpecific(gv.WithKind(k), gv.WithResource(plural), gv.WithResource(singular), scope)
		}
	}
	add(v1alpha1.GroupVersion, "SealedSecret", "sealedsecrets", "sealedsecret", meta.RESTScopeNamespace)
	add(v1alpha1.GroupVersion, "SealingKey", "sealingkeys", "sealingkey", meta.RESTScopeRoot)
	add(schema.GroupVersion{Version: "v1"}, "Secret", "secrets", "secret", meta.RESTScopeNamespace)
	return m
}
