// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/internal/chars"
)

const role = "arn:aws:iam::" + account + ":role/team/sealer"

// A role is assumed once, however many documents and Regions it serves, under a
// name that CloudTrail can be searched for.
func TestRoleIsAssumedOnce(t *testing.T) {
	srv := start(t)
	srv.AddRole(role)
	s := open(t, Options{})
	var entries []keys.KMSEntry
	for _, region := range []string{"eu-west-1", "us-east-1"} {
		arn := srv.CreateKey(kmstest.Key{Region: region})
		entries = append(entries, mustWrap(t, s, keys.KMSEntry{ARN: arn, Role: role}))
	}
	for _, err := range all(50, 20, func(i int) error {
		_, err := s.Unwrap(t.Context(), entries[i%2])
		return err
	}) {
		t.Error(err)
	}
	if n := srv.Count("AssumeRole"); n != 1 {
		t.Errorf("AssumeRole was called %d times, want 1", n)
	}
	host := must(os.Hostname())
	for _, c := range srv.Calls() {
		if want := "arn:aws:sts::" + account + ":assumed-role/sealer/signet@" + host; c.Principal != want {
			t.Fatalf("%s by %s, want %s", c.Operation, c.Principal, want)
		}
	}
	srv.ExpireSessions()
	_, err := s.Unwrap(t.Context(), entries[0])
	mustFail(t, err, "ExpiredTokenException: the credentials have expired")
	mustUnwrap(t, s, entries[0]) // with new ones
	if n := srv.Count("AssumeRole"); n != 2 {
		t.Errorf("AssumeRole was called %d times, want 2", n)
	}
}

// A profile counts for its entries alone, with static keys or a role.
func TestProfile(t *testing.T) {
	srv := start(t)
	srv.AddRole(role)
	srv.AddPrincipal("AKIDEXAMPLEALICE0000", "arn:aws:iam::"+account+":user/alice")
	configure(t, "[profile alice]\naws_access_key_id = AKIDEXAMPLEALICE0000\naws_secret_access_key = "+kmstest.SecretAccessKey+
		"\n[profile sealer]\nrole_arn = "+role+"\nsource_profile = alice\n")
	s := open(t, Options{})
	key := srv.CreateKey(kmstest.Key{})
	e := mustWrap(t, s, keys.KMSEntry{ARN: key})
	for _, tt := range []struct{ name, profile, role, want string }{
		{"environment", "", "", "user/tester"},
		{"static", "alice", "", "user/alice"},
		{"role in profile", "sealer", "", "assumed-role/sealer/"},
		{"role on profile", "alice", role, "assumed-role/sealer/signet@"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv.ResetCounts()
			e.AWSProfile, e.Role = tt.profile, tt.role
			mustUnwrap(t, s, e)
			if got := srv.Calls()[0].Principal; !strings.Contains(got, tt.want) {
				t.Errorf("principal %s, want %s", got, tt.want)
			}
		})
	}
}

// IRSA: the credentials of a service account, once for all.
func TestWebIdentity(t *testing.T) {
	srv := start(t)
	srv.AddRole(role)
	token := write(t, filepath.Join(t.TempDir(), "token"), "eyFAKE")
	setenv(t, "AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=", "AWS_ROLE_ARN="+role, "AWS_WEB_IDENTITY_TOKEN_FILE="+token)
	s := open(t, Options{})
	e := mustWrap(t, s, keys.KMSEntry{ARN: srv.CreateKey(kmstest.Key{})})
	for range 5 {
		mustUnwrap(t, s, e)
	}
	if n := srv.Count("AssumeRoleWithWebIdentity"); n != 1 {
		t.Errorf("AssumeRoleWithWebIdentity was called %d times, want 1", n)
	}
}

// All goroutines share one client, and what fails before there is one is not
// held against later calls for long.
func TestOneClient(t *testing.T) {
	srv := start(t)
	var loads atomic.Int32
	fail := errors.New("not yet")
	var broken atomic.Bool
	s := open(t, Options{Rate: -1, LoadOptions: []func(*config.LoadOptions) error{func(*config.LoadOptions) error {
		loads.Add(1)
		if broken.Load() {
			return fail
		}
		return nil
	}}})
	s.local() // applies the options too
	e := mustWrap(t, open(t, Options{}), keys.KMSEntry{ARN: srv.CreateKey(kmstest.Key{})})
	unwrap := func(int) error {
		_, err := s.Unwrap(t.Context(), e)
		return err
	}
	broken.Store(true)
	loads.Store(0)
	errs := all(200, 200, unwrap)
	if len(errs) != 200 || loads.Load() != 1 {
		t.Errorf("%d of 200 failed after %d loads, want all after 1", len(errs), loads.Load())
	}
	mustFail(t, errs[0], "the AWS configuration cannot be used")
	broken.Store(false)
	loads.Store(0)
	if err := unwrap(0); err == nil {
		t.Error("a failure does not stand in for trying again")
	}
	for _, b := range s.clients.builds {
		b.until = time.Now().Add(-time.Second)
	}
	for _, b := range s.sessions.builds {
		b.until = time.Now().Add(-time.Second)
	}
	for _, err := range all(200, 200, unwrap) {
		t.Error(err)
	}
	if n := loads.Load(); n != 1 {
		t.Errorf("configuration was loaded %d times, want 1", n)
	}
	clients := 0
	s.clients.each(func(*client) { clients++ })
	if clients != 1 {
		t.Errorf("%d clients, want 1", clients)
	}
}

// Who made the first call does not matter to the others, who wait for it.
func TestSharedBuildOutlivesItsCaller(t *testing.T) {
	var s shared[string, int]
	release := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error)
	go func() {
		_, err := s.get(ctx, "k", func() (int, error) { <-release; return 7, nil })
		first <- err
	}()
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	close(release)
	n, err := s.get(t.Context(), "k", func() (int, error) { return 0, errCanary })
	if n != 7 || err != nil {
		t.Errorf("got %d, %v, want the value of the first build", n, err)
	}
}

// A caller that gives up while the client is built does not take the others along.
func TestCancelledCallerHarmsNobody(t *testing.T) {
	srv := start(t)
	e := mustWrap(t, open(t, Options{}), keys.KMSEntry{ARN: srv.CreateKey(kmstest.Key{})})
	loading, release := make(chan struct{}), make(chan struct{})
	s := open(t, Options{Region: "eu-west-1", LoadOptions: []func(*config.LoadOptions) error{func(*config.LoadOptions) error {
		close(loading)
		<-release
		return nil
	}}})
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error)
	go func() {
		_, err := s.Unwrap(ctx, e)
		first <- err
	}()
	<-loading
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	second := make(chan error)
	go func() {
		_, err := s.Unwrap(t.Context(), e)
		second <- err
	}()
	close(release)
	if err := <-second; err != nil {
		t.Error(err)
	}
}

// Documents cannot make a program keep more and more.
func TestSharedIsBounded(t *testing.T) {
	var s shared[int, int]
	for i := range 3 * maxShared {
		if n, err := s.get(t.Context(), i, func() (int, error) { return i, nil }); n != i || err != nil {
			t.Fatalf("got %d, %v", n, err)
		}
	}
	kept := 0
	s.each(func(int) { kept++ })
	if kept == 0 || kept > maxShared {
		t.Errorf("%d values are kept, want 1 to %d", kept, maxShared)
	}
}

func TestSharedFailureExpires(t *testing.T) {
	var s shared[string, int]
	fail := func() (int, error) { return 0, errCanary }
	for range 2 {
		if _, err := s.get(t.Context(), "k", fail); !errors.Is(err, errCanary) {
			t.Fatalf("got %v", err)
		}
		fail = func() (int, error) { t.Error("built again"); return 0, nil }
	}
	s.builds["k"].until = time.Now().Add(-time.Second)
	if n, err := s.get(t.Context(), "k", func() (int, error) { return 7, nil }); n != 7 || err != nil {
		t.Errorf("got %d, %v, want a new build", n, err)
	}
}

func TestSessionName(t *testing.T) {
	name := sessionName()
	if !strings.HasPrefix(name, "signet@") || len(name) > 64 || !chars.Only(name, iamChars) {
		t.Errorf("session name %q", name)
	}
}
