// SPDX-License-Identifier: Apache-2.0

package unseal

import "github.com/signet-secrets/signet/seal/sopsdoc"

// MergeError says that a document was sealed to be added to the Secret of
// somebody else, and that Options.WholeSecrets does not let it come out as a
// Secret of its own.
type MergeError struct {
	Secret string // name of that Secret
}

func (e *MergeError) Error() string {
	return "spec.sealed.merge: the document holds keys to be added to Secret " + e.Secret +
		", which somebody else makes: a Secret made of it would replace that one"
}

// checkMerge holds a document against WholeSecrets. The mark is not authenticated
// yet, but one that was forged does not open either.
func (o Options) checkMerge(doc *sopsdoc.SealedSecret) error {
	if !o.WholeSecrets {
		return nil
	}
	if err := doc.CheckCreationPolicy(); err != nil {
		return err
	}
	if doc.Envelope.Merge {
		return &MergeError{Secret: doc.SecretName}
	}
	return nil
}

var _ error = (*MergeError)(nil)
