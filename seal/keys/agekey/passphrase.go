// SPDX-License-Identifier: Apache-2.0

package agekey

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"filippo.io/age/armor"
	"golang.org/x/crypto/ssh"
)

// ask calls Prompt for the passphrase of what.
func (s Sources) ask(what string) ([]byte, error) {
	if s.Prompt == nil {
		return nil, errNoPrompt
	}
	pass, err := s.Prompt(fmt.Sprintf("Enter passphrase for %s:", what))
	if err != nil {
		// Not passed on: it comes from outside and stood beside a passphrase.
		return nil, errors.New("no passphrase was given")
	}
	if len(pass) == 0 {
		return nil, errors.New("the passphrase given is empty")
	}
	return pass, nil
}

// protectedFile returns a candidate for an identity file encrypted with a
// passphrase, armored or not. It is decrypted when it is tried first, once for
// the life of the program, whether that works or not.
func (s Sources) protectedFile(from origin, data []byte) (*candidate, error) {
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte(armor.Header)) {
		var err error
		if data, err = io.ReadAll(armor.NewReader(bytes.NewReader(data))); err != nil {
			return nil, fmt.Errorf("not an armored age file: %w", armorCause(err))
		}
	}
	var stanzas stanzaCollector
	if _, err := age.DecryptHeader(data, &stanzas); len(stanzas.stanzas) != 1 || err == nil {
		return nil, errors.New("it is encrypted, but not with a passphrase alone")
	}
	if stanzas.stanzas[0].Type != "scrypt" {
		return nil, errors.New("it is encrypted, but not with a passphrase")
	}
	open := sync.OnceValues(func() ([]*candidate, error) { return s.decryptFile(from, data) })
	unwrap := func(stanzas []*age.Stanza) ([]byte, error) {
		ids, err := open()
		if err != nil {
			return nil, err
		}
		return tryInside(ids, stanzas)
	}
	return &candidate{place: from.name, class: protected, unwrap: unwrap}, nil
}

func (s Sources) decryptFile(from origin, data []byte) ([]*candidate, error) {
	pass, err := s.ask("identity file " + from.shown())
	if err != nil {
		return nil, err
	}
	id, err := age.NewScryptIdentity(string(pass))
	if err != nil {
		return nil, errors.New("the passphrase cannot be used")
	}
	r, err := age.Decrypt(bytes.NewReader(data), id)
	if noMatch := new(age.NoIdentityMatchError); errors.As(err, &noMatch) {
		return nil, errors.New("wrong passphrase")
	}
	if err != nil {
		return nil, errors.New("it cannot be decrypted: it is damaged, or its scrypt work factor is too high")
	}
	text, err := io.ReadAll(io.LimitReader(r, maxKeyFileBytes+1))
	if err != nil || len(text) > maxKeyFileBytes {
		return nil, errors.New("it cannot be decrypted: it is damaged or too long")
	}
	ids, notes, err := s.parseIdentities(from, text, false)
	switch {
	case err != nil:
		return nil, fmt.Errorf("decrypted, %w", err)
	case len(ids) == 0 && len(notes) > 0:
		return nil, fmt.Errorf("decrypted, it holds %s", notes[0])
	case len(ids) == 0:
		return nil, errors.New(count(0))
	}
	return ids, nil
}

// tryInside tries native identities before plugins.
func tryInside(ids []*candidate, stanzas []*age.Stanza) ([]byte, error) {
	failed := error(age.ErrIncorrectIdentity)
	for _, cl := range []class{direct, external} {
		for _, c := range ids {
			if c.class != cl {
				continue
			}
			key, err := c.unwrap(stanzas)
			if err == nil {
				return key, nil
			}
			if !errors.Is(err, age.ErrIncorrectIdentity) {
				failed = err
			}
		}
	}
	return nil, failed
}

// sshKey returns a candidate for an SSH private key. With a passphrase, the
// public key tells whether it is needed: it stands in the file, or beside it in
// <path>.pub for the old PEM formats.
func (s Sources) sshKey(from origin, data []byte) (*candidate, error) {
	id, err := agessh.ParseIdentity(data)
	if err == nil {
		return &candidate{place: from.name, sure: true, unwrap: id.Unwrap}, nil
	}
	missing := new(ssh.PassphraseMissingError)
	if !errors.As(err, &missing) {
		return nil, errors.New("not a private SSH key that age can use (ed25519 or RSA, OpenSSH or PEM)")
	}
	pub := missing.PublicKey
	if pub == nil && from.path == "" {
		return nil, errors.New("protected by a passphrase, in a format without the public key")
	}
	if pub == nil {
		beside := from.path + ".pub"
		if pub, err = readPublicKey(beside); err != nil {
			return nil, fmt.Errorf("protected by a passphrase, and its public key is needed in %s: %w",
				quotePath(beside), err)
		}
	}
	return s.protectedSSHKey(from, data, pub)
}

func (s Sources) protectedSSHKey(from origin, data []byte, pub ssh.PublicKey) (*candidate, error) {
	var failed error // whatever went wrong stays so: the user is asked once
	id, err := agessh.NewEncryptedSSHIdentity(pub, data, func() (pass []byte, err error) {
		pass, failed = s.ask("SSH key " + from.shown())
		return pass, failed
	})
	if err != nil {
		return nil, errors.New("not a private SSH key that age can use (ed25519, or RSA of 2,048 bits or more)")
	}
	var mu sync.Mutex // EncryptedSSHIdentity is not safe for concurrent use
	unwrap := func(stanzas []*age.Stanza) ([]byte, error) {
		mu.Lock()
		defer mu.Unlock()
		if failed != nil && forSSHKey(pub, stanzas) {
			return nil, failed
		}
		key, err := id.Unwrap(stanzas)
		if err == nil || errors.Is(err, age.ErrIncorrectIdentity) {
			return key, err
		}
		if failed == nil {
			failed = sshCause(err)
		}
		return nil, failed
	}
	return &candidate{place: from.name, class: protected, sure: true, unwrap: unwrap}, nil
}

// forSSHKey reports whether a stanza bears the mark of pub, as agessh does
// before it asks for the passphrase.
func forSSHKey(pub ssh.PublicKey, stanzas []*age.Stanza) bool {
	return slices.ContainsFunc(stanzas, func(s *age.Stanza) bool {
		return s.Type == pub.Type() && len(s.Args) > 0 && s.Args[0] == sshMark(pub)
	})
}

// sshCause tells the failures of agessh.EncryptedSSHIdentity apart, which wraps no error.
func sshCause(err error) error {
	switch text := err.Error(); {
	case text == "failed to decrypt SSH key file: "+x509.IncorrectPasswordError.Error():
		return errors.New("wrong passphrase")
	case text == "mismatched private and public SSH key":
		return errors.New("the private key does not belong to the public key beside it")
	}
	return errors.New("the key cannot be decrypted")
}

func readPublicKey(path string) (ssh.PublicKey, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	pub, _, _, _, err := ssh.ParseAuthorizedKey(data)
	if err != nil {
		return nil, errors.New("not an SSH public key")
	}
	return pub, nil
}
