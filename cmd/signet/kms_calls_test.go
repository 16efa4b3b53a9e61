// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/unseal"
)

// callLatency is that of a KMS in the same Region.
const callLatency = 15 * time.Millisecond

// callDocuments is for how many documents calls are counted.
func callDocuments() int {
	if raceEnabled { // 5 times slower
		return 60
	}
	return 200
}

// callsAtOnce is how many calls one run may have under way.
const callsAtOnce = 20

// calls checks how many requests of each kind were made since the last time,
// and that never more than allowed were under way.
func calls(t *testing.T, srv *kmstest.Server, want map[string]int) {
	t.Helper()
	if diff := cmp.Diff(want, srv.Counts()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if n := srv.MaxInFlight(); n > callsAtOnce {
		t.Errorf("%d calls at once, the limit is %d", n, callsAtOnce)
	}
	srv.ResetCounts()
}

// concurrent is calls for so many that they have to overlap.
func concurrent(t *testing.T, srv *kmstest.Server, operation string, n int) {
	t.Helper()
	atOnce := srv.MaxInFlight()
	t.Logf("%d calls of %s, up to %d at once", srv.Count(operation), operation, atOnce)
	if atOnce < 2 {
		t.Error("the calls were made one after the other")
	}
	calls(t, srv, map[string]int{operation: n})
}

// timedRun is mustRun, and tells how long it took.
func timedRun(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	begin := time.Now()
	out := mustRun(t, stdin, args...)
	t.Logf("%s: %v", args[0], time.Since(begin).Round(time.Millisecond))
	return out
}

// How often KMS is called follows from what is opened: once for a SealingKey,
// once for a data key, not at all for what is known or refused.
func TestKeyCalls(t *testing.T) {
	srv, arn := newKMS(t)
	srv.SetFaults(kmstest.Faults{Latency: callLatency})
	recipient := newSealingKey(t, "prod", arn)
	calls(t, srv, map[string]int{"Encrypt": 1})
	n := callDocuments()
	secrets := manySecrets(n)
	plain := secretStream(t, secrets)

	t.Run("for a SealingKey", func(t *testing.T) {
		sealed := mustRun(t, plain, "seal", "-", "-a", recipient)
		calls(t, srv, map[string]int{})
		sameSecrets(t, timedRun(t, sealed, "unseal", "-"), secrets)
		calls(t, srv, map[string]int{"Decrypt": 1})
		writeDocuments(t, "sealed", sealed)
		sameSecrets(t, timedRun(t, "", "unseal", "sealed"), secrets)
		calls(t, srv, map[string]int{"Decrypt": 1})
	})
	t.Run("for KMS", func(t *testing.T) {
		sealed := timedRun(t, plain, "seal", "-", "--kms", arn)
		concurrent(t, srv, "Encrypt", n)
		sameSecrets(t, timedRun(t, sealed, "unseal", "-"), secrets)
		concurrent(t, srv, "Decrypt", n)
		writeDocuments(t, "direct", sealed)
		sameSecrets(t, timedRun(t, "", "unseal", "direct"), secrets)
		concurrent(t, srv, "Decrypt", n)
	})
	t.Run("for both", func(t *testing.T) {
		sealed := mustRun(t, plain, "seal", "-", "-a", recipient, "--kms", arn)
		concurrent(t, srv, "Encrypt", n)
		sameSecrets(t, timedRun(t, sealed, "unseal", "-"), secrets)
		if c := srv.Calls(); len(c) != 1 || c[0].Context["signet-sealing-key"] != "prod" {
			t.Errorf("calls were %+v, want one for the SealingKey", c)
		}
		calls(t, srv, map[string]int{"Decrypt": 1})
	})
	t.Run("files of plain Secrets", func(t *testing.T) {
		writeDocuments(t, "plain", plain)
		mustRun(t, "", "seal", "-i", "plain", "--kms", arn)
		concurrent(t, srv, "Encrypt", n)
	})
	t.Run("the same document twice", func(t *testing.T) {
		sealed := mustRun(t, secretStream(t, secrets[:1]), "seal", "-", "--kms", arn)
		srv.ResetCounts()
		sameSecrets(t, mustRun(t, sealed+"---\n"+sealed, "unseal", "-"), append(secrets[:1:1], secrets[0]))
		calls(t, srv, map[string]int{"Decrypt": 1})
	})
	t.Run("refused for its scope", func(t *testing.T) {
		for _, keyFlags := range [][]string{{"--kms", arn}, {"-a", recipient}} {
			sealed := mustRun(t, secretStream(t, secrets[:1]), append([]string{"seal", "-"}, keyFlags...)...)
			srv.ResetCounts()
			moved := strings.Replace(sealed, "namespace: prod\n", "namespace: test\n", 1)
			failsClosed(t, runSignet(t, moved, "unseal", "-"), "sealed for prod/s000, not for test/s000")
			calls(t, srv, map[string]int{})
		}
	})
}

// readInput reads stdin as unseal does.
func readInput(t *testing.T, text string) input {
	t.Helper()
	in := input{name: "-", notes: new(bytes.Buffer)}
	if err := in.read(strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	return in
}

// What was opened once costs no call for the rest of the run.
func TestKeyCallsAgain(t *testing.T) {
	srv, arn := newKMS(t)
	recipient := newSealingKey(t, "prod", arn)
	n := callDocuments()
	secrets := manySecrets(n)
	plain := secretStream(t, secrets)
	for _, row := range []struct {
		name, flag, key string
		calls           int
	}{
		{"SealingKey", "-a", recipient, 1},
		{"KMS", "--kms", arn, n},
	} {
		t.Run(row.name, func(t *testing.T) {
			sealed := mustRun(t, plain, "seal", "-", row.flag, row.key)
			o, err := new(keyFlags).options(io.Discard, here, true)
			if err != nil {
				t.Fatal(err)
			}
			srv.ResetCounts()
			for _, want := range []map[string]int{{"Decrypt": row.calls}, {}} {
				out, err := openStream(t.Context(), readInput(t, sealed), o)
				if err != nil {
					t.Fatal(err)
				}
				sameSecrets(t, string(out), secrets)
				calls(t, srv, want)
			}
		})
	}
}

// What the program counts is what KMS counts.
func TestKeyCallsCounted(t *testing.T) {
	srv, arn := newKMS(t)
	newSealingKey(t, "prod", arn)
	secrets := manySecrets(20)
	sealed := mustRun(t, secretStream(t, secrets), "seal", "-", "--kms", arn)
	forged := manifest.Root(parseDocument(t, documents(t, sealed)[0]))
	putText("spec/sealed/labels/number", "1")(forged) // refused when the data key is there
	for _, row := range []struct {
		name, text string
		denied     bool
		want       keys.Counts
	}{
		{"all open", sealed, false, keys.Counts{Unwraps: 20}},
		{"each twice", sealed + "---\n" + sealed, false, keys.Counts{Unwraps: 20, Hits: 20}},
		{"one is forged", sealed + "---\n" + encodeLoose(t, forged), false, keys.Counts{Unwraps: 20, Hits: 1}},
		{"denied", sealed, true, keys.Counts{Unwraps: 20, Failures: 20}},
	} {
		t.Run(row.name, func(t *testing.T) {
			srv.AllowAll()
			if row.denied {
				srv.Deny(kmstest.Denial{Operation: "Decrypt"})
			}
			srv.ResetCounts()
			var counters keys.Counters
			o, err := userkeys.Sources{Counters: &counters}.KeyOptions()
			if err != nil {
				t.Fatal(err)
			}
			_, err = openStream(t.Context(), readInput(t, row.text), unseal.Options{Unwrapper: o.Unwrapper})
			if fails := row.denied || strings.Contains(row.name, "forged"); fails != (err != nil) {
				t.Error(err)
			}
			if diff := cmp.Diff(map[keys.Type]keys.Counts{keys.AWSKMS: row.want}, counters.Counts()); diff != "" {
				t.Errorf("counters (-want +got):\n%s", diff)
			}
			calls(t, srv, map[string]int{"Decrypt": int(row.want.Unwraps)})
		})
	}
	t.Run("sealing", func(t *testing.T) {
		var counters keys.Counters
		w, err := userkeys.Sources{Counters: &counters}.Wrapper()
		if err != nil {
			t.Fatal(err)
		}
		_, err = keys.WrapAll(t.Context(), w, keys.Recipients{Groups: []keys.Group{{keys.KMSEntry{ARN: arn}}}}, keys.GenerateDataKey())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[keys.Type]keys.Counts{keys.AWSKMS: {Wraps: 1}}, counters.Counts()); diff != "" {
			t.Errorf("counters (-want +got):\n%s", diff)
		}
		calls(t, srv, map[string]int{"Encrypt": 1})
	})
}
