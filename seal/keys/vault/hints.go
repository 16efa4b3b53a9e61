// SPDX-License-Identifier: Apache-2.0

package vault

import (
	"crypto/tls"
	"errors"
	"net/http"
	"os"
	"strings"
	"syscall"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/internal/chars"
)

// hint is the next step after err, or "". The parts of the entry in it were
// checked: a shell takes them for what they are.
func (f failure) hint(err error) string {
	if e := new(settingError); errors.As(err, &e) {
		return "correct " + e.place + ", or leave it out"
	}
	if errors.Is(err, errAllowlist) {
		return "nothing was called; if you trust the server, add " + f.address() + " to " + envAllowlist
	}
	if errors.As(err, new(*notTransitError)) {
		return f.hintNotTransit()
	}
	if e := new(answerError); errors.As(err, &e) {
		return f.hintAnswer(e)
	}
	switch {
	case errors.Is(err, http.ErrSchemeMismatch):
		return "the server has no TLS: the address would be http://, which shows token and secrets to everybody on the way"
	case errors.As(err, new(*tls.CertificateVerificationError)):
		return "name the certificate of the CA that the server's one is from in " + envCACert
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there: " + f.command("status") + " must work; is the server running, is a tunnel or VPN missing?"
	case errors.As(err, new(*unreachableError)):
		return "the server cannot be reached: " + f.command("status") + " must work"
	}
	return ""
}

func (f failure) hintAnswer(e *answerError) string {
	switch {
	case e.location != "":
		return "the token is not sent on to another server; if that is the active node, have this address forward requests to it"
	case e.noToken && e.denied(), e.says("invalid token"), e.says("bad token"), e.says("token expired"):
		return f.hintLogin()
	case e.denied():
		return f.hintPolicy()
	case e.says("encryption key not found"):
		return "the key does not exist there: " + f.command("list") + " " + f.entry.EnginePath + "/keys shows those that do" + f.inNamespace()
	case e.code == http.StatusNotFound:
		return "no engine is mounted there: " + f.command("secrets list") + " must show " + f.entry.EnginePath + "/ with the type transit" + f.inNamespace()
	case e.code == http.StatusServiceUnavailable && e.says("sealed"):
		return "unseal the server: " + f.command("operator unseal")
	case e.says("version is disallowed by policy"):
		return "the version of the key is below min_decryption_version of " + f.key() + ": lower that, and wrap the data key anew"
	case e.says(wantsTLS):
		return "the server wants TLS: its address begins with https://"
	case e.code == http.StatusBadRequest && f.operation == keys.Unwrapping:
		return "it was wrapped with another key, or damaged: compare engine_path, key_name and enc with an earlier version of the document"
	case e.code == http.StatusTooManyRequests:
		return "raise the rate limit quota of the server, or seal to a SealingKey, which needs one call for many documents"
	}
	return ""
}

func (f failure) hintLogin() string {
	hint := "log in: " + f.command("login")
	if f.elsewhere() {
		hint += "; the token at hand is the one for " + strings.TrimSuffix(f.own, "/") + ", if any"
	}
	if os.Getenv(envAgentAddr) != "" {
		hint += "; " + envAgentAddr + " is not followed, because requests go to the address in the document only"
	}
	return hint
}

// hintPolicy is what the token lacks, ready to be put into a policy.
func (f failure) hintPolicy() string {
	hint := "a policy of the token must hold: path \"" + f.entry.EnginePath + "/" + f.verb() + "/" + f.entry.KeyName +
		"\" { capabilities = [\"update\"] }" + f.inNamespace()
	if f.operation == keys.Wrapping { // Vault asks for "create" then, because it would make the key
		hint += "; or the key does not exist, and somebody has to make it: " + f.command("write -f") + " " + f.key()
	}
	if f.elsewhere() {
		hint += "; and the token must be one of that server, not of " + strings.TrimSuffix(f.own, "/")
	}
	return hint
}

// hintNotTransit warns of an engine that stores what it is sent.
func (f failure) hintNotTransit() string {
	hint := "is " + f.entry.EnginePath + " a Transit engine? " + f.command("secrets list") + " shows the type of each"
	if f.operation == keys.Wrapping {
		hint += "; if it is a key/value engine, delete " + f.entry.EnginePath + "/encrypt/" + f.entry.KeyName +
			", which then holds the data key, and use a new data key"
	}
	return hint
}

func (f failure) verb() string {
	if f.operation == keys.Wrapping {
		return "encrypt"
	}
	return "decrypt"
}

func (f failure) address() string { return strings.TrimSuffix(f.entry.Address, "/") }
func (f failure) key() string     { return f.entry.EnginePath + "/keys/" + f.entry.KeyName }

// command is a command of vault's own program, which OpenBao's takes as well.
func (f failure) command(name string) string { return "vault " + name + " -address=" + f.address() }

// elsewhere reports whether the user's own server is another one.
func (f failure) elsewhere() bool {
	own := strings.TrimSuffix(f.own, "/")
	return own != "" && !strings.EqualFold(own, f.address()) && isAddress(own)
}

func (f failure) inNamespace() string {
	if ns := os.Getenv(envNamespace); ns != "" && chars.Only(ns, wordChars+".-/") {
		return ", in the namespace " + ns
	}
	return ""
}
