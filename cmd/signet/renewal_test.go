// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/internal/parallel"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// sealer seals as of a time, for one age recipient.
type sealer struct {
	t       *testing.T
	options seal.Options
}

func newSealer(t *testing.T, recipient string) sealer {
	t.Helper()
	w, err := userkeys.Sources{}.Wrapper()
	if err != nil {
		t.Fatal(err)
	}
	return sealer{t, seal.Options{Recipients: keys.Recipients{Groups: []keys.Group{{keys.AgeEntry{Recipient: recipient}}}}, Wrapper: w}}
}

func (s sealer) at(now time.Time) seal.Options {
	s.options.Now = now
	return s.options
}

func (s sealer) secret(name string) *yaml.Node {
	return parseDocument(s.t, "apiVersion: v1\nkind: Secret\nmetadata: {name: "+name+", namespace: prod}\nstringData: {password: correct horse battery staple}\n")
}

func (s sealer) write(file string, nodes ...*yaml.Node) {
	s.t.Helper()
	var text bytes.Buffer
	for _, n := range nodes {
		b, err := manifest.EncodeYAML(manifest.Root(n))
		if err != nil {
			s.t.Fatal(err)
		}
		text.WriteString("---\n")
		text.Write(b)
	}
	writeTestFile(s.t, file, text.String())
}

// sealed is a SealedSecret as of a time; edited, if it is not zero, is when a value
// was changed.
func (s sealer) sealed(name string, made, edited time.Time) {
	s.t.Helper()
	r, err := seal.Seal(s.t.Context(), s.secret(name), nil, s.at(made))
	if err != nil {
		s.t.Fatal(err)
	}
	if !edited.IsZero() {
		doc, err := sopsdoc.ParseSealedSecret(manifest.Root(r.Node))
		if err != nil {
			s.t.Fatal(err)
		}
		content, err := doc.Envelope.Open(r.DataKey)
		if err != nil {
			s.t.Fatal(err)
		}
		prev := &seal.Previous{Object: r.Node, Sealed: sopsdoc.Previous{Envelope: doc.Envelope, Content: content}, DataKey: r.DataKey}
		c := seal.Change{Clear: doc.Envelope.Clear, Content: content}.Clone()
		c.Content.StringData["password"] = "another"
		if r, err = seal.Amend(s.t.Context(), prev, c, s.at(edited)); err != nil {
			s.t.Fatal(err)
		}
	}
	s.write("files/"+name+".yaml", r.Node)
}

// sops is the same as a SOPS file, which does not tell the age of its data key.
func (s sealer) sops(name string, made, edited time.Time) {
	s.t.Helper()
	r, err := seal.SealSOPS(s.t.Context(), nodes(s.secret(name)), nil, seal.SOPSOptions{Options: s.at(made)})
	if err != nil {
		s.t.Fatal(err)
	}
	if !edited.IsZero() {
		file, err := sopsdoc.ParseFile(r.Nodes...)
		if err != nil {
			s.t.Fatal(err)
		}
		changed := s.secret(name)
		manifest.Set(manifest.Get(manifest.Root(changed), "stringData"), "password", manifest.String("another"))
		if r, err = seal.AmendFile(s.t.Context(), &sopsdoc.PreviousFile{File: file, DataKey: r.DataKey}, nodes(changed), seal.SOPSOptions{Options: s.at(edited)}); err != nil {
			s.t.Fatal(err)
		}
	}
	s.write("files/"+name+".yaml", r.Nodes...)
}

// newRepository moves to an empty repository with rules for one key, which is at
// hand.
func newRepository(t *testing.T) keyFile {
	t.Helper()
	isolate(t)
	key := newKeyFile(t)
	t.Setenv("SOPS_AGE_KEY_FILE", key.path)
	writeTestFile(t, ".git/HEAD", "ref: refs/heads/main\n")
	writeTestFile(t, ".sops.yaml", "creation_rules:\n  - age: "+key.recipient+"\n")
	return key
}

// rotate --before goes by when data keys were made, not by when a document was
// changed, and where nobody knows that, by what is sure.
func TestRotateBefore(t *testing.T) {
	key := newRepository(t)
	s := newSealer(t, key.recipient)
	old, now := time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC), time.Now()
	s.sealed("made-before", old, time.Time{})
	s.sealed("made-before-edited-since", old, now)
	s.sealed("made-since", now, time.Time{})
	s.sops("stock-before", old, time.Time{})
	s.sops("stock-edited-since", old, now)
	before := readTree(t, "files")

	dry := runSignet(t, "", "rotate", "--before", "2026-01-01", "--dry-run", "files")
	wantDry := "files/made-before-edited-since.yaml, prod/made-before-edited-since: rotate\n" +
		"files/made-before.yaml, prod/made-before: rotate\n" +
		"files/stock-before.yaml, prod/stock-before: rotate\n"
	if dry.code != 0 || dry.stdout != wantDry {
		t.Errorf("dry run: exit %d\n%s%s", dry.code, dry.stdout, dry.stderr)
	}
	o := runSignet(t, "", "rotate", "--before", "2026-01-01", "files")
	if o.code != 0 || !strings.Contains(o.stderr, "note: 3 rotated, 2 up to date, 0 failed") ||
		!strings.Contains(o.stderr, "note: 1 document left alone: changed since that time, and nothing tells how old the data key is") {
		t.Errorf("exit %d\n%s", o.code, o.stderr)
	}
	after := readTree(t, "files")
	for name := range before {
		kept := name == "made-since.yaml" || name == "stock-edited-since.yaml"
		if (after[name] == before[name]) != kept {
			t.Errorf("%s: kept %v, want %v", name, !kept, kept)
		}
	}
	if o := runSignet(t, "", "rotate", "--before", "2026-01-01", "files"); !strings.Contains(o.stderr, "note: 0 rotated, 5 up to date") {
		t.Errorf("again:\n%s", o.stderr)
	}
	if got := mustRun(t, "", "inspect", "files/made-before-edited-since.yaml"); strings.Contains(got, "2025-06-01") {
		t.Errorf("the data key is still the old one:\n%s", got)
	}
}

// Whoever seals can write any time into a document: one that cannot be keeps no data
// key from being rotated, nor hides its age.
func TestPlantedTimes(t *testing.T) {
	key := newRepository(t)
	s := newSealer(t, key.recipient)
	future := time.Now().Add(100 * 24 * time.Hour)
	s.sealed("future", future, time.Time{})
	s.sealed("changed-in-the-future", time.Now(), future)
	s.sops("stock-future", future, time.Time{})
	s.sealed("after-its-change", time.Now().Add(-time.Hour), time.Now().Add(-2*time.Hour))
	s.sealed("now", time.Now(), time.Time{})
	o := runSignet(t, "", "check", "--max-age", "1d", "files")
	for _, name := range []string{"future", "changed-in-the-future", "stock-future", "after-its-change"} {
		if !strings.Contains(o.stdout+o.stderr, "files/"+name+".yaml, document 1, prod/"+name+": max-age: nothing says how old its data key is: it names a time in the future") {
			t.Errorf("check says nothing about %s", name)
		}
	}
	if o.code == 0 || strings.Contains(o.stdout+o.stderr, "files/now.yaml") {
		t.Errorf("check: exit %d\n%s%s", o.code, o.stdout, o.stderr)
	}
	for _, age := range [][]string{{"--older-than", "90d"}, {"--before", "2020-01-01"}} {
		dry := runSignet(t, "", append([]string{"rotate", "--dry-run", "files"}, age...)...)
		if strings.Count(dry.stdout, ": rotate\n") != 4 || strings.Contains(dry.stdout, "now.yaml") {
			t.Errorf("%q: exit %d\n%s%s", age, dry.code, dry.stdout, dry.stderr)
		}
	}
	mustRun(t, "", "rotate", "--older-than", "90d", "files")
	if o := runSignet(t, "", "rotate", "--older-than", "90d", "files"); !strings.Contains(o.stderr, "note: 0 rotated, 5 up to date") {
		t.Errorf("again:\n%s", o.stderr)
	}
}

// inspect tells the age of a data key that is older than the last change.
func TestInspectDataKey(t *testing.T) {
	key := newRepository(t)
	s := newSealer(t, key.recipient)
	s.sealed("db", time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC), time.Now())
	if got := mustRun(t, "", "inspect", "files"); !strings.Contains(got, "  data key   2025-06-01T00:00:00Z (") {
		t.Errorf("got:\n%s", got)
	}
	if got := mustRun(t, "", "inspect", "--output", "json", "files"); strings.Count(got, "2025-06-01T00:00:00Z") != 2 {
		t.Errorf("got:\n%s", got)
	}
}

// A KMS that refuses everything is not asked for each of many documents.
func TestRenewalBreaker(t *testing.T) {
	srv, arn := newKMS(t)
	n := 4 * report.MaxErrors
	writeDocuments(t, "files", mustRun(t, secretStream(t, manySecrets(n)), "seal", "-", "--kms", arn))
	srv.Deny(kmstest.Denial{Operation: "Decrypt"})
	srv.ResetCounts()
	for _, command := range [][]string{{"rotate", "--kms", arn, "files"}, {"verify", "files"}} {
		o := runSignet(t, "", command...)
		if o.code != exitcode.NotOpened || !strings.Contains(o.stderr, "not all of which were tried") {
			t.Errorf("%s: exit %d\n%s", command[0], o.code, o.stderr)
		}
		if got := srv.Count("Decrypt"); got < report.MaxErrors || got > report.MaxErrors+parallel.AtOnce {
			t.Errorf("%s: %d calls", command[0], got)
		}
		srv.ResetCounts()
	}
	srv.AllowAll()
	mustRun(t, "", "rotate", "--kms", arn, "files")
	calls(t, srv, map[string]int{"Decrypt": n, "Encrypt": n})
}

// A run that is interrupted begins no more files; what it has written is whole.
func TestRenewalInterrupted(t *testing.T) {
	srv, arn := newKMS(t)
	secrets := manySecrets(3 * parallel.AtOnce)
	writeDocuments(t, "files", mustRun(t, secretStream(t, secrets), "seal", "-", "--kms", arn))
	srv.SetFaults(kmstest.Faults{Latency: callLatency})
	srv.ResetCounts()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out, stderr bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"rotate", "--kms", arn, "files"}, console{in: strings.NewReader(""), out: &out, err: &stderr})
	}()
	eventually(t, "a document sealed again", func() bool { return srv.Succeeded("Encrypt") >= 1 })
	srv.SetFaults(kmstest.Faults{Latency: time.Hour}) // the rest cannot end by itself
	cancel()
	if code := <-ended; code == 0 || !strings.Contains(stderr.String(), "not tried") {
		t.Errorf("exit %d\n%s", code, stderr.String())
	}
	srv.SetFaults(kmstest.Faults{})
	sameSecrets(t, mustRun(t, "", "unseal", "files"), secrets)
	mustRun(t, "", "rotate", "--kms", arn, "files")
}

// A file that somebody else changes during the run is left as it is.
func TestRenewalChangedMeanwhile(t *testing.T) {
	key := newRepository(t)
	newSealer(t, key.recipient).sealed("db", time.Now(), time.Time{})
	prepare := func(t *testing.T) (*renewal, *renewalFile) {
		t.Helper()
		r := &renewal{console: console{in: strings.NewReader(""), out: &bytes.Buffer{}, err: &bytes.Buffer{}}, names: renewalNames{operation: actRotate}, now: time.Now()}
		r.choose = func(*renewable) action { return actRotate }
		r.addFlags(&cobra.Command{})
		r.rules = ruleFinder{flags: r.recipientFlags}
		inputs := []input{{name: "files/db.yaml"}}
		files, err := r.prepare(t.Context(), inputs)
		if err := errors.Join(err, files[0].err); err != nil {
			t.Fatal(err)
		}
		if err := r.getKeys(inputs, new(userkeys.Watch)); err != nil {
			t.Fatal(err)
		}
		return r, files[0]
	}
	edit := func() string {
		text := readTestFile(t, "files/db.yaml") + "# edited\n"
		writeTestFile(t, "files/db.yaml", text)
		return text
	}
	t.Run("before it is read again", func(t *testing.T) {
		r, f := prepare(t)
		text := edit()
		if err := r.renewFile(t.Context(), f); !errors.Is(err, errMeanwhile) {
			t.Error(err)
		}
		if readTestFile(t, "files/db.yaml") != text {
			t.Error("the edit is gone")
		}
	})
	t.Run("before it is written", func(t *testing.T) {
		r, f := prepare(t)
		f.result = []byte("renewed")
		text := edit()
		if err := r.write(f); !errors.Is(err, errMeanwhile) {
			t.Error(err)
		}
		if readTestFile(t, "files/db.yaml") != text {
			t.Error("the edit is gone")
		}
	})
	t.Run("not at all", func(t *testing.T) {
		r, f := prepare(t)
		if err := r.renewFile(t.Context(), f); err != nil {
			t.Error(err)
		}
		if sha256.Sum256([]byte(readTestFile(t, "files/db.yaml"))) == f.sum {
			t.Error("nothing was written")
		}
	})
}

// verify --each-key finds a key that would not open a document, and rewrap --all
// mends that.
func TestVerifyEachKey(t *testing.T) {
	key, other := newRepository(t), newKeyFile(t)
	writeTestFile(t, key.path, string(key.identity.File(time.Now()))+string(other.identity.File(time.Now())))
	writeTestFile(t, ".sops.yaml", fmt.Sprintf("creation_rules:\n  - age: %s,%s\n", key.recipient, other.recipient))
	w := newSealer(t, key.recipient).options.Wrapper
	wrap := func(recipient string, k keys.DataKey) keys.Entry {
		r, err := keys.WrapAll(t.Context(), w, keys.Recipients{Groups: []keys.Group{{keys.AgeEntry{Recipient: recipient}}}}, k)
		if err != nil {
			t.Fatal(err)
		}
		return r.Entries()[0]
	}
	k := keys.GenerateDataKey()
	recipients := keys.Recipients{Groups: []keys.Group{{wrap(key.recipient, k), wrap(other.recipient, keys.GenerateDataKey())}}}
	clear := sopsdoc.Clear{Scope: sopsdoc.Scope{Namespace: "prod", Name: "db"}, Type: "Opaque"}
	e, err := sopsdoc.SealEnvelope(clear, sopsdoc.Content{StringData: map[string]string{"password": "correct horse battery staple"}}, k, recipients, time.Now(), nil)
	if err != nil {
		t.Fatal(err)
	}
	n := parseDocument(t, "apiVersion: signet.dev/v1alpha1\nkind: SealedSecret\nmetadata: {name: db, namespace: prod}\nspec: {}\n")
	manifest.Set(manifest.Get(manifest.Root(n), "spec"), "sealed", e.Node())
	newSealer(t, key.recipient).write("db.yaml", n)

	mustRun(t, "", "verify", "db.yaml")
	o := runSignet(t, "", "verify", "--each-key", "db.yaml")
	if o.code != exitcode.NotOpened || !strings.Contains(o.stdout, "age "+other.recipient+" (classic): does not open it: what was wrapped for it is another data key") ||
		!strings.Contains(o.stderr, "hint: wrap the data key anew for all recipients: signet rewrap --all db.yaml") {
		t.Errorf("exit %d\n%s%s", o.code, o.stdout, o.stderr)
	}
	mustRun(t, "", "rewrap", "db.yaml") // finds nothing to add
	if o := runSignet(t, "", "verify", "--each-key", "db.yaml"); o.code != exitcode.NotOpened {
		t.Error("rewrap without --all has mended it")
	}
	mustRun(t, "", "rewrap", "--all", "db.yaml")
	if got := mustRun(t, "", "verify", "--each-key", "db.yaml"); strings.Count(got, ": opens it\n") != 2 {
		t.Errorf("got:\n%s", got)
	}
}

// Durations can be in days, times can be days.
func TestRotateTimes(t *testing.T) {
	day := 24 * time.Hour
	for text, want := range map[string]time.Duration{"90d": 90 * day, "0d": 0, "12h": 12 * time.Hour, "1h30m": 90 * time.Minute} {
		if got, err := parseAge(text); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "d", "-1d", "-1h", "1.5d", "99999999999d", "90", "3months"} {
		if got, err := parseAge(text); err == nil {
			t.Errorf("%q is taken for %v", text, got)
		}
	}
	morning := time.Date(2026, 1, 31, 9, 30, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{"2026-01-31": morning.Truncate(day), "2026-01-31T09:30:00Z": morning, "2026-01-31T10:30:00+01:00": morning} {
		if got, err := parseTime(text); err != nil || !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "31.01.2026", "2026-01-31 09:30", "1h"} {
		if got, err := parseTime(text); err == nil {
			t.Errorf("%q is taken for %v", text, got)
		}
	}
}
