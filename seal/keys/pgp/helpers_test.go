// SPDX-License-Identifier: Apache-2.0

package pgp

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signet-secrets/signet/seal/keys"
)

// All keys in these tests are made at test time and open nothing else.

const testSecret = "canary0123456789ABCDEF-not-a-key" // 32 bytes

// Kinds of keys, as gpg's unattended key generation wants them.
const (
	curveKey = "Key-Type: eddsa\nKey-Curve: ed25519\nSubkey-Type: ecdh\nSubkey-Curve: cv25519\n"
	rsaKey   = "Key-Type: rsa\nKey-Length: 2048\nSubkey-Type: rsa\nSubkey-Length: 2048\n"
	signKey  = "Key-Type: eddsa\nKey-Curve: ed25519\n"

	noPassphrase = "%no-protection\n"
	passphrase   = "Passphrase: correct horse battery staple\n"
	expired      = "Creation-Date: 20190101T000000\nExpire-Date: 20200101T000000\n"
)

// agentConf has gpg-agent protect keys with the fewest rounds that there are.
// By default it measures how many this machine does in 100 ms, for each new
// agent, which is most of what these tests would take.
const agentConf = "s2k-count 65536\n"

// newHome points GNUPGHOME at a new directory for the test, the path of which
// is short enough for the sockets of gpg-agent. The agent ends with the test.
func newHome(t testing.TB) string {
	t.Helper()
	for _, program := range []string{"gpg", "gpgconf"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%s is needed for this test: install GnuPG (apt-get install gnupg, brew install gnupg)", program)
		}
	}
	dir, err := os.MkdirTemp("", "sg")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "gpg-agent.conf"), []byte(agentConf), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("gpgconf", "--homedir", dir, "--kill", "all").CombinedOutput(); err != nil {
			t.Errorf("end gpg-agent: %v: %s", err, out)
		}
		os.RemoveAll(dir)
	})
	t.Setenv("GNUPGHOME", dir)
	t.Setenv("SOPS_GPG_EXEC", "")
	t.Setenv("GPG_TTY", "")
	return dir
}

// newKey makes a key in the key ring of GNUPGHOME and returns the fingerprints
// of the key and of its subkey, if it has one.
func newKey(t testing.TB, mail string, parameters ...string) (fingerprint, subkey string) {
	t.Helper()
	text := strings.Join(parameters, "") + "Name-Email: " + mail + "\n%commit\n"
	gpg(t, []byte(text), "--pinentry-mode", "loopback", "--gen-key")
	for line := range strings.Lines(string(gpg(t, nil, "--with-colons", "--list-keys", mail))) {
		f := strings.Split(line, ":")
		switch {
		case f[0] == "fpr" && fingerprint == "":
			fingerprint = f[9]
		case f[0] == "fpr":
			subkey = f[9]
		}
	}
	if len(fingerprint) != fingerprintV4 {
		t.Fatalf("gpg made no key: %q", fingerprint)
	}
	return fingerprint, subkey
}

// gpg runs the real gpg, not the package, and returns its output.
func gpg(t testing.TB, stdin []byte, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("gpg", append([]string{"--batch", "--no-tty", "--trust-model", "always"}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("gpg %q: %v\n%s", args, err, stderr.Bytes())
	}
	return stdout.Bytes()
}

// wrap wraps testSecret.
func wrap(t testing.TB, fingerprint string) keys.PGPEntry {
	t.Helper()
	e, err := New(Options{}).Wrap(t.Context(), keys.PGPEntry{Fingerprint: fingerprint}, []byte(testSecret))
	if err != nil {
		t.Fatal(err)
	}
	return e.(keys.PGPEntry)
}

// script writes a shell script and returns its path.
func script(t testing.TB, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// setPinentry has the agent of home ask for passphrases with a script.
func setPinentry(t testing.TB, home, path string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(home, "gpg-agent.conf"), []byte(agentConf+"pinentry-program "+path+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("gpgconf", "--kill", "gpg-agent").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	// The agent has only agreed to end. Who reaches it before that is told that
	// there is no secret key.
	socket, err := exec.Command("gpgconf", "--list-dirs", "agent-socket").Output()
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the end of gpg-agent", func() bool {
		_, err := os.Lstat(strings.TrimSpace(string(socket)))
		return errors.Is(err, fs.ErrNotExist)
	})
}

// eventually waits for a condition.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	const patience = 30 * time.Second
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v in vain for %s", patience, what)
		}
	}
}

// neverRun is a Program that must not be run.
func neverRun(t testing.TB) *Service {
	t.Helper()
	mark := filepath.Join(t.TempDir(), "mark")
	t.Cleanup(func() {
		if _, err := os.Stat(mark); err == nil {
			t.Error("gpg was run")
		}
	})
	return New(Options{Program: script(t, "touch '"+mark+"'; exit 2\n")})
}

// mustFail checks the form that every error has, and returns it.
func mustFail(t testing.TB, err error, want string) *keys.CallError {
	t.Helper()
	call := new(keys.CallError)
	if !errors.As(err, &call) {
		t.Fatalf("got %v, want a *keys.CallError", err)
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("got %q, want something with %q", err, want)
	}
	noSecretIn(t, err.Error()+call.Hint)
	return call
}

func noSecretIn(t testing.TB, text string) {
	t.Helper()
	for _, form := range []string{testSecret, "canary", base64.StdEncoding.EncodeToString([]byte(testSecret))[:20], "63616e617279"} {
		if strings.Contains(text, form) {
			t.Errorf("%q holds the secret", text)
		}
	}
	if strings.ContainsAny(text, "\n\x1b\x00") || len(text) > 2000 {
		t.Errorf("unfit text %q", text)
	}
}

// enarmor is the reverse of dearmor.
func enarmor(message []byte) string {
	text := base64.StdEncoding.EncodeToString(message)
	var lines []string
	for len(text) > 64 {
		lines = append(lines, text[:64])
		text = text[64:]
	}
	return armorBegin + "\n\n" + strings.Join(append(lines, text), "\n") + "\n" + armorEnd
}
