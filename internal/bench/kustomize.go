// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/signet-secrets/signet/internal/kmstest"
)

// KSOPS 4.5.1 itself took 0.30 s for 200 documents for an age key, measured
// as ksopsKMS was. The function should take a third of that; and a whole build,
// kustomize's own time and all, no longer than KSOPS alone.
const (
	ksopsAge  = 0.30 / 4.5
	targetAge = ksopsAge / 3
)

// configMapsPerSecret is how many other resources there are in a mixed build.
const configMapsPerSecret = 4

// buildCorpus is a corpus that kustomize builds.
type buildCorpus struct {
	*kmsCorpus
	ways []way
}

// way is one way to seal the corpus, and what opening it should take.
type way struct {
	name         string
	flags        []string // of signet seal
	calls        int      // of KMS, to open all
	alone, build float64  // largest good ratios, beside `sops decrypt` with an age key
}

// kustomizeBuilds measures what the function and the filter take when kustomize
// builds: beside decrypting each file with sops before the build, and beside a
// build in which there is nothing to open.
func (b *bench) kustomizeBuilds(ctx context.Context) ([]row, error) {
	server, err := kmstest.New(kmstest.Options{})
	if err != nil {
		return nil, err
	}
	defer server.Close()
	say("sealing %d documents for kustomize", b.documents)
	c, err := b.newBuildCorpus(ctx, server)
	if err != nil {
		return nil, err
	}
	server.SetFaults(kmstest.Faults{Latency: kmsLatency})
	rows, err := c.secretsOnly(ctx)
	if err != nil {
		return nil, err
	}
	mixed, err := c.mixed(ctx)
	return append(rows, mixed...), err
}

func (b *bench) newBuildCorpus(ctx context.Context, server *kmstest.Server) (*buildCorpus, error) {
	k, err := b.newKMSCorpus(ctx, "kustomize", server)
	if err != nil {
		return nil, err
	}
	kms := fmt.Sprintf("KMS at %v", kmsLatency)
	c := &buildCorpus{k, []way{
		{"age", []string{"--age", k.key.recipient}, 0, targetAge, ksopsAge},
		{kms + ", one SealingKey", []string{"--age", k.recipient}, 1, targetSealingKey, ksopsKMS},
		{kms + ", direct", []string{"--kms", k.arn}, k.documents, targetDirect, ksopsKMS},
	}}
	for _, w := range c.ways {
		if err := c.seal(ctx, w); err != nil {
			return nil, err
		}
	}
	if _, err := runAll(ctx, k.each(k.sopsEncryptKMS, "plain", "sops")); err != nil {
		return nil, err
	}
	clear := kustomization{dir: c.path(clearFolder), secrets: c.files("plain")}
	return c, clear.write(noFunction)
}

// clearFolder is built with no function.
const clearFolder = "clear"

// folder is where a way is opened in a form.
func (c *buildCorpus) folder(w way, f form) string {
	if f == alone {
		f = generator
	}
	return c.path(filepath.Join(w.name, string(f)))
}

// seal seals the corpus and writes the folders in which it is opened. Each has
// the SealingKey, whether it needs it or not.
func (c *buildCorpus) seal(ctx context.Context, w way) error {
	sealed := filepath.Join(w.name, "sealed")
	if err := os.MkdirAll(c.path(sealed), 0o700); err != nil {
		return err
	}
	seal := func(k key, in, out string) command {
		return command{args: slices.Concat([]string{c.signet, "seal"}, w.flags, []string{in}), env: k.env, stdout: out}
	}
	if _, err := runAll(ctx, c.each(seal, "plain", sealed)); err != nil {
		return err
	}
	for _, f := range builds() {
		k := kustomization{dir: c.folder(w, f), secrets: c.files(sealed), sealingKey: c.path("key.yaml")}
		if err := k.write(f); err != nil {
			return err
		}
	}
	return nil
}

// opening must take as many calls of KMS as the way says.
func (c *buildCorpus) opening(w way, f form) side {
	build := c.build(f, c.folder(w, f), c.key.env)
	return side{
		commands: []command{build},
		prepare:  func() error { c.server.ResetCounts(); return nil },
		verify:   func() error { return c.verifyCalls(w.calls, build.stdout) },
	}
}

// decrypting leaves the Secrets where they are built with no function.
func (c *buildCorpus) decrypting(from string) side {
	to := filepath.Join(clearFolder, "secrets")
	return side{
		commands: c.each(c.sopsDecrypt, from, to),
		verify:   func() error { return verifyOpened(c.content, c.files(to)...) },
	}
}

// building is a build of which only the result counts.
func (c *buildCorpus) building(f form, dir string, want content) side {
	build := c.build(f, dir, c.key.env)
	return side{commands: []command{build}, verify: func() error { return verifyOpened(want, build.stdout) }}
}
