// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/testtool"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/manifest"
)

var update = flag.Bool("update", false, "write testdata/vectors anew, with the stock sops of internal/testbin")

// The identities of testdata/vectors are test data and open nothing else.
const (
	classicKeyFile = "testdata/vectors/classic.txt"
	hybridKeyFile  = "testdata/vectors/hybrid.txt"
)

// canary is in every plaintext of the tamper tables. No error may hold it.
const canary = "CANARY-s3cr3t"

func testIdentity(tb testing.TB, file string) agekey.Identity {
	tb.Helper()
	id, err := agekey.ParseIdentity(string(readFile(tb, file)))
	if err != nil {
		tb.Fatal(err)
	}
	return id
}

func readFile(tb testing.TB, path string) []byte {
	tb.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func writeFile(tb testing.TB, path string, data []byte) string {
	tb.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		tb.Fatal(err)
	}
	return path
}

func unwrap(tb testing.TB, r keys.Recipients) keys.DataKey {
	tb.Helper()
	ids := []agekey.Identity{testIdentity(tb, classicKeyFile), testIdentity(tb, hybridKeyFile)}
	k, err := keys.UnwrapAny(context.Background(), agekey.NewUnwrapper(agekey.Sources{Identities: ids}), r)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

// wrapFor wraps k for the test identities in the given files.
func wrapFor(tb testing.TB, k keys.DataKey, files ...string) keys.Recipients {
	tb.Helper()
	var group keys.Group
	for _, file := range files {
		group = append(group, keys.AgeEntry{Recipient: testIdentity(tb, file).Recipient()})
	}
	r, err := keys.WrapAll(context.Background(), agekey.NewWrapper(nil), keys.Recipients{Groups: []keys.Group{group}}, k)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// oneTimed returns r with a time in its second age entry, and none in the first.
func oneTimed(r keys.Recipients) keys.Recipients {
	e := r.Groups[0][1].(keys.AgeEntry)
	e.CreatedAt = "2026-01-31T09:30:00Z"
	r.Groups[0][1] = e
	return r
}

var sealedAt = time.Date(2026, 1, 31, 9, 30, 0, 0, time.UTC)

func sealForTest(tb testing.TB, clear Clear, content Content, k keys.DataKey, r keys.Recipients, prev *Previous) *Envelope {
	tb.Helper()
	e, err := SealEnvelope(clear, content, k, r, sealedAt, prev)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

func encodeYAML(tb testing.TB, n *yaml.Node) []byte {
	tb.Helper()
	out, err := manifest.EncodeYAML(n)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

func parseRoot(tb testing.TB, data []byte) *yaml.Node {
	tb.Helper()
	n, err := manifest.Parse(data)
	if err != nil {
		tb.Fatalf("%v in\n%s", err, data)
	}
	return manifest.Root(n)
}

func parseDocuments(tb testing.TB, data []byte) []*yaml.Node {
	tb.Helper()
	s, err := manifest.Split(data)
	if err != nil {
		tb.Fatal(err)
	}
	var docs []*yaml.Node
	for _, d := range s.Documents {
		n, err := d.Node()
		if err != nil {
			tb.Fatalf("%v in\n%s", err, data)
		}
		if n != nil {
			docs = append(docs, n)
		}
	}
	return docs
}

func encodeDocuments(tb testing.TB, docs []*yaml.Node) []byte {
	tb.Helper()
	var parts [][]byte
	for _, d := range docs {
		parts = append(parts, encodeYAML(tb, d))
	}
	return bytes.Join(parts, []byte("---\n"))
}

// runSOPS runs the stock sops with the identities of these tests and nothing
// else of the machine.
func runSOPS(tb testing.TB, dir string, stdin []byte, args ...string) testtool.Result {
	tb.Helper()
	identities := testIdentity(tb, classicKeyFile).Reveal() + "\n" + testIdentity(tb, hybridKeyFile).Reveal()
	return testtool.Run(tb, testtool.Cmd{
		Path: testtool.Path(tb, "sops"), Args: args, Dir: dir, Stdin: stdin,
		Env: []string{"SOPS_AGE_KEY=" + identities, "HOME=" + dir, "XDG_CONFIG_HOME=" + dir, "SOPS_DISABLE_VERSION_CHECK=1"},
	})
}

// sopsDecrypt gives what `sops decrypt` writes, and whether it succeeded.
func sopsDecrypt(tb testing.TB, format string, doc []byte) ([]byte, bool) {
	tb.Helper()
	r := runSOPS(tb, tb.TempDir(), doc, "decrypt", "--input-type", format, "--output-type", "yaml", "/dev/stdin")
	if r.ExitCode != 0 {
		return r.Stderr, false
	}
	return r.Stdout, true
}

// sopsEncrypt encrypts with the stock sops under one creation rule, given as
// the lines that stand in it.
func sopsEncrypt(tb testing.TB, rule []string, name string, plain []byte) []byte {
	tb.Helper()
	dir := tb.TempDir()
	writeFile(tb, filepath.Join(dir, ".sops.yaml"), []byte("creation_rules:\n  - "+strings.Join(rule, "\n    ")+"\n"))
	writeFile(tb, filepath.Join(dir, name), plain)
	r := runSOPS(tb, dir, nil, "encrypt", name)
	if r.ExitCode != 0 {
		tb.Fatalf("sops encrypt: %s\n%s", r.Stderr, plain)
	}
	return r.Stdout
}

// flatten writes the data of documents line by line: numbers, times and
// booleans as SOPS hashes them, so that 0777 equals 511.
func flatten(tb testing.TB, docs []*yaml.Node) []string {
	tb.Helper()
	var out []string
	var walk func(n *yaml.Node, path string)
	walk = func(n *yaml.Node, path string) {
		switch {
		case n.Kind == yaml.MappingNode:
			out = append(out, path+" {}")
			for i := 0; i+1 < len(n.Content); i += 2 {
				walk(n.Content[i+1], path+"/"+n.Content[i].Value)
			}
		case n.Kind == yaml.SequenceNode:
			out = append(out, path+" []")
			for _, c := range n.Content {
				walk(c, path+"/-")
			}
		case n.ShortTag() == "!!null":
			out = append(out, path+" null")
		default:
			out = append(out, path+" "+flatScalar(tb, n))
		}
	}
	for _, d := range docs {
		out = append(out, "---")
		walk(manifest.Root(d), "")
	}
	return out
}

func flatScalar(tb testing.TB, n *yaml.Node) string {
	t, text, err := typed(n)
	if err != nil {
		tb.Fatal(err)
	}
	if t == TypeInt || t == TypeFloat {
		t = "number"
	}
	if text == "-0" { // is written -0, and YAML reads that as an integer
		text = "0"
	}
	return string(t) + " " + text
}

// sortedComments returns the lines of all comments, sorted: sops moves them.
func sortedComments(docs []*yaml.Node) []string {
	var out []string
	for _, d := range docs {
		out = append(out, comments(d)...)
	}
	slices.Sort(out)
	return out
}

// errorAt returns the kind and the path of an error of this package.
func errorAt(err error) (kind, path string) {
	var invalid *InvalidError
	var tampered *TamperedError
	var denied *DeniedError
	switch {
	case err == nil:
		return "none", ""
	case errors.As(err, &invalid):
		return "InvalidError", invalid.Path
	case errors.As(err, &tampered):
		return "TamperedError", tampered.Path
	case errors.As(err, &denied):
		return "DeniedError", denied.Path
	}
	return "other", err.Error()
}

// checkNoLeak fails if the error holds a marker of a plaintext in any form.
func checkNoLeak(tb testing.TB, err error) {
	tb.Helper()
	checkHides(tb, err, canary)
}

// checkHides fails if the error holds a secret in any form.
func checkHides(tb testing.TB, err error, secret string) {
	tb.Helper()
	if err == nil {
		return
	}
	for _, form := range []string{
		secret,
		base64.StdEncoding.EncodeToString([]byte(secret))[:len(secret)],
		hex.EncodeToString([]byte(secret)),
	} {
		if strings.Contains(strings.ToLower(err.Error()), strings.ToLower(form)) {
			tb.Errorf("the error holds a plaintext: %v", err)
		}
	}
}
