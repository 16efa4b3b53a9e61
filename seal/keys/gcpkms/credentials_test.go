// SPDX-License-Identifier: Apache-2.0

package gcpkms

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cloud.google.com/go/auth"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/internal/rest"
)

// account is a service account, made for one test.
type account struct {
	key  *rsa.PrivateKey
	json string
	file string
	pem  string
}

func serviceAccount(t testing.TB, universe string) account {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	a := account{key: key, pem: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))}
	data, err := json.Marshal(map[string]string{
		"type": "service_account", "project_id": "demo-1", "private_key_id": "fake-key-id-0001",
		"private_key": a.pem, "client_email": "signet@demo-1.iam.gserviceaccount.com",
		"token_uri": "https://oauth2.googleapis.com/token", "universe_domain": universe,
	})
	if err != nil {
		t.Fatal(err)
	}
	a.json = string(data)
	a.file = filepath.Join(t.TempDir(), "account.json")
	if err := os.WriteFile(a.file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

// signed reports whether an Authorization header is a JWT of a.
func (a account) signed(header string) bool {
	parts := strings.Split(strings.TrimPrefix(header, "Bearer "), ".")
	if len(parts) != 3 {
		return false
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	return err == nil && rsa.VerifyPKCS1v15(&a.key.PublicKey, crypto.SHA256, digest[:], signature) == nil
}

const userFile = `{"type":"authorized_user","client_id":"fake-client","client_secret":"hunter2-hunter2-0001",` +
	`"refresh_token":"1//fake-refresh/token-0001","quota_project_id":"demo-quota"}`

// google stands in for all hosts of Google: a transport leads there whatever
// the name.
func google(t testing.TB, handler http.Handler) *http.Transport {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes that a pool of connections breaks off
	server.StartTLS()
	t.Cleanup(server.Close)
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	transport := rest.NewTransport(10 * time.Second)
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool, ServerName: "example.com"} // a name in httptest's certificate
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
	}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

func wrapOnce(t testing.TB, s *Service) error {
	t.Helper()
	_, err := s.Wrap(t.Context(), keys.GCPKMSEntry{ResourceID: testKey}, patterned(32))
	return err
}

// The places of credentials, in their order: each one is set on top of those
// that come after it.
func TestPlacesOfCredentials(t *testing.T) {
	server := newServer(t)
	isolate(t)
	t.Setenv(envEndpoint, server.URL)
	token := func(want string) func(string) bool { return func(h string) bool { return h == "Bearer "+want } }
	var used string
	expect := func(name string, o Options, accept func(string) bool) {
		t.Helper()
		server.accept = func(h string) bool { used = h; return accept(h) }
		if err := wrapOnce(t, New(o)); err != nil {
			t.Errorf("%s: %v; used %s", name, err, used)
		}
	}

	meta := metadataStub(t, nil)
	t.Setenv("GCE_METADATA_HOST", strings.TrimPrefix(meta.URL, "http://"))
	expect("metadata server", Options{}, token("ya29.FAKE-metadata"))

	gcloud, application, inline, file := serviceAccount(t, ""), serviceAccount(t, ""), serviceAccount(t, ""), serviceAccount(t, "")
	dir := filepath.Join(os.Getenv("HOME"), ".config", "gcloud")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "application_default_credentials.json"), []byte(gcloud.json), 0o600); err != nil {
		t.Fatal(err)
	}
	expect("gcloud", Options{}, gcloud.signed)

	t.Setenv(envApplication, application.file)
	expect(envApplication, Options{}, application.signed)

	t.Setenv(envToken, testToken+"\n")
	expect(envToken, Options{}, token(testToken))

	t.Setenv(envCredentials, inline.json)
	expect(envCredentials+" as JSON", Options{}, inline.signed)

	t.Setenv(envCredentials, file.file)
	expect(envCredentials+" as path", Options{}, file.signed)

	given := auth.NewCredentials(&auth.CredentialsOptions{TokenProvider: staticToken("ya29.FAKE-given")})
	expect("Options", Options{Credentials: given}, token("ya29.FAKE-given"))
}

// metadataStub is a metadata server; tokens counts what it gave, if not nil.
func metadataStub(t testing.TB, tokens *atomic.Int32) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Metadata-Flavor", "Google")
		switch {
		case strings.HasSuffix(r.URL.Path, "/token"):
			if tokens != nil {
				tokens.Add(1)
			}
			fmt.Fprint(w, `{"access_token":"ya29.FAKE-metadata","expires_in":3600,"token_type":"Bearer"}`)
		case strings.HasSuffix(r.URL.Path, "/universe-domain"):
			fmt.Fprint(w, "googleapis.com")
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// Without an endpoint the calls go to Google, a user's refresh token to the
// token server alone, and quota to the project of the credentials.
func TestUserCredentials(t *testing.T) {
	isolate(t)
	t.Setenv(envCredentials, userFile)
	server := newServer(t)
	var refreshed atomic.Int32
	transport := google(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Host {
		case "oauth2.googleapis.com":
			if r.FormValue("refresh_token") != "1//fake-refresh/token-0001" {
				w.WriteHeader(http.StatusBadRequest)
			}
			refreshed.Add(1)
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"access_token":"`+testToken+`","expires_in":3600,"token_type":"Bearer"}`)
		case "cloudkms.googleapis.com":
			server.ServeHTTP(w, r)
		default:
			t.Errorf("a request went to %s", r.Host)
		}
	}))
	s := New(Options{Transport: transport})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if err := wrapOnce(t, s); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := refreshed.Load(); n != 1 {
		t.Errorf("%d tokens were fetched for one identity, want 1", n)
	}
	if got := server.lastRequest(t).Header.Get("X-Goog-User-Project"); got != "demo-quota" {
		t.Errorf("quota project is %q", got)
	}
}

// Without any credentials the answer is quick, says where they were looked for
// and how to get some.
func TestNoCredentials(t *testing.T) {
	isolate(t)
	nowhere := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("no route")
	}}
	s := New(Options{Transport: nowhere})
	within(t, 15*time.Second, func() {
		err := wrapOnce(t, s)
		call := callError(t, err)
		want := "wrap for gcp_kms " + testKey + ": no credentials of Google Cloud; looked in GOOGLE_CREDENTIALS, GOOGLE_OAUTH_ACCESS_TOKEN, " +
			"GOOGLE_APPLICATION_CREDENTIALS (not set), the credentials of gcloud (not there), the metadata server (not there)"
		if call.Error() != want {
			t.Errorf("got  %s\nwant %s", call.Error(), want)
		}
		if call.Hint != hintLogin || !call.Permanent || !errors.Is(err, keys.ErrNoIdentity) {
			t.Errorf("hint %q, permanent %v, error %v", call.Hint, call.Permanent, err)
		}
	})
}

// A metadata server that swallows requests, as on a laptop whose network drops
// them, costs the time of one call for all who wait and for those who come
// shortly after.
func TestHangingMetadataServer(t *testing.T) {
	isolate(t)
	release := make(chan struct{})
	var asked atomic.Int32
	hang := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		select {
		case <-r.Context().Done():
		case <-release:
		}
	}))
	defer hang.Close()
	defer close(release)
	t.Setenv("GCE_METADATA_HOST", strings.TrimPrefix(hang.URL, "http://"))
	s := New(Options{Timeout: time.Second})
	within(t, 20*time.Second, func() {
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				err := wrapOnce(t, s)
				mustContain(t, callError(t, err).Error(), "looking for credentials: no answer within 1s")
			})
		}
		wg.Wait()
	})
	before := asked.Load()
	if err := wrapOnce(t, s); err == nil || asked.Load() != before {
		t.Errorf("the server was asked again at once: %v", err)
	}
}

// Cancelling does not wait for credentials, and does not spoil them for others.
func TestCancelWhileLookingForCredentials(t *testing.T) {
	server := newServer(t)
	isolate(t)
	asked, release := make(chan struct{}), make(chan struct{})
	creds := auth.NewCredentials(&auth.CredentialsOptions{TokenProvider: tokenFunc(func(ctx context.Context) (*auth.Token, error) {
		close(asked)
		select {
		case <-release:
			return &auth.Token{Value: testToken}, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	})})
	s := New(Options{Credentials: auth.NewCredentials(&auth.CredentialsOptions{TokenProvider: auth.NewCachedTokenProvider(creds, nil)}), Endpoint: server.URL})
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error)
	go func() {
		_, err := s.Wrap(ctx, keys.GCPKMSEntry{ResourceID: testKey}, patterned(32))
		first <- err
	}()
	<-asked
	second := make(chan error)
	go func() { second <- wrapOnce(t, s) }()
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(release)
	if err := <-second; err != nil {
		t.Error(err)
	}
}

// Credentials that are there but broken are an error: nothing else is tried.
func TestBrokenCredentials(t *testing.T) {
	const canary = "correct-horse-battery-staple-0001"
	folder := t.TempDir()
	long := filepath.Join(folder, "long")
	if err := os.WriteFile(long, make([]byte, maxCredentialsBytes+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, variable, value, want string
	}{
		{"no path and no JSON", envCredentials, canary, "GOOGLE_CREDENTIALS: is neither the path of a file nor JSON"},
		{"no such file", envApplication, filepath.Join(folder, "none"), "no such file"},
		{"folder", envApplication, folder, "is a directory"},
		{"long file", envApplication, long, "has more than"},
		{"JSON without a type", envCredentials, `{"private_key":"` + canary + `"}`, "holds no credentials of Google Cloud"},
		{"list", envCredentials, `["` + canary + `"]`, "holds no credentials of Google Cloud"},
		{"unknown type", envCredentials, `{"type":"something","private_key":"` + canary + `"}`, "GOOGLE_CREDENTIALS: "},
		{"odd type", envCredentials, `{"type":"` + canary + `"}`, "holds no credentials of Google Cloud"},
		{"broken key", envCredentials, `{"type":"service_account","client_email":"a@b.c","private_key":"` + canary + `"}`, "GOOGLE_CREDENTIALS: "},
		{"other universe", envCredentials, serviceAccount(t, "example.org").json, "belongs to the universe example.org, want googleapis.com"},
		{"odd endpoint", envEndpoint, "http://example.com", "SOPS_GCP_KMS_ENDPOINT: want https://<host>"},
		{"odd universe", envSOPSUniverse, "example.com/x?", "SOPS_GCP_KMS_UNIVERSE_DOMAIN: want a domain"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			isolate(t)
			if tt.variable == envEndpoint || tt.variable == envSOPSUniverse {
				t.Setenv(envToken, testToken)
			}
			t.Setenv(tt.variable, tt.value)
			s := New(Options{Transport: google(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				t.Errorf("a request went to %s", r.Host)
			}))})
			call := callError(t, wrapOnce(t, s))
			mustContain(t, call.Error(), "credentials: ", tt.want)
			mustNotLeak(t, call, canary)
			if !call.Permanent || call.Hint == "" {
				t.Errorf("permanent %v, hint %q", call.Permanent, call.Hint)
			}
		})
	}
}
