// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/signet-secrets/signet/internal/kmstest"
)

// kmsLatency is how long the KMS of the bench takes for an answer, as the real
// one does within a Region.
const kmsLatency = 15 * time.Millisecond

// What KSOPS 4.5.1, which opens 20 files at a time in one process, takes for
// 200 documents at 15 ms a call was measured beside 200 runs of `sops decrypt`
// for an age key: 0.74 s to 4.5 s. Direct KMS should not be slower than that,
// and a SealingKey three times as fast.
const (
	ksopsKMS         = 0.74 / 4.5
	targetDirect     = ksopsKMS
	targetSealingKey = ksopsKMS / 3
)

// keyServices measures opening with AWS KMS, directly and through a SealingKey,
// beside sops with the same KMS, and with an age key, for which it needs no call.
func (b *bench) keyServices(ctx context.Context) ([]row, error) {
	server, err := kmstest.New(kmstest.Options{})
	if err != nil {
		return nil, err
	}
	defer server.Close()
	k, err := b.newKMSCorpus(ctx, "KMS", server)
	if err != nil {
		return nil, err
	}
	server.SetFaults(kmstest.Faults{Latency: kmsLatency})
	say("sealing %d documents with KMS", b.documents)
	sealed, err := takeTurns(ctx, b.rounds, k.sealing(ctx)...)
	if err != nil {
		return nil, err
	}
	say("opening %d documents with KMS", b.documents)
	opened, err := takeTurns(ctx, b.rounds, k.opening(ctx)...)
	if err != nil {
		return nil, err
	}
	title := func(how string) string {
		return fmt.Sprintf("open %d documents, KMS at %v, %s", b.documents, kmsLatency, how)
	}
	const age = "  the same beside `sops decrypt` with an age key"
	return []row{
		timeRow(title("one SealingKey"), opened[0], opened[2], targetStream),
		timeRow(age, opened[0], opened[3], targetSealingKey),
		timeRow(title("direct"), opened[1], opened[2], targetStream),
		timeRow(age, opened[1], opened[3], targetDirect),
		timeRow(fmt.Sprintf("seal %d documents, KMS at %v, direct", b.documents, kmsLatency), sealed[0], sealed[1], targetStream),
	}, nil
}

// kmsCorpus is a corpus for a key of KMS.
type kmsCorpus struct {
	*corpus
	server    *kmstest.Server
	arn       string
	recipient string // of the SealingKey
}

// newKMSCorpus makes the content in a folder of that name, a KMS key and a
// SealingKey, and seals once for the latter and for an age key.
func (b *bench) newKMSCorpus(ctx context.Context, name string, server *kmstest.Server) (*kmsCorpus, error) {
	c, err := b.newCorpus(ctx, name, "--classic")
	if err != nil {
		return nil, err
	}
	k := &kmsCorpus{corpus: c, server: server, arn: server.CreateKey(kmstest.Key{})}
	k.key.env = append(k.key.env, server.Env()...)
	if err := os.MkdirAll(k.path("age"), 0o700); err != nil {
		return nil, err
	}
	if k.recipient, err = k.newSealingKey(ctx); err != nil {
		return nil, err
	}
	first := append(k.each(k.sopsEncrypt, "plain", "age"), command{
		args: []string{b.signet, "seal", "--age", k.recipient, k.path("plain.yaml")}, env: k.key.env, stdout: k.path("sealingkey.yaml"),
	})
	_, err = runAll(ctx, first)
	return k, err
}

// newSealingKey returns the recipient of a new SealingKey.
func (k *kmsCorpus) newSealingKey(ctx context.Context) (string, error) {
	create := command{
		args: []string{k.signet, "key", "create", "bench", "--kms", k.arn, "-o", k.path("key.yaml")}, env: k.key.env, stdout: k.path("recipient"),
	}
	if _, err := create.run(ctx); err != nil {
		return "", err
	}
	recipient, err := os.ReadFile(create.stdout)
	return strings.TrimSpace(string(recipient)), err
}

func (k *kmsCorpus) sealing(ctx context.Context) []side {
	stream := command{args: []string{k.signet, "seal", "--kms", k.arn, k.path("plain.yaml")}, env: k.key.env, stdout: k.path("signet.yaml")}
	return []side{
		{commands: []command{stream}, verify: func() error { return k.verifySealed(ctx, stream.stdout) }},
		{commands: k.each(k.sopsEncryptKMS, "plain", "sops"), verify: func() error { return k.verifySealed(ctx, k.files("sops")...) }},
	}
}

func (k *kmsCorpus) sopsEncryptKMS(key key, in, out string) command {
	args := []string{k.sops, "encrypt", "--kms", k.arn, "--encrypted-regex", "^(data|stringData)$", in}
	return command{args: args, env: key.env, stdout: out}
}

// opening has the ways to open: one call in all, one call a document, sops with
// one call a file, sops without calls.
func (k *kmsCorpus) opening(ctx context.Context) []side {
	unseal := func(in string, calls int) side {
		c := command{args: []string{k.signet, "unseal", "--sealing-key", k.path("key.yaml"), k.path(in)}, env: k.key.env, stdout: k.path(in + "-opened")}
		return side{
			commands: []command{c},
			prepare:  func() error { k.server.ResetCounts(); return nil },
			verify:   func() error { return k.verifyCalls(calls, c.stdout) },
		}
	}
	decrypt := func(from string) side {
		return side{
			commands: k.each(k.sopsDecrypt, from, "sops-opened"),
			verify:   func() error { return verifyOpened(k.content, k.files("sops-opened")...) },
		}
	}
	return []side{unseal("sealingkey.yaml", 1), unseal("signet.yaml", k.documents), decrypt("sops"), decrypt("age")}
}

// verifyCalls checks the result, and that it took so many calls.
func (k *kmsCorpus) verifyCalls(calls int, file string) error {
	if got := k.server.Count("Decrypt"); got != calls {
		return fmt.Errorf("%s took %d KMS calls, want %d", file, got, calls)
	}
	return verifyOpened(k.content, file)
}
