// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

const targetStream = 0.1

func (b *bench) classic(ctx context.Context) ([]row, error) {
	return b.manyDocuments(ctx, "X25519", "--classic")
}

func (b *bench) hybrid(ctx context.Context) ([]row, error) {
	return b.manyDocuments(ctx, "hybrid")
}

// corpus is many small Secrets: each in a file, and all in one.
type corpus struct {
	*bench
	key     key
	dir     string
	content content
	names   []string // file names
}

// manyDocuments measures sealing and opening of many small Secrets: by signet
// in one stream, by signet one by one, and by sops, which knows one file.
func (b *bench) manyDocuments(ctx context.Context, kind string, keyFlags ...string) ([]row, error) {
	c, err := b.newCorpus(ctx, kind, keyFlags...)
	if err != nil {
		return nil, err
	}
	say("sealing %d documents for a key of type %s", b.documents, kind)
	sealed, err := takeTurns(ctx, b.rounds, c.sealing(ctx)...)
	if err != nil {
		return nil, err
	}
	say("opening %d documents with a key of type %s", b.documents, kind)
	opening := c.opening()
	opened, err := takeTurns(ctx, b.rounds, opening...)
	if err != nil {
		return nil, err
	}
	peak, err := peakRow(ctx, "  peak memory, of one run", b.rounds, opening[0].commands[0], opening[2].commands[0])
	title := func(verb, how string) string {
		return fmt.Sprintf("%s %d documents, %s, %s", verb, b.documents, kind, how)
	}
	return []row{
		timeRow(title("open", "one stream"), opened[0], opened[2], targetStream),
		peak,
		timeRow(title("open", "one by one"), opened[1], opened[2], 0),
		timeRow(title("seal", "one stream"), sealed[0], sealed[2], targetStream),
		timeRow(title("seal", "one by one"), sealed[1], sealed[2], 0),
	}, err
}

// newCorpus makes a corpus in a folder of that name, and a key.
func (b *bench) newCorpus(ctx context.Context, name string, keyFlags ...string) (*corpus, error) {
	c := &corpus{bench: b, dir: filepath.Join(b.dir, name), content: content{}}
	for _, sub := range []string{"plain", "signet", "sops", "signet-opened", "sops-opened"} {
		if err := os.MkdirAll(filepath.Join(c.dir, sub), 0o700); err != nil {
			return nil, err
		}
	}
	for i := range b.documents {
		name := fmt.Sprintf("secret-%04d", i)
		c.names = append(c.names, name+".yaml")
		text := newSecret(c.content, name, "username", "password", "url")
		if err := os.WriteFile(filepath.Join(c.dir, "plain", name+".yaml"), text, 0o600); err != nil {
			return nil, err
		}
	}
	stream, err := joined(c.files("plain"))
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(c.path("plain.yaml"), stream, 0o600); err != nil {
		return nil, err
	}
	c.key, err = b.newKey(ctx, c.dir, keyFlags...)
	return c, err
}

func (c *corpus) path(name string) string { return filepath.Join(c.dir, name) }

// files returns the files of the corpus in a folder.
func (c *corpus) files(sub string) []string {
	files := make([]string, len(c.names))
	for i, name := range c.names {
		files[i] = filepath.Join(c.dir, sub, name)
	}
	return files
}

// each makes a command for each file.
func (c *corpus) each(make func(k key, in, out string) command, from, to string) []command {
	var commands []command
	in, out := c.files(from), c.files(to)
	for i := range in {
		commands = append(commands, make(c.key, in[i], out[i]))
	}
	return commands
}

// sealing leaves its results where opening finds them.
func (c *corpus) sealing(ctx context.Context) []side {
	stream := c.signetSeal(c.key, c.path("plain.yaml"), c.path("signet.yaml"))
	return []side{
		{commands: []command{stream}, verify: func() error { return c.verifySealed(ctx, stream.stdout) }},
		{commands: c.each(c.signetSeal, "plain", "signet"), verify: func() error { return c.verifySealed(ctx, c.files("signet")...) }},
		{commands: c.each(c.sopsEncrypt, "plain", "sops"), verify: func() error { return c.verifySealed(ctx, c.files("sops")...) }},
	}
}

func (c *corpus) opening() []side {
	stream := c.signetUnseal(c.key, c.path("signet.yaml"), c.path("signet-opened.yaml"))
	return []side{
		{commands: []command{stream}, verify: func() error { return verifyOpened(c.content, stream.stdout) }},
		{commands: c.each(c.signetUnseal, "signet", "signet-opened"), verify: func() error { return verifyOpened(c.content, c.files("signet-opened")...) }},
		{commands: c.each(c.sopsDecrypt, "sops", "sops-opened"), verify: func() error { return verifyOpened(c.content, c.files("sops-opened")...) }},
	}
}

// verifySealed opens files of either program with signet, which knows both, in
// one go.
func (c *corpus) verifySealed(ctx context.Context, files ...string) error {
	return c.verifyBy(ctx, c.key, c.content, c.path("verify"), files...)
}

func (b *bench) verifyBy(ctx context.Context, k key, want content, scratch string, files ...string) error {
	stream, err := joined(files)
	if err != nil {
		return err
	}
	if err := os.WriteFile(scratch+".yaml", stream, 0o600); err != nil {
		return err
	}
	open := b.signetUnseal(k, scratch+".yaml", scratch+"-opened.yaml")
	if _, err := open.run(ctx); err != nil {
		return err
	}
	return verifyOpened(want, open.stdout)
}
