// SPDX-License-Identifier: Apache-2.0

package pgp

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/signet-secrets/signet/seal/keys"
)

const (
	someFingerprint = "D7229043384BCC60326C6FB9D8720D957C3D3074"
	// someMessage has the packets of a message and no meaning.
	someMessage = "\xc1\x03\x03ab" + "\xd2\x05\x01data"
)

// Only whole fingerprints get to gpg's arguments; nothing that is not well
// formed has gpg run at all.
func TestWrapRefuses(t *testing.T) {
	tests := []struct {
		name, fingerprint, secret, want string
	}{
		{"empty", "", testSecret, "is empty"},
		{"only a mark", "!", testSecret, "is empty"},
		{"option", "--output=/tmp/x", testSecret, "is not hex"},
		{"mail address", "alice@example.com", testSecret, "is not hex"},
		{"key ID", someFingerprint[24:], testSecret, "16 hex digits, want 40 or 64"},
		{"with 0x", "0x" + someFingerprint, testSecret, "is not hex"},
		{"white space", someFingerprint + " ", testSecret, "is not hex"},
		{"line break", someFingerprint + "\n", testSecret, "is not hex"},
		{"two marks", someFingerprint + "!!", testSecret, "is not hex"},
		{"too long", someFingerprint + someFingerprint, testSecret, "80 hex digits"},
		{"one digit short", someFingerprint[1:], testSecret, "39 hex digits"},
		{"no secret", someFingerprint, "", "secret has 0 bytes, want 32 or 33"},
		{"short secret", someFingerprint, testSecret[:31], "31 bytes"},
		{"long secret", someFingerprint, testSecret + "xx", "34 bytes"},
	}
	s := neverRun(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := s.Wrap(t.Context(), keys.PGPEntry{Fingerprint: tt.fingerprint}, []byte(tt.secret))
			if call := mustFail(t, err, tt.want); !call.Permanent || call.Operation != keys.Wrapping || got != nil {
				t.Errorf("got %v, %+v", got, call)
			}
		})
	}
	if _, err := s.Wrap(t.Context(), keys.AgeEntry{}, []byte(testSecret)); err == nil || !strings.Contains(err.Error(), `"age"`) {
		t.Errorf("got %v for an entry of another type", err)
	}
}

func TestCheck(t *testing.T) {
	for _, fp := range []string{someFingerprint, strings.ToLower(someFingerprint), someFingerprint + "!", strings.Repeat("aB3d", 16)} {
		if err := Check(keys.PGPEntry{Fingerprint: fp, Enc: "-"}); err != nil {
			t.Errorf("%s: %v", fp, err)
		}
	}
}

// Nothing but a message for public keys has gpg run.
func TestUnwrapRefuses(t *testing.T) {
	good := enarmor([]byte(someMessage))
	tests := []struct {
		name, fingerprint, enc, want string
	}{
		{"no fingerprint", "", good, "fingerprint is malformed"},
		{"option", "-o/tmp/x", good, "fingerprint is malformed"},
		{"shell", "a;touch x", good, "fingerprint is malformed"},
		{"line break", "a\nb", good, "fingerprint is malformed"},
		{"long name", strings.Repeat("a", 255), good, "fingerprint is malformed"},
		{"empty", someFingerprint, "", "no wrapped key"},
		{"too big", someFingerprint, good + strings.Repeat("\n", maxEncBytes), "at most 65536"},
		{"binary", someFingerprint, someMessage, "not an armored"},
		{"not the end", someFingerprint, strings.TrimSuffix(good, "-"), "not an armored"},
		{"one line", someFingerprint, armorBegin, "not an armored"},
		{"public key", someFingerprint, strings.ReplaceAll(good, "MESSAGE", "PUBLIC KEY BLOCK"), "not an armored"},
		{"text before", someFingerprint, "x\n" + good, "not an armored"},
		{"text behind", someFingerprint, good + "\nx", "not an armored"},
		{"two messages", someFingerprint, good + "\n" + good, "not base64"},
		{"no empty line", someFingerprint, strings.Replace(good, "\n\n", "\n", 1), "empty line"},
		{"nothing in it", someFingerprint, armorBegin + "\n\n" + armorEnd, "malformed"},
		{"not base64", someFingerprint, strings.Replace(good, "\n\n", "\n\n!", 1), "not base64"},
		{"not padded", someFingerprint, armorBegin + "\n\nwQMDY\n" + armorEnd, "not base64"},
		{"checksum first", someFingerprint, strings.Replace(good, "\n\n", "\n\n=abcd\n", 1), "not base64"},
		{"long line", someFingerprint, armorBegin + "\n\n" + strings.Repeat("A", 80) + "\n" + armorEnd, "not base64"},
		{"passphrase", someFingerprint, enarmor([]byte("\xc3\x02\x04a\xd2\x05\x01data")), "with a passphrase"},
		{"passphrase too", someFingerprint, enarmor([]byte("\xc1\x03\x03ab\xc3\x02\x04a\xd2\x05\x01data")), "with a passphrase"},
		{"not encrypted", someFingerprint, enarmor([]byte("\xcb\x02b\x00")), "not encrypted for a key"},
		{"compressed", someFingerprint, enarmor([]byte("\xc8\x02\x01\x00")), "not encrypted for a key"},
		{"no key", someFingerprint, enarmor([]byte("\xd2\x05\x01data")), "not encrypted for a key"},
		{"no data", someFingerprint, enarmor([]byte("\xc1\x03\x03ab")), "malformed"},
		{"key, not encrypted", someFingerprint, enarmor([]byte("\xc1\x03\x03ab\xcb\x02b\x00")), "not encrypted for a key"},
		{"unprotected", someFingerprint, enarmor([]byte("\xc1\x03\x03ab\xc9\x02ab")), "no integrity protection"},
		{"more behind", someFingerprint, enarmor([]byte(someMessage + "\xcb\x02b\x00")), "followed by something else"},
		{"garbage behind", someFingerprint, enarmor([]byte(someMessage + "x")), "followed by something else"},
		{"many keys", someFingerprint, enarmor([]byte(strings.Repeat("\xc1\x03\x03ab", 17) + "\xd2\x05\x01data")), "more than 16 keys"},
	}
	s := neverRun(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := s.Unwrap(t.Context(), keys.PGPEntry{Fingerprint: tt.fingerprint, Enc: tt.enc})
			call := mustFail(t, err, tt.want)
			if !call.Permanent || call.Operation != keys.Unwrapping || got != nil || errors.Is(err, keys.ErrNoIdentity) {
				t.Errorf("got %d bytes, %+v", len(got), call)
			}
		})
	}
	if _, err := s.Unwrap(t.Context(), keys.AgeEntry{}); err == nil || !strings.Contains(err.Error(), `"age"`) {
		t.Errorf("got %v for an entry of another type", err)
	}
}

// The armor of other programs, and what YAML does to it, gives the same message.
func TestDearmor(t *testing.T) {
	good := enarmor([]byte(someMessage))
	for name, enc := range map[string]string{
		"plain":       good,
		"line ends":   strings.ReplaceAll(good, "\n", "\r\n") + "\r\n",
		"white space": "\n " + strings.ReplaceAll(good, "\n", " \t\n") + "\n\n",
		"headers":     strings.Replace(good, "\n\n", "\nVersion: GnuPG v2\nComment: x: y\n\n", 1),
		"checksum":    strings.Replace(good, "\n-----END", "\n=abcd\n-----END", 1),
		"short lines": good[:len(armorBegin)+6] + "\n" + good[len(armorBegin)+6:],
	} {
		if got, err := decode(enc); err != nil || string(got) != someMessage {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}

func TestReadPacket(t *testing.T) {
	zeros := func(n int) string { return strings.Repeat("\x00", n) }
	tests := []struct {
		name, text string
		tag, size  int // 0 for an error
	}{
		{"nothing", "", 0, 0},
		{"no packet", "a" + zeros(9), 0, 0},
		{"header only", "\xc1", 0, 0},
		{"one byte", "\xc1\x02ab" + "rest", 1, 4},
		{"empty", "\xc1\x00", 1, 2},
		{"one byte, cut off", "\xc1\x03ab", 0, 0},
		{"two bytes", "\xc1\xc0\x01" + zeros(300), 1, 3 + 193},
		{"two bytes, most", "\xd2\xdf\xff" + zeros(9000), 18, 3 + 8383},
		{"two bytes, one there", "\xc1\xc0", 0, 0},
		{"five bytes", "\xd2\xff\x00\x00\x01\x00" + zeros(300), 18, 6 + 256},
		{"five bytes, four there", "\xd2\xff\x00\x00\x01", 0, 0},
		{"five bytes, huge", "\xd2\xff\xff\xff\xff\xff" + zeros(300), 0, 0},
		{"parts", "\xd2\xe2abcd\xe1ef\x01g", 18, 11},
		{"parts without end", "\xd2\xe2abcd", 0, 0},
		{"huge part", "\xd2\xfeabcd\x00", 0, 0},
		{"parts of a key", "\xc1\xe2abcd\x00", 0, 0},
		{"old, one byte", "\x84\x02ab" + "rest", 1, 4},
		{"old, two bytes", "\x85\x01\x00" + zeros(300), 1, 3 + 256},
		{"old, four bytes", "\x86\x00\x00\x01\x00" + zeros(300), 1, 5 + 256},
		{"old, four bytes, huge", "\x86\xff\xff\xff\xff" + zeros(300), 0, 0},
		{"old, cut off", "\x85\x01", 0, 0},
		{"old, without length", "\x87abcd", 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tag, size, err := readPacket([]byte(tt.text))
			if tt.size == 0 && err == nil || tt.size != 0 && (err != nil || tag != tt.tag || size != tt.size) {
				t.Errorf("got tag %d, %d bytes, %v; want tag %d, %d bytes", tag, size, err, tt.tag, tt.size)
			}
		})
	}
}

// FuzzDecode feeds foreign text to the reader of entries. What it accepts has
// one session key or more, then encrypted data, and nothing else.
func FuzzDecode(f *testing.F) {
	for _, message := range []string{someMessage, "\x84\x02ab\xd2\xe2abcd\x00", "\xc3\x02\x04a\xd2\x05\x01data", ""} {
		f.Add(enarmor([]byte(message)))
	}
	f.Add(armorBegin + "\r\nVersion: 1\r\n\r\nwQMDYWLSBQFkYXRh\r\n=abcd\r\n" + armorEnd + "\r\n")
	f.Fuzz(func(t *testing.T, enc string) {
		message, err := decode(enc)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\x00\x1b") || len(err.Error()) > 200 {
				t.Errorf("unfit error %q", err)
			}
			return
		}
		if tag, _, _ := readPacket(message); tag != tagPublicKeyESK {
			t.Errorf("accepted a message that begins with a packet of tag %d", tag)
		}
		if again, err := decode(enarmor(message)); err != nil || !bytes.Equal(again, message) {
			t.Errorf("not the same again: %v", err)
		}
	})
}

// A context that has ended has no gpg run.
func TestEndedContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := neverRun(t)
	_, err := s.Unwrap(ctx, keys.PGPEntry{Fingerprint: someFingerprint, Enc: enarmor([]byte(someMessage))})
	if call := mustFail(t, err, "context canceled"); call.Permanent || !errors.Is(err, context.Canceled) {
		t.Errorf("got %+v", call)
	}
}
