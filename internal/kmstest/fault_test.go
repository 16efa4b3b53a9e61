// SPDX-License-Identifier: Apache-2.0

package kmstest

import (
	"context"
	"errors"
	"io"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

func TestInjectedErrors(t *testing.T) {
	s := Start(t, Options{})
	c := client(t, s, defaultRegion)
	arn := s.CreateKey(Key{})
	blob := encrypt(t, c, arn, "x", nil)
	for _, tt := range []struct {
		fault   Fault
		code    string
		status  int
		message string
	}{
		{Throttle, "ThrottlingException", 400, "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls."},
		{Internal, "KMSInternalException", 500, ""},
		{DependencyTimeout, "DependencyTimeoutException", 503, ""},
		{KeyUnavailable, "KeyUnavailableException", 500, ""},
	} {
		t.Run(tt.code, func(t *testing.T) {
			s.Inject(tt.fault, "Decrypt", 2)
			encrypt(t, c, arn, "other operations are not touched", nil)
			for range 2 {
				_, err := decrypt(t.Context(), c, arn, blob, nil)
				wantError(t, err, tt.code, tt.status, tt.message)
			}
			mustDecrypt(t, c, arn, blob, nil, arn, "x")
		})
	}
	s.Inject(Internal, "", 1)
	_, err := decrypt(t.Context(), c, arn, blob, nil)
	typed[*types.KMSInternalException](t, err)
	s.Inject(DependencyTimeout, "", 1)
	_, err = decrypt(t.Context(), c, arn, blob, nil)
	typed[*types.DependencyTimeoutException](t, err)
	s.Inject(KeyUnavailable, "", 1)
	_, err = decrypt(t.Context(), c, arn, blob, nil)
	typed[*types.KeyUnavailableException](t, err)
}

// The SDK's own retries get over each fault.
func TestSDKRetriesFaults(t *testing.T) {
	s := Start(t, Options{})
	arn := s.CreateKey(Key{})
	c := kms.New(client(t, s, defaultRegion).Options(), func(o *kms.Options) {
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = 10 * time.Millisecond })
	})
	for _, fault := range []Fault{Throttle, Internal, DependencyTimeout, KeyUnavailable, ResetBefore, ResetAfter} {
		s.ResetCounts()
		s.Inject(fault, "Encrypt", 2)
		encrypt(t, c, arn, "x", nil)
		if got, ok := s.Count("Encrypt"), s.Succeeded("Encrypt"); got != 3 || ok != 1 {
			t.Errorf("%s: %d requests, %d succeeded, want 3 and 1", fault, got, ok)
		}
	}
}

// A reset is an RST, not an end of file, and in half of the cases comes too
// late to undo anything.
func TestReset(t *testing.T) {
	s := Start(t, Options{})
	c := client(t, s, defaultRegion)
	s.SetFaults(Faults{Reset: 1})
	for range 4 {
		if _, err := c.CreateKey(t.Context(), &kms.CreateKeyInput{}); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("error %v, want a connection reset", err)
		}
	}
	s.SetFaults(Faults{})
	out, err := c.ListKeys(t.Context(), &kms.ListKeysInput{})
	if err != nil || len(out.Keys) != 2 {
		t.Errorf("%d keys, %v, want 2 of 4 created", len(out.Keys), err)
	}
	calls := s.Calls()
	if calls[0].Error != string(ResetBefore) || calls[1].Error != string(ResetAfter) || s.Succeeded("CreateKey") != 0 {
		t.Errorf("log %+v", calls)
	}
}

func TestHang(t *testing.T) {
	s := Start(t, Options{})
	c := client(t, s, defaultRegion)
	arn := s.CreateKey(Key{})
	in := &kms.EncryptInput{KeyId: &arn, Plaintext: []byte("x")}

	t.Run("closes", func(t *testing.T) {
		s.SetFaults(Faults{Hang: 1, HangFor: 20 * time.Millisecond})
		if _, err := c.Encrypt(t.Context(), in); !errors.Is(err, io.EOF) {
			t.Errorf("error %v, want EOF", err)
		}
	})
	s.SetFaults(Faults{Hang: 1})
	t.Run("client gives up", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		before := s.Count("Encrypt")
		done := make(chan error, 1)
		go func() {
			_, err := c.Encrypt(ctx, in)
			done <- err
		}()
		eventually(t, "the request arrives", func() bool { return s.Count("Encrypt") > before })
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want context.Canceled", err)
		}
		eventually(t, "the server notices", func() bool {
			calls := s.Calls()
			return len(calls) == before+1 && calls[before].Error == string(Hang)
		})
	})
	t.Run("server closes", func(t *testing.T) {
		before := s.Count("Encrypt")
		done := make(chan error, 1)
		go func() {
			_, err := c.Encrypt(t.Context(), in)
			done <- err
		}()
		eventually(t, "the request arrives", func() bool { return s.Count("Encrypt") > before })
		s.Close()
		if err := <-done; err == nil {
			t.Error("the request succeeded")
		}
		if len(s.Calls()) != before+1 {
			t.Error("Close returned before the request was done")
		}
	})
}

// The sequence depends on the seed alone, and one rate does not shift another.
func TestFaultsAreReproducible(t *testing.T) {
	draw := func(config Faults) []Fault {
		f := newFaults()
		f.set(config)
		var got []Fault
		for range 2000 {
			got = append(got, f.next("Decrypt").fault)
		}
		return got
	}
	config := Faults{Throttle: 0.1, ServerError: 0.1, Reset: 0.1, Hang: 0.1, Seed: 7}
	got := draw(config)
	if !slices.Equal(got, draw(config)) {
		t.Error("equal seeds, different faults")
	}
	config.Seed = 8
	if slices.Equal(got, draw(config)) {
		t.Error("different seeds, equal faults")
	}
	counts := map[Fault]int{}
	for _, f := range got {
		counts[f]++
	}
	for fault, want := range map[Fault]int{Throttle: 200, Internal: 90, DependencyTimeout: 90, ResetBefore: 81, ResetAfter: 81, Hang: 146} {
		if n := counts[fault]; n < want*2/3 || n > want*3/2 {
			t.Errorf("%s: %d times of 2000, want about %d", fault, n, want)
		}
	}
	throttles := draw(Faults{Throttle: 0.1, Seed: 7})
	for i := range got {
		if (got[i] == Throttle) != (throttles[i] == Throttle) {
			t.Fatalf("the other rates have moved throttle %d", i)
		}
	}
}

func TestLatency(t *testing.T) {
	s := Start(t, Options{})
	c := client(t, s, defaultRegion)
	arn := s.CreateKey(Key{})
	s.SetFaults(Faults{Latency: 30 * time.Millisecond})
	start := time.Now()
	encrypt(t, c, arn, "x", nil)
	if took := time.Since(start); took < 30*time.Millisecond {
		t.Errorf("took %v", took)
	}
}
