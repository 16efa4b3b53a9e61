// SPDX-License-Identifier: Apache-2.0

package unseal

import "go.yaml.in/yaml/v3"

// UnscopedError says that a SOPS document was not opened because
// Options.Namespaces set a limit, which cannot be kept for one: its mac covers
// values in their order, neither the keys that they stand under nor the borders
// between them. "namespace: prod" opens as well as "generateName: prod", and
// another namespace can then stand beside it.
type UnscopedError struct {
	Allowed []string // Options.Namespaces
}

func (e *UnscopedError) Error() string {
	return "a SOPS document has no scope: its mac covers values and not what they are called, so that nothing binds it to a namespace, and " + limitText(e.Allowed)
}

// allowFile holds SOPS documents that are still encrypted against the limit.
func (o Options) allowFile(docs []*yaml.Node) error {
	if !o.limited() {
		return nil
	}
	if !o.Unscoped {
		return &UnscopedError{Allowed: o.Namespaces}
	}
	for _, doc := range docs {
		if err := o.allowObjects(doc); err != nil {
			return err
		}
	}
	return nil
}

var _ error = (*UnscopedError)(nil)
