// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"errors"
	"regexp"
	"strings"
	"sync"
)

// Any is the part of a Scope that stands for every namespace or name.
const Any = "*"

// Scope says where an envelope may be opened: a namespace and the name of a
// Secret, each of which may be Any.
type Scope struct {
	Namespace string
	Name      string
}

var (
	namespaceName = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	})
	secretName = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)
	})
)

// ValidNamespace reports whether s can be the name of a namespace (RFC 1123 label).
func ValidNamespace(s string) bool { return namespaceName().MatchString(s) }

// ValidSecretName reports whether s can be the name of a Secret (RFC 1123 subdomain).
func ValidSecretName(s string) bool { return len(s) <= 253 && secretName().MatchString(s) }

// ParseScope reads "<namespace>/<name>". The error tells what is wrong, never
// what the text was.
func ParseScope(s string) (Scope, error) {
	ns, name, ok := strings.Cut(s, "/")
	if !ok || strings.Contains(name, "/") {
		return Scope{}, errors.New("scope must be <namespace>/<secret name>")
	}
	if ns != Any && !ValidNamespace(ns) {
		return Scope{}, errors.New("scope has no valid namespace before the slash")
	}
	if name != Any && !ValidSecretName(name) {
		return Scope{}, errors.New("scope has no valid Secret name after the slash")
	}
	return Scope{Namespace: ns, Name: name}, nil
}

// String returns "<namespace>/<name>".
func (s Scope) String() string { return s.Namespace + "/" + s.Name }

// Allows reports whether a Secret of this name may be made in this namespace.
func (s Scope) Allows(namespace, name string) bool {
	return (s.Namespace == Any || s.Namespace == namespace) && (s.Name == Any || s.Name == name)
}
