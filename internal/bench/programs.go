// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const targetStart = 0.5

// start measures programs that have nothing to do.
func (b *bench) start(ctx context.Context) ([]row, error) {
	say("starting each program %d times", b.starts)
	commands := []command{
		{args: []string{b.signet, "version"}, stdout: filepath.Join(b.dir, "signet-version")},
		{args: []string{b.sops, "--version", "--disable-version-check"}, stdout: filepath.Join(b.dir, "sops-version")},
	}
	sides := make([]side, len(commands))
	for i, c := range commands {
		program := filepath.Base(c.args[0])
		sides[i] = side{commands: []command{c}, verify: func() error {
			out, err := os.ReadFile(c.stdout)
			if err == nil && !bytes.HasPrefix(out, []byte(program+" ")) {
				err = fmt.Errorf("%s printed no version", program)
			}
			return err
		}}
	}
	if _, err := takeTurns(ctx, 2, sides...); err != nil { // reads the programs from disk
		return nil, err
	}
	costs, err := takeTurns(ctx, b.starts, sides...)
	if err != nil {
		return nil, err
	}
	peak, err := peakRow(ctx, "  peak memory", b.rounds, commands[0], commands[1])
	return []row{timeRow("start, print the version", costs[0], costs[1], targetStart), peak}, err
}

// builds compares what the programs are made of.
func (b *bench) builds(ctx context.Context) ([]row, error) {
	signet, err := fileSize(b.signet)
	if err != nil {
		return nil, err
	}
	sops, err := fileSize(b.sops)
	if err != nil {
		return nil, err
	}
	ours, err := packages(ctx, b.root, "./cmd/signet")
	if err != nil {
		return nil, err
	}
	theirs, err := packages(ctx, filepath.Join(b.root, "internal", "testbin", "sops"), "github.com/getsops/sops/v3/cmd/sops")
	if err != nil {
		return nil, err
	}
	count := row{
		work:   "packages, without the standard library",
		signet: fmt.Sprint(ours), sops: fmt.Sprint(theirs),
		ratio: float64(ours) / float64(theirs),
	}
	return []row{sizeRow("binary, stripped", signet, sops), count}, nil
}

func fileSize(name string) (float64, error) {
	info, err := os.Stat(name)
	if err != nil {
		return 0, err
	}
	return float64(info.Size()), nil
}

// packages counts what a program links besides the standard library.
func packages(ctx context.Context, dir, program string) (int, error) {
	lines, err := goList(ctx, dir, "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", program)
	return len(lines), err
}

// key is an age key that both programs use.
type key struct {
	file, recipient string
	env             []string
}

// newKey makes a key in dir.
func (b *bench) newKey(ctx context.Context, dir string, flags ...string) (key, error) {
	k := key{file: filepath.Join(dir, "key.txt")}
	k.env = []string{"HOME=" + dir, "SOPS_AGE_KEY_FILE=" + k.file}
	args := append([]string{b.signet, "key", "generate"}, flags...)
	if _, err := (command{args: args, env: k.env, stdout: k.file}).run(ctx); err != nil {
		return k, err
	}
	text, err := os.ReadFile(k.file)
	if err != nil {
		return k, err
	}
	for line := range strings.Lines(string(text)) {
		if recipient, ok := strings.CutPrefix(line, "# public key: "); ok {
			k.recipient = strings.TrimSpace(recipient)
			return k, nil
		}
	}
	return k, fmt.Errorf("no public key in %s", k.file)
}

// The commands that are compared. Where signet takes several files, it is
// given one that holds them all.

func (b *bench) signetSeal(k key, in, out string) command {
	return command{args: []string{b.signet, "seal", "--age", k.recipient, in}, env: k.env, stdout: out}
}

func (b *bench) signetUnseal(k key, in, out string) command {
	return command{args: []string{b.signet, "unseal", in}, env: k.env, stdout: out}
}

func (b *bench) sopsEncrypt(k key, in, out string) command {
	args := []string{b.sops, "encrypt", "--age", k.recipient, "--encrypted-regex", "^(data|stringData)$", in}
	return command{args: args, env: k.env, stdout: out}
}

func (b *bench) sopsDecrypt(k key, in, out string) command {
	return command{args: []string{b.sops, "decrypt", in}, env: k.env, stdout: out}
}
