// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/internal/testtool"
	"github.com/signet-secrets/signet/seal/manifest"
)

// bitnamiGoldens is where documents of Sealed Secrets lie, with what Sealed
// Secrets makes of them, and the keys.
func bitnamiGoldens(t testing.TB) string {
	t.Helper()
	return filepath.Join(testtool.Root(t), "internal", "bitnami", "testdata", "golden")
}

// plainSecret is a Secret in a form that can be compared: values as bytes, no
// difference between empty and absent, nothing that only Sealed Secrets
// understands, and nothing that signet is to leave out.
type plainSecret struct {
	Metadata struct {
		Name        string            `json:"name"`
		Namespace   string            `json:"namespace"`
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
	} `json:"metadata"`
	Type      string            `json:"type"`
	Immutable bool              `json:"immutable"`
	Data      map[string][]byte `json:"data"`
	Strings   map[string]string `json:"stringData"`
}

func (s *plainSecret) normal() *plainSecret {
	values := map[string][]byte{}
	for key, value := range s.Data {
		values[key] = append([]byte{}, value...)
	}
	for key, value := range s.Strings {
		values[key] = []byte(value)
	}
	s.Data, s.Strings = values, nil
	if s.Type == "Opaque" {
		s.Type = ""
	}
	maps.DeleteFunc(s.Metadata.Annotations, func(key, _ string) bool { return strings.HasPrefix(key, "sealedsecrets.bitnami.com/") })
	if len(s.Metadata.Annotations) == 0 {
		s.Metadata.Annotations = nil
	}
	if len(s.Metadata.Labels) == 0 {
		s.Metadata.Labels = nil
	}
	return s
}

func plainFromJSON(t testing.TB, data []byte) *plainSecret {
	t.Helper()
	var s plainSecret
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	return s.normal()
}

// plainFromYAML reads what signet prints.
func plainFromYAML(t testing.TB, text string) *plainSecret {
	t.Helper()
	secret, _, err := manifest.ParseSecret(parseDocument(t, text))
	if err != nil {
		t.Fatal(err)
	}
	var s plainSecret
	s.Metadata.Name, s.Metadata.Namespace = secret.Name, secret.Namespace
	s.Metadata.Labels, s.Metadata.Annotations = secret.Labels, secret.Annotations
	s.Type, s.Immutable, s.Data, s.Strings = secret.Type, secret.Immutable, secret.Data, secret.StringData
	return s.normal()
}

// recovered is what `kubeseal --recovery-unseal` makes of a document.
func recovered(t testing.TB, document, key string) *plainSecret {
	t.Helper()
	r := testtool.Run(t, testtool.Cmd{
		Path: testtool.Path(t, "kubeseal"), Args: []string{"--recovery-unseal", "--recovery-private-key", key, "-o", "json"},
		Stdin: []byte(readTestFile(t, document)), Timeout: time.Minute,
	})
	if r.ExitCode != 0 {
		return nil
	}
	return plainFromJSON(t, r.Stdout)
}

// convertReport runs the command and reads its report, by the names of the files.
func convertReport(t testing.TB, args ...string) (map[string]converted, outcome) {
	t.Helper()
	o := runSignet(t, "", append([]string{"convert", "--output", "json"}, args...)...)
	for _, form := range []string{"correct horse", "Y29ycmVjdCBob3Jz"} {
		if strings.Contains(o.stdout+o.stderr, form) {
			t.Error("shows a value")
		}
	}
	var all []converted
	if err := json.Unmarshal([]byte(o.stdout), &all); err != nil {
		t.Fatalf("exit %d, no report: %v\n%s", o.code, err, o.stderr)
	}
	byFile := map[string]converted{}
	for _, e := range all {
		byFile[filepath.Base(e.File)] = e
	}
	if len(byFile) != len(all) {
		t.Fatalf("%d entries about %d files", len(all), len(byFile))
	}
	return byFile, o
}

// TestConvertGoldens runs the whole command over every document that Sealed
// Secrets has made for the tests, in both sizes of key. What it opens becomes a
// SealedSecret that opens to the same Secret; what it refuses, or we do, is in
// the report, and there is no file for it.
func TestConvertGoldens(t *testing.T) {
	for _, size := range []string{"rsa2048", "rsa4096"} {
		t.Run(size, func(t *testing.T) {
			goldens := bitnamiGoldens(t)
			testtool.Path(t, "kubeseal") // programs come before the isolation
			isolate(t)
			mine := newKeyFile(t)
			key := filepath.Join(goldens, "keys", size+"-pkcs1.pem")
			files, err := filepath.Glob(filepath.Join(goldens, size+"-*.yaml"))
			if err != nil || len(files) < 6 {
				t.Fatalf("%d documents, %v", len(files), err)
			}
			for _, file := range files {
				writeTestFile(t, filepath.Join("in", filepath.Base(file)), readTestFile(t, file))
			}
			args := []string{"--to", "sealedsecret", "--from-key", key, "--age", mine.recipient, "--age-key-file", mine.path, "--out-dir", "out", "in"}
			told, _ := convertReport(t, args...)
			if len(told) != len(files) {
				t.Errorf("the report tells of %d documents, there are %d", len(told), len(files))
			}
			for _, file := range files {
				compareConverted(t, file, key, mine, told[filepath.Base(file)])
			}
			convertAgain(t, told, args)
		})
	}
}

// compareConverted holds one result against what Sealed Secrets makes of the
// document: what is recorded beside it, and what kubeseal says now of one in
// today's format.
func compareConverted(t *testing.T, file, key string, mine keyFile, e converted) {
	t.Helper()
	name := strings.TrimSuffix(filepath.Base(file), ".yaml")
	out := filepath.Join("out", filepath.Base(file))
	recorded, err := os.ReadFile(strings.TrimSuffix(file, ".yaml") + ".json")
	if err != nil || name == "rsa2048-v1-content-empty" { // there is no Secret in it
		if _, err := os.Stat(out); err == nil || e.Status != statusFailed || e.Error == "" {
			t.Errorf("%s: %s, %q, and its file: %v", name, e.Status, e.Error, err)
		}
		return
	}
	if e.Status != statusConverted {
		t.Errorf("%s: %s: %s", name, e.Status, e.Error)
		return
	}
	got := plainFromYAML(t, mustRun(t, "", "unseal", "--age-key-file", mine.path, out))
	want := []*plainSecret{plainFromJSON(t, recorded)}
	if !strings.Contains(name, "-v1-") {
		now := recovered(t, file, key)
		if now == nil {
			t.Errorf("%s: kubeseal does not open it", name)
			return
		}
		want = append(want, now)
	}
	for _, w := range want {
		if diff := cmp.Diff(w, got, cmp.Comparer(bytes.Equal)); diff != "" {
			t.Errorf("%s (-Sealed Secrets +signet):\n%s", name, diff)
		}
	}
}

// convertAgain runs the command a second time: nothing is written.
func convertAgain(t *testing.T, first map[string]converted, args []string) {
	t.Helper()
	before := map[string]time.Time{}
	for name := range first {
		if info, err := os.Stat(filepath.Join("out", name)); err == nil {
			before[name] = info.ModTime()
		}
	}
	if len(before) < 6 {
		t.Errorf("%d files were made", len(before))
	}
	told, _ := convertReport(t, args...)
	for name, e := range told {
		want := statusUnchanged
		if first[name].Status == statusFailed {
			want = statusFailed
		}
		info, err := os.Stat(filepath.Join("out", name))
		if e.Status != want || err == nil && !info.ModTime().Equal(before[name]) {
			t.Errorf("%s, again: %s", name, e.Status)
		}
	}
}

// TestConvertKeyForms gives the private key in each form in which people keep it.
func TestConvertKeyForms(t *testing.T) {
	goldens := bitnamiGoldens(t)
	isolate(t)
	mine := newKeyFile(t)
	for _, size := range []string{"rsa2048", "rsa4096"} {
		for _, form := range []string{"pkcs1.pem", "pkcs8.pem", "several.pem", "secret.yaml", "secret.json", "list.yaml", "list.json", "secretlist.json"} {
			t.Run(size+" "+form, func(t *testing.T) {
				sealed := mustRun(t, "", "convert", "--to", "sealedsecret", "--from-key", filepath.Join(goldens, "keys", size+"-"+form),
					"--age", mine.recipient, filepath.Join(goldens, size+"-v2-strict.yaml"))
				want := plainFromJSON(t, []byte(readTestFile(t, filepath.Join(goldens, size+"-v2-strict.json"))))
				got := plainFromYAML(t, mustRun(t, sealed, "unseal", "--age-key-file", mine.path, "-"))
				if diff := cmp.Diff(want, got, cmp.Comparer(bytes.Equal)); diff != "" {
					t.Errorf("(-Sealed Secrets +signet):\n%s", diff)
				}
			})
		}
	}
}

// TestConvertOwnMetadata keeps on the SealedSecret what stood on the one that it
// replaces, and out of the Secret what was not in it.
func TestConvertOwnMetadata(t *testing.T) {
	goldens := bitnamiGoldens(t)
	isolate(t)
	mine := newKeyFile(t)
	sealed := mustRun(t, "", "convert", "--to", "sealedsecret", "--from-key", filepath.Join(goldens, "keys", "rsa2048-pkcs1.pem"),
		"--age", mine.recipient, filepath.Join(goldens, "rsa2048-own-metadata.yaml"))
	n := parseDocument(t, sealed)
	metadata := manifest.Get(manifest.Root(n), "metadata")
	if manifest.GetString(metadata, "annotations", "argocd.argoproj.io/sync-wave") != "-1" || manifest.GetString(metadata, "labels", "app") != "web" {
		t.Errorf("the metadata of the SealedSecret is gone:\n%s", sealed)
	}
	if s := plainFromYAML(t, mustRun(t, sealed, "unseal", "--age-key-file", mine.path, "-")); s.Metadata.Labels != nil || s.Metadata.Annotations != nil {
		t.Errorf("the Secret has metadata that it did not have: %v, %v", s.Metadata.Labels, s.Metadata.Annotations)
	}
}
