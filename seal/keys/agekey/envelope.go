// SPDX-License-Identifier: Apache-2.0

package agekey

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"
)

const (
	// MaxEncBytes bounds the armored text of an entry. A hybrid entry has 2,360 bytes.
	MaxEncBytes = 64 << 10
	// MaxSecretBytes bounds what an entry holds. A data key has 32 bytes.
	MaxSecretBytes = 4 << 10
)

// stanzaShape is what the one recipient stanza of an entry must look like. The
// zero value stands for a plugin, whose stanzas have names of their own.
//
//	-> X25519 <share>                     32 bytes of body
//	-> mlkem768x25519 <enc>               32
//	-> ssh-ed25519 <mark> <share>         32
//	-> ssh-rsa <mark>                     as many as the modulus
//	-> p256tag <mark> <enc>               32
//	-> mlkem768p256tag <mark> <enc>       32
//
// (age: x25519.go, pq.go, agessh/agessh.go, tag/tag.go.)
type stanzaShape struct {
	kind   string
	args   int
	body   int                    // 0: a file key of 16 bytes and a tag of 16
	marked func(*age.Stanza) bool // whether the stanza names the recipient; nil: it can't
}

// openArmor returns the binary age file in enc, after checking that enc holds
// one armored file and nothing else. Only white space may stand around it.
func openArmor(enc string) ([]byte, error) {
	if len(enc) > MaxEncBytes {
		return nil, fmt.Errorf("age file has %d bytes, at most %d are allowed", len(enc), MaxEncBytes)
	}
	file, err := io.ReadAll(armor.NewReader(strings.NewReader(enc)))
	if err != nil {
		return nil, fmt.Errorf("not an armored age file: %w", armorCause(err))
	}
	return file, nil
}

// armorCause lets through those texts of the armor reader that do not repeat
// its input, which may be anything, such as a key pasted into the wrong place.
func armorCause(err error) error {
	if c := base64.CorruptInputError(0); errors.As(err, &c) {
		return errors.New("base64 is malformed")
	}
	known := []string{
		"trailing data after armored file", "too much trailing whitespace", "too much leading whitespace",
		"empty line in armored data", "column limit exceeded", "unexpected newline character",
	}
	text := strings.TrimPrefix(err.Error(), "invalid armor: ")
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("it ends too early")
	case slices.Contains(known, text):
		return errors.New(text)
	}
	return errors.New("a line is malformed")
}

// checkHeader checks that the header of file has one stanza of the shape that
// the recipient implies. It needs no identity.
func (r Recipient) checkHeader(file []byte) error {
	var got stanzaCollector
	_, err := age.DecryptHeader(file, &got)
	switch noMatch := new(age.NoIdentityMatchError); {
	case errors.As(err, &noMatch):
	case err == nil: // impossible: the collector has no file key
		return errors.New("age header is malformed")
	default:
		// age's text repeats the line, which may be anything.
		return errors.New("age header is malformed")
	}
	if len(got.stanzas) != 1 {
		return fmt.Errorf("age header has %d recipient stanzas, want one", len(got.stanzas))
	}
	return r.checkStanza(got.stanzas[0])
}

func (r Recipient) checkStanza(s *age.Stanza) error {
	if r.kind == Plugin {
		return checkPluginStanza(s)
	}
	body := r.stanza.body
	if body == 0 {
		body = 32
	}
	switch {
	case s.Type == "scrypt":
		return errors.New("age file is encrypted with a passphrase (scrypt), not to a recipient")
	case s.Type != r.stanza.kind:
		return fmt.Errorf("age stanza is of type %s, but the recipient implies %q", quoteType(s.Type), r.stanza.kind)
	case len(s.Args) != r.stanza.args:
		return fmt.Errorf("age stanza %q has %d arguments, want %d", s.Type, len(s.Args), r.stanza.args)
	case len(s.Body) != body:
		return fmt.Errorf("age stanza %q has a body of %d bytes, want %d", s.Type, len(s.Body), body)
	case r.stanza.marked != nil && !r.stanza.marked(s):
		return fmt.Errorf("age stanza %q is for another key than the recipient", s.Type)
	}
	return nil
}

// checkPluginStanza refuses the stanza types of recipients that have a text
// form of their own: an entry must not name a plugin and be for such a key.
// p256tag and mlkem768p256tag are left to plugins too, because plugins for
// hardware keys write them for their own recipients.
func checkPluginStanza(s *age.Stanza) error {
	switch s.Type {
	case "X25519", "mlkem768x25519", "ssh-ed25519", "ssh-rsa", "scrypt":
		return fmt.Errorf("age stanza is of type %q, which a plugin recipient does not write", s.Type)
	}
	return nil
}

// quoteType shows a stanza type only when it is short: it is foreign text.
func quoteType(s string) string {
	if len(s) > 24 || looksPrivate(s) {
		return "(unknown)"
	}
	return fmt.Sprintf("%q", s)
}

// stanzaCollector is an age.Identity that opens nothing.
type stanzaCollector struct {
	stanzas []*age.Stanza
}

var _ age.Identity = (*stanzaCollector)(nil)

func (c *stanzaCollector) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	c.stanzas = stanzas
	return nil, age.ErrIncorrectIdentity
}

// readSecret decrypts file with id to the end. id reports through the error
// that Decrypt passes on; any other failure means that the file is damaged.
func readSecret(file []byte, id *chain) ([]byte, error) {
	r, err := age.Decrypt(bytes.NewReader(file), id)
	switch {
	case id.err != nil:
		return nil, id.err
	case err != nil:
		return nil, errors.New("age header does not authenticate under the file key of a matching identity")
	}
	secret, err := io.ReadAll(io.LimitReader(r, MaxSecretBytes+1))
	switch {
	case err != nil:
		return nil, errors.New("age payload does not authenticate")
	case len(secret) > MaxSecretBytes:
		return nil, fmt.Errorf("age payload is longer than %d bytes", MaxSecretBytes)
	}
	return secret, nil
}
