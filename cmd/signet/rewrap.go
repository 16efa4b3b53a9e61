// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/seal/keys"
)

const rewrapLong = `Wrap the data keys of sealed documents for recipients that the rules name and
that cannot open them yet: after somebody was added to .sops.yaml. Values and the
keys of the others stay as they are, byte for byte, and so does everything else
in the file; only with fresh_key in the rules values are encrypted anew, and with
--all the keys of all are wrapped anew. Files are changed in place, one after the
other is complete; stdin goes to stdout.

rewrap adds, rotate takes away. Where the rules name fewer recipients than a
document has, rewrap refuses: whoever could open it keeps the data key. That takes
a new one, which "signet rotate" makes. Neither of the two changes a leaked
password, nor what is in Git history: change it where it comes from.

A file in which a document fails stays as it is. The other files are done, unless
a key service refuses everything; run the same again to finish. The files of SealingKeys are rewrapped only if they are named.`

func newRewrap(c console) *cobra.Command {
	r := &renewal{console: c, names: renewalNames{actRewrap, "rewrapping", "rewrapped"}}
	r.choose = r.chooseRewrap
	cmd := &cobra.Command{
		Use:     "rewrap [flags] FILE|DIR|-...",
		Short:   "Let recipients that were added to the rules open documents",
		Long:    rewrapLong,
		Example: "  signet rewrap --dry-run .\n  signet rewrap sealed.yaml",
		RunE:    r.run,
	}
	r.addFlags(cmd)
	cmd.Flags().BoolVar(&r.wrapAll, "all", false, "wrap for all recipients anew, not only for those that were added: mends entries that are broken")
	return cmd
}

// chooseRewrap decides what rewrap does with a document.
func (r *renewal) chooseRewrap(doc *renewable) action {
	switch {
	case !r.wrapAll && doc.have.Same(doc.want):
		return actNothing
	case keys.CheckKept(doc.have, doc.want) != nil:
		return actRefuse
	case doc.rule.FreshKey && doc.key == nil:
		return actRotate // as the rules want it for every change
	}
	return actRewrap
}
