// SPDX-License-Identifier: Apache-2.0

package controllertest

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"filippo.io/age"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/keys/awskms"
	"github.com/signet-secrets/signet/seal/manifest"
)

// Secret is what is to be sealed, and for whom.
type Secret struct {
	Namespace, Name     string
	Type                string // "" is Opaque
	Data                map[string]string
	Labels, Annotations map[string]string
	Immutable           bool
	Reach               seal.Reach
	// For are the keys; none means the age recipient of the lab.
	For []keys.Entry
	// Spec is put into the spec of the document: secretName, creationPolicy... A
	// document whose creationPolicy is Merge is sealed for that.
	Spec map[string]any
}

// merge reports whether the document is to add to a Secret.
func (s Secret) merge() bool { return s.Spec["creationPolicy"] == "Merge" }

// Seal makes a SealedSecret.
func (l *Lab) Seal(ctx context.Context, s Secret) (*unstructured.Unstructured, error) {
	m := manifest.Secret{
		Name: s.Name, Namespace: s.Namespace, Type: s.Type, Immutable: s.Immutable,
		Labels: s.Labels, Annotations: s.Annotations, StringData: s.Data,
	}
	result, err := seal.Seal(ctx, m.Node(), nil, seal.Options{
		Recipients: l.recipients(s),
		Wrapper:    l.wrapper(),
		Reach:      s.Reach,
		Merge:      s.merge(),
		AllowClear: slices.Collect(maps.Keys(s.Data)),
	})
	if err != nil {
		return nil, fmt.Errorf("seal %s/%s: %w", s.Namespace, s.Name, err)
	}
	text, err := manifest.EncodeJSON(result.Node, "")
	if err != nil {
		return nil, err
	}
	o := &unstructured.Unstructured{}
	if err := o.UnmarshalJSON(text); err != nil {
		return nil, err
	}
	return o, s.setSpec(o)
}

// recipients are those that s names, or the one of the lab.
func (l *Lab) recipients(s Secret) keys.Recipients {
	if len(s.For) == 0 {
		s.For = []keys.Entry{keys.AgeEntry{Recipient: l.Recipient}}
	}
	return keys.Recipients{Groups: []keys.Group{s.For}}
}

// setSpec puts the fields of s.Spec into a SealedSecret.
func (s Secret) setSpec(o *unstructured.Unstructured) error {
	for field, value := range s.Spec {
		if err := unstructured.SetNestedField(o.Object, value, "spec", field); err != nil {
			return err
		}
	}
	return nil
}

func (l *Lab) wrapper() keys.Wrapper {
	return keys.Wrappers{keys.Age: agekey.NewWrapper(nil), keys.AWSKMS: awskms.New(awskms.Options{
		Region: "eu-west-1",
		LoadOptions: []func(*config.LoadOptions) error{
			config.WithBaseEndpoint(l.KMS.URL()),
			config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(kmstest.AccessKeyID, kmstest.SecretAccessKey, "")),
		},
	})}
}

// SealingKey makes a SealingKey for the key of a KMS, and returns the recipient
// to seal for.
func (l *Lab) SealingKey(ctx context.Context, name, kmsARN string, namespaces ...string) (*unstructured.Unstructured, keys.Entry, error) {
	made, err := age.GenerateHybridIdentity()
	if err != nil {
		return nil, nil, err
	}
	id, err := agekey.ParseIdentity(made.String())
	if err != nil {
		return nil, nil, err
	}
	result, err := seal.NewKey(ctx, seal.KeyOptions{
		Name: name, Namespaces: namespaces, Identity: id, Wrapper: l.wrapper(),
		Recipients: keys.Recipients{Groups: []keys.Group{{keys.KMSEntry{ARN: kmsARN}}}},
	})
	if err != nil {
		return nil, nil, err
	}
	text, err := manifest.EncodeJSON(result.Node, "")
	if err != nil {
		return nil, nil, err
	}
	o := &unstructured.Unstructured{}
	return o, keys.AgeEntry{Recipient: id.Recipient()}, o.UnmarshalJSON(text)
}
