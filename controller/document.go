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

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/signet-secrets/signet/controller/v1alpha1"
)

// documentMark tells one document from another: the SHA-256, in hex and cut to 128
// bits, of the MAC in its envelope. That is ciphertext, which everybody may see who
// sees the SealedSecret, and another one each time that something is sealed; new
// recipients for the same data key leave it. Nobody who doesn't know the data key
// can make a document with the MAC of another one that opens.
func documentMark(s *v1alpha1.SealedSecret) string {
	// With maps, because struct fields also match names in another case.
	mac := []byte(s.Spec.Raw)
	for _, name := range []string{"sealed", "sops", "mac"} {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(mac, &fields); err != nil || fields[name] == nil {
			mac = s.Spec.Raw // it was opened, so it has one
			break
		}
		mac = fields[name]
	}
	sum := sha256.Sum256(mac)
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
