// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
)

const convertSecret = `apiVersion: v1
kind: Secret
metadata:
  name: db
  namespace: prod
  labels: {app: db, app.kubernetes.io/instance: shop}
  annotations: {argocd.argoproj.io/sync-wave: "1", note: kept}
type: kubernetes.io/basic-auth
stringData: {password: correct horse battery staple, empty: ""}
data: {key.bin: AAH/}
`

// sealedPiece seals convertSecret, and returns it as what it was made of and what
// became of it.
func sealedPiece(t *testing.T) (*piece, found) {
	t.Helper()
	wrapper, err := (&keyFlags{}).wrapper(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	n := parseDocument(t, convertSecret)
	recipients := keys.Recipients{Groups: []keys.Group{{keys.AgeEntry{Recipient: newKeyFile(t).recipient}}}}
	result, err := seal.Seal(t.Context(), n, nil, seal.Options{Recipients: recipients, Wrapper: wrapper})
	if err != nil {
		t.Fatal(err)
	}
	objects, err := manifest.Objects(result.Node)
	if err != nil {
		t.Fatal(err)
	}
	secret, _, err := manifest.ParseSecret(n)
	if err != nil {
		t.Fatal(err)
	}
	return &piece{secret: secret, made: made{key: result.DataKey}}, found{Object: objects[0], root: result.Node}
}

// TestConvertVerifies protects against a result that is not what it was made of:
// each field of the source is another one, and each is noticed.
func TestConvertVerifies(t *testing.T) {
	tests := []struct {
		name   string
		change func(*piece)
		want   []string // fields
	}{
		{"nothing", func(*piece) {}, nil},
		{"the form of a value", func(p *piece) {
			delete(p.secret.StringData, "empty")
			p.secret.Data["empty"] = nil
		}, nil},
		{"name", func(p *piece) { p.secret.Name = "other" }, []string{"name", "scope"}},
		{"namespace", func(p *piece) { p.secret.Namespace = "dev" }, []string{"namespace", "scope"}},
		{"scope", func(p *piece) { p.reach = seal.Namespace }, []string{"scope"}},
		{"type", func(p *piece) { p.secret.Type = "" }, []string{"type"}},
		{"immutable", func(p *piece) { p.secret.Immutable = true }, []string{"immutable"}},
		{"a label less", func(p *piece) { delete(p.secret.Labels, "app") }, []string{"labels"}},
		{"a label more", func(p *piece) { p.secret.Labels["x"] = "y" }, []string{"labels"}},
		{"another label", func(p *piece) { p.secret.Labels["app"] = "web" }, []string{"labels"}},
		{"an annotation more", func(p *piece) { p.secret.Annotations["x"] = "y" }, []string{"annotations"}},
		{"another annotation", func(p *piece) { p.secret.Annotations["note"] = "y" }, []string{"annotations"}},
		{"another annotation beside the seal", func(p *piece) { p.secret.Annotations["argocd.argoproj.io/sync-wave"] = "2" }, []string{"annotations"}},
		{"another value", func(p *piece) { p.secret.StringData["password"] = "x" }, []string{"values"}},
		{"another binary value", func(p *piece) { p.secret.Data["key.bin"] = []byte{0, 1} }, []string{"values"}},
		{"a value less", func(p *piece) { delete(p.secret.StringData, "empty") }, []string{"values"}},
		{"a value more", func(p *piece) { p.secret.StringData["x"] = "" }, []string{"values"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, f := sealedPiece(t)
			tt.change(p)
			err := p.verify(f, nil)
			var differs *differsError
			if errors.As(err, &differs) {
				if diff := cmp.Diff(tt.want, differs.fields); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			} else if err != nil || tt.want != nil {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	t.Run("a label that was to be kept", func(t *testing.T) {
		p, f := sealedPiece(t)
		if err := p.verify(f, []string{"app.kubernetes.io/instance"}); !errors.As(err, new(*differsError)) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("another data key", func(t *testing.T) {
		p, f := sealedPiece(t)
		p.made.key = keys.GenerateDataKey()
		if err := p.verify(f, nil); err == nil {
			t.Error("was taken")
		}
	})
}

// TestConvertVerifiesFiles is TestConvertVerifies for the bytes that would be
// written.
func TestConvertVerifiesFiles(t *testing.T) {
	p, f := sealedPiece(t)
	text, err := manifest.EncodeYAML(f.root)
	if err != nil {
		t.Fatal(err)
	}
	p.found = found{Object: f.Object, doc: readTargets(t, string(text)).stream.Documents[0]}
	c := &conversionRun{convertCommand: &convertCommand{to: "sealedsecret"}}
	one := &conversion{input: input{name: "db.yaml"}, pieces: []*piece{p}}
	other, g := sealedPiece(t)
	foreign, err := manifest.EncodeYAML(g.root)
	if err != nil || other.secret == nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, text string
		good       bool
	}{
		{"the result", string(text), true},
		{"among others", string(text) + "---\nkind: ConfigMap\n", true},
		{"of another run", string(foreign), false},
		{"in clear", convertSecret, false},
		{"with a Secret in its place", convertSecret + "---\n" + string(text), false},
		{"nothing", "", false},
		{"not YAML", ": :\n\tSecret", false},
		{"another scope", strings.Replace(string(text), "scope: prod/db", "scope: prod/*", 1), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := c.verify(one, []byte(tt.text)); (err == nil) != tt.good {
				t.Errorf("got %v", err)
			}
		})
	}
}

// sealedTree writes n sealed Secrets below a directory, each in its own file.
func sealedTree(t *testing.T, dir string, n int, recipient string) []string {
	t.Helper()
	var names []string
	for i := range n {
		name := fmt.Sprintf("%s/s%02d.yaml", dir, i)
		secret := fmt.Sprintf("apiVersion: v1\nkind: Secret\nmetadata: {name: s%d, namespace: prod}\nstringData: {password: correct horse %d}\n", i, i)
		writeTestFile(t, name, mustRun(t, secret, "seal", "--age", recipient, "-"))
		names = append(names, name)
	}
	return names
}

// TestConvertGoesOn converts what can be converted, however much cannot be.
func TestConvertGoesOn(t *testing.T) {
	for _, bad := range []int{1, 25} {
		t.Run(fmt.Sprintf("%d of 30", bad), func(t *testing.T) {
			isolate(t)
			mine := newKeyFile(t)
			names := sealedTree(t, "in", 30, mine.recipient)
			for _, name := range names[:bad] {
				writeTestFile(t, name, strings.Replace(readTestFile(t, name), "type: Opaque", "type: other", 1))
			}
			told, o := convertReport(t, "--to", "sops", "--age", mine.recipient, "--age-key-file", mine.path, "--out-dir", "out", "in")
			if o.code != 3 || len(told) != 30 {
				t.Fatalf("exit %d, %d documents", o.code, len(told))
			}
			for i, name := range names {
				e, want := told[filepath.Base(name)], statusConverted
				if i < bad {
					want = statusFailed
				}
				_, err := os.Stat(filepath.Join("out", filepath.Base(name)))
				if e.Status != want || (err == nil) != (want == statusConverted) {
					t.Errorf("%s: %s, its file: %v", name, e.Status, err)
				}
			}
			if !slices.Contains(strings.Split(o.stderr, "\n"), fmt.Sprintf("signet: note: out: %d converted, 0 unchanged, %d not converted, %d notes", 30-bad, bad, 30-bad)) {
				t.Errorf("stderr has no such summary:\n%s", o.stderr)
			}
		})
	}
}

// TestConvertThereAndBack keeps every kind of value over both conversions.
func TestConvertThereAndBack(t *testing.T) {
	isolate(t)
	mine := newKeyFile(t)
	secret := "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: prod, labels: {app: db}, annotations: {note: kept}}\n" +
		"immutable: true\ntype: example.com/x\n" + `stringData: {empty: "", lines: "a\n\nb\n", trailing: "x ", unicode: "grüße 世界", looks: "ENC[AES256_GCM,data:x]", affirmative: "yes", number: "5432"}` +
		"\ndata: {bin: AAH/, nothing: \"\"}\n"
	want := plainFromYAML(t, secret)
	text := mustRun(t, secret, "seal", "--as", "sops", "--age", mine.recipient, "-")
	for i, to := range []string{"sealedsecret", "sops", "sealedsecret"} {
		text = mustRun(t, text, "convert", "--to", to, "--age", mine.recipient, "--age-key-file", mine.path, "-")
		got := plainFromYAML(t, mustRun(t, text, "unseal", "--age-key-file", mine.path, "-"))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("step %d (-want +got):\n%s", i, diff)
		}
	}
}

// TestConvertNeedsNoRightToDecrypt seals for a key that whoever converts cannot
// use, checks the result all the same, and asks for nothing but what sealing
// takes. Without that right nobody can tell whether a file that is there holds the
// same: it stays.
func TestConvertNeedsNoRightToDecrypt(t *testing.T) {
	srv, arn := newKMS(t)
	mine := newKeyFile(t)
	writeTestFile(t, "db.yaml", mustRun(t, convertSecret, "seal", "--as", "sops", "--age", mine.recipient, "-"))
	convert := []string{"convert", "--to", "sealedsecret", "--kms", arn, "--age-key-file", mine.path, "db.yaml", "-o", "sealed.yaml"}
	srv.Deny(kmstest.Denial{Operation: "Decrypt"})
	mustRun(t, "", convert...)
	calls(t, srv, map[string]int{"Encrypt": 1})
	first := readTestFile(t, "sealed.yaml")
	if o := runSignet(t, "", convert...); o.code != 1 || !strings.Contains(o.stderr, errHoldsOther.Error()) || readTestFile(t, "sealed.yaml") != first {
		t.Errorf("without the right to decrypt, again: exit %d\n%s", o.code, o.stderr)
	}
	srv.AllowAll()
	srv.ResetCounts()
	mustRun(t, "", convert...)
	calls(t, srv, map[string]int{"Decrypt": 1})
	if readTestFile(t, "sealed.yaml") != first {
		t.Error("the second run has changed the file")
	}
}
