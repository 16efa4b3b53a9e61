// SPDX-License-Identifier: Apache-2.0

package pgp

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/signet-secrets/signet/seal/keys"
)

// Wrap implements keys.Wrapper for keys.PGPEntry. The result has the
// Fingerprint of to, the present time and an armored message, laid out as SOPS
// writes it. The secret has 32 or 33 bytes. The public key must be in gpg's key
// ring; whether it is trusted plays no part, because the fingerprint says which
// one is meant. An expired or revoked key is refused by gpg. Every error about
// to is a *keys.CallError.
func (s *Service) Wrap(ctx context.Context, to keys.Entry, secret []byte) (keys.Entry, error) {
	e, ok := to.(keys.PGPEntry)
	if !ok {
		return nil, fmt.Errorf("wrap for pgp: entry is of type %q", string(to.Type()))
	}
	fail := failure{operation: keys.Wrapping, entry: e}
	err := Check(e)
	if err == nil {
		err = keys.CheckSecret(secret)
	}
	if err != nil {
		return nil, fail.permanently(err)
	}
	enc, err := s.encrypt(ctx, e.Fingerprint, secret)
	if err != nil {
		return nil, fail.because(err)
	}
	e.Enc = enc
	e.CreatedAt = time.Now().UTC().Format(time.RFC3339)
	return e, nil
}

// encrypt returns an armored message (sops: pgp/keysource.go,
// encryptWithGnuPG). What the reader would not accept is not returned.
func (s *Service) encrypt(ctx context.Context, fingerprint string, secret []byte) (string, error) {
	timeout := cmp.Or(s.o.Timeout, DefaultWrapTimeout)
	out, err := s.run(ctx, timeout, secret, maxEncBytes,
		"--no-default-recipient", "--no-encrypt-to", "--trust-model", "always",
		"--armor", "--output", "-", "--encrypt", "--recipient", fingerprint)
	if err != nil {
		return "", err
	}
	enc := string(bytes.ReplaceAll(bytes.TrimSpace(out), []byte("\r\n"), []byte("\n")))
	if _, err := decode(enc); err != nil {
		return "", fmt.Errorf("what gpg made cannot be read back: %w", err)
	}
	return enc, nil
}
