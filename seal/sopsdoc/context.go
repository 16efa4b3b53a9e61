// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"maps"
	"strings"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
)

// The encryption context by which AWS KMS is told, and can decide by policy,
// where a document may be opened, or which SealingKey it is.
const (
	contextNamespace  = "kubernetes-namespace"
	contextName       = "kubernetes-name"
	contextSealingKey = "signet-sealing-key"
)

func (s Scope) context() map[string]string {
	return map[string]string{contextNamespace: s.Namespace, contextName: s.Name}
}

func keyContext(name string) map[string]string { return map[string]string{contextSealingKey: name} }

// BindContext returns the recipients with the encryption context of scope in
// their AWS KMS entries, beside the extra pairs that the entries have. An
// extra pair that could be taken for one of ours is an *InvalidError.
func BindContext(r keys.Recipients, scope Scope) (keys.Recipients, error) {
	return bindContext(r, scope.context())
}

// BindKeyContext is BindContext for the SealingKey of the given name.
func BindKeyContext(r keys.Recipients, name string) (keys.Recipients, error) {
	return bindContext(r, keyContext(name))
}

func bindContext(r keys.Recipients, context map[string]string) (keys.Recipients, error) {
	out := keys.Recipients{Threshold: r.Threshold}
	for _, group := range r.Groups {
		bound := make(keys.Group, 0, len(group))
		for _, e := range group {
			k, ok := e.(keys.KMSEntry)
			if !ok {
				bound = append(bound, e)
				continue
			}
			for _, name := range sortedKeys(k.Context) {
				if reservedContext(name) {
					return keys.Recipients{}, invalid(manifest.ChildPath("context", name), "is reserved and cannot be given by rules")
				}
			}
			all := maps.Clone(context)
			maps.Copy(all, k.Context)
			k.Context = all
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
	return checkContext(e.Metadata.Recipients, e.Scope.context(), "the scope "+e.Scope.String())
}

// CheckContext is that of Envelope with the context of a SealingKey, which is
// its name.
func (k *SealingKey) CheckContext() error {
	return Below(sealedPath, checkContext(k.Metadata.Recipients, keyContext(k.Name), "the SealingKey "+k.Name))
}

func checkContext(r keys.Recipients, context map[string]string, of string) error {
	for _, entry := range r.Entries() {
		k, ok := entry.(keys.KMSEntry)
		if !ok {
			continue
		}
		for name, value := range context {
			if got, ok := k.Context[name]; !ok || got != value {
				return invalid("sops.kms", "the encryption context of %.100q is not that of %s", k.ARN, of)
			}
		}
		for _, name := range sortedKeys(k.Context) {
			if _, ours := context[name]; !ours && reservedContext(name) {
				return invalid("sops.kms", "the encryption context of %.100q holds the reserved name %.100q", k.ARN, name)
			}
		}
	}
	return nil
}

func reservedContext(name string) bool {
	return strings.HasPrefix(name, "kubernetes-") || strings.HasPrefix(name, "signet-")
}
