// SPDX-License-Identifier: Apache-2.0

package agekey

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signet-secrets/signet/seal/keys"
)

// The command sees the recipient, runs once for each, and writes to Stderr.
func TestCommandPerRecipient(t *testing.T) {
	dir := t.TempDir()
	a, b := newX25519(t), newX25519(t)
	write(t, filepath.Join(dir, a.Recipient()), []byte(a.Reveal()))
	write(t, filepath.Join(dir, b.Recipient()), []byte(b.Reveal()))
	script := write(t, filepath.Join(dir, "get key.sh"), []byte("echo asked >&2\ncat \"$1/$SOPS_AGE_RECIPIENT\"\n"))
	var stderr bytes.Buffer
	u := NewUnwrapper(Sources{
		LookupEnv: env(map[string]string{envKeyCmd: `sh "` + script + `" '` + dir + `'`}),
		Stderr:    &stderr,
	})
	for range 2 {
		for _, id := range []Identity{a, b} {
			if _, err := u.Unwrap(t.Context(), wrap(t, id.Recipient(), make([]byte, 32))); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := stderr.String(); got != "asked\nasked\n" {
		t.Errorf("stderr is %q, want two runs", got)
	}
}

func TestCommandFailures(t *testing.T) {
	e := wrap(t, newX25519(t).Recipient(), make([]byte, 32))
	for _, tt := range []struct{ name, line, want string }{
		{"exit", "sh -c 'exit 7'", "exit status 7"},
		{"missing", "signet-no-such-program", "not in PATH"},
		{"missing path", "/signet/no/such/program", "cannot be run"},
		{"quotes", "cat 'x", "cannot be split"},
		{"blank", "  ", "cannot be split"},
		{"comment", "# nothing", "cannot be split"},
		{"no output", "true", "no identity in it"},
		{"too much", "head -c 2000000 /dev/zero", "more than"},
		{"garbage", "echo hunter2", "line 1: it is not an age identity"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := NewUnwrapper(Sources{LookupEnv: env(map[string]string{envKeyCmd: tt.line})}).Unwrap(t.Context(), e)
			mustContain(t, err, "SOPS_AGE_KEY_CMD", tt.want)
			if !errors.Is(err, keys.ErrNoIdentity) {
				t.Errorf("%v does not wrap ErrNoIdentity", err)
			}
		})
	}
}

// A command is killed when its context ends, and that run does not count.
func TestCommandCancelled(t *testing.T) {
	dir := t.TempDir()
	id := newX25519(t)
	started, ready := filepath.Join(dir, "started"), filepath.Join(dir, "ready")
	key := tempFile(t, id.Reveal())
	script := write(t, filepath.Join(dir, "key.sh"), []byte(strings.NewReplacer(
		"READY", ready, "STARTED", started, "KEY", key).Replace(
		"if [ -e READY ]; then exec cat KEY; fi\necho $$ >STARTED.new; mv STARTED.new STARTED\nexec sleep 1000\n")))
	u := NewUnwrapper(Sources{LookupEnv: env(map[string]string{envKeyCmd: "sh " + script})})
	e := wrap(t, id.Recipient(), make([]byte, 32))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := u.Unwrap(ctx, e)
		done <- err
	}()
	eventually(t, func() bool { _, err := os.Stat(started); return err == nil })
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	write(t, ready, nil)
	if _, err := u.Unwrap(t.Context(), e); err != nil {
		t.Errorf("after a cancelled run: %v", err)
	}
}

func TestCancelledBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	id := newX25519(t)
	_, err := NewUnwrapper(Sources{Identities: []Identity{id}}).Unwrap(ctx, wrap(t, id.Recipient(), make([]byte, 32)))
	if !errors.Is(err, context.Canceled) || errors.Is(err, keys.ErrNoIdentity) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}
