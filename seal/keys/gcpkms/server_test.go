// SPDX-License-Identifier: Apache-2.0

package gcpkms

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

const (
	testKey   = "projects/demo-1/locations/europe-west1/keyRings/signet/cryptoKeys/documents"
	otherKey  = "projects/demo-1/locations/europe-west1/keyRings/signet/cryptoKeys/other"
	testToken = "ya29.FAKE-TOKEN-correct-horse-battery-staple"
)

// kmsServer stands in for Cloud KMS: the REST API's encrypt and decrypt, with
// the checks, errors and checksums of the real one.
type kmsServer struct {
	*httptest.Server
	mu       sync.Mutex
	keys     map[string]cipher.AEAD
	disabled map[string]bool
	denied   map[string]bool // verbs
	faults   []fault         // for the next requests, in order
	requests []*http.Request // all, without bodies
	seen     [][]byte        // plaintexts
	accept   func(authorization string) bool
}

// fault replaces an answer; it may also hang until the client is gone.
type fault func(w http.ResponseWriter, r *http.Request, body []byte)

func newServer(t testing.TB) *kmsServer {
	t.Helper()
	s := &kmsServer{
		keys:     map[string]cipher.AEAD{},
		disabled: map[string]bool{},
		denied:   map[string]bool{},
		accept:   func(a string) bool { return a == "Bearer "+testToken },
	}
	s.addKey(t, testKey)
	s.addKey(t, otherKey)
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *kmsServer) addKey(t testing.TB, name string) {
	key := make([]byte, 32)
	rand.Read(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	if s.keys[name], err = cipher.NewGCMWithRandomNonce(block); err != nil {
		t.Fatal(err)
	}
}

func (s *kmsServer) inject(faults ...fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, faults...)
}

// count returns the number of requests.
func (s *kmsServer) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

func (s *kmsServer) lastRequest(t testing.TB) *http.Request {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.requests) == 0 {
		t.Fatal("no request was made")
	}
	return s.requests[len(s.requests)-1]
}

func (s *kmsServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.requests = append(s.requests, r)
	var f fault
	if len(s.faults) > 0 {
		f, s.faults = s.faults[0], s.faults[1:]
	}
	s.mu.Unlock()
	if f != nil {
		f(w, r, body)
		return
	}
	s.answer(w, r, body)
}

func (s *kmsServer) answer(w http.ResponseWriter, r *http.Request, body []byte) {
	name, verb, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v1/"), ":")
	s.mu.Lock()
	defer s.mu.Unlock()
	aead, found := s.keys[name]
	permission := map[string]string{"encrypt": "cloudkms.cryptoKeyVersions.useToEncrypt", "decrypt": "cloudkms.cryptoKeyVersions.useToDecrypt"}[verb]
	switch {
	case r.Method != http.MethodPost || permission == "":
		fail(w, 404, "NOT_FOUND", "", "no such method")
	case !s.accept(r.Header.Get("Authorization")):
		fail(w, 401, "UNAUTHENTICATED", "ACCESS_TOKEN_EXPIRED", "Request had invalid authentication credentials.")
	case s.denied[verb]:
		fail(w, 403, "PERMISSION_DENIED", "IAM_PERMISSION_DENIED", "Permission '"+permission+"' denied on resource '"+name+"' (or it may not exist).")
	case !found:
		fail(w, 404, "NOT_FOUND", "", "CryptoKey "+name+" not found.")
	case s.disabled[name]:
		fail(w, 400, "FAILED_PRECONDITION", "KEY_DISABLED", name+"/cryptoKeyVersions/1 is not enabled, current state is: DISABLED.")
	case verb == "encrypt":
		s.encrypt(w, name, aead, body)
	default:
		s.decrypt(w, name, aead, body)
	}
}

func (s *kmsServer) encrypt(w http.ResponseWriter, name string, aead cipher.AEAD, body []byte) {
	var in encryptRequest
	if err := json.Unmarshal(body, &in); err != nil {
		fail(w, 400, "INVALID_ARGUMENT", "", "malformed request")
		return
	}
	if in.PlaintextCRC32C != "" && in.PlaintextCRC32C != checksum(in.Plaintext) {
		fail(w, 400, "INVALID_ARGUMENT", "", "The checksum in field plaintext_crc32c did not match the data in field plaintext.")
		return
	}
	s.seen = append(s.seen, in.Plaintext)
	sealed := aead.Seal(nil, nil, in.Plaintext, []byte(name))
	reply(w, map[string]any{
		"name":                    name + "/cryptoKeyVersions/1",
		"ciphertext":              sealed,
		"ciphertextCrc32c":        checksum(sealed),
		"verifiedPlaintextCrc32c": in.PlaintextCRC32C != "",
		"protectionLevel":         "SOFTWARE",
	})
}

func (s *kmsServer) decrypt(w http.ResponseWriter, name string, aead cipher.AEAD, body []byte) {
	var in decryptRequest
	if err := json.Unmarshal(body, &in); err != nil {
		fail(w, 400, "INVALID_ARGUMENT", "", "malformed request")
		return
	}
	plain, err := aead.Open(nil, nil, in.Ciphertext, []byte(name))
	if err != nil {
		fail(w, 400, "INVALID_ARGUMENT", "", "Decryption failed: verify that 'name' refers to the correct CryptoKey.")
		return
	}
	reply(w, map[string]any{"plaintext": plain, "plaintextCrc32c": checksum(plain), "usedPrimary": true, "protectionLevel": "SOFTWARE"})
}

func reply(w http.ResponseWriter, answer map[string]any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	_ = json.NewEncoder(w).Encode(answer)
}

// fail writes an error as Google's APIs do (google.rpc.Status in JSON).
func fail(w http.ResponseWriter, code int, status, reason, message string) {
	body := map[string]any{"code": code, "message": message, "status": status}
	if reason != "" {
		body["details"] = []any{
			map[string]any{"@type": "type.googleapis.com/google.rpc.Help"},
			map[string]any{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "cloudkms.googleapis.com"},
		}
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": body})
}

func failing(code int, status, reason, message string) fault {
	return func(w http.ResponseWriter, _ *http.Request, _ []byte) { fail(w, code, status, reason, message) }
}

// answering changes a good answer to a request.
func answering(s *kmsServer, change func(answer map[string]any)) fault {
	return func(w http.ResponseWriter, r *http.Request, body []byte) {
		rec := httptest.NewRecorder()
		s.answer(rec, r, body)
		var answer map[string]any
		if err := json.Unmarshal(rec.Body.Bytes(), &answer); err != nil {
			fmt.Fprintln(w, "the test is broken:", err)
			return
		}
		change(answer)
		maps.Copy(w.Header(), rec.Header())
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
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
