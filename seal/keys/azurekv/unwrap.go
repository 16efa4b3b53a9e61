// SPDX-License-Identifier: Apache-2.0

package azurekv

import (
	"context"
	"errors"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signet-secrets/signet/seal/keys"
)

// Unwrap implements keys.Unwrapper for keys.AzureKVEntry. Without a version the
// key's newest one has to do, as in SOPS. Every error about e is a
// *keys.CallError; one about a lack of credentials wraps keys.ErrNoIdentity.
func (s *Service) Unwrap(ctx context.Context, e keys.Entry) ([]byte, error) {
	a, ok := e.(keys.AzureKVEntry)
	if !ok {
		return nil, fmt.Errorf("unwrap with azure_kv: entry is of type %q", string(e.Type()))
	}
	fail := failure{operation: keys.Unwrapping, entry: a}
	k, err := parseKey(a)
	if err != nil {
		return nil, fail.permanently(err)
	}
	enc, err := decodeEnc(a.Enc)
	if err != nil {
		return nil, fail.permanently(err)
	}
	ctx, cancel := s.withTimeout(ctx)
	defer cancel()
	secret, err := s.decrypt(ctx, k, enc)
	if err != nil {
		return nil, fail.because(err)
	}
	return secret, nil
}

func (s *Service) decrypt(ctx context.Context, k key, enc []byte) ([]byte, error) {
	a, err := do(ctx, s, k, enc, func(ctx context.Context, c *azkeys.Client) (azkeys.DecryptResponse, error) {
		return c.Decrypt(ctx, k.name, k.version, azkeys.KeyOperationParameters{
			Algorithm: to.Ptr(azkeys.EncryptionAlgorithmRSAOAEP256),
			Value:     enc,
		}, nil)
	})
	if err != nil {
		return nil, err
	}
	if a.KID == nil || !k.answers(string(*a.KID)) {
		return nil, errors.New("the answer is of another key")
	}
	if err := keys.CheckSecret(a.Result); err != nil {
		return nil, &permanentError{err}
	}
	return a.Result, nil
}
