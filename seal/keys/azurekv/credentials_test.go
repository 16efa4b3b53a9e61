// SPDX-License-Identifier: Apache-2.0

package azurekv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/signet-secrets/signet/seal/keys"
)

// A service principal of the environment works with one token for all.
func TestServicePrincipal(t *testing.T) {
	a := newAzure(t)
	isolate(t)
	servicePrincipal(t)
	s := New(Options{Transport: a.transport(t)})
	for range 3 {
		wrap(t, s, documents(""), patterned(32))
	}
	if a.tokens != 1 {
		t.Errorf("%d tokens were fetched, want 1", a.tokens)
	}
}

// fakeAz puts a program into PATH that stands in for the Azure CLI.
func fakeAz(t *testing.T, script string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
	path := filepath.Join(os.Getenv("PATH"), "az") // of isolate: one folder
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
}

// The login of the Azure CLI is found behind places that give nothing, and used
// for vaults of any number with one run of az.
func TestAzureCLI(t *testing.T) {
	a := newAzure(t)
	isolate(t)
	log := filepath.Join(t.TempDir(), "log")
	fakeAz(t, fmt.Sprintf(`echo "$@" >>'%s'; echo '{"accessToken":"%s","expires_on":%d}'`, log, testToken, time.Now().Add(time.Hour).Unix()))
	s := New(Options{Transport: a.transport(t)})
	wrap(t, s, documents(""), patterned(32))
	wrap(t, s, keys.AzureKVEntry{VaultURL: "https://other-vault.vault.azure.net", Name: "documents"}, patterned(32))
	got, err := os.ReadFile(log)
	want := "account get-access-token -o json --resource https://vault.azure.net --tenant " + testTenant + "\n"
	if err != nil || string(got) != want {
		t.Errorf("az was run with %q, %v, want once with %q", got, err, want)
	}
}

// Without any credentials the answer is quick, says what was tried and how to
// get some.
func TestNoCredentials(t *testing.T) {
	a := newAzure(t)
	isolate(t)
	s := New(Options{Transport: a.transport(t)})
	within(t, 15*time.Second, func() {
		_, err := s.Wrap(t.Context(), documents(""), patterned(32))
		call := callError(t, err)
		mustContain(t, call.Error(), wrapNewest+"no credentials of Azure; tried EnvironmentCredential: missing environment variable AZURE_TENANT_ID; "+
			"WorkloadIdentityCredential: ", "; ManagedIdentityCredential: ", "; AzureCLICredential: ", "not found on path")
		if call.Hint != hintLogin || !call.Permanent || !errors.Is(err, keys.ErrNoIdentity) {
			t.Errorf("hint %q, permanent %v, error %v", call.Hint, call.Permanent, err)
		}
	})
}

// A lack of credentials is found out once for all documents of a run.
func TestFailuresAreShared(t *testing.T) {
	a := newAzure(t)
	var asked atomic.Int32
	s := newService(t, a, Options{Credential: tokens(func(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
		asked.Add(1)
		return azcore.AccessToken{}, errors.New("there are none")
	})})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := s.Wrap(t.Context(), documents(""), patterned(32)); !errors.Is(err, keys.ErrNoIdentity) {
				t.Errorf("got %v", err)
			}
		})
	}
	wg.Wait()
	if n := asked.Load(); n != 1 {
		t.Errorf("credentials were looked for %d times, want once", n)
	}
}

// endProcess ends what the shell, which alone the SDK kills, has left behind.
func endProcess(t *testing.T, pidFile string) {
	text, err := os.ReadFile(pidFile)
	if err != nil {
		t.Error(err)
		return
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Error(err)
		return
	}
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Kill() // it may have ended
	}
}

// Sources that hang cost the time of one call, and cancelling does not wait for
// them.
func TestHangingCredentials(t *testing.T) {
	t.Run("az", func(t *testing.T) {
		a := newAzure(t)
		isolate(t)
		pidFile := filepath.Join(t.TempDir(), "pid")
		fakeAz(t, "echo $$ >'"+pidFile+"'; exec /bin/sleep 600")
		t.Cleanup(func() { endProcess(t, pidFile) })
		s := New(Options{Transport: a.transport(t), Timeout: 5 * time.Second}) // time for az to begin
		within(t, 40*time.Second, func() {
			_, err := s.Wrap(t.Context(), documents(""), patterned(32))
			call := callError(t, err)
			mustContain(t, call.Error(), "looking for credentials: no answer within 5s")
			mustContain(t, call.Hint, "AZURE_TOKEN_CREDENTIALS=AzureCLICredential")
			if call.Permanent {
				t.Error("is permanent")
			}
		})
	})
	t.Run("cancelled", func(t *testing.T) {
		a := newAzure(t)
		asked, release := make(chan struct{}), make(chan struct{})
		s := newService(t, a, Options{Timeout: time.Hour, Credential: tokens(func(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
			close(asked)
			<-release // whatever becomes of the context
			return azcore.AccessToken{Token: testToken, ExpiresOn: time.Now().Add(time.Hour)}, nil
		})})
		ctx, cancel := context.WithCancel(t.Context())
		first := make(chan error)
		go func() {
			_, err := s.Wrap(ctx, documents(""), patterned(32))
			first <- err
		}()
		<-asked
		cancel()
		if err := <-first; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		second := make(chan error)
		go func() {
			_, err := s.Wrap(t.Context(), documents(""), patterned(32))
			second <- err
		}()
		close(release)
		if err := <-second; err != nil {
			t.Errorf("another call was spoilt: %v", err)
		}
	})
}

// The metadata service of a machine is never asked through a proxy, which would
// answer in its place.
func TestNoProxyForMetadata(t *testing.T) {
	proxy := besidesMetadata(http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy.example"}))
	for address, want := range map[string]bool{
		"http://169.254.169.254/metadata/identity/oauth2/token": false,
		"http://169.254.169.254:80/":                            false,
		"http://[fe80::1]/":                                     false,
		"https://signet-demo.vault.azure.net/keys":              true,
		"https://169.254.169.254.attacker.example/":             true,
	} {
		req, err := http.NewRequest(http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := proxy(req); err != nil || (got != nil) != want {
			t.Errorf("%s: proxy %v, %v", address, got, err)
		}
	}
}

// What the login service refuses is final; its troubles are not.
func TestLoginRefuses(t *testing.T) {
	for _, tt := range []struct {
		name      string
		code      int
		body      string
		want      string
		permanent bool
	}{
		{
			"wrong secret", 401, `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided: ` + testSecret + `."}`,
			"credentials: invalid_client: AADSTS7000215: Invalid client secret provided: ....", true,
		},
		{"busy", 503, `{"error":"temporarily_unavailable","error_description":"try again"}`, "credentials: temporarily_unavailable: try again", false},
		{"page of a proxy", 403, "<html>" + testSecret + "</html>", "credentials: ", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := newAzure(t)
			isolate(t)
			servicePrincipal(t)
			tr := a.transport(t)
			s := New(Options{Attempts: 2, Transport: refuseTokens{tr, tt.code, tt.body}})
			_, err := s.Wrap(t.Context(), documents(""), patterned(32))
			call := callError(t, err)
			mustContain(t, call.Error(), tt.want)
			mustContain(t, call.Hint, "az login --tenant "+testTenant)
			mustNotLeak(t, call, testSecret)
			if call.Permanent != tt.permanent {
				t.Errorf("permanent is %v: %v", call.Permanent, err)
			}
		})
	}
}

// refuseTokens answers requests for tokens in the place of the login service.
type refuseTokens struct {
	next http.RoundTripper
	code int
	body string
}

func (r refuseTokens) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host != loginHost || !strings.HasSuffix(req.URL.Path, "/token") {
		return r.next.RoundTrip(req)
	}
	if req.Body != nil {
		req.Body.Close()
	}
	return &http.Response{
		StatusCode: r.code, Status: fmt.Sprint(r.code), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(r.body)), Request: req,
	}, nil
}
