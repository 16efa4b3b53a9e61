// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"

	"github.com/signet-secrets/signet/internal/report"
)

// elsewhere reports whether a document is in a namespace that its scope does not
// allow.
func (d *sealedDoc) elsewhere() bool {
	return d.namespace != "" && !d.scope.Allows(d.namespace, d.scope.Name)
}

// renamed reports whether a document is for a Secret of a name that its scope does
// not allow.
func (d *sealedDoc) renamed() bool { return !d.scope.Allows(d.scope.Namespace, d.secretName) }

// moveHint says how what was moved is sealed for its new place. It opens only where
// it was sealed for, so that it has to go back there first.
func (d *sealedDoc) moveHint() string {
	var fields, edits []string
	change := func(field, old, now string) {
		fields = append(fields, field+" "+report.Visible(old))
		edits = append(edits, "s/ "+field+": "+old+"$/ "+field+": "+now+"/")
		if !isPlainName(old) || !isPlainName(now) {
			edits[0] = ""
		}
	}
	if d.elsewhere() {
		change("namespace", d.scope.Namespace, d.namespace)
	}
	if d.renamed() {
		change("name", d.scope.Name, d.secretName)
		if d.explicit {
			fields[len(fields)-1] = "secretName " + report.Visible(d.scope.Name)
		}
	}
	file := report.Quoted(d.file.name)
	switch {
	case len(edits) == 0:
		return ""
	case edits[0] == "" || strings.HasSuffix(d.file.name, ".json"):
		return "put back " + strings.Join(fields, " and ") + "; to move it, open it then with signet unseal " + file + ", and seal that for its new place"
	}
	return "put back " + strings.Join(fields, " and ") + "; to move it, then: signet unseal " + file + " | sed '" + strings.Join(edits, "; ") + "' | signet seal - -o " + file
}

// isPlainName reports whether a name means itself in a shell and for sed.
func isPlainName(name string) bool {
	return name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") == ""
}
