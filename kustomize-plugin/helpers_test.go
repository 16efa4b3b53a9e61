// SPDX-License-Identifier: Apache-2.0

package kustomizeplugin_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/testtool"
	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/keys/awskms"
	"github.com/signet-secrets/signet/seal/manifest"
)

var update = flag.Bool("update", false, "write what comes out to testdata/*/want.yaml")

// canary is the value in all Secrets of these tests that must not get out.
const canary = "correct horse battery staple"

// lab is a folder with kustomizations and a key that opens what is in it.
type lab struct {
	dir      string
	identity agekey.Identity
	env      []string
}

func newLab(t testing.TB) *lab {
	t.Helper()
	id, err := agekey.GenerateClassicIdentity()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(bin, "signet-kustomize")); err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	l := &lab{dir: filepath.Join(t.TempDir(), "repo"), identity: id, env: []string{
		asFunction + "=1",
		identityIn + "=" + id.Reveal(),
		"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH"),
		"HOME=" + home, "XDG_CONFIG_HOME=" + home, "KUSTOMIZE_PLUGIN_HOME=", "KUSTOMIZE_PLUGIN_CONFIG_ROOT=",
	}}
	for _, kind := range []string{"signet.dev/v1alpha1/sealedsecret/SealedSecret", "signet.dev/v1alpha1/unseal/Unseal", "viaduct.ai/v1/ksops/ksops"} {
		link := filepath.Join(home, "kustomize", "plugin", kind)
		mustDo(t, os.MkdirAll(filepath.Dir(link), 0o755))
		mustDo(t, os.Symlink(self, link))
	}
	mustDo(t, os.MkdirAll(l.dir, 0o755))
	return l
}

func mustDo(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// write puts a file into the lab.
func (l *lab) write(t testing.TB, name, content string) {
	t.Helper()
	path := filepath.Join(l.dir, name)
	mustDo(t, os.MkdirAll(filepath.Dir(path), 0o755))
	mustDo(t, os.WriteFile(path, []byte(content), 0o644))
}

// copyTree copies a folder of testdata into the lab. A file x.clear.yaml is
// sealed on the way, into x.yaml.
func (l *lab) copyTree(t testing.TB, from string) {
	t.Helper()
	mustDo(t, filepath.WalkDir(from, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if target := strings.Replace(name, ".clear.", ".", 1); target != name {
			content, name = l.sealFile(t, target, content), target
		}
		l.write(t, name, string(content))
		return nil
	}))
}

// sealFile seals each document that begins with a line "# signet REACH", of
// which strict, namespace and cluster are known, merge, and -name, which leaves
// spec.secretName out. A file with none is encrypted by stock sops.
func (l *lab) sealFile(t testing.TB, target string, content []byte) []byte {
	t.Helper()
	if !bytes.Contains(content, []byte("# signet ")) {
		return l.sops(t, target, content)
	}
	stream, err := manifest.Split(content)
	mustDo(t, err)
	for _, doc := range stream.Documents {
		_, directive, found := strings.Cut(string(doc.Raw()), "# signet ")
		if !found {
			continue
		}
		directive, _, _ = strings.Cut(directive, "\n")
		node, err := doc.Node()
		mustDo(t, err)
		mustDo(t, doc.Replace(l.seal(t, node, strings.Fields(directive)...)))
	}
	return stream.Bytes()
}

func (l *lab) seal(t testing.TB, secret *yaml.Node, words ...string) *yaml.Node {
	t.Helper()
	reach := map[string]seal.Reach{"strict": seal.Strict, "namespace": seal.Namespace, "cluster": seal.Cluster}[words[0]]
	o := seal.Options{Recipients: l.recipients(), Wrapper: keys.Wrappers{keys.Age: agekey.NewWrapper(nil)}, Reach: reach, Merge: slices.Contains(words, "merge")}
	result, err := seal.Seal(context.Background(), secret, nil, o)
	mustDo(t, err)
	if slices.Contains(words, "-name") {
		manifest.Delete(manifest.Get(manifest.Root(result.Node), "spec"), "secretName")
	}
	return result.Node
}

func (l *lab) recipients() keys.Recipients {
	return keys.Recipients{Groups: []keys.Group{{keys.AgeEntry{Recipient: l.identity.Recipient()}}}}
}

// sealed returns a SealedSecret of a Secret with one value, the canary.
func (l *lab) sealed(t testing.TB, namespace, name string) string {
	t.Helper()
	s := &manifest.Secret{Name: name, Namespace: namespace, Type: "Opaque", StringData: map[string]string{"password": canary}}
	return encode(t, l.seal(t, s.Node(), "strict"))
}

// sealedFor is sealed for a key of AWS KMS.
func (l *lab) sealedFor(t testing.TB, arn, namespace, name string) string {
	t.Helper()
	s := &manifest.Secret{Name: name, Namespace: namespace, Type: "Opaque", StringData: map[string]string{"password": canary}}
	result, err := seal.Seal(context.Background(), s.Node(), nil, seal.Options{
		Recipients: keys.Recipients{Groups: []keys.Group{{keys.KMSEntry{ARN: arn}}}},
		Wrapper:    keys.Wrappers{keys.AWSKMS: awskms.New(awskms.Options{})},
	})
	mustDo(t, err)
	return encode(t, result.Node)
}

func encode(t testing.TB, n *yaml.Node) string {
	t.Helper()
	text, err := manifest.EncodeYAML(n)
	mustDo(t, err)
	return string(text)
}

// sops encrypts with stock sops. Secrets are encrypted in their values only.
func (l *lab) sops(t testing.TB, target string, content []byte) []byte {
	t.Helper()
	args := []string{"--disable-version-check", "encrypt", "--age", l.identity.Recipient(), "--filename-override", target}
	if bytes.Contains(content, []byte("kind: Secret")) {
		args = append(args, "--encrypted-regex", "^(data|stringData)$")
	}
	plain := filepath.Join(t.TempDir(), filepath.Base(target))
	mustDo(t, os.WriteFile(plain, content, 0o600))
	got := testtool.Run(t, testtool.Cmd{Path: testtool.Path(t, "sops"), Args: append(args, plain), Dir: t.TempDir(), Env: l.env})
	if got.ExitCode != 0 {
		t.Fatalf("sops: %s", got.Stderr)
	}
	return got.Stdout
}

// build runs kustomize build, or kubectl kustomize, in a folder of the lab.
func (l *lab) build(t testing.TB, program, dir string, env ...string) testtool.Result {
	t.Helper()
	args := []string{"build", "--enable-alpha-plugins", "--enable-exec"}
	if program == "kubectl" {
		args = []string{"kustomize", "--enable-alpha-plugins"}
	}
	return l.run(t, program, dir, args, env...)
}

func (l *lab) run(t testing.TB, program, dir string, args []string, env ...string) testtool.Result {
	t.Helper()
	return testtool.Run(t, testtool.Cmd{
		Path: testtool.Path(t, program), Args: append(slices.Clone(args), "."), Dir: filepath.Join(l.dir, dir), Env: append(slices.Clone(l.env), env...),
	})
}

// mustBuild returns what a build prints.
func (l *lab) mustBuild(t testing.TB, dir string) string {
	t.Helper()
	got := l.build(t, "kustomize", dir)
	if got.ExitCode != 0 {
		t.Fatalf("exit code %d\n%s", got.ExitCode, got.Stderr)
	}
	return string(got.Stdout)
}

// failsClosed checks that a build failed without any output, and said why.
func failsClosed(t testing.TB, got testtool.Result, parts ...string) {
	t.Helper()
	if got.ExitCode == 0 || len(got.Stdout) > 0 {
		t.Errorf("exit code %d with %d bytes on stdout\n%.3000s", got.ExitCode, len(got.Stdout), got.Stdout)
	}
	for _, part := range parts {
		if !strings.Contains(string(got.Stderr), part) {
			t.Errorf("stderr does not say %q:\n%.4000s", part, got.Stderr)
		}
	}
	hides(t, string(got.Stderr))
}

// hides fails if text holds the canary in any form.
func hides(t testing.TB, text string) {
	t.Helper()
	for _, form := range []string{canary, base64.StdEncoding.EncodeToString([]byte(canary)), hex.EncodeToString([]byte(canary)), "AGE-SECRET-KEY"} {
		if strings.Contains(text, form) {
			t.Errorf("holds a secret: %.3000s", text)
		}
	}
}

// inClear is the canary as it stands in data.
func inClear() string { return base64.StdEncoding.EncodeToString([]byte(canary)) }

// function is the annotation of what kustomize is to run.
const function = `
  annotations:
    config.kubernetes.io/function: |
      exec:
        path: signet-kustomize
`

// unsealing is a configuration of kind Unseal.
func unsealing(files ...string) string {
	text := "apiVersion: signet.dev/v1alpha1\nkind: Unseal\nmetadata:\n  name: all" + function
	if len(files) > 0 {
		text += "files:\n"
	}
	for _, f := range files {
		text += "- \"" + f + "\"\n"
	}
	return text
}
