// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/internal/parallel"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/manifest"
)

const faultDocuments = 500

// faulty is a KMS with many documents that it opens, each by a call of its own.
type faulty struct {
	*kmstest.Server
	arn     string
	secrets []*manifest.Secret
	sealed  string
}

func newFaulty(t *testing.T) faulty {
	t.Helper()
	srv, arn := newKMS(t)
	f := faulty{Server: srv, arn: arn, secrets: manySecrets(faultDocuments)}
	f.sealed = mustRun(t, secretStream(t, f.secrets), "seal", "-", "--kms", arn)
	srv.ResetCounts()
	return f
}

// faultRun seals and opens many documents while requests go wrong.
type faultRun struct {
	name   string
	faults kmstest.Faults
	// p is the probability with which a request fails. A document takes
	// 1/(1-p) of them on average; 1.5 times that is never exceeded.
	p float64

	*kmstest.Server
	arn          string
	seal, unseal outcome
	took         time.Duration
}

func faultRuns() []*faultRun {
	runs := []*faultRun{
		{name: "everything", faults: kmstest.Faults{Throttle: 0.2, ServerError: 0.2, Reset: 0.2, Hang: 0.01}, p: 0.5},
		{name: "none"},
		{name: "throttling", faults: kmstest.Faults{Throttle: 0.5}, p: 0.5},
		{name: "server errors", faults: kmstest.Faults{ServerError: 0.5}, p: 0.5},
		{name: "resets", faults: kmstest.Faults{Reset: 0.5}, p: 0.5},
		{name: "hangs", faults: kmstest.Faults{Hang: 0.02}, p: 0.02},
	}
	for i, r := range runs {
		r.faults.Seed, r.faults.HangFor = uint64(i), 5*time.Second
	}
	return runs
}

// run does it by a way to run signet.
func (r *faultRun) run(plain string, signet func(stdin string, args ...string) outcome) {
	if r.seal = signet(plain, "seal", "-", "--kms", r.arn); r.seal.code != 0 {
		return
	}
	r.SetFaults(r.faults)
	r.ResetCounts()
	begin := time.Now()
	r.unseal = signet(r.seal.stdout, "unseal", "-")
	r.took = time.Since(begin)
}

// check looks at what came out and how often KMS was asked: it gives each data
// key out once, and once more for each answer that got lost.
func (r *faultRun) check(t *testing.T, secrets []*manifest.Secret) {
	if r.seal.code != 0 || r.unseal.code != 0 {
		t.Fatalf("seal: exit %d, %.2000s; unseal: exit %d, %.2000s", r.seal.code, r.seal.stderr, r.unseal.code, r.unseal.stderr)
	}
	if r.unseal.stderr != "" {
		t.Errorf("stderr:\n%.2000s", r.unseal.stderr)
	}
	sameSecrets(t, r.unseal.stdout, secrets)
	requests, most, lost := r.Count("Decrypt"), int(1.5*float64(len(secrets))/(1-r.p)), 0
	for _, c := range r.Calls() {
		if c.Error == string(kmstest.ResetAfter) {
			lost++
		}
	}
	t.Logf("%d documents in %v with %d requests; %d answers were lost", len(secrets), r.took.Round(time.Millisecond), requests, lost)
	if requests > most {
		t.Errorf("%d requests, want %d at most", requests, most)
	}
	if n := r.Succeeded("Decrypt"); n != len(secrets) {
		t.Errorf("%d requests were answered, want %d: one for each document", n, len(secrets))
	}
}

// Every document opens while many requests go wrong, right to the last byte
// and with no more requests than that takes, and nothing stays behind.
func TestKeyFaults(t *testing.T) {
	program := buildSignet(t)
	isolate(t)
	settled := noLeak(t)
	secrets, runs := manySecrets(faultDocuments), faultRuns()
	plain := secretStream(t, secrets)
	var others sync.WaitGroup
	for i, r := range runs {
		r.Server = kmstest.Start(t, kmstest.Options{})
		r.arn = r.CreateKey(kmstest.Key{})
		if i == 0 {
			setenv(t, r.Env()...)
			continue
		}
		others.Go(func() { // they mostly wait
			r.run(plain, func(stdin string, args ...string) outcome { return process(program, r.Env(), stdin, args...) })
		})
	}
	runs[0].run(plain, func(stdin string, args ...string) outcome { return runSignet(t, stdin, args...) })
	others.Wait()
	for _, r := range runs {
		t.Run(r.name, func(t *testing.T) { r.check(t, secrets) })
		r.Close() // and with it all connections
	}
	settled()
}

// process runs a program with more variables; the exit code is -1 if it cannot
// be run.
func process(program string, env []string, stdin string, args ...string) outcome {
	cmd := exec.Command(program, args...)
	var out, err bytes.Buffer
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = append(os.Environ(), env...), strings.NewReader(stdin), &out, &err
	if failure := cmd.Run(); cmd.ProcessState == nil {
		return outcome{-1, "", failure.Error()}
	}
	return outcome{cmd.ProcessState.ExitCode(), out.String(), err.String()}
}

// mostTried is how many of many documents are tried when none opens: as many as
// are reported, and those that were under way then.
const mostTried = report.MaxErrors + parallel.AtOnce

// What waiting cannot mend fails at once, with what to do about it, and without
// asking for every document.
func TestKeyFaultsDenied(t *testing.T) {
	f := newFaulty(t)
	f.Deny(kmstest.Denial{})
	writeDocuments(t, "sealed", f.sealed)
	for _, row := range []struct {
		name, stdin string
		args, want  []string
	}{
		{"stream", f.sealed, []string{"unseal", "-"}, []string{"signet: error: stdin, document 20, prod/s019: open: ", "kms:Decrypt"}},
		{"directory", "", []string{"unseal", "sealed"}, []string{"signet: error: sealed/019.yaml, document 1, prod/s019: open: ", "kms:Decrypt"}},
		{"seal", secretStream(t, f.secrets), []string{"seal", "-", "--kms", f.arn}, []string{"signet: error: stdin, document 20, prod/s019: seal: ", "kms:Encrypt"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			f.ResetCounts()
			begin := time.Now()
			o := runSignet(t, row.stdin, row.args...)
			took := time.Since(begin)
			if row.args[0] == "seal" {
				o.code += exitcode.NotOpened - exitcode.Failed
			}
			failsClosed(t, o, append(row.want, "AccessDeniedException", "signet: hint: allow kms:", "on "+f.arn,
				"arn:aws:iam::111122223333:user/tester", "signet: error: and 480 more, not all of which were tried")...)
			t.Logf("%d requests for %d documents in %v", f.Count(""), faultDocuments, took.Round(time.Millisecond))
			if n := f.Count(""); n > mostTried {
				t.Errorf("%d requests, want %d at most", n, mostTried)
			}
			if took > 20*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// background runs a command. stop is Ctrl-C, and wait waits for the end.
func background(t *testing.T, stdin string, args ...string) (stop func(), wait func() outcome) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	done := make(chan outcome, 1)
	go func() {
		var out, err bytes.Buffer
		code := run(ctx, args, console{in: strings.NewReader(stdin), out: &out, err: &err})
		done <- outcome{code, out.String(), err.String()}
	}()
	return cancel, func() outcome {
		select {
		case o := <-done:
			return o
		case <-time.After(time.Minute):
			t.Fatal("did not end")
			return outcome{}
		}
	}
}

// Ctrl-C ends everything at once, whatever a key service is doing.
func TestKeyFaultsInterrupted(t *testing.T) {
	settled := noLeak(t)
	f := newFaulty(t)
	f.SetFaults(kmstest.Faults{Hang: 1})
	for _, row := range []struct {
		name, stdin string
		args        []string
	}{
		{"unseal", f.sealed, []string{"unseal", "-"}},
		{"seal", secretStream(t, f.secrets), []string{"seal", "-", "--kms", f.arn}},
	} {
		t.Run(row.name, func(t *testing.T) {
			f.ResetCounts()
			stop, wait := background(t, row.stdin, row.args...)
			eventually(t, "every call under way", func() bool { return f.Count("") >= callsAtOnce })
			stop()
			begin := time.Now()
			o := wait()
			took := time.Since(begin)
			t.Logf("ended after %v", took.Round(time.Millisecond))
			if o.code != exitcode.Failed || o.stdout != "" || o.stderr != "signet: error: interrupted\n" {
				t.Errorf("exit %d, want %d; %d bytes on stdout; stderr:\n%.2000s", o.code, exitcode.Failed, len(o.stdout), o.stderr)
			}
			if took > 20*time.Second { // the server hangs for longer
				t.Errorf("took %v", took)
			}
		})
	}
	f.Close()
	settled()
}

// A key service that goes away half-way leaves no half of the output.
func TestKeyFaultsGone(t *testing.T) {
	settled := noLeak(t)
	f := newFaulty(t)
	f.SetFaults(kmstest.Faults{Latency: callLatency})
	_, wait := background(t, f.sealed, "unseal", "-")
	eventually(t, "some documents opened", func() bool { return f.Succeeded("Decrypt") >= faultDocuments/5 })
	f.Close()
	begin := time.Now()
	failsClosed(t, wait(), "connection refused", "signet: hint: check that Region eu-west-1 is right", "more, not all of which were tried")
	t.Logf("ended %v after the server, which had opened %d", time.Since(begin).Round(time.Millisecond), f.Succeeded("Decrypt"))
	settled()
}
