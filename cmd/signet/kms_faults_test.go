// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/signet-secrets/signet/internal/kmstest"
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

// answered counts the requests that were processed, and those of them whose
// answer was lost on the way.
func (f faulty) answered() (processed, lost int) {
	for _, c := range f.Calls() {
		switch c.Error {
		case "":
			processed++
		case string(kmstest.ResetAfter):
			processed++
			lost++
		}
	}
	return processed, lost
}

// Every document opens while many requests go wrong, right to the last byte
// and with no more requests than that takes: KMS gives each data key out once,
// and once more for each time that its answer is lost. Nothing stays behind.
func TestKeyFaults(t *testing.T) {
	settled := noLeak(t)
	f := newFaulty(t)
	for i, tt := range []struct {
		name   string
		faults kmstest.Faults
		// A request fails with probability p, so that a document takes 1/(1-p)
		// of them on average; 1.5 times that is never exceeded.
		p float64
	}{
		{"none", kmstest.Faults{}, 0},
		{"throttling", kmstest.Faults{Throttle: 0.5}, 0.5},
		{"server errors", kmstest.Faults{ServerError: 0.5}, 0.5},
		{"resets", kmstest.Faults{Reset: 0.5}, 0.5},
		{"hangs", kmstest.Faults{Hang: 0.02}, 0.02},
		{"everything", kmstest.Faults{Throttle: 0.2, ServerError: 0.2, Reset: 0.2, Hang: 0.01}, 0.5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.faults.Seed, tt.faults.HangFor = uint64(i), 5*time.Second
			f.SetFaults(tt.faults)
			f.ResetCounts()
			sameSecrets(t, timedRun(t, f.sealed, "unseal", "-"), f.secrets)
			requests, most := f.Count("Decrypt"), int(1.5*faultDocuments/(1-tt.p))
			processed, lost := f.answered()
			t.Logf("%d requests for %d documents, %d processed, %d answers lost", requests, faultDocuments, processed, lost)
			if requests > most {
				t.Errorf("%d requests, want %d at most", requests, most)
			}
			if processed != faultDocuments+lost || f.Succeeded("Decrypt") != faultDocuments {
				t.Errorf("%d requests were processed, %d answered; want %d and %d", processed, f.Succeeded("Decrypt"), faultDocuments+lost, faultDocuments)
			}
		})
	}
	f.Close() // and with it all connections
	settled()
}

// mostTried is how many of many documents are tried when none opens: as many as
// are reported, and those that were under way then.
const mostTried = maxReported + atOnce

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
				o.code += exitNoSecret - exitFailed
			}
			failsClosed(t, o, append(row.want, "AccessDeniedException", "signet: hint: allow kms:", "on "+f.arn,
				"arn:aws:iam::111122223333:user/tester", "signet: error: and 480 more, not all of which were tried")...)
			t.Logf("%d requests for %d documents in %v", f.Count(""), faultDocuments, took.Round(time.Millisecond))
			if n := f.Count(""); n > mostTried {
				t.Errorf("%d requests, want %d at most", n, mostTried)
			}
			if took > 2*time.Second && !raceEnabled {
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
			if o.code != exitFailed || o.stdout != "" || o.stderr != "signet: error: interrupted\n" {
				t.Errorf("exit %d, want %d; %d bytes on stdout; stderr:\n%.2000s", o.code, exitFailed, len(o.stdout), o.stderr)
			}
			if took > 2*time.Second {
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
