// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/seal/keys"
)

// meddler wraps data keys, and by that time does something else, too.
type meddler struct {
	keys.Wrapper
	meddle func()
}

func (m meddler) Wrap(ctx context.Context, to keys.Entry, secret []byte) (keys.Entry, error) {
	m.meddle()
	return m.Wrapper.Wrap(ctx, to, secret)
}

// TestConvertWritesOnlyWhatIsVerified has the source change after it was opened, and
// while it is sealed: the result is another Secret, and is not written, to a file of its
// own or to stdout.
func TestConvertWritesOnlyWhatIsVerified(t *testing.T) {
	for _, tt := range []struct {
		name, to string
		seal     []string
		meddle   func(*piece)
		good     bool
	}{
		{"to a SealedSecret", "sealedsecret", []string{"--as", "sops"}, func(*piece) {}, true},
		{"to SOPS", "sops", nil, func(*piece) {}, true},
		{"to a SealedSecret, another value", "sealedsecret", []string{"--as", "sops"}, func(p *piece) { p.secret.StringData["password"] = "x" }, false},
		{"to a SealedSecret, another type", "sealedsecret", []string{"--as", "sops"}, func(p *piece) { p.secret.Type = "x" }, false},
		{"to SOPS, another value", "sops", nil, func(p *piece) { p.secret.StringData["password"] = "x" }, false},
		{"to SOPS, another label", "sops", nil, func(p *piece) { p.secret.Labels["app"] = "x" }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			isolate(t)
			mine := newKeyFile(t)
			writeTestFile(t, "in/db.yaml", mustRun(t, convertSecret, append([]string{"seal", "--age", mine.recipient, "-"}, tt.seal...)...))
			writeTestFile(t, ".git/HEAD", "ref: refs/heads/main\n")
			writeTestFile(t, ".sops.yaml", "creation_rules: [{age: "+mine.recipient+"}]\n")
			t.Setenv("SOPS_AGE_KEY_FILE", mine.path)
			v := &convertCommand{console: console{err: io.Discard}, to: tt.to, outDir: "out", args: []string{"in"}}
			cmd := new(cobra.Command)
			v.recipientFlags.add(cmd)
			v.keyFlags.add(cmd)
			files, err := v.files(cmd, v.args)
			if err != nil {
				t.Fatal(err)
			}
			c, err := v.newRun(files, new(userkeys.Watch))
			if err != nil {
				t.Fatal(err)
			}
			meddled := 0
			c.wrapper = meddler{c.wrapper, func() {
				meddled++
				tt.meddle(files[0].pieces[0])
			}}
			if err := c.prepare(); err != nil {
				t.Fatal(err)
			}
			err = c.convertAll(t.Context())
			_, missing := os.Stat(filepath.Join("out", "db.yaml"))
			if differs := errors.As(err, new(*differsError)); differs == tt.good || (missing == nil) != tt.good || meddled != 1 {
				t.Errorf("ended with %v, its file: %v, sealed %d times", err, missing, meddled)
			}
			if (files[0].result != nil) != tt.good {
				t.Error("a result is kept that was refused")
			}
		})
	}
}
