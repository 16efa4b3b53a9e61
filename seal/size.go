// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"encoding/base64"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// Limits of what a cluster can hold. etcd takes 1.5 MB for one object, and a
// binary value grows by 1.78: base64 in the Secret, base64 again under seal.
const (
	// MaxDataBytes bounds the decoded values of a Secret together
	// (Kubernetes: core/v1 MaxSecretSize).
	MaxDataBytes = 1 << 20
	// MaxDocumentBytes bounds the JSON form of a SealedSecret.
	MaxDocumentBytes = 1400 << 10
	// maxClientSideApply is where kubectl's client-side apply fails: it keeps
	// a copy in an annotation of at most 256 KiB.
	maxClientSideApply = 250 << 10
)

// SizeError says that a Secret is too large to live in a cluster.
type SizeError struct {
	What  string
	Bytes int
	Limit int
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("%s has %d bytes, the limit is %d", e.What, e.Bytes, e.Limit)
}

// dataBytes is the size of the decoded values together.
func dataBytes(c sopsdoc.Content) int {
	total := 0
	for _, v := range c.Data {
		total += base64.StdEncoding.DecodedLen(len(v)) - strings.Count(v, "=")
	}
	for _, v := range c.StringData {
		total += len(v)
	}
	return total
}

func checkSize(doc *yaml.Node, total int) (notes []string, err error) {
	if total > MaxDataBytes {
		return nil, &SizeError{What: "the decoded data of the Secret", Bytes: total, Limit: MaxDataBytes}
	}
	out, err := manifest.EncodeJSON(doc, "")
	if err != nil {
		return nil, err
	}
	if len(out) > MaxDocumentBytes {
		return nil, &SizeError{What: "the sealed document", Bytes: len(out), Limit: MaxDocumentBytes}
	}
	if len(out) > maxClientSideApply {
		notes = append(notes, fmt.Sprintf("the sealed document has %d KiB: apply it server-side (kubectl apply --server-side)", len(out)>>10))
	}
	if manifest.JSONNodes(out) <= sopsdoc.MaxControllerNodes { // with more than the spec, which is what counts
		return notes, nil
	}
	spec, err := manifest.EncodeJSON(manifest.Get(manifest.Root(doc), "spec"), "")
	if err != nil {
		return nil, err
	}
	if n := manifest.JSONNodes(spec); n > sopsdoc.MaxControllerNodes {
		notes = append(notes, fmt.Sprintf("the sealed document has %d keys, values and lists: signet-controller opens none with more than %d; "+
			"divide the Secret into several if the controller is to unseal it", n, sopsdoc.MaxControllerNodes))
	}
	return notes, nil
}
