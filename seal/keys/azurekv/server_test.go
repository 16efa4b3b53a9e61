// SPDX-License-Identifier: Apache-2.0

package azurekv

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	testVault  = "https://signet-demo.vault.azure.net"
	testHost   = "signet-demo.vault.azure.net"
	oldVersion = "00000000000000000000000000000001"
	newVersion = "00000000000000000000000000000002"
	testTenant = "11111111-2222-3333-4444-555555555555"
	testToken  = "eyJGQUtFIn0.FAKE-correct-horse.battery_staple"
	loginHost  = "login.microsoftonline.com"
)

// azure stands in for Key Vault and the login service: TLS on loopback, under
// every name that a transport of it asks for.
type azure struct {
	*httptest.Server
	pool *x509.CertPool
	pem  []byte // of the certificate authority

	mu        sync.Mutex
	keys      map[string][]*vaultKey // by name, versions in order
	denied    map[string]bool        // get, encrypt, decrypt
	challenge string                 // WWW-Authenticate
	accept    string                 // token
	faults    []fault                // for the next authorized requests to a vault
	requests  []*http.Request        // to vaults, without bodies
	tokens    int                    // given by the login service
	seen      [][]byte               // plaintexts
}

type vaultKey struct {
	version  string
	key      *rsa.PrivateKey
	disabled bool
	kty      string
}

// fault replaces an answer; it may also hang until the client is gone.
type fault func(w http.ResponseWriter, r *http.Request, body []byte)

func newAzure(t testing.TB) *azure {
	t.Helper()
	a := &azure{
		keys:      map[string][]*vaultKey{},
		denied:    map[string]bool{},
		challenge: `Bearer authorization="https://login.microsoftonline.com/` + testTenant + `", resource="https://vault.azure.net"`,
		accept:    testToken,
	}
	made, err := rsaKeys()
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"documents", "other"} {
		for j, version := range []string{oldVersion, newVersion} {
			a.keys[name] = append(a.keys[name], &vaultKey{version: version, key: made[2*i+j], kty: "RSA"})
		}
	}
	a.Server = httptest.NewUnstartedServer(a)
	a.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes that a client breaks off
	a.TLS = &tls.Config{Certificates: []tls.Certificate{a.certificate(t)}}
	a.StartTLS()
	t.Cleanup(a.Close)
	return a
}

// rsaKeys makes the keys of all vaults once, because that takes long.
var rsaKeys = sync.OnceValues(func() (keys [4]*rsa.PrivateKey, err error) {
	for i := range keys {
		if keys[i], err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			return keys, err
		}
	}
	return keys, nil
})

// certificate makes an authority and a certificate of it for Azure's names.
func (a *azure) certificate(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "signet test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    []string{"*.vault.azure.net", "*.managedhsm.azure.net", "*.attacker.example", loginHost},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	a.pem = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	a.pool = x509.NewCertPool()
	a.pool.AppendCertsFromPEM(a.pem)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// transport leads to a, whatever the name. What is not TLS, such as the
// metadata service of a machine, is out of reach.
func (a *azure) transport(t testing.TB) *http.Transport {
	tr := newTransport(10 * time.Second)
	tr.Proxy = nil
	tr.TLSClientConfig.RootCAs = a.pool
	tr.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if !strings.HasSuffix(address, ":443") {
			return nil, fmt.Errorf("%s is out of reach", address)
		}
		return new(net.Dialer).DialContext(ctx, network, a.Listener.Addr().String())
	}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

func (a *azure) inject(faults ...fault) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faults = append(a.faults, faults...)
}

// count returns the number of requests to vaults.
func (a *azure) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.requests)
}

func (a *azure) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if r.Host == loginHost {
		a.login(w, r)
		return
	}
	a.mu.Lock()
	a.requests = append(a.requests, r)
	authorized := r.Header.Get("Authorization") == "Bearer "+a.accept
	var f fault
	if authorized && len(a.faults) > 0 {
		f, a.faults = a.faults[0], a.faults[1:]
	}
	a.mu.Unlock()
	switch {
	case !authorized:
		w.Header().Set("WWW-Authenticate", a.challenge)
		fail(w, 401, "Unauthorized", "", "AKV10000: Request is missing a Bearer or PoP token.")
	case f != nil:
		f(w, r, body)
	default:
		a.answer(w, r, body)
	}
}

// login is what MSAL asks of the login service.
func (a *azure) login(w http.ResponseWriter, r *http.Request) {
	base := "https://" + loginHost + "/" + testTenant
	switch {
	case strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration"):
		reply(w, map[string]any{
			"token_endpoint": base + "/oauth2/v2.0/token", "authorization_endpoint": base + "/oauth2/v2.0/authorize", "issuer": base + "/v2.0",
		})
	case strings.HasSuffix(r.URL.Path, "/discovery/instance"):
		reply(w, map[string]any{"tenant_discovery_endpoint": base + "/v2.0/.well-known/openid-configuration"})
	case strings.HasSuffix(r.URL.Path, "/token"):
		a.mu.Lock()
		a.tokens++
		a.mu.Unlock()
		reply(w, map[string]any{"access_token": testToken, "expires_in": 3600, "token_type": "Bearer"})
	default:
		http.NotFound(w, r)
	}
}

// answer is Key Vault's: GET /keys/{name}[/{version}], POST
// /keys/{name}[/{version}]/encrypt and /decrypt.
func (a *azure) answer(w http.ResponseWriter, r *http.Request, body []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	operation := "get"
	if last := parts[len(parts)-1]; r.Method == http.MethodPost {
		operation, parts = last, parts[:len(parts)-1]
	}
	if len(parts) < 2 || parts[0] != "keys" || r.URL.Query().Get("api-version") == "" {
		fail(w, 404, "NotFound", "", "no such resource")
		return
	}
	k := a.find(parts[1:])
	switch {
	case a.denied[operation]:
		fail(w, 403, "Forbidden", "ForbiddenByRbac", "Caller is not authorized to perform action on resource.\r\n"+
			"If role assignments, deny assignments or role definitions were changed recently, please observe propagation time.\r\n"+
			"Caller: appid=aaaaaaaa-0000-0000-0000-000000000001;oid=bbbbbbbb-0000-0000-0000-000000000002;iss=https://sts.windows.net/"+testTenant+"/\r\n"+
			"Action: 'Microsoft.KeyVault/vaults/keys/"+operation+"/action'\r\n")
	case k == nil:
		fail(w, 404, "KeyNotFound", "", "A key with (name/id) "+strings.Join(parts[1:], "/")+" was not found in this key vault.")
	case operation == "get":
		public := map[string]any{"kid": k.id(r.Host, parts[1]), "kty": k.kty, "key_ops": []string{"encrypt", "decrypt"}}
		reply(w, map[string]any{"key": public, "attributes": map[string]any{"enabled": !k.disabled, "created": 1700000000, "updated": 1700000000}})
	case operation == "decrypt" && k.disabled:
		fail(w, 403, "Forbidden", "KeyDisabled", "Operation decrypt is not allowed on a disabled key.")
	default:
		a.crypt(w, operation, k.id(r.Host, parts[1]), k.key, body)
	}
}

func (a *azure) find(path []string) *vaultKey {
	versions := a.keys[path[0]]
	if len(versions) == 0 {
		return nil
	}
	if len(path) == 1 {
		return versions[len(versions)-1]
	}
	for _, k := range versions {
		if k.version == path[1] {
			return k
		}
	}
	return nil
}

func (k *vaultKey) id(host, name string) string {
	return "https://" + host + "/keys/" + name + "/" + k.version
}

func (a *azure) crypt(w http.ResponseWriter, operation, id string, key *rsa.PrivateKey, body []byte) {
	var in struct {
		Algorithm string `json:"alg"`
		Value     string `json:"value"`
	}
	value, err := []byte(nil), json.Unmarshal(body, &in)
	if err == nil {
		value, err = base64.RawURLEncoding.DecodeString(in.Value)
	}
	if err != nil || in.Algorithm != "RSA-OAEP-256" {
		fail(w, 400, "BadParameter", "", "The request body is malformed.")
		return
	}
	var out []byte
	if operation == "encrypt" {
		a.seen = append(a.seen, value)
		out, err = rsa.EncryptOAEP(sha256.New(), rand.Reader, &key.PublicKey, value, nil)
	} else {
		out, err = key.Decrypt(nil, value, &rsa.OAEPOptions{Hash: crypto.SHA256})
	}
	if err != nil {
		fail(w, 400, "BadParameter", "", "The parameter is incorrect.\r\n")
		return
	}
	reply(w, map[string]any{"kid": id, "value": base64.RawURLEncoding.EncodeToString(out)})
}

func reply(w http.ResponseWriter, answer map[string]any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(answer)
}

// fail writes an error as Key Vault does.
func fail(w http.ResponseWriter, code int, status, inner, message string) {
	body := map[string]any{"code": status, "message": message}
	if inner != "" {
		body["innererror"] = map[string]any{"code": inner}
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("x-ms-request-id", "cccccccc-0000-0000-0000-000000000003")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": body})
}

func failing(code int, status, inner, message string) fault {
	return func(w http.ResponseWriter, _ *http.Request, _ []byte) { fail(w, code, status, inner, message) }
}

// answering changes a good answer to a request.
func answering(a *azure, change func(answer map[string]any)) fault {
	return func(w http.ResponseWriter, r *http.Request, body []byte) {
		rec := httptest.NewRecorder()
		a.answer(rec, r, body)
		var answer map[string]any
		if err := json.Unmarshal(rec.Body.Bytes(), &answer); err != nil {
			fmt.Fprintln(w, "the test is broken:", err)
			return
		}
		change(answer)
		reply(w, answer)
	}
}

// hanging answers nothing until the client is gone, and not even then.
func hanging(_ http.ResponseWriter, r *http.Request, _ []byte) {
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}

// resetting breaks the connection.
func resetting(w http.ResponseWriter, _ *http.Request, _ []byte) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	_ = conn.Close()
}
