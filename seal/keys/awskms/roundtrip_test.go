// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"bytes"
	"encoding/base64"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/seal/keys"
)

func TestRoundTrip(t *testing.T) {
	srv := start(t)
	noon := time.Date(2026, 1, 2, 13, 14, 15, 999, time.FixedZone("CET", 3600))
	s := open(t, Options{Now: func() time.Time { return noon }})
	key := srv.CreateKey(kmstest.Key{})
	for _, tt := range []struct {
		name    string
		entry   keys.KMSEntry
		secret  []byte
		context map[string]string
	}{
		{"data key", keys.KMSEntry{ARN: key}, dataKey, nil},
		{"share", keys.KMSEntry{ARN: key}, bytes.Repeat([]byte{7}, 33), nil},
		{"context", keys.KMSEntry{ARN: key, Context: map[string]string{"kubernetes-namespace": "prod", "kubernetes-name": "*"}}, dataKey,
			map[string]string{"kubernetes-namespace": "prod", "kubernetes-name": "*"}},
		{"other Region", keys.KMSEntry{ARN: srv.CreateKey(kmstest.Key{Region: "us-east-1"})}, dataKey, nil},
		{"alias", keys.KMSEntry{ARN: srv.CreateAlias("alias/team/db", key)}, dataKey, nil},
		{"other partition", keys.KMSEntry{ARN: srv.CreateKey(kmstest.Key{Region: "cn-north-1"})}, dataKey, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv.ResetCounts()
			wrapped, err := s.Wrap(t.Context(), tt.entry, tt.secret)
			if err != nil {
				t.Fatal(err)
			}
			got := wrapped.(keys.KMSEntry)
			want := tt.entry
			want.Enc, want.CreatedAt = got.Enc, "2026-01-02T12:14:15Z"
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("wrapped entry (-want +got):\n%s", diff)
			}
			if _, err := base64.StdEncoding.Strict().DecodeString(got.Enc); err != nil || got.Enc == "" {
				t.Errorf("Enc is not standard base64: %v", err)
			}
			secret, err := s.Unwrap(t.Context(), got)
			if err != nil || !bytes.Equal(secret, tt.secret) {
				t.Fatalf("unwrapped something else, or nothing: %v", err)
			}
			region := must(ParseKeyARN(tt.entry.ARN)).Region
			for _, c := range srv.Calls() {
				if c.KeyID != tt.entry.ARN || c.Region != region || !cmp.Equal(c.Context, tt.context) {
					t.Errorf("%s named key %q in %s with context %v", c.Operation, c.KeyID, c.Region, c.Context)
				}
			}
			if n := len(srv.Calls()); n != 2 {
				t.Errorf("%d calls, want 2", n)
			}
		})
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// What KMS does not accept is final: the document is wrong.
func TestTamperedEntries(t *testing.T) {
	srv := start(t)
	s := open(t, Options{})
	key, second := srv.CreateKey(kmstest.Key{}), srv.CreateKey(kmstest.Key{})
	e := mustWrap(t, s, keys.KMSEntry{ARN: key, Context: map[string]string{"kubernetes-name": "db"}})
	blob := must(base64.StdEncoding.DecodeString(e.Enc))
	blob[len(blob)-1] ^= 1
	for _, tt := range []struct {
		name   string
		change func(*keys.KMSEntry)
		code   string
	}{
		{"context", func(e *keys.KMSEntry) { e.Context = map[string]string{"kubernetes-name": "web"} }, "InvalidCiphertextException: what is wrapped does not belong"},
		{"case of context", func(e *keys.KMSEntry) { e.Context = map[string]string{"Kubernetes-name": "db"} }, "InvalidCiphertextException"},
		{"no context", func(e *keys.KMSEntry) { e.Context = nil }, "InvalidCiphertextException"},
		{"one bit", func(e *keys.KMSEntry) { e.Enc = base64.StdEncoding.EncodeToString(blob) }, "InvalidCiphertextException"},
		// Without the KeyId in the request, KMS would take the key from the blob.
		{"other key", func(e *keys.KMSEntry) { e.ARN = second }, "IncorrectKeyException: what is wrapped was wrapped with another key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv.ResetCounts()
			changed := e
			tt.change(&changed)
			_, err := s.Unwrap(t.Context(), changed)
			call := mustFail(t, err, "unwrap with kms "+changed.ARN+": "+tt.code, "restore the document")
			if !call.Permanent || call.Operation != keys.Unwrapping {
				t.Errorf("Permanent %v, Operation %q", call.Permanent, call.Operation)
			}
			if n := srv.Count("Decrypt"); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
		})
	}
}

func TestRank(t *testing.T) {
	const (
		near  = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000000"
		far   = "arn:aws:kms:us-east-1:111122223333:key/00000000-0000-4000-8000-000000000000"
		multi = "arn:aws:kms:us-east-1:111122223333:key/mrk-00000000000040008000000000000000"
		china = "arn:aws-cn:kms:cn-north-1:111122223333:key/mrk-00000000000040008000000000000000"
	)
	srv := start(t)
	veto := func(keys.KMSEntry) error { return errCanary }
	for _, tt := range []struct {
		name string
		o    Options
		env  string
		e    keys.Entry
		want keys.Rank
	}{
		{"local by environment", Options{}, "eu-west-1", keys.KMSEntry{ARN: near}, keys.Near},
		{"local by option", Options{Region: "eu-west-1"}, "us-east-1", keys.KMSEntry{ARN: near}, keys.Near},
		{"elsewhere", Options{}, "eu-west-1", keys.KMSEntry{ARN: far}, keys.Far},
		{"multi-Region", Options{}, "eu-west-1", keys.KMSEntry{ARN: multi}, keys.Near},
		{"multi-Region, at home", Options{}, "us-east-1", keys.KMSEntry{ARN: multi}, keys.Near},
		{"multi-Region, vetoed", Options{AllowReplica: veto}, "eu-west-1", keys.KMSEntry{ARN: multi}, keys.Far},
		{"multi-Region, other partition", Options{}, "eu-west-1", keys.KMSEntry{ARN: china}, keys.Far},
		{"unknown Region", Options{}, "", keys.KMSEntry{ARN: multi}, keys.Far},
		{"malformed Region", Options{Region: "evil.example/"}, "", keys.KMSEntry{ARN: multi}, keys.Far},
		{"malformed", Options{}, "eu-west-1", keys.KMSEntry{ARN: near + "x"}, keys.Far},
		{"other type", Options{}, "eu-west-1", keys.AgeEntry{}, keys.Far},
	} {
		t.Run(tt.name, func(t *testing.T) {
			setenv(t, "AWS_REGION="+tt.env, "AWS_DEFAULT_REGION=")
			if got := open(t, tt.o).Rank(tt.e); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
	t.Run("configuration file", func(t *testing.T) {
		setenv(t, "AWS_REGION=", "AWS_DEFAULT_REGION=")
		configure(t, "[default]\nregion = us-east-1\n[profile web]\nregion = eu-west-1\nrole_arn = arn:aws:iam::111122223333:role/x\nsource_profile = gone\n")
		if got := open(t, Options{}).Rank(keys.KMSEntry{ARN: far}); got != keys.Near {
			t.Errorf("default profile: got %v, want Near", got)
		}
		setenv(t, "AWS_PROFILE=web")
		open(t, Options{}).Rank(keys.KMSEntry{ARN: near}) // of a profile that cannot be used: no panic
	})
	if n := srv.Count("") + srv.Count("GetCallerIdentity"); n != 0 {
		t.Errorf("%d calls, want none", n)
	}
}
