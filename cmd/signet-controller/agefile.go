// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"strings"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
)

// holdsIdentities finds an age key file with which no document could be opened:
// one that is empty, or that holds something else.
func (c *checker) holdsIdentities(flag, path string) {
	if err := checkAgeFile(path); err != nil {
		text := err.Error()
		// What comes before is about the document of somebody else.
		if _, aboutFile, ok := strings.Cut(text, "age key file "); ok {
			text = aboutFile
		}
		c.wrong(flag, "%s", text)
	}
}

// checkAgeFile reads an age key file as the controller is going to: for a document
// of somebody else, whose key the file can't hold. The error names file and line,
// and holds nothing of the file.
func checkAgeFile(path string) error {
	somebody, err := agekey.GenerateClassicIdentity()
	if errors.Is(err, agekey.ErrFIPS) {
		return nil // no document for age is opened, and each says why
	}
	if err != nil {
		return err
	}
	foreign, err := agekey.NewWrapper(nil).Wrap(context.Background(), keys.AgeEntry{Recipient: somebody.Recipient()}, []byte("nothing"))
	if err != nil {
		return err
	}
	_, err = agekey.NewUnwrapper(agekey.Sources{Files: []string{path}}).Unwrap(context.Background(), foreign)
	if errors.As(err, new(*agekey.NoIdentityError)) {
		return nil // the file was read
	}
	return err
}
