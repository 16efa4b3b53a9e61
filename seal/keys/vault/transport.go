// SPDX-License-Identifier: Apache-2.0

package vault

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/signet-secrets/signet/seal/keys/internal/chars"
	"github.com/signet-secrets/signet/seal/keys/internal/rest"
)

// The variables of Vault's clients that are read here and in tls.go
// (vault: api/client.go, ReadEnvironment and NewClient).
const (
	envNamespace  = "VAULT_NAMESPACE"
	envHeaders    = "VAULT_HEADERS"
	envProxyAddr  = "VAULT_PROXY_ADDR"
	envHTTPProxy  = "VAULT_HTTP_PROXY"
	envAgentAddr  = "VAULT_AGENT_ADDR" // not followed; named in hints
	envCACert     = "VAULT_CACERT"
	envCACertText = "VAULT_CACERT_BYTES"
	envCAPath     = "VAULT_CAPATH"
	envClientCert = "VAULT_CLIENT_CERT"
	envClientKey  = "VAULT_CLIENT_KEY"
	envServerName = "VAULT_TLS_SERVER_NAME"
	envSkipVerify = "VAULT_SKIP_VERIFY"
)

// newTransport returns what requests are made with. The error is a
// *settingError.
func newTransport(timeout time.Duration) (*http.Transport, error) {
	tlsConfig, err := newTLSConfig()
	if err != nil {
		return nil, err
	}
	proxy, err := newProxy()
	if err != nil {
		return nil, err
	}
	t := rest.NewTransport(timeout)
	t.TLSClientConfig, t.Proxy = tlsConfig, proxy
	return t, nil
}

func newProxy() (func(*http.Request) (*url.URL, error), error) {
	name := envProxyAddr
	if os.Getenv(name) == "" {
		name = envHTTPProxy
	}
	text := os.Getenv(name)
	if text == "" {
		return http.ProxyFromEnvironment, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return nil, &settingError{name, errors.New("is no URL")}
	}
	return http.ProxyURL(u), nil
}

// newHeader returns what every request carries besides the token. VAULT_HEADERS
// is a JSON object of texts, for what stands before a server.
func newHeader() (http.Header, error) {
	h := http.Header{
		"Accept":          {"application/json"},
		"Content-Type":    {"application/json"},
		"X-Vault-Request": {"true"}, // without it, agents refuse requests
	}
	if ns := os.Getenv(envNamespace); ns != "" {
		if !isHeaderValue(ns) {
			return nil, &settingError{envNamespace, errors.New("is no name of a namespace")}
		}
		h.Set("X-Vault-Namespace", ns)
	}
	var extra map[string]string
	if err := json.Unmarshal([]byte(cmp.Or(os.Getenv(envHeaders), "{}")), &extra); err != nil {
		return nil, &settingError{envHeaders, errors.New("is no JSON object of texts")}
	}
	for name, value := range extra {
		canonical := http.CanonicalHeaderKey(name)
		if !chars.Only(name, wordChars+"-") || name == "" || strings.HasPrefix(canonical, "X-Vault-") || !isHeaderValue(value) {
			return nil, &settingError{envHeaders, errors.New("has a header that cannot be sent")}
		}
		h.Set(canonical, value)
	}
	return h, nil
}

func isHeaderValue(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == '\x7f' })
}
