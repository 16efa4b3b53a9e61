// SPDX-License-Identifier: Apache-2.0

package kmstest

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Env alone leads an SDK to the server, whatever else the environment holds.
func TestEnv(t *testing.T) {
	s := Start(t, Options{})
	s.AddPrincipal("AKIDALICE", "arn:aws:iam::111122223333:user/alice")
	arn := s.CreateKey(Key{})
	for _, name := range foreignVariables() {
		t.Setenv(name, "arn:aws:iam::111122223333:role/not-this-one")
	}
	t.Setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
	t.Setenv("AWS_USE_FIPS_ENDPOINT", "true")
	for _, tt := range []struct {
		env  []string
		want string
	}{{s.Env(), "arn:aws:iam::111122223333:user/tester"}, {s.EnvAs("AKIDALICE"), "arn:aws:iam::111122223333:user/alice"}} {
		for _, variable := range tt.env {
			name, value, _ := strings.Cut(variable, "=")
			t.Setenv(name, value)
		}
		cfg, err := config.LoadDefaultConfig(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		out, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil)
		if err != nil || *out.Arn != tt.want {
			t.Fatalf("identity %+v, %v, want %s", out, err, tt.want)
		}
		if _, err := kms.NewFromConfig(cfg).DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &arn}); err != nil {
			t.Error(err)
		}
	}
}

func TestNewFails(t *testing.T) {
	s := Start(t, Options{})
	for _, tt := range []struct {
		name string
		o    Options
	}{
		{"account", Options{Account: "12"}},
		{"address in use", Options{Addr: strings.TrimPrefix(s.URL(), "http://")}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if s, err := New(tt.o); err == nil {
				s.Close()
				t.Error("no error")
			}
		})
	}
}

func TestClose(t *testing.T) {
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	s.Close()
	if response, err := http.Get(s.URL() + "/counts"); err == nil {
		response.Body.Close()
		t.Error("a closed server answers")
	}
}

func TestMisusePanics(t *testing.T) {
	s := Start(t, Options{})
	arn := s.CreateKey(Key{})
	for name, call := range map[string]func(){
		"replica of a single-Region key": func() { s.Replicate(arn, "us-east-1") },
		"state of no key":                func() { s.SetState("arn:aws:kms:eu-west-1:111122223333:key/x", Disabled) },
		"alias of no key":                func() { s.CreateAlias("alias/x", "x") },
		"alias without prefix":           func() { s.CreateAlias("x", arn) },
		"account":                        func() { s.CreateKey(Key{Account: "1"}) },
		"usage":                          func() { s.CreateKey(Key{Usage: "ENCRYPT"}) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			call()
		})
	}
}

// Everything at once, for the race detector.
func TestConcurrentUse(t *testing.T) {
	s := Start(t, Options{})
	c := client(t, s, defaultRegion)
	arn := s.CreateKey(Key{MultiRegion: true})
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 50 {
				mustDecrypt(t, c, "", encrypt(t, c, arn, "x", nil), nil, arn, "x")
				c.ListAliases(t.Context(), &kms.ListAliasesInput{})
			}
		})
		all.Go(func() {
			for range 50 {
				other := s.CreateKey(Key{MultiRegion: true})
				s.CreateAlias("alias/x", s.Replicate(other, "us-east-1"))
				s.SetState(other, Disabled)
				s.Deny(Denial{KeyARN: other})
				s.SetFaults(Faults{Seed: 1})
				s.AddRole(testRole)
				s.ExpireSessions()
				_, _, _ = s.Calls(), s.Counts(), s.MaxInFlight()
				s.AllowAll()
			}
		})
	}
	all.Wait()
}

// The SDK's client takes most of the time.
func BenchmarkEncrypt(b *testing.B) {
	s := Start(b, Options{})
	c := client(b, s, defaultRegion)
	arn := s.CreateKey(Key{})
	plaintext := make([]byte, 32)
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := c.Encrypt(b.Context(), &kms.EncryptInput{KeyId: &arn, Plaintext: plaintext}); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}

// One signed request again and again, with the least of a client.
func BenchmarkLoopback(b *testing.B) {
	s := Start(b, Options{})
	body := `{"KeyId":"` + s.CreateKey(Key{}) + `","Plaintext":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}`
	request := signed(b, s, "TrentService.Encrypt", "kms", time.Now(), body)
	plain := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	defer plain.CloseIdleConnections()
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r := request.Clone(b.Context())
			r.Body = io.NopCloser(strings.NewReader(body))
			response, err := plain.Do(r)
			if err != nil {
				b.Error(err)
				return
			}
			io.Copy(io.Discard, response.Body)
			response.Body.Close()
			if response.StatusCode != http.StatusOK {
				b.Error(response.Status)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}
