// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"maps"
	"strings"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
)

// The encryption context by which AWS KMS is told, and can decide by policy,
// where a document may be opened.
const (
	contextNamespace = "kubernetes-namespace"
	contextName      = "kubernetes-name"
)

// BindContext returns the recipients with the encryption context of scope in
// their AWS KMS entries, beside the extra pairs that the entries have. An
// extra pair that could be taken for one of ours is an *InvalidError.
func BindContext(r keys.Recipients, scope Scope) (keys.Recipients, error) {
	out := keys.Recipients{Threshold: r.Threshold}
	for _, group := range r.Groups {
		bound := make(keys.Group, 0, len(group))
		for _, e := range group {
			k, ok := e.(keys.KMSEntry)
			if !ok {
				bound = append(bound, e)
				continue
			}
			for name := range k.Context {
				if reservedContext(name) {
					return keys.Recipients{}, invalid(manifest.ChildPath("context", name), "is reserved and cannot be given by rules")
				}
			}
			k.Context = maps.Clone(k.Context)
			if k.Context == nil {
				k.Context = map[string]string{}
			}
			k.Context[contextNamespace], k.Context[contextName] = scope.Namespace, scope.Name
			bound = append(bound, k)
		}
		out.Groups = append(out.Groups, bound)
	}
	return out, nil
}

// CheckContext refuses an envelope with an AWS KMS entry whose encryption
// context is not that of the scope plus free extra pairs, with an
// *InvalidError. It is to be called before KMS is.
func (e *Envelope) CheckContext() error {
	for _, entry := range e.Metadata.Recipients.Entries() {
		k, ok := entry.(keys.KMSEntry)
		if !ok {
			continue
		}
		if k.Context[contextNamespace] != e.Scope.Namespace || k.Context[contextName] != e.Scope.Name {
			return invalid("sops.kms", "the encryption context of %.100q is not that of the scope %s", k.ARN, e.Scope)
		}
		for name := range k.Context {
			if name != contextNamespace && name != contextName && reservedContext(name) {
				return invalid("sops.kms", "the encryption context of %.100q holds the reserved name %.100q", k.ARN, name)
			}
		}
	}
	return nil
}

func reservedContext(name string) bool {
	return strings.HasPrefix(name, "kubernetes-") || strings.HasPrefix(name, "signet-")
}
