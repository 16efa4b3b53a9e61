// SPDX-License-Identifier: Apache-2.0

// Package helmtext finds values of Secrets that are written into templates:
// those of Helm and other Go templates, of Jinja, and texts with ${VARIABLES}.
//
// A template is never run. What stands between delimiters becomes an opaque
// mark, of which is known whether it takes its value from elsewhere, as
// {{ .Values.password }} does, or brings it, as {{ "word" | b64enc }} and
// {{ .Values.password | default "word" }} do. What remains is read as YAML, or
// line by line where it is none. A value counts as written into the template
// if nothing in it comes from elsewhere, if a mark brings a text of four
// characters or more, or if something in it looks like a password beside the
// marks. OnlyReferences is stricter: in a manifest that nothing fills in, next to
// nothing may stand beside them.
//
// This is made for mistakes, not against malice: whoever wants to hide a value
// in a template can. All functions are pure and safe for concurrent use. No
// result holds a value.
//
// The package knows nothing of files, charts and what values they have.
package helmtext
