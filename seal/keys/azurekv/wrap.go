// SPDX-License-Identifier: Apache-2.0

package azurekv

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signet-secrets/signet/seal/keys"
)

// Wrap implements keys.Wrapper for keys.AzureKVEntry. Where to has no version,
// the newest one is looked up and used. The result has the key and version, the
// present time and the ciphertext of RSA-OAEP-256. The secret has 32 or 33
// bytes. Every error about to is a *keys.CallError.
func (s *Service) Wrap(ctx context.Context, to keys.Entry, secret []byte) (keys.Entry, error) {
	e, ok := to.(keys.AzureKVEntry)
	if !ok {
		return nil, fmt.Errorf("wrap for azure_kv: entry is of type %q", string(to.Type()))
	}
	fail := failure{operation: keys.Wrapping, entry: e}
	k, err := parseKey(e)
	if err == nil {
		err = keys.CheckSecret(secret)
	}
	if err != nil {
		return nil, fail.permanently(err)
	}
	ctx, cancel := s.withTimeout(ctx)
	defer cancel()
	if k.version == "" {
		if k.version, err = s.newest(ctx, k); err != nil {
			fail.lookup = true
			return nil, fail.because(err)
		}
		e.Version = k.version
		fail.entry = e
	}
	enc, err := s.encrypt(ctx, k, secret)
	if err != nil {
		return nil, fail.because(err)
	}
	e.Enc = base64.RawURLEncoding.EncodeToString(enc)
	e.CreatedAt = time.Now().UTC().Format(time.RFC3339)
	return e, nil
}

// newest returns the newest version of a key. Key Vault encrypts also with a key
// that is disabled, but nobody could decrypt that.
func (s *Service) newest(ctx context.Context, k key) (string, error) {
	a, err := do(ctx, s, k, nil, func(ctx context.Context, c *azkeys.Client) (azkeys.GetKeyResponse, error) {
		return c.GetKey(ctx, k.name, "", nil)
	})
	switch {
	case err != nil:
		return "", err
	case a.Key == nil || a.Key.KID == nil || !k.answers(string(*a.Key.KID)):
		return "", errors.New("the answer is of another key")
	case a.Key.Kty != nil && *a.Key.Kty != azkeys.KeyTypeRSA && *a.Key.Kty != azkeys.KeyTypeRSAHSM:
		return "", &permanentError{fmt.Errorf("the key is of type %s, want RSA or RSA-HSM", keys.ForeignText(string(*a.Key.Kty)))}
	case a.Attributes != nil && a.Attributes.Enabled != nil && !*a.Attributes.Enabled:
		return "", &disabledError{version: a.Key.KID.Version()}
	}
	return a.Key.KID.Version(), nil
}

func (s *Service) encrypt(ctx context.Context, k key, secret []byte) ([]byte, error) {
	secret = bytes.Clone(secret) // a call may outlive this one, and secret is the caller's
	a, err := do(ctx, s, k, secret, func(ctx context.Context, c *azkeys.Client) (azkeys.EncryptResponse, error) {
		return c.Encrypt(ctx, k.name, k.version, azkeys.KeyOperationParameters{
			Algorithm: to.Ptr(azkeys.EncryptionAlgorithmRSAOAEP256),
			Value:     secret,
		}, nil)
	})
	switch {
	case err != nil:
		return nil, err
	case a.KID == nil || !k.answers(string(*a.KID)):
		return nil, errors.New("the answer is of another key")
	case len(a.Result) == 0 || base64.RawURLEncoding.EncodedLen(len(a.Result)) > maxEncBytes:
		return nil, fmt.Errorf("the ciphertext has %d bytes", len(a.Result))
	}
	return a.Result, nil
}
