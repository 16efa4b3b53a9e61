// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/signet-secrets/signet/internal/kmstest"
)

// targetRenewal is for one run over many files beside a run of sops for each.
const targetRenewal = 0.1

// renewals measures adding a key to many documents, and new data keys for them:
// one run of signet beside a loop of sops over the same Secrets.
func (b *bench) renewals(ctx context.Context) ([]row, error) {
	server, err := kmstest.New(kmstest.Options{})
	if err != nil {
		return nil, err
	}
	defer server.Close()
	more := *b
	more.documents = b.renewed
	r, err := more.newRenewal(ctx, server)
	if err != nil {
		return nil, err
	}
	server.SetFaults(kmstest.Faults{Latency: kmsLatency})
	rounds := max(1, b.rounds/5) // a round of sops takes minutes
	say("adding a key to %d documents", b.renewed)
	rewrapped, err := takeTurns(ctx, rounds, r.rewrapping(ctx)...)
	if err != nil {
		return nil, err
	}
	say("making new data keys for %d documents", b.renewed)
	rotated, err := takeTurns(ctx, rounds, r.rotating(ctx)...)
	if err != nil {
		return nil, err
	}
	title := func(what, how string) string {
		return fmt.Sprintf("%s %d documents, KMS at %v, beside `%s` for each", what, b.renewed, kmsLatency, how)
	}
	return []row{
		timeRow(title("rewrap", "sops updatekeys"), rewrapped[0], rewrapped[1], targetRenewal),
		timeRow(title("rotate", "sops rotate"), rotated[0], rotated[1], targetRenewal),
	}, nil
}

// renewal is a corpus that is sealed for one KMS key, and rules that name one more.
type renewal struct {
	*corpus
	server   *kmstest.Server
	old, new string // ARNs
	sealed   string // folder with a folder for each program
}

func (b *bench) newRenewal(ctx context.Context, server *kmstest.Server) (*renewal, error) {
	c, err := b.newCorpus(ctx, "renewal", "--classic")
	if err != nil {
		return nil, err
	}
	c.key.env = append(c.key.env, server.Env()...)
	r := &renewal{corpus: c, server: server, old: server.CreateKey(kmstest.Key{}), new: server.CreateKey(kmstest.Key{}), sealed: c.path("sealed")}
	for name, arns := range map[string]string{"one": r.old, "both": r.old + "," + r.new} {
		rules := fmt.Sprintf("creation_rules:\n  - kms: %s\n", arns)
		if err := os.WriteFile(r.rules(name), []byte(rules), 0o600); err != nil {
			return nil, err
		}
	}
	for program, as := range map[string]string{"signet": "sealedsecret", "sops": "sops"} {
		dir := filepath.Join(r.sealed, program)
		if err := os.CopyFS(dir, os.DirFS(c.path("plain"))); err != nil {
			return nil, err
		}
		seal := command{args: []string{b.signet, "seal", "-i", "--as", as, "--kms", r.old, dir}, env: c.key.env, stdout: c.path("out")}
		if _, err := seal.run(ctx); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *renewal) rules(name string) string { return r.path(name + ".rules.yaml") }

func (r *renewal) rewrapping(ctx context.Context) []side {
	wrapped := func(file string) error { return contains(file, r.new) }
	return []side{
		r.side(ctx, "signet", wrapped, 1, []string{r.signet, "rewrap", "--config", r.rules("both"), r.path("signet")}),
		r.side(ctx, "sops", wrapped, 0, r.loop(r.sops, "--config", r.rules("both"), "updatekeys", "-y")...),
	}
}

func (r *renewal) rotating(ctx context.Context) []side {
	renewed := func(file string) error {
		return changed(filepath.Join(r.sealed, filepath.Base(filepath.Dir(file)), filepath.Base(file)), file)
	}
	return []side{
		r.side(ctx, "signet", renewed, 1, []string{r.signet, "rotate", "--config", r.rules("one"), r.path("signet")}),
		r.side(ctx, "sops", renewed, 0, r.loop(r.sops, "rotate", "-i")...),
	}
}

// loop gives the arguments of a run for each file.
func (r *renewal) loop(args ...string) [][]string {
	var all [][]string
	for _, file := range r.files("sops") {
		all = append(all, append(args[:len(args):len(args)], file))
	}
	return all
}

// side runs commands over fresh copies of the sealed files of a program. perFile,
// if it is not 0, is how many calls of each kind KMS may get for a file.
func (r *renewal) side(ctx context.Context, program string, check func(file string) error, perFile int, runs ...[]string) side {
	var s side
	for _, args := range runs {
		s.commands = append(s.commands, command{args: args, env: r.key.env, stdout: r.path("out")})
	}
	s.prepare = func() error {
		if err := os.RemoveAll(r.path(program)); err != nil {
			return err
		}
		r.server.ResetCounts()
		return os.CopyFS(r.path(program), os.DirFS(filepath.Join(r.sealed, program)))
	}
	s.verify = func() error {
		for _, operation := range []string{"Decrypt", "Encrypt"} {
			if got := r.server.Count(operation); perFile > 0 && got != perFile*r.documents {
				return fmt.Errorf("%s: %d calls of %s for %d files", program, got, operation, r.documents)
			}
		}
		for _, file := range r.files(program) {
			if err := check(file); err != nil {
				return err
			}
		}
		return r.verifySealed(ctx, r.files(program)...)
	}
	return s
}

func contains(file, text string) error {
	b, err := os.ReadFile(file)
	if err == nil && !bytes.Contains(b, []byte(text)) {
		err = fmt.Errorf("verify %s: lacks %s", file, text)
	}
	return err
}

func changed(before, after string) error {
	old, err := os.ReadFile(before)
	if err != nil {
		return err
	}
	now, err := os.ReadFile(after)
	if err == nil && bytes.Equal(old, now) {
		err = fmt.Errorf("verify %s: is as it was", after)
	}
	return err
}
