// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/awskms"
)

const asked = "GetCallerIdentity"

// newList returns the allow-list of a command line.
func newList(t testing.TB, args ...string) *allowList {
	t.Helper()
	o := mustParse(t, args...)
	list, err := newAllowList(o.allowText, newAccount(o, os.Getenv))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// The default is the own account, and nobody is asked which that is before an
// answer makes a difference.
func TestAccountIsLearnedWhenItMatters(t *testing.T) {
	srv := newKMS(t)
	list := newList(t)
	arn := func(account string) string {
		return "arn:aws:kms:eu-west-1:" + account + ":key/11111111-2222-4333-8444-555555555555"
	}
	tests := []struct {
		name    string
		entry   keys.Entry
		allowed bool
		asked   int // times, since the first row
	}{
		{"age", keys.AgeEntry{Recipient: "age1xyz"}, true, 0},
		{"age plugin", keys.AgeEntry{Recipient: "age1yubikey1qxyz"}, false, 0},
		{"GCP KMS", keys.GCPKMSEntry{ResourceID: "projects/p/locations/l/keyRings/r/cryptoKeys/k"}, false, 0},
		{"Vault", keys.VaultEntry{Address: "https://vault.example.com", EnginePath: "transit", KeyName: "k"}, false, 0},
		{"PGP", keys.PGPEntry{Fingerprint: strings.Repeat("A", 40)}, false, 0},
		{"no ARN", keys.KMSEntry{ARN: "arn:aws:kms:eu-west-1:111122223333"}, false, 0},
		{"own key with a role", keys.KMSEntry{ARN: arn("111122223333"), Role: "arn:aws:iam::111122223333:role/r"}, false, 0},
		{"own key with a profile", keys.KMSEntry{ARN: arn("111122223333"), AWSProfile: "dev"}, false, 0},
		{"another account's key", keys.KMSEntry{ARN: arn("444455556666")}, false, 1},
		{"own key", keys.KMSEntry{ARN: arn("111122223333")}, true, 1},
		{"own alias", keys.KMSEntry{ARN: "arn:aws:kms:us-east-1:111122223333:alias/x"}, true, 1},
		{"another account's key again", keys.KMSEntry{ARN: arn("444455556666")}, false, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := list.Check(t.Context(), test.entry)
			if (err == nil) != test.allowed || err != nil && !errors.As(err, new(*keys.NotAllowedError)) {
				t.Errorf("error = %v, want allowed %v", err, test.allowed)
			}
			if n := srv.Count(asked); n != test.asked {
				t.Errorf("STS was asked %d times, want %d", n, test.asked)
			}
		})
	}
}

func TestAccountFromSettings(t *testing.T) {
	own := keys.KMSEntry{ARN: "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-4333-8444-555555555555"}
	other := keys.KMSEntry{ARN: strings.ReplaceAll(own.ARN, "111122223333", "444455556666")}
	irsa := []string{"AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=", "AWS_WEB_IDENTITY_TOKEN_FILE=/token", "AWS_ROLE_ARN=arn:aws:iam::444455556666:role/signet"}
	tests := []struct {
		name    string
		env     []string
		args    []string
		entry   keys.Entry
		allowed bool
		asked   int
		text    string
	}{
		{"flag", nil, []string{"--aws-account=444455556666"}, other, true, 0, "kms=arn:*:kms:*:444455556666:**"},
		{"flag, own key", nil, []string{"--aws-account=444455556666"}, own, false, 0, "kms=arn:*:kms:*:444455556666:**"},
		{"web identity", irsa, nil, other, true, 0, "kms=arn:*:kms:*:444455556666:**"},
		{"flag before web identity", irsa, []string{"--aws-account=111122223333"}, own, true, 0, "kms=arn:*:kms:*:111122223333:**"},
		{"keys before web identity", []string{irsa[2], irsa[3]}, nil, own, true, 1, "default"},
		{"role without web identity", []string{irsa[3]}, nil, own, true, 1, "default"},
		{"list without default", nil, []string{"--allow-keys=kms=" + other.ARN}, other, true, 0, "kms=" + other.ARN},
		{"list without default, own key", nil, []string{"--allow-keys=kms=" + other.ARN}, own, false, 0, "kms=" + other.ARN},
		{"list and default", nil, []string{"--allow-keys=default kms=" + other.ARN}, own, true, 1, "default kms=" + other.ARN},
		{"list before default", nil, []string{"--allow-keys=default", "--allow-keys=kms=" + other.ARN}, other, true, 0, "default kms=" + other.ARN},
		{"empty list", nil, []string{"--allow-keys="}, own, false, 0, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			srv := newKMS(t)
			setenv(t, test.env...)
			list := newList(t, test.args...)
			before := list.String()
			if err := list.Check(t.Context(), test.entry); (err == nil) != test.allowed {
				t.Errorf("error = %v, want allowed %v", err, test.allowed)
			}
			if n := srv.Count(asked); n != test.asked {
				t.Errorf("STS was asked %d times, want %d", n, test.asked)
			}
			if after := list.String(); before != test.text || after != before {
				t.Errorf("text = %q, later %q, want %q both times", before, after, test.text)
			}
		})
	}
}

// An answer that does not come is tried again, but not for every document, and
// it is no verdict on the document.
func TestAccountIsTriedAgain(t *testing.T) {
	srv := newKMS(t)
	endpoint := os.Getenv("AWS_ENDPOINT_URL_STS")
	t.Setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1")
	list := newList(t)
	now := time.Now()
	list.account.now = func() time.Time { return now }
	entry := keys.KMSEntry{ARN: srv.CreateKey(kmstest.Key{})}

	err := list.Check(t.Context(), entry)
	call := new(keys.CallError)
	if !errors.As(err, &call) || keys.Permanent(err) || !strings.Contains(call.Hint, "--aws-account") {
		t.Fatalf("without STS: %v, want a *keys.CallError that passes, with a hint", err)
	}
	t.Setenv("AWS_ENDPOINT_URL_STS", endpoint)
	if err := list.Check(t.Context(), entry); err == nil || srv.Count(asked) != 0 {
		t.Errorf("at once: error %v, asked %d times, want the same error and no call", err, srv.Count(asked))
	}
	now = now.Add(accountFailureTTL)
	if err := list.Check(t.Context(), entry); err != nil || srv.Count(asked) != 1 {
		t.Errorf("later: error %v, asked %d times, want none and 1", err, srv.Count(asked))
	}
}

// A Pod on EKS that nothing gives credentials: the message is what people look up
// in the manual, and not that of the SDK.
func TestAccountWithoutCredentials(t *testing.T) {
	dir := t.TempDir()
	setenv(t, "AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=", "AWS_SESSION_TOKEN=", "AWS_PROFILE=", "AWS_ROLE_ARN=",
		"AWS_WEB_IDENTITY_TOKEN_FILE=", "AWS_CONTAINER_CREDENTIALS_FULL_URI=", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=",
		"AWS_CONFIG_FILE="+filepath.Join(dir, "config"), "AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(dir, "credentials"),
		"AWS_EC2_METADATA_DISABLED=true", "AWS_ENDPOINT_URL_STS=http://127.0.0.1:1", "AWS_REGION=eu-west-1")
	entry := keys.KMSEntry{ARN: "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-4333-8444-555555555555"}
	err := newList(t).Check(t.Context(), entry)
	if !errors.As(err, new(*keys.CallError)) {
		t.Fatalf("error = %v, want a *keys.CallError", err)
	}
	for _, want := range []string{"learn the controller's AWS account", "no AWS credentials: there are none in the environment",
		"metadata service is switched off", "on EKS, give the service account of the controller a role"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error doesn't say %q: %v", want, err)
		}
	}
	for _, raw := range []string{"GetCallerIdentity", "client option", "IMDS"} {
		if strings.Contains(err.Error(), raw) {
			t.Errorf("error says %q: %v", raw, err)
		}
	}
	manual, readErr := os.ReadFile("../../controller/README.md")
	if readErr != nil || !strings.Contains(string(manual), "| no AWS credentials") {
		t.Errorf("the manual has no row for it (%v)", readErr)
	}
}

func TestAccountIsAskedOnceByAll(t *testing.T) {
	srv := newKMS(t)
	list := newList(t)
	entry := keys.KMSEntry{ARN: srv.CreateKey(kmstest.Key{})}
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if err := list.Check(t.Context(), entry); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := srv.Count(asked); n != 1 {
		t.Errorf("STS was asked %d times, want 1", n)
	}
}

// The search has a deadline of its own, and goes on for others when one of those
// who wait gives up. A panic in it is an error.
func TestAccountSearchIsBounded(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	var searches atomic.Int32
	a := &account{now: time.Now, ask: func(ctx context.Context) (string, error) {
		if at, ok := ctx.Deadline(); !ok || time.Until(at) > accountTimeout {
			t.Errorf("deadline %v, %v", at, ok)
		}
		searches.Add(1)
		close(begun)
		<-finish
		return "111122223333", ctx.Err()
	}}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-begun; cancel() }()
	if _, err := a.get(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want that of the context", err)
	}
	close(finish)
	if id, err := a.get(t.Context()); id != "111122223333" || err != nil || searches.Load() != 1 {
		t.Errorf("account %q, error %v after %d searches", id, err, searches.Load())
	}

	a = &account{now: time.Now, ask: func(context.Context) (string, error) { panic("canary") }}
	if _, err := a.get(t.Context()); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("after a panic: %v", err)
	}
}

// A replica is in the list if its key is.
func TestReplicaOfAllowedKey(t *testing.T) {
	srv := newKMS(t)
	t.Setenv("AWS_REGION", "us-east-1")
	arn := srv.CreateKey(kmstest.Key{MultiRegion: true})
	srv.Replicate(arn, "us-east-1")
	entry := wrapped(t, arn)
	for _, test := range []struct{ name, patterns, region string }{
		{"by account", "default", "us-east-1"},
		{"by ARN", "kms=" + arn, "eu-west-1"},
		{"by every Region", "kms=arn:aws:kms:*:111122223333:key/*", "us-east-1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			srv.ResetCounts()
			unwrapWith(t, entry, "--allow-keys="+test.patterns)
			if calls := srv.Calls(); len(calls) != 1 || calls[0].Region != test.region {
				t.Errorf("calls %+v, want one in %s", calls, test.region)
			}
		})
	}
}

var secret = []byte("correct horse battery staple 32b")

// wrapped returns an entry that holds secret.
func wrapped(t testing.TB, arn string) keys.Entry {
	t.Helper()
	e, err := awskms.New(awskms.Options{}).Wrap(t.Context(), keys.KMSEntry{ARN: arn}, secret)
	if err != nil {
		t.Fatal(err)
	}
	return e
}
