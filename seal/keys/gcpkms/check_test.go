// SPDX-License-Identifier: Apache-2.0

package gcpkms

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/signet-secrets/signet/seal/keys"
)

func TestCheckAccepts(t *testing.T) {
	for _, id := range []string{
		testKey,
		"projects/123456789012/locations/global/keyRings/r/cryptoKeys/k",
		"projects/example.com:payments/locations/eur4/keyRings/Ring_1-a/cryptoKeys/-K_",
		"projects/p/locations/us-central1/keyRings/" + strings.Repeat("r", 63) + "/cryptoKeys/k",
	} {
		if err := Check(keys.GCPKMSEntry{ResourceID: id}); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
}

// malformed are resource ids that must not become part of a request.
func malformed() map[string]string {
	const ok = "projects/p/locations/l/keyRings/r/cryptoKeys/k"
	return map[string]string{
		"empty":                 "",
		"other form":            "projects/p/keyRings/r/cryptoKeys/k",
		"other collection":      "projects/p/locations/l/keyrings/r/cryptoKeys/k",
		"version":               ok + "/cryptoKeyVersions/1",
		"slash before":          "/" + ok,
		"slash after":           ok + "/",
		"double slash":          "projects//locations/l/keyRings/r/cryptoKeys/k",
		"two dots":              "projects/p/locations/../keyRings/r/cryptoKeys/k",
		"two dots as project":   "projects/../locations/l/keyRings/r/cryptoKeys/k",
		"dots in a project":     "projects/a..b/locations/l/keyRings/r/cryptoKeys/k",
		"dots in a key":         "projects/p/locations/l/keyRings/r/cryptoKeys/k.k",
		"query":                 ok + "?alt=media",
		"fragment":              ok + "#x",
		"verb":                  ok + ":encrypt",
		"escape":                "projects/p/locations/l/keyRings/r/cryptoKeys/k%2f..",
		"backslash":             `projects/p/locations/l/keyRings/r/cryptoKeys\k/x`,
		"space":                 ok + " ",
		"line break":            ok + "\n",
		"not ASCII":             "projects/p/locations/l/keyRings/r/cryptoKeys/schlüssel",
		"control character":     "projects/p/locations/l/keyRings/r/cryptoKeys/k\x00",
		"shell":                 "projects/p/locations/l/keyRings/r/cryptoKeys/$(id)",
		"upper-case project":    "projects/P/locations/l/keyRings/r/cryptoKeys/k",
		"upper-case location":   "projects/p/locations/L/keyRings/r/cryptoKeys/k",
		"project ends in colon": "projects/example.com:/locations/l/keyRings/r/cryptoKeys/k",
		"colon without domain":  "projects/:p/locations/l/keyRings/r/cryptoKeys/k",
		"two colons":            "projects/example.com:a:b/locations/l/keyRings/r/cryptoKeys/k",
		"long":                  "projects/p/locations/l/keyRings/r/cryptoKeys/" + strings.Repeat("k", 64),
		"URL":                   "https://example.com/" + ok,
	}
}

// What is malformed causes no call, and the error repeats nothing of it.
func TestMalformedEntriesMakeNoCall(t *testing.T) {
	server := newServer(t)
	s := newService(t, server, Options{})
	good := wrap(t, s, testKey, patterned(32))
	before := server.count()
	check := func(t *testing.T, err error) {
		t.Helper()
		if call := callError(t, err); !call.Permanent || call.Hint != "" {
			t.Errorf("permanent is %v, hint %q", call.Permanent, call.Hint)
		}
		if n := server.count(); n != before {
			t.Errorf("%d requests were made", n-before)
		}
	}
	for name, id := range malformed() {
		t.Run(name, func(t *testing.T) {
			if Check(keys.GCPKMSEntry{ResourceID: id}) == nil {
				t.Error("Check accepts it")
			}
			_, err := s.Wrap(t.Context(), keys.GCPKMSEntry{ResourceID: id}, patterned(32))
			check(t, err)
			_, err = s.Unwrap(t.Context(), keys.GCPKMSEntry{ResourceID: id, Enc: good.Enc})
			check(t, err)
		})
	}
	for name, enc := range map[string]string{
		"empty":         "",
		"not base64":    "not base64!",
		"URL base64":    "-_-_",
		"no padding":    strings.TrimRight(base64.StdEncoding.EncodeToString(make([]byte, 100)), "="),
		"trailing bits": "AAB=",
		"line break":    good.Enc[:20] + "\n" + good.Enc[20:],
		"space":         good.Enc + " ",
		"too long":      strings.Repeat("A", maxEncBytes+4),
	} {
		t.Run("enc "+name, func(t *testing.T) {
			_, err := s.Unwrap(t.Context(), keys.GCPKMSEntry{ResourceID: testKey, Enc: enc})
			check(t, err)
		})
	}
	for name, secret := range map[string][]byte{"none": nil, "short": patterned(31), "long": patterned(34)} {
		t.Run("secret "+name, func(t *testing.T) {
			_, err := s.Wrap(t.Context(), keys.GCPKMSEntry{ResourceID: testKey}, secret)
			check(t, err)
		})
	}
	t.Run("other type", func(t *testing.T) {
		if _, err := s.Wrap(t.Context(), keys.AgeEntry{}, patterned(32)); err == nil || server.count() != before {
			t.Errorf("got %v after %d requests", err, server.count()-before)
		}
		if _, err := s.Unwrap(t.Context(), keys.AgeEntry{}); err == nil || server.count() != before {
			t.Errorf("got %v after %d requests", err, server.count()-before)
		}
	})
}

func TestParseEndpoint(t *testing.T) {
	for text, want := range map[string]string{
		"https://cloudkms.example.com":     "https://cloudkms.example.com",
		"https://cloudkms.example.com/":    "https://cloudkms.example.com",
		"https://cloudkms.example.com:443": "https://cloudkms.example.com:443",
		"cloudkms.example.com:443":         "https://cloudkms.example.com:443",
		"cloudkms.example.com":             "https://cloudkms.example.com",
		"http://127.0.0.1:8080":            "http://127.0.0.1:8080",
		"http://[::1]:8080":                "http://[::1]:8080",
		"http://cloudkms.example.com":      "",
		"http://127.0.0.1.example.com":     "",
		"https://user@example.com":         "",
		"https://example.com/v1":           "",
		"https://example.com?x":            "",
		"https://example.com#x":            "",
		"https://":                         "",
		"ftp://example.com":                "",
		"https://exa mple.com":             "",
	} {
		got, err := parseEndpoint(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: got %q, %v, want %q", text, got, err, want)
		}
	}
}

// No text makes the parser accept what changes the path of a request.
func FuzzParseKeyName(f *testing.F) {
	f.Add(testKey)
	for _, id := range malformed() {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		n, err := parseKeyName(id)
		if err != nil {
			return
		}
		if back := "projects/" + n.project + "/locations/" + n.location + "/keyRings/" + n.ring + "/cryptoKeys/" + n.key; back != id {
			t.Errorf("%q was read as %q", id, back)
		}
		if strings.Contains(id, "..") || strings.ContainsAny(id, "?#%\\ \n$`'\"") || strings.Count(id, "/") != 7 {
			t.Errorf("%q was accepted", id)
		}
	})
}
