// SPDX-License-Identifier: Apache-2.0

package pgp

import (
	"context"
	"fmt"
	"strconv"

	"github.com/signet-secrets/signet/seal/keys"
)

// maxPlainBytes bounds what gpg may give back, which otherwise no limit bounds:
// the message may be compressed.
const maxPlainBytes = 4096

// Unwrap implements keys.Unwrapper for keys.PGPEntry. Before gpg is run, the
// message is taken out of its armor and its packets are checked: encrypted for
// public keys, with integrity protection, and nothing besides. gpg gets the
// packets, not the armor. Every error about e is a *keys.CallError; where gpg
// has no secret key for the message it wraps keys.ErrNoIdentity.
func (s *Service) Unwrap(ctx context.Context, e keys.Entry) ([]byte, error) {
	p, ok := e.(keys.PGPEntry)
	if !ok {
		return nil, fmt.Errorf("unwrap with pgp: entry is of type %q", string(e.Type()))
	}
	fail := failure{operation: keys.Unwrapping, entry: p}
	if err := checkName(p.Fingerprint); err != nil {
		return nil, fail.permanently(err)
	}
	message, err := decode(p.Enc)
	if err != nil {
		return nil, fail.permanently(err)
	}
	secret, err := s.run(ctx, s.o.Timeout, message, maxPlainBytes,
		"--max-output", strconv.Itoa(maxPlainBytes), "--output", "-", "--decrypt")
	if err != nil {
		return nil, fail.because(err)
	}
	if err := keys.CheckSecret(secret); err != nil {
		return nil, fail.because(&contentError{err})
	}
	return secret, nil
}

// decode returns the packets of an armored message that gpg may be given.
func decode(enc string) ([]byte, error) {
	message, err := dearmor(enc)
	if err != nil {
		return nil, err
	}
	return message, checkMessage(message)
}
