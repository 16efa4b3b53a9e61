// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"crypto/sha512"
	"crypto/subtle"
	"encoding/hex"
	"hash"
	"io"
	"strings"
	"time"
)

// mac computes the message authentication code of SOPS: SHA-512 over the
// plaintext of the values in document order, as upper-case hex, encrypted with
// the modification time as additional data (sops: sops.go, Tree.Encrypt;
// cmd/sops/common/common.go, EncryptTree).
type mac struct {
	h hash.Hash
}

// macOnlyEncryptedPrefix starts the hash where mac_only_encrypted is set
// (sops: sops.go, MACOnlyEncryptedInitialization).
const macOnlyEncryptedPrefix = "8a3fd2ad54ce66527b1034f3d147be0b0b975b3bf44f72c6fdadec8176f27d69"

func newMAC(onlyEncrypted bool) mac {
	m := mac{h: sha512.New()}
	if onlyEncrypted {
		prefix, _ := hex.DecodeString(macOnlyEncryptedPrefix)
		m.h.Write(prefix)
	}
	return m
}

func (m mac) add(text string) { _, _ = io.WriteString(m.h, text) }

func (m mac) sum() string { return strings.ToUpper(hex.EncodeToString(m.h.Sum(nil))) }

// verify decrypts the recorded code and compares it with m.
func (m mac) verify(c *Cipher, md *Metadata) error {
	want, err := c.Decrypt(md.mac, md.macAAD())
	if err != nil {
		return &TamperedError{Path: "sops.mac", Reason: "does not authenticate: mac, lastmodified or the data key is not the document's own"}
	}
	if subtle.ConstantTimeCompare(want, []byte(m.sum())) != 1 {
		return &TamperedError{Path: "sops.mac", Reason: "does not match the values: the document was changed after it was encrypted"}
	}
	return nil
}

// lastModified formats t as the time of a new mac.
func lastModified(t time.Time) string { return t.UTC().Format(time.RFC3339) }
