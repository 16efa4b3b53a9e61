// SPDX-License-Identifier: Apache-2.0

package pgp

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The packets of a message that are told apart (RFC 9580, section 5).
const (
	tagPublicKeyESK  = 1  // the session key for a public key
	tagPassphraseESK = 3  // the session key for a passphrase
	tagUnprotected   = 9  // encrypted data that anybody may change
	tagProtected     = 18 // encrypted data with a hash or AEAD
	tagAEAD          = 20 // GnuPG 2.3's own kind of it
)

// maxKeys is how many keys a message may be for. SOPS names one, gpg may add
// those that belong to it.
const maxKeys = 16

var errPacket = errors.New("PGP message is malformed")

// checkMessage makes sure that gpg is asked for nothing but decryption with a
// secret key. A message is
//
//	<session key for a public key>... <encrypted data with integrity protection>
//
// and nothing else. With other messages gpg would ask the user for a
// passphrase that the author of the document has chosen, or hand out what was
// never encrypted.
func checkMessage(message []byte) error {
	rest := message
	for n := 0; ; n++ {
		tag, size, err := readPacket(rest)
		if err != nil {
			return err
		}
		rest = rest[size:]
		switch {
		case tag == tagPublicKeyESK && n < maxKeys:
			continue
		case tag == tagPublicKeyESK:
			return fmt.Errorf("PGP message is for more than %d keys", maxKeys)
		case tag == tagPassphraseESK:
			return errors.New("PGP message is encrypted with a passphrase, not for a key")
		case tag == tagUnprotected:
			return errors.New("PGP message has no integrity protection")
		case n == 0 || tag != tagProtected && tag != tagAEAD:
			return errors.New("PGP message is not encrypted for a key")
		case len(rest) > 0:
			return errors.New("PGP message is followed by something else")
		}
		return nil
	}
}

// readPacket returns the tag of the first packet of b and its size in bytes
// with the header, which is (RFC 9580, section 4.2)
//
//	1 0 <tag: 4 bits> <kind of length: 2 bits> <length: 1, 2 or 4 bytes>
//	1 1 <tag: 6 bits> <length: see newLength>
func readPacket(b []byte) (tag, size int, err error) {
	if len(b) == 0 || b[0]&0x80 == 0 {
		return 0, 0, errPacket
	}
	if b[0]&0x40 == 0 {
		size, err = oldSize(b)
		return int(b[0] >> 2 & 0x0f), size, err
	}
	tag, size = int(b[0]&0x3f), 1
	for {
		n, used, more, err := newLength(b[size:])
		switch {
		case err != nil:
			return 0, 0, err
		case uint64(n) > uint64(len(b)-size-used), more && tag < tagUnprotected:
			return 0, 0, errPacket
		}
		if size += used + int(n); !more {
			return tag, size, nil
		}
	}
}

// oldSize returns the size of a packet with the older kind of header. Its kind
// of length without a number, up to the end, is not accepted.
func oldSize(b []byte) (int, error) {
	var n uint32
	used := 1 << (b[0] & 3)
	switch {
	case used == 8 || len(b) < 1+used:
		return 0, errPacket
	case used == 1:
		n = uint32(b[1])
	case used == 2:
		n = uint32(binary.BigEndian.Uint16(b[1:]))
	default:
		n = binary.BigEndian.Uint32(b[1:])
	}
	if uint64(n) > uint64(len(b)-1-used) {
		return 0, errPacket
	}
	return 1 + used + int(n), nil
}

// newLength reads a length n that takes up used bytes: one byte up to 191, two
// up to 8383, five behind 0xff; and from 0xe0 on the logarithm of the length of
// a part, behind which there are more.
func newLength(b []byte) (n uint32, used int, more bool, err error) {
	switch {
	case len(b) == 0:
		return 0, 0, false, errPacket
	case b[0] < 192:
		return uint32(b[0]), 1, false, nil
	case b[0] < 224 && len(b) > 1:
		return uint32(b[0]-192)<<8 + uint32(b[1]) + 192, 2, false, nil
	case b[0] == 255 && len(b) > 4:
		return binary.BigEndian.Uint32(b[1:]), 5, false, nil
	case b[0] >= 224 && b[0] < 255:
		return 1 << (b[0] & 0x1f), 1, true, nil
	}
	return 0, 0, false, errPacket
}
