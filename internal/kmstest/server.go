// SPDX-License-Identifier: Apache-2.0

package kmstest

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

const (
	defaultAccount = "111122223333"
	defaultRegion  = "eu-west-1"

	maxBodyBytes = 1 << 20
)

// Options configure a server. The zero value is fine.
type Options struct {
	Account string // 12 digits; "" is 111122223333
	Addr    string // to listen at; "" is 127.0.0.1:0, a free port
}

// Server is a running KMS and STS. All methods are safe for concurrent use.
type Server struct {
	account  string
	url      string
	http     *http.Server
	closing  chan struct{} // closed by Close
	requests requests

	faults *faults
	stats  *stats

	mu         sync.RWMutex // guards what follows
	keys       map[string]*key
	aliases    map[string]aliasTarget
	principals map[string]principal // by access key id
	roles      map[string]bool
	denials    []Denial
}

// Start runs a server on loopback until the test ends, and fails the test if it
// can't.
func Start(tb testing.TB, o Options) *Server {
	tb.Helper()
	s, err := New(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Close)
	return s
}

// New runs a server until Close. It knows one principal,
// arn:aws:iam::<account>:user/tester with the access key id [AccessKeyID], and
// no keys.
func New(o Options) (*Server, error) {
	if o.Account == "" {
		o.Account = defaultAccount
	}
	if !isAccount(o.Account) {
		return nil, fmt.Errorf("kmstest: account %q is not 12 digits", o.Account)
	}
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return nil, fmt.Errorf("kmstest: %w", err)
	}
	s := &Server{
		account:    o.Account,
		url:        "http://" + listener.Addr().String(),
		closing:    make(chan struct{}),
		faults:     newFaults(),
		stats:      newStats(),
		keys:       map[string]*key{},
		aliases:    map[string]aliasTarget{},
		principals: map[string]principal{},
		roles:      map[string]bool{},
	}
	s.AddPrincipal(AccessKeyID, "arn:aws:iam::"+o.Account+":user/tester")
	s.http = &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	go s.http.Serve(listener) // ends at Close
	return s, nil
}

// URL returns the address, http://127.0.0.1:port, of both KMS and STS.
func (s *Server) URL() string { return s.url }

// Close ends the server: it closes all connections and waits for the requests
// that are under way, which it cuts short. Further calls do nothing.
func (s *Server) Close() {
	if s.requests.stop() {
		close(s.closing)
		s.http.Close()
	}
	s.requests.wait()
}

// Env returns the variables, "NAME=value", that make a program with an AWS SDK
// use the server as its default principal. Settings that could lead it
// elsewhere are set to be empty.
func (s *Server) Env() []string { return s.EnvAs(AccessKeyID) }

// EnvAs is Env for another access key id, one of [Server.AddPrincipal].
func (s *Server) EnvAs(accessKeyID string) []string {
	env := []string{
		"AWS_ENDPOINT_URL_KMS=" + s.url,
		"AWS_ENDPOINT_URL_STS=" + s.url,
		"AWS_ACCESS_KEY_ID=" + accessKeyID,
		"AWS_SECRET_ACCESS_KEY=" + SecretAccessKey,
		"AWS_REGION=" + defaultRegion,
		"AWS_DEFAULT_REGION=" + defaultRegion, // for boto
		"AWS_CONFIG_FILE=/dev/null",
		"AWS_SHARED_CREDENTIALS_FILE=/dev/null",
		"AWS_EC2_METADATA_DISABLED=true",
		"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=false",
		"AWS_USE_FIPS_ENDPOINT=false",
		"AWS_USE_DUALSTACK_ENDPOINT=false",
	}
	for _, name := range foreignVariables() {
		env = append(env, name+"=")
	}
	return env
}

// foreignVariables choose other credentials or endpoints than those of Env.
func foreignVariables() []string {
	return []string{
		"AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_ENDPOINT_URL",
	}
}

// requests lets Close wait for handlers.
type requests struct {
	mu      sync.Mutex
	stopped bool
	running sync.WaitGroup
}

// start reports whether a request may begin; then it must call running.Done.
func (r *requests) start() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.stopped {
		r.running.Add(1)
	}
	return !r.stopped
}

// stop lets no more begin and reports whether it is the first to do so.
func (r *requests) stop() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	first := !r.stopped
	r.stopped = true
	return first
}

func (r *requests) wait() { r.running.Wait() }
