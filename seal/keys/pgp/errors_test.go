// SPDX-License-Identifier: Apache-2.0

package pgp

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signet-secrets/signet/seal/keys"
)

func TestNoGPG(t *testing.T) {
	e := keys.PGPEntry{Fingerprint: someFingerprint, Enc: enarmor([]byte(someMessage))}
	t.Setenv("SOPS_GPG_EXEC", "")
	t.Setenv("PATH", t.TempDir())
	for name, s := range map[string]*Service{
		"PATH":   New(Options{}),
		"option": New(Options{Program: filepath.Join(t.TempDir(), "gpg")}),
	} {
		_, err := s.Wrap(t.Context(), e, []byte(testSecret))
		call := mustFail(t, err, "run gpg: ")
		if !call.Permanent || !strings.Contains(call.Hint, "install GnuPG") || errors.Is(err, keys.ErrNoIdentity) {
			t.Errorf("%s: got %+v", name, call)
		}
	}
	_, err := New(Options{}).Unwrap(t.Context(), e)
	if mustFail(t, err, `run gpg: "gpg": executable file not found`); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

// Public keys that gpg does not encrypt for.
func TestWrapKeys(t *testing.T) {
	newHome(t)
	old, _ := newKey(t, "old@example.com", noPassphrase, curveKey, expired)
	sign, _ := newKey(t, "sign@example.com", noPassphrase, signKey)
	for name, fingerprint := range map[string]string{"missing": someFingerprint, "expired": old, "signing only": sign} {
		t.Run(name, func(t *testing.T) {
			got, err := New(Options{}).Wrap(t.Context(), keys.PGPEntry{Fingerprint: fingerprint}, []byte(testSecret))
			call := mustFail(t, err, "wrap for pgp "+fingerprint+": gpg: "+fingerprint+": skipped: ")
			if !call.Permanent || got != nil || !strings.Contains(call.Hint, "gpg --list-keys "+fingerprint+" ") {
				t.Errorf("got %v, %+v", got, call)
			}
		})
	}
}

func TestNoSecretKey(t *testing.T) {
	newHome(t)
	fingerprint, _ := newKey(t, "elsewhere@example.com", noPassphrase, curveKey)
	e := wrap(t, fingerprint)
	e.Fingerprint += "!"
	newHome(t)
	got, err := New(Options{}).Unwrap(t.Context(), e)
	call := mustFail(t, err, "no matching identity: gpg has no secret key ")
	if !call.Permanent || got != nil || !errors.Is(err, keys.ErrNoIdentity) ||
		!strings.Contains(call.Hint, "gpg --list-secret-keys "+fingerprint+" must") || !strings.Contains(call.Hint, "GNUPGHOME") {
		t.Errorf("got %v, %+v", got, call)
	}
}

// Messages that gpg decrypts, and that hold no secret.
func TestUnwrapContent(t *testing.T) {
	newHome(t)
	fingerprint, _ := newKey(t, "content@example.com", noPassphrase, curveKey)
	encrypt := func(plain []byte, args ...string) string {
		return string(gpg(t, plain, append(args, "--armor", "--encrypt", "--recipient", fingerprint)...))
	}
	damaged, err := decode(wrap(t, fingerprint).Enc)
	if err != nil {
		t.Fatal(err)
	}
	damaged[len(damaged)-3] ^= 1
	bomb := make([]byte, 50<<20)
	tests := []struct {
		name, enc, want string
	}{
		{"empty", encrypt(nil), "secret has 0 bytes, want 32 or 33"},
		{"short", encrypt(make([]byte, 31)), "31 bytes"},
		{"long", encrypt(make([]byte, 34)), "34 bytes"},
		{"most", encrypt(make([]byte, maxPlainBytes)), "4096 bytes"},
		{"compressed", encrypt(bomb, "--compress-algo", "zlib"), ""},
		{"compressed better", encrypt(bomb, "--compress-algo", "bzip2"), ""},
		{"manipulated", enarmor(damaged), "damaged or manipulated"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := New(Options{}).Unwrap(t.Context(), keys.PGPEntry{Fingerprint: fingerprint, Enc: tt.enc})
			if call := mustFail(t, err, tt.want); !call.Permanent || got != nil || errors.Is(err, keys.ErrNoIdentity) {
				t.Errorf("got %d bytes, %+v", len(got), call)
			}
		})
	}
}

// A gpg that does not stop by itself is stopped.
func TestTooMuch(t *testing.T) {
	s := New(Options{Program: script(t, "while :; do echo 0123456789012345678901234567890123456789; done\n")})
	_, err := s.Unwrap(t.Context(), keys.PGPEntry{Fingerprint: someFingerprint, Enc: enarmor([]byte(someMessage))})
	if call := mustFail(t, err, "more than a wrapped key can hold"); !call.Permanent {
		t.Errorf("got %+v", call)
	}
	loud := New(Options{Program: script(t, "i=0; while [ $i -lt 20000 ]; do echo 'gpg: 0123456789' >&2; i=$((i+1)); done; exit 2\n")})
	_, err = loud.Unwrap(t.Context(), keys.PGPEntry{Fingerprint: someFingerprint, Enc: enarmor([]byte(someMessage))})
	mustFail(t, err, "0123456789; ")
}

// What the agent cannot get a passphrase for. The pinentry is a script.
func TestPassphrase(t *testing.T) {
	home := newHome(t)
	fingerprint, _ := newKey(t, "protected@example.com", curveKey, passphrase)
	e := wrap(t, fingerprint)
	answer := func(pin string) string {
		return script(t, "echo OK\nwhile read -r line; do case $line in GETPIN*) printf '"+pin+"\\n';; *) echo OK;; esac; done\n")
	}
	const cancelled = "ERR 83886179 Operation cancelled <Pinentry>" // as pinentry says it
	tests := []struct {
		name, pinentry, want, hint string
		permanent                  bool
	}{
		{"wrong", answer(`D wrong\nOK`), "wrong passphrase", "", false},
		{"cancelled", answer(cancelled), "was cancelled", "", false},
		{"no terminal", answer("ERR 83918950 Inappropriate ioctl for device <Pinentry>"), "no terminal", "export GPG_TTY=$(tty)", true},
		{"no pinentry", "/nonexistent/pinentry", "no pinentry", "install a pinentry", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			setPinentry(t, home, tt.pinentry)
			got, err := New(Options{}).Unwrap(t.Context(), e)
			call := mustFail(t, err, tt.want)
			if call.Permanent != tt.permanent || !strings.Contains(call.Hint, tt.hint) || (tt.hint == "") != (call.Hint == "") || got != nil {
				t.Errorf("got %d bytes, %+v", len(got), call)
			}
		})
	}
	setPinentry(t, home, answer(`D correct horse battery staple\nOK`))
	if got, err := New(Options{}).Unwrap(t.Context(), e); err != nil || string(got) != testSecret {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
}

// A pinentry that never answers does not hold anybody longer than they want.
func TestPatience(t *testing.T) {
	home := newHome(t)
	fingerprint, _ := newKey(t, "patience@example.com", curveKey, passphrase)
	e := wrap(t, fingerprint)
	asked := filepath.Join(t.TempDir(), "asked")
	setPinentry(t, home, script(t, "touch '"+asked+"'\nwhile read -r line; do :; done\n"))
	t.Run("timeout", func(t *testing.T) {
		_, err := New(Options{Timeout: 2 * time.Second}).Unwrap(t.Context(), e)
		call := mustFail(t, err, "gpg did not finish within 2s")
		if !errors.Is(err, context.DeadlineExceeded) || call.Permanent || !strings.Contains(call.Hint, "GPG_TTY") {
			t.Errorf("got %+v", call)
		}
	})
	setPinentry(t, home, script(t, "touch '"+asked+"'\nwhile read -r line; do :; done\n"))
	os.Remove(asked)
	t.Run("context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done := make(chan error, 1)
		go func() {
			_, err := New(Options{}).Unwrap(ctx, e)
			done <- err
		}()
		waitFor(t, asked)
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	// A script leaves its children behind when it is killed, with its pipes.
	t.Run("script", func(t *testing.T) {
		pidFile := asked + ".pid"
		s := New(Options{Program: script(t, "sleep 600 & echo $! >'"+pidFile+".new'; mv '"+pidFile+".new' '"+pidFile+"'; wait\n")})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done := make(chan error, 1)
		go func() {
			_, err := s.Wrap(ctx, keys.PGPEntry{Fingerprint: fingerprint}, []byte(testSecret))
			done <- err
		}()
		waitFor(t, pidFile)
		cancel()
		select {
		case err := <-done:
			if mustFail(t, err, "context canceled"); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		case <-time.After(time.Minute):
			t.Error("waits for the child of the script")
		}
		pid, err := os.ReadFile(pidFile)
		if err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("kill", strings.TrimSpace(string(pid))).CombinedOutput(); err != nil {
			t.Errorf("the child of the script was gone: %v: %s", err, out)
		}
	})
}

func waitFor(t *testing.T, path string) {
	t.Helper()
	eventually(t, path, func() bool {
		_, err := os.Stat(path)
		return err == nil
	})
}

// A gpg that repeats what it was given on stderr, in any form, does not get it
// into an error.
func TestSecrecy(t *testing.T) {
	for name, said := range map[string]string{
		"as it is": testSecret,
		"hex":      hex.EncodeToString([]byte(testSecret)),
		"HEX":      strings.ToUpper(hex.EncodeToString([]byte(testSecret))),
		"base64":   base64.StdEncoding.EncodeToString([]byte(testSecret)),
	} {
		for _, line := range []string{"gpg: can't handle " + said + " there", "[GNUPG:] NO_SECKEY " + said} {
			s := New(Options{Program: script(t, "echo '"+line+"' >&2; exit 2\n")})
			_, err := s.Wrap(t.Context(), keys.PGPEntry{Fingerprint: someFingerprint}, []byte(testSecret))
			mustFail(t, err, "gpg")
			if strings.Contains(strings.ToLower(err.Error()), "63616e61727930") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	message := []byte(someMessage)
	s := New(Options{Program: script(t, "cat >&2; exit 2\n")})
	_, err := s.Unwrap(t.Context(), keys.PGPEntry{Fingerprint: someFingerprint, Enc: enarmor(message)})
	mustFail(t, err, "gpg: ...")
	if bytes.Contains([]byte(err.Error()), message[5:]) {
		t.Errorf("%v", err)
	}
}

// What gpg is told to do without, whatever its configuration says.
func TestArguments(t *testing.T) {
	seen := filepath.Join(t.TempDir(), "seen")
	s := New(Options{Program: script(t, "printf '%s\\n' \"$@\" >'"+seen+"'; exit 2\n")})
	read := func() string {
		text, err := os.ReadFile(seen)
		if err != nil {
			t.Fatal(err)
		}
		return "\n" + string(text)
	}
	both := []string{"--batch", "--no-tty", "--no-auto-key-locate", "--keyserver-options\nno-auto-key-retrieve", "--output\n-"}
	s.Wrap(t.Context(), keys.PGPEntry{Fingerprint: someFingerprint}, []byte(testSecret))
	for _, want := range append(both, "--no-encrypt-to", "--no-default-recipient", "--encrypt\n--recipient\n"+someFingerprint) {
		if got := read(); !strings.Contains(got, "\n"+want+"\n") {
			t.Errorf("wrap: no %q in %q", want, got)
		}
	}
	s.Unwrap(t.Context(), keys.PGPEntry{Fingerprint: "alice@example.com", Enc: enarmor([]byte(someMessage))})
	for _, want := range append(both, "--max-output\n4096", "--decrypt") {
		if got := read(); !strings.Contains(got, "\n"+want+"\n") || strings.Contains(got, "alice") {
			t.Errorf("unwrap: no %q in %q", want, got)
		}
	}
}
