// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"

	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
)

// unwrapper returns that of a command line.
func unwrapper(t testing.TB, args ...string) keys.Unwrapper {
	t.Helper()
	o, err := mustParse(t, args...).controllerOptions(logr.Discard())
	if err != nil {
		t.Fatal(err)
	}
	return o.Unwrapper
}

// unwrapWith unwraps an entry that holds secret.
func unwrapWith(t testing.TB, e keys.Entry, args ...string) {
	t.Helper()
	got, err := unwrapper(t, args...).Unwrap(t.Context(), e)
	if err != nil || !bytes.Equal(got, secret) {
		t.Fatalf("unwrap with %q: %v", args, err)
	}
}

// Identities that happen to be around, as in a shared image or on somebody's
// machine, open nothing.
func TestAgeIdentitiesComeFromFlagsAlone(t *testing.T) {
	path, id := newKeyFile(t)
	home := t.TempDir()
	ran := filepath.Join(home, "ran")
	setenv(t, "HOME="+home, "XDG_CONFIG_HOME="+filepath.Join(home, ".config"),
		"SOPS_AGE_KEY="+id.Reveal(), "SOPS_AGE_KEY_FILE="+path, "SOPS_AGE_KEY_CMD=touch "+ran)
	writeTestFile(t, filepath.Join(home, ".config", "sops", "age", "keys.txt"), string(id.File(time.Unix(0, 0))))
	e, err := agekey.NewWrapper(nil).Wrap(t.Context(), keys.AgeEntry{Recipient: id.Recipient()}, secret)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unwrapper(t).Unwrap(t.Context(), e); !errors.Is(err, keys.ErrNoIdentity) {
		t.Errorf("without --age-key-file: %v, want ErrNoIdentity", err)
	}
	if _, err := os.Stat(ran); err == nil {
		t.Error("SOPS_AGE_KEY_CMD was run")
	}
	unwrapWith(t, e, "--age-key-file="+path)
	other, _ := newKeyFile(t)
	unwrapWith(t, e, "--age-key-file="+other, "--age-key-file="+path)
	unwrapWith(t, e, "--age-key-file="+other+","+path)
}

func TestServices(t *testing.T) {
	newKMS(t)
	u := unwrapper(t, "--allow-keys=pgp=* hckms=* gcp_kms=** azure_kv=https://*/** hc_vault=https://*/** kms=*")
	tests := []struct {
		name   string
		entry  keys.Entry
		linked bool
	}{
		{"AWS KMS", keys.KMSEntry{ARN: "no ARN"}, true},
		{"GCP KMS", keys.GCPKMSEntry{ResourceID: "projects/p/locations/l/keyRings/r/cryptoKeys/k/"}, true},
		{"Azure Key Vault", keys.AzureKVEntry{VaultURL: "https://x.vault.azure.net", Name: "k"}, true},
		{"Vault", keys.VaultEntry{Address: "https://vault.example.com", EnginePath: "transit", KeyName: "k"}, true},
		{"PGP", keys.PGPEntry{Fingerprint: strings.Repeat("A", 40)}, false},
		{"Huawei KMS", keys.HuaweiKMSEntry{KeyID: "r:k"}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := u.Unwrap(t.Context(), test.entry) // of nothing, which all refuse
			if err == nil || errors.As(err, new(*keys.UnsupportedError)) == test.linked {
				t.Errorf("error = %v, want linked %v", err, test.linked)
			}
		})
	}
}

func TestDataKeyCache(t *testing.T) {
	srv := newKMS(t)
	e := wrapped(t, srv.CreateKey(kmstest.Key{}))
	for _, test := range []struct {
		ttl   string
		calls int
	}{{"10m", 1}, {"0", 3}} {
		t.Run(test.ttl, func(t *testing.T) {
			srv.ResetCounts()
			o, err := mustParse(t, "--data-key-cache-ttl="+test.ttl).controllerOptions(logr.Discard())
			if err != nil {
				t.Fatal(err)
			}
			for range 3 {
				if _, err := o.Unwrapper.Unwrap(t.Context(), e); err != nil {
					t.Fatal(err)
				}
			}
			counts := o.Counters.Counts()[keys.AWSKMS]
			if n := srv.Count("Decrypt"); n != test.calls || counts.Unwraps != uint64(n) || counts.Hits != uint64(3-n) {
				t.Errorf("%d calls, counted %+v, want %d", n, counts, test.calls)
			}
			if rank := o.Unwrapper.(keys.Ranker).Rank(e); (rank == keys.AtHand) != (test.ttl != "0") {
				t.Errorf("rank = %v: what is remembered is tried first", rank)
			}
		})
	}
}

func TestKeyCallsAreLimited(t *testing.T) {
	srv := newKMS(t)
	arn := srv.CreateKey(kmstest.Key{})
	entries := make([]keys.Entry, 20)
	for i := range entries {
		entries[i] = wrapped(t, arn)
	}
	srv.ResetCounts()
	srv.SetFaults(kmstest.Faults{Latency: 20 * time.Millisecond})
	u := unwrapper(t, "--kms-concurrency=3", "--kms-rate=0")
	var wg sync.WaitGroup
	for _, e := range entries {
		wg.Go(func() {
			if _, err := u.Unwrap(t.Context(), e); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := srv.MaxInFlight(); n < 2 || n > 3 {
		t.Errorf("%d calls at the same time, want 3", n)
	}
}

// A command of the AWS configuration is not run, wherever it stands; what is
// configured without a command works.
func TestCredentialProcessIsNotRun(t *testing.T) {
	srv := newKMS(t)
	e := wrapped(t, srv.CreateKey(kmstest.Key{})).(keys.KMSEntry)
	ran := filepath.Join(t.TempDir(), "ran")
	process := "credential_process = sh -c 'touch " + ran + "; echo canary >&2; exit 1'\n"
	static := "aws_access_key_id = " + kmstest.AccessKeyID + "\naws_secret_access_key = " + kmstest.SecretAccessKey + "\n"
	tests := []struct {
		name, config, profile string
		env                   []string
		opens                 bool
	}{
		{"default profile", "[default]\n" + process, "", nil, false},
		{"profile of the environment", "[profile dev]\n" + process, "", []string{"AWS_PROFILE=dev"}, false},
		{"profile of the document", "[profile dev]\n" + process, "dev", nil, false},
		{"source of a role", "[default]\nrole_arn = arn:aws:iam::111122223333:role/r\nsource_profile = dev\n[profile dev]\n" + process, "", nil, false},
		{"keys of the environment", "[default]\n" + process, "", []string{"AWS_ACCESS_KEY_ID=" + kmstest.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + kmstest.SecretAccessKey}, true},
		{"another profile", "[default]\n" + process + "[profile dev]\n" + static, "dev", nil, true},
		{"keys of the configuration", "[default]\n" + static, "", nil, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "config")
			writeTestFile(t, file, test.config)
			setenv(t, "AWS_CONFIG_FILE="+file, "AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=")
			setenv(t, test.env...)
			e := e
			e.AWSProfile = test.profile
			_, err := unwrapper(t, "--aws-account=111122223333", "--allow-keys=default aws_profile=dev").Unwrap(t.Context(), e)
			if (err == nil) != test.opens || err != nil && !strings.Contains(err.Error(), "CredentialProcessNotRun") {
				t.Errorf("error = %v, want opens %v", err, test.opens)
			}
			if _, err := os.Stat(ran); err == nil {
				t.Error("the command was run")
			}
		})
	}
	t.Run("account", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "config")
		writeTestFile(t, file, "[default]\n"+process)
		setenv(t, "AWS_CONFIG_FILE="+file, "AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=")
		_, err := unwrapper(t).Unwrap(t.Context(), e)
		if err == nil || !strings.Contains(err.Error(), "CredentialProcessNotRun") {
			t.Errorf("error = %v", err)
		}
		if _, err := os.Stat(ran); err == nil {
			t.Error("the command was run")
		}
	})
}

// The identity in a SealingKey gives the recipient that belongs to it.
func TestParseIdentity(t *testing.T) {
	_, id := newKeyFile(t)
	e, err := agekey.NewWrapper(nil).Wrap(t.Context(), keys.AgeEntry{Recipient: id.Recipient()}, secret)
	if err != nil {
		t.Fatal(err)
	}
	recipient, u, err := parseIdentity(id.Reveal())
	if err != nil || recipient != id.Recipient() {
		t.Fatalf("recipient %q, error %v", recipient, err)
	}
	if got, err := u.Unwrap(t.Context(), e); err != nil || !bytes.Equal(got, secret) {
		t.Errorf("unwrap: %v", err)
	}
	if _, _, err := parseIdentity("AGE-SECRET-KEY-1CANARY"); err == nil || strings.Contains(err.Error(), "CANARY") {
		t.Errorf("error = %v", err)
	}
}
