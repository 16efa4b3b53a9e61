// SPDX-License-Identifier: Apache-2.0

package vault

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/signet-secrets/signet/internal/vaulttest"
)

// A server that repeats everything it was sent does not get it into an error:
// not the token, not the secret, not the ciphertext, in whatever part of an answer.
func TestSecrecy(t *testing.T) {
	server := start(t)
	good := wrap(t, app(server))
	ciphertext := strings.TrimPrefix(good.Enc, "vault:v1:")
	pieces := []string{
		vaulttest.RootToken, testSecret, base64.StdEncoding.EncodeToString([]byte(testSecret)), good.Enc, ciphertext,
	}
	for i, piece := range pieces {
		for name, h := range map[string]http.HandlerFunc{
			"error": func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusForbidden)
				fmt.Fprintf(w, `{"errors":["no: %s, never","1 error occurred:\n\t* x %s\n\n"]}`, piece, piece)
			},
			"page": func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusBadGateway)
				fmt.Fprint(w, "<html>"+piece)
			},
			"success": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `{"data":{%q:}`, piece) },
			"redirect": func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", "http://"+piece+".example/"+piece)
				w.WriteHeader(307)
			},
			"no HTTP": func(w http.ResponseWriter, _ *http.Request) {
				conn, _, err := w.(http.Hijacker).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				fmt.Fprintf(conn, "HTTP/1.1 %s\r\n\r\n", piece)
				conn.Close()
			},
		} {
			t.Run(fmt.Sprintf("%s %d", name, i), func(t *testing.T) {
				for _, wrap := range []bool{true, false} {
					if !wrap && piece == testSecret {
						continue // is not sent, and as it is nobody can tell it from words
					}
					server.Answer(h)
					err := call(t, New(Options{Attempts: 1}), good, wrap)
					c := mustFail(t, err, "")
					if !wrap && strings.Contains(err.Error()+c.Hint, ciphertext[:12]) {
						t.Errorf("%v holds ciphertext", err)
					}
				}
			})
		}
	}
}
