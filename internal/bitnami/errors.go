// SPDX-License-Identifier: Apache-2.0

package bitnami

import (
	"errors"
	"fmt"
	"strings"
)

// errNoKeys says that Unseal was given no private keys.
var errNoKeys = errors.New("no private keys are given")

// OpenError says that no private key opens a value.
type OpenError struct {
	// Path is the field, such as "spec.encryptedData.password".
	Path string
	// Causes has one error for each of Options.Keys.
	Causes []error
	// Scope is that of the document, by its annotations.
	Scope Scope
	// OpensAs is the scope under which a key opens the value, "" if there is
	// none. The annotations were then changed after sealing, which Sealed
	// Secrets refuses as well.
	OpensAs Scope
	// NoNamespace says that the document has no namespace, which may be why.
	NoNamespace bool
}

// maxCauses is how many causes an error spells out.
const maxCauses = 8

func (e *OpenError) Error() string {
	var b strings.Builder
	b.WriteString(e.Path + ": ")
	if len(e.Causes) == 1 {
		fmt.Fprintf(&b, "the private key does not open it: %v", e.Causes[0])
	} else {
		fmt.Fprintf(&b, "none of %d private keys opens it", len(e.Causes))
		for i, cause := range e.Causes[:min(len(e.Causes), maxCauses)] {
			fmt.Fprintf(&b, "; key %d: %v", i+1, cause)
		}
		if len(e.Causes) > maxCauses {
			b.WriteString("; ...")
		}
	}
	switch {
	case e.OpensAs != "":
		fmt.Fprintf(&b, "; it opens as %s, but the annotations say %s", e.OpensAs.upstream(), e.Scope.upstream())
	case e.NoNamespace:
		b.WriteString("; the document has no namespace")
	}
	return b.String()
}

// Unwrap returns the causes.
func (e *OpenError) Unwrap() []error { return e.Causes }

// TemplateError says that an item of spec.template.data can't be rendered here,
// because it uses what is not supported or because it fails.
type TemplateError struct {
	// Key is the item.
	Key string
	// Line is the 1-based line in the template, 0 if unknown.
	Line int
	// Function is the function or statement that is not supported or fails, ""
	// if it is none.
	Function string
	// Unsupported says that Sealed Secrets may well render it.
	Unsupported bool
	// Reason says what is wrong, after the name of the function.
	Reason string
}

func (e *TemplateError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "template of key %s: ", shortQuote(e.Key))
	if e.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", e.Line)
	}
	if e.Function != "" {
		fmt.Fprintf(&b, "%s ", shortQuote(e.Function))
	}
	b.WriteString(e.Reason)
	return b.String()
}
