// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
)

// largeSecret is one Secret with many keys, and the same with one value
// changed.
type largeSecret struct {
	*bench
	key               key
	dir               string
	content, changed  content
	changedKey, value string
}

// large measures one Secret with many keys.
func (b *bench) large(ctx context.Context) ([]row, error) {
	say("sealing, opening and changing a Secret with %d keys", b.keys)
	l, err := b.newLarge(ctx)
	if err != nil {
		return nil, err
	}
	sealed, err := takeTurns(ctx, b.rounds, l.sealing(ctx)...)
	if err != nil {
		return nil, err
	}
	opening := l.opening()
	opened, err := takeTurns(ctx, b.rounds, opening...)
	if err != nil {
		return nil, err
	}
	peak, err := peakRow(ctx, "  peak memory", b.rounds, opening[0].commands[0], opening[1].commands[0])
	if err != nil {
		return nil, err
	}
	changed, err := takeTurns(ctx, b.rounds, l.changing(ctx)...)
	if err != nil {
		return nil, err
	}
	title := func(verb string) string { return fmt.Sprintf("%s a Secret with %d keys", verb, b.keys) }
	return []row{
		timeRow(title("open"), opened[0], opened[1], 0),
		peak,
		timeRow(title("seal"), sealed[0], sealed[1], 0),
		timeRow(title("change one value of"), changed[0], changed[1], 0),
	}, nil
}

func (b *bench) newLarge(ctx context.Context) (*largeSecret, error) {
	l := &largeSecret{bench: b, dir: filepath.Join(b.dir, "large"), content: content{}, value: "changed"}
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return nil, err
	}
	var keys []string
	for i := range b.keys {
		keys = append(keys, fmt.Sprintf("key-%04d", i))
	}
	l.changedKey = keys[b.keys/2]
	text := newSecret(l.content, "large", keys...)
	old := l.content["large/"+l.changedKey]
	l.changed = maps.Clone(l.content)
	l.changed["large/"+l.changedKey] = l.value
	if err := os.WriteFile(l.path("plain.yaml"), text, 0o600); err != nil {
		return nil, err
	}
	text = bytes.Replace(text, []byte(old), []byte(l.value), 1)
	if err := os.WriteFile(l.path("changed.yaml"), text, 0o600); err != nil {
		return nil, err
	}
	var err error
	l.key, err = b.newKey(ctx, l.dir, "--classic")
	return l, err
}

func (l *largeSecret) path(name string) string { return filepath.Join(l.dir, name) }

func (l *largeSecret) sealing(ctx context.Context) []side {
	signet := l.signetSeal(l.key, l.path("plain.yaml"), l.path("signet.yaml"))
	sops := l.sopsEncrypt(l.key, l.path("plain.yaml"), l.path("sops.yaml"))
	return []side{
		{commands: []command{signet}, verify: func() error { return l.verifySealed(ctx, l.content, signet.stdout) }},
		{commands: []command{sops}, verify: func() error { return l.verifySealed(ctx, l.content, sops.stdout) }},
	}
}

func (l *largeSecret) opening() []side {
	signet := l.signetUnseal(l.key, l.path("signet.yaml"), l.path("signet-opened.yaml"))
	sops := l.sopsDecrypt(l.key, l.path("sops.yaml"), l.path("sops-opened.yaml"))
	return []side{
		{commands: []command{signet}, verify: func() error { return verifyOpened(l.content, signet.stdout) }},
		{commands: []command{sops}, verify: func() error { return verifyOpened(l.content, sops.stdout) }},
	}
}

// changing compares sealing the changed Secret over its document with setting
// the value in the SOPS file. Both keep what has not changed. Only signet
// waits until the file is on the disk (fsync), so that part of its time is the
// disk's.
func (l *largeSecret) changing(ctx context.Context) []side {
	signet := l.signetSeal(l.key, l.path("changed.yaml"), l.path("out"))
	signet.args = append(signet.args, "-o", l.path("signet-changed.yaml"))
	sops := command{
		args:   []string{l.sops, "set", l.path("sops-changed.yaml"), fmt.Sprintf("[%q][%q]", "stringData", l.changedKey), fmt.Sprintf("%q", l.value)},
		env:    l.key.env,
		stdout: l.path("out"),
	}
	in := func(name string, c command) side {
		before, after := l.path(name+".yaml"), l.path(name+"-changed.yaml")
		return side{
			commands: []command{c},
			prepare:  func() error { return copyFile(before, after) },
			verify: func() error {
				const lines = 3 // the value, mac and lastmodified
				if err := verifyChangedLines(before, after, lines); err != nil {
					return err
				}
				return l.verifySealed(ctx, l.changed, after)
			},
		}
	}
	return []side{in("signet", signet), in("sops", sops)}
}

func (l *largeSecret) verifySealed(ctx context.Context, want content, file string) error {
	return l.verifyBy(ctx, l.key, want, l.path("verify"), file)
}
