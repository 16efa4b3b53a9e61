// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/signet-secrets/signet/controller/v1alpha1"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// document is a SealedSecret as it came from the API server. It is parsed once for
// all who look into it.
type document struct {
	object *v1alpha1.SealedSecret
	parsed func() (*sopsdoc.SealedSecret, error) // the error is a *failure
}

func newDocument(o *v1alpha1.SealedSecret) *document {
	return &document{o, sync.OnceValues(func() (*sopsdoc.SealedSecret, error) { return parse(o) })}
}

func parse(o *v1alpha1.SealedSecret) (*sopsdoc.SealedSecret, error) {
	node, err := objectNode(sopsdoc.Kind, o.Name, o.Namespace, o.Spec.Raw)
	if err != nil {
		return nil, fail(InvalidDocument, err)
	}
	doc, err := sopsdoc.ParseSealedSecret(node)
	if err == nil {
		err = doc.CheckCreationPolicy()
	}
	if err != nil {
		return nil, openFailure(err)
	}
	return doc, nil
}

// mark tells one document from another: the SHA-256, in hex and cut to 128 bits, of
// the MAC in its envelope. That is ciphertext, which everybody may see who sees the
// SealedSecret, and another one each time that something is sealed; new recipients
// for the same data key leave it. Nobody who doesn't know the data key can make a
// document with the MAC of another one that opens.
func mark(doc *sopsdoc.SealedSecret) string {
	sum := sha256.Sum256([]byte(doc.Envelope.Metadata.MAC()))
	return hex.EncodeToString(sum[:16])
}

// documentAnnotation is where the mark of a document stands that the SealedSecret
// of the given name merges into a Secret. What follows the slash of an annotation
// has 63 bytes at most: a longer name is hashed, as for a field manager.
func documentAnnotation(name string) string {
	const maxNameBytes = 63 - len("document.")
	suffix := strings.TrimPrefix(fieldManager(name), managerPrefix)
	if len(suffix) > maxNameBytes {
		sum := sha256.Sum256([]byte(name))
		suffix = hex.EncodeToString(sum[:hashBytes])
	}
	return DocumentAnnotation + "." + suffix
}

// isNew reports whether the Secret with the given metadata was written from another
// document than d is of, as an annotation says.
func (d *desired) isNew(was *metav1.PartialObjectMetadata, annotation string) bool {
	return was.Annotations[annotation] != d.document
}

// errFixed says that the values of a Secret can't be changed.
var errFixed = errors.New("the Secret is immutable")

// checkFixed returns errFixed if a Secret is immutable, before values of a document
// are written that is new to it: with the values that the Secret has already that
// would succeed, with others it would not, and that would tell what they are.
func (c *secretClient) checkFixed(ctx context.Context, secret *metav1.PartialObjectMetadata, manager string) error {
	said, err := holdersAt(secret, nil)
	if err != nil || len(said["immutable"]) == 0 {
		return err // nobody has said that it is, or isn't
	}
	if err := precondition(secret); err != nil {
		return err
	}
	body, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": secret.UID, "resourceVersion": secret.ResourceVersion},
		dataField:  map[string]any{"signet-probe-" + rand.Text(): ""},
	})
	if err != nil {
		return err
	}
	_, err = c.write(ctx, c.rest.Patch(types.MergePatchType).Namespace(secret.Namespace).Resource("secrets").Name(secret.Name).
		Param("fieldManager", manager).Param("dryRun", metav1.DryRunAll).Body(body))
	if immutable(err) {
		return errFixed
	}
	return err
}
