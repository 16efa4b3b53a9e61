// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
)

func fixedKey(tb testing.TB, b byte) keys.DataKey {
	tb.Helper()
	k, err := keys.NewDataKey(bytes.Repeat([]byte{b}, keys.DataKeyBytes))
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

var lineageClear = Clear{Scope: Scope{"prod", "db"}, Type: "Opaque"}

// TestLineageVector protects other implementations: the entry is what Python's
// hmac makes of it, hmac.new(bytes([1]*32), b"signet lineage v1\0" + bytes([2]*32), "sha256").
func TestLineageVector(t *testing.T) {
	const want = "14mxt0o4ivSkaLX0CdfQ5QLsEWX6kJmHRmQC5A4DFNA="
	if got := lineageEntry(fixedKey(t, 1), fixedKey(t, 2)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestLineage protects merges: an envelope succeeds the documents that its maker
// had opened, through every later edit, and no other one. The stock sops opens it.
func TestLineage(t *testing.T) {
	k, former, other := keys.GenerateDataKey(), keys.GenerateDataKey(), keys.GenerateDataKey()
	recipients := wrapFor(t, k, classicKeyFile)
	e, err := SealEnvelope(lineageClear, Content{StringData: map[string]string{"a": "x"}}, k, recipients, sealedAt, nil, former, k, keys.DataKey{}, former)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(e.Metadata.lineage); n != 1 {
		t.Errorf("%d entries, want one", n)
	}
	edited := sealForTest(t, lineageClear, Content{StringData: map[string]string{"a": "y"}}, k, recipients, &Previous{Envelope: e, Content: Content{StringData: map[string]string{"a": "x"}}})
	for name, written := range map[string]*Envelope{"sealed": e, "edited": edited} {
		doc := encodeYAML(t, written.Node())
		read, err := ParseEnvelope(parseRoot(t, doc))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := read.Open(k); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, row := range []struct {
			name      string
			former, k keys.DataKey
			want      bool
		}{
			{"what was opened", former, k, true},
			{"its own key", k, k, true},
			{"any other", other, k, false},
			{"under another key", former, other, false},
			{"the wrong way round", k, former, false},
			{"no key", keys.DataKey{}, k, false},
		} {
			if got := read.Succeeds(row.former, row.k); got != row.want {
				t.Errorf("%s, %s: %v", name, row.name, got)
			}
		}
		if plain, ok := sopsDecrypt(t, "yaml", doc); !ok {
			t.Errorf("%s: sops: %s", name, plain)
		}
	}
}

// TestLineageIsAuthenticated protects what a lineage says from whoever does not know
// the data key.
func TestLineageIsAuthenticated(t *testing.T) {
	k, former := keys.GenerateDataKey(), keys.GenerateDataKey()
	recipients := wrapFor(t, k, classicKeyFile)
	with, err := SealEnvelope(lineageClear, Content{}, k, recipients, sealedAt, nil, former)
	if err != nil {
		t.Fatal(err)
	}
	without := sealForTest(t, lineageClear, Content{}, k, recipients, nil)
	for name, doc := range map[string]string{
		"taken out": cutLineage(t, with),
		"put in":    putLineage(t, without, with),
		"other":     strings.Replace(string(encodeYAML(t, with.Node())), with.Metadata.lineage[0], lineageEntry(k, former), 1),
	} {
		e, err := ParseEnvelope(parseRoot(t, []byte(doc)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := e.Open(k); !errors.As(err, new(*TamperedError)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func cutLineage(t *testing.T, e *Envelope) string {
	t.Helper()
	n := e.Node()
	if !manifest.Delete(manifest.Get(n, "sops"), lineageKey) {
		t.Fatal("no lineage")
	}
	return string(encodeYAML(t, n))
}

func putLineage(t *testing.T, e, from *Envelope) string {
	t.Helper()
	n := e.Node()
	manifest.Set(manifest.Get(n, "sops"), lineageKey, from.Metadata.lineageNode())
	return string(encodeYAML(t, n))
}

// TestLineageForm protects readers from what no writer writes.
func TestLineageForm(t *testing.T) {
	entry := lineageEntry(fixedKey(t, 1), fixedKey(t, 2))
	block := func(lineage string) string {
		return "lastmodified: \"2026-01-31T09:30:00Z\"\nmac: " + anyMAC + "\nversion: 3.13.3\nencrypted_regex: ^signet$\nage: [{recipient: age1x, enc: e}]\n" + lineage
	}
	for name, row := range map[string]struct {
		lineage string
		ok      bool
	}{
		"one":           {"lineage: [\"" + entry + "\"]", true},
		"eight":         {"lineage: [" + strings.Repeat("\""+entry+"\",", 8) + "]", true},
		"nine":          {"lineage: [" + strings.Repeat("\""+entry+"\",", 9) + "]", false},
		"none":          {"lineage: []", false},
		"null":          {"lineage: null", false},
		"text":          {"lineage: " + entry, false},
		"number":        {"lineage: [1]", false},
		"short":         {"lineage: [\"" + entry[4:] + "\"]", false},
		"not base64":    {"lineage: [\"!" + entry[1:] + "\"]", false},
		"without = ":    {"lineage: [\"" + strings.TrimRight(entry, "=") + "\"]", false},
		"not canonical": {"lineage: [\"" + entry[:42] + nextLetter(entry[42]) + "=\"]", false},
	} {
		md, err := metadataReader{strict: true}.read(parseRoot(t, []byte(block(row.lineage))))
		if (err == nil) != row.ok {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := (metadataReader{}).read(parseRoot(t, []byte(block(row.lineage)))); err == nil {
			t.Errorf("%s: a SOPS document may have it", name)
		}
		if err == nil {
			if diff := cmp.Diff(md.unsigned, canonicalJSON(md.unsignedNode())); diff != "" {
				t.Errorf("%s: written otherwise (-read +written):\n%s", name, diff)
			}
		}
	}
}

// nextLetter returns the letter of base64 after c: with the last one of 32 bytes it
// differs in bits that are not used.
func nextLetter(c byte) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	return string(letters[(strings.IndexByte(letters, c)+1)%64])
}
