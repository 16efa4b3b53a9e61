// SPDX-License-Identifier: Apache-2.0

package agekey

import (
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"filippo.io/age/plugin"
	"filippo.io/age/tag"
	"golang.org/x/crypto/ssh"
)

// Kind tells how a recipient encrypts.
type Kind string

// The kinds of recipients.
const (
	X25519     Kind = "X25519"      // age1...
	Hybrid     Kind = "hybrid"      // age1pq1...: ML-KEM-768 with X25519
	SSHEd25519 Kind = "ssh-ed25519" // ssh-ed25519 AAAA... [comment]
	SSHRSA     Kind = "ssh-rsa"     // ssh-rsa AAAA... [comment], 2,048 bits or more
	Tag        Kind = "tag"         // age1tag1...: P-256 in hardware; sealing needs no plugin
	TagHybrid  Kind = "hybrid tag"  // age1tagpq1...: ML-KEM-768 with P-256 in hardware
	Plugin     Kind = "plugin"      // age1<name>1...: the program age-plugin-<name>
)

// maxRecipientBytes bounds the text of a recipient; sshd(8) allows lines of the
// same length. A hybrid recipient has 1,959 bytes.
const maxRecipientBytes = 8 << 10

// Recipient is a recipient that is well formed. It holds nothing secret.
type Recipient struct {
	text   string
	kind   Kind
	plugin string
	native age.Recipient // nil for plugins
	stanza stanzaShape
}

// ParseRecipient parses one recipient by the prefixes that SOPS goes by (sops:
// age/keysource.go, parseRecipient), except that tag recipients do not need a
// plugin. White space around it is dropped; the comment of an SSH key stays, as
// in SOPS. Nothing is executed. The error names the recipient and the cause,
// unless the text looks like a private key: it is never repeated then.
func ParseRecipient(s string) (Recipient, error) {
	s = strings.TrimSpace(s)
	if err := checkRecipientText(s); err != nil {
		return Recipient{}, err
	}
	r := Recipient{text: s}
	var err error
	switch {
	case strings.HasPrefix(s, "age1tag1"), strings.HasPrefix(s, "age1tagpq1"):
		err = r.parseTag()
	case strings.HasPrefix(s, "age1pq1"):
		r.kind, r.stanza = Hybrid, stanzaShape{kind: "mlkem768x25519", args: 1}
		r.native, err = parseHybrid(s)
	case strings.HasPrefix(s, "age1") && strings.Count(s, "1") > 1:
		r.kind = Plugin
		r.plugin, _, err = plugin.ParseRecipient(s)
	case strings.HasPrefix(s, "age1"):
		r.kind, r.stanza = X25519, stanzaShape{kind: "X25519", args: 1}
		r.native, err = age.ParseX25519Recipient(s)
	case strings.HasPrefix(s, "ssh-"):
		err = r.parseSSH()
	default:
		err = errors.New("unknown prefix (want age1, ssh-ed25519 or ssh-rsa)")
	}
	if err != nil {
		return Recipient{}, fmt.Errorf("age recipient %s: %w", quote(s), recipientCause(s, err))
	}
	return r, nil
}

// checkRecipientText refuses what must not be repeated in an error, or handed
// to a command through its environment.
func checkRecipientText(s string) error {
	switch {
	case s == "":
		return errors.New("age recipient is empty")
	case looksPrivate(s):
		return errors.New("age recipient: the text given looks like an identity (a private key); " +
			"give its recipient, the public key that begins with age1 or ssh-")
	case len(s) > maxRecipientBytes:
		return fmt.Errorf("age recipient is %d bytes long, at most %d are allowed", len(s), maxRecipientBytes)
	case strings.ContainsFunc(s, isControl):
		return errors.New("age recipient: more than one line, or control characters")
	}
	return nil
}

// hybridBytes is the size of an ML-KEM-768 and an X25519 public key.
const hybridBytes = 1184 + 32

// parseHybrid parses a hybrid recipient. In FIPS-only mode age cannot, and the
// form is all that is checked: ErrFIPS follows when the key is used.
func parseHybrid(s string) (age.Recipient, error) {
	if checkFIPS() == nil {
		return age.ParseHybridRecipient(s)
	}
	_, key, err := plugin.ParseRecipient(s) // the same encoding
	if err == nil && len(key) != hybridBytes {
		err = errors.New("wrong length")
	}
	return nil, err
}

func (r *Recipient) parseTag() error {
	t, err := tag.ParseRecipient(r.text)
	if err != nil {
		return err
	}
	r.native = t
	r.kind, r.stanza = Tag, stanzaShape{kind: "p256tag", args: 2}
	if t.Hybrid() {
		r.kind, r.stanza = TagHybrid, stanzaShape{kind: "mlkem768p256tag", args: 2}
	}
	r.stanza.marked = func(s *age.Stanza) bool {
		enc, err := rawBase64().DecodeString(s.Args[1])
		if err != nil {
			return false
		}
		mark, err := t.Tag(enc)
		return err == nil && s.Args[0] == rawBase64().EncodeToString(mark)
	}
	return nil
}

func (r *Recipient) parseSSH() error {
	pk, _, options, _, err := ssh.ParseAuthorizedKey([]byte(r.text))
	switch {
	case err != nil || len(options) > 0:
		return errors.New("not an SSH public key")
	case !strings.HasPrefix(r.text, pk.Type()+" "):
		return fmt.Errorf("not an SSH public key of the type %q that it holds", pk.Type())
	}
	switch pk.Type() {
	case "ssh-ed25519":
		r.kind, r.stanza = SSHEd25519, stanzaShape{kind: "ssh-ed25519", args: 2}
		r.native, err = agessh.NewEd25519Recipient(pk)
	case "ssh-rsa":
		r.kind, r.stanza = SSHRSA, stanzaShape{kind: "ssh-rsa", args: 1, body: rsaBytes(pk)}
		r.native, err = agessh.NewRSARecipient(pk)
	default:
		return fmt.Errorf("SSH keys of type %q cannot encrypt (want ssh-ed25519 or ssh-rsa)", pk.Type())
	}
	mark := sshMark(pk)
	r.stanza.marked = func(s *age.Stanza) bool { return s.Args[0] == mark }
	return err
}

// sshMark is the first argument of SSH stanzas: raw base64 of the first 4 bytes
// of the SHA-256 of the key (age: agessh/agessh.go, sshFingerprint).
func sshMark(pk ssh.PublicKey) string {
	h := sha256.Sum256(pk.Marshal())
	return rawBase64().EncodeToString(h[:4])
}

func rsaBytes(pk ssh.PublicKey) int {
	if c, ok := pk.(ssh.CryptoPublicKey); ok {
		if k, ok := c.CryptoPublicKey().(*rsa.PublicKey); ok {
			return k.Size()
		}
	}
	return 0
}

func rawBase64() *base64.Encoding { return base64.RawStdEncoding.Strict() }

// String returns the recipient as it was given, without the white space around it.
func (r Recipient) String() string { return r.text }

// Kind tells how r encrypts.
func (r Recipient) Kind() Kind { return r.kind }

// PluginName is the <name> of age-plugin-<name>, which wraps for r, or "" when
// r needs no plugin.
func (r Recipient) PluginName() string { return r.plugin }

// PostQuantum reports whether what is wrapped for r withstands a quantum
// computer. For a plugin nobody knows, so known is false. A document with both
// sorts of recipients withstands as much as its weakest.
func (r Recipient) PostQuantum() (pq, known bool) {
	return r.kind == Hybrid || r.kind == TagHybrid, r.kind != Plugin
}

// recipientCause drops the recipient, which ours already names, from an error of age.
func recipientCause(s string, err error) error {
	text := strings.TrimPrefix(err.Error(), fmt.Sprintf("malformed recipient %q: ", s))
	text = strings.TrimPrefix(text, "invalid recipient encoding: ")
	if strings.Contains(text, "invalid checksum") {
		text = "bech32 checksum does not match: there is a typo in it, or a part is missing"
	}
	return errors.New(text)
}
