// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/keys"
)

// renewHint is about new data keys and recipients.
func renewHint(err error) string {
	if e, ok := report.As[*keys.RemovedError](err); ok {
		return removedHint(err, e)
	}
	if e, ok := report.As[*rotateKeyError](err); ok {
		return "make its successor: signet key rotate " + e.name
	}
	switch {
	case errors.As(err, new(*brokenKeysError)):
		return "wrap the data key anew for all recipients: signet rewrap --all " + fileOf(err)
	case errors.As(err, new(*ambiguousRecipientError)):
		return "give more of it, or the whole recipient"
	case errors.Is(err, errShortRecipient):
		return "signet inspect shows the recipients of a document, signet key list the SealingKeys"
	case errors.Is(err, errNoRecipient):
		return "copy it again, as a whole: signet inspect --output json . shows the recipients of documents"
	case errors.Is(err, errPartHistory):
		return "git fetch --unshallow gets the rest of it, where git is there; --no-history looks at the files as they are now only"
	case errors.As(err, new(*exposedError)):
		return "change these values where they come from, then seal the new ones; rotating does not help against who has read them"
	case errors.Is(err, errForeign):
		return "use sops for it: sops updatekeys FILE, sops rotate -i FILE"
	case errors.Is(err, errForeignBeside):
		return "put it into a file of its own, and name that"
	case errors.Is(err, errNoSealed):
		return "name a file with a SealedSecret, a SOPS-encrypted manifest or a SealingKey"
	case errors.Is(err, errLinkedTwice):
		return "name it once"
	case errors.Is(err, errNestedKey):
		return "write a rule for the SealingKey's file that names the key of a key service, as with kms, or the age key of a person"
	}
	return ""
}

func removedHint(err error, e *keys.RemovedError) string {
	file := fileOf(err)
	if k, ok := report.As[*rewrapKeyError](err); ok {
		return "whoever could open a SealingKey may have kept the identity in it; make its successor: signet key rotate " + k.name
	}
	if e.Groups {
		return "make a new data key for the groups that the rules have now: signet rotate " + file
	}
	return "to take access away, make a new data key: signet rotate " + file + "; if they are to keep it, put them back into the rules"
}
