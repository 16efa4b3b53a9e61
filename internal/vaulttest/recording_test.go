// SPDX-License-Identifier: Apache-2.0

package vaulttest

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// step is a request and what Vault answered.
type step struct {
	Name, Method, Path, Token, Namespace, Body string

	Status int
	Errors []string
	Data   []string // names of fields
}

// Each request of the recording gets the answer that Vault gave to it.
func TestRecording(t *testing.T) {
	text, err := os.ReadFile("testdata/vault-1.21.4.json")
	if err != nil {
		t.Fatal(err)
	}
	var steps []step
	if err := json.Unmarshal(text, &steps); err != nil {
		t.Fatal(err)
	}
	s := Start(t)
	s.MountKV("kv")
	tokens := map[string]string{
		"root": RootToken, "none": "", "unknown": "hvs.EXAMPLEunknown", "revoked": s.NewToken(nil),
		"limited": s.NewToken(map[string][]string{"transit/decrypt/else": {"update"}, "transit/encrypt/new": {"update"}}),
	}
	s.RevokeToken(tokens["revoked"])
	var ciphertext string
	for _, want := range steps {
		t.Run(want.Name, func(t *testing.T) {
			s.SetSealed(strings.HasPrefix(want.Name, "sealed"))
			body := strings.ReplaceAll(want.Body, "<ciphertext>", ciphertext)
			got, fields := send(t, s, want, tokens[want.Token], body)
			if text, ok := fields["ciphertext"].(string); ok && want.Name == "encrypt" {
				ciphertext = text
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// send returns the step with the answer that came, and its data.
func send(t *testing.T, s *Server, st step, token, body string) (step, map[string]any) {
	t.Helper()
	req, err := http.NewRequest(st.Method, s.URL+"/v1/"+st.Path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Vault-Token", token)
	req.Header.Set("X-Vault-Namespace", st.Namespace)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Errors []string
		Data   map[string]any
	}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &answer); err != nil {
			t.Fatal(err)
		}
	}
	data := st.Data
	if data != nil { // of other answers the fields were not recorded
		data = slices.Sorted(maps.Keys(answer.Data))
	}
	st.Status, st.Errors, st.Data = resp.StatusCode, answer.Errors, data
	return st, answer.Data
}
