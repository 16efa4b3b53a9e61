// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/keys"
)

// selectorRules are the ways to choose what is encrypted, each as the lines of
// a creation rule.
var selectorRules = []struct {
	name     string
	selector keys.Selector
	macOnly  bool
}{
	{name: "none"},
	{name: "unencrypted-suffix", selector: keys.Selector{Kind: keys.UnencryptedSuffix, Pattern: "_unencrypted"}},
	{name: "encrypted-suffix", selector: keys.Selector{Kind: keys.EncryptedSuffix, Pattern: "_encrypted"}},
	{name: "unencrypted-regex", selector: keys.Selector{Kind: keys.UnencryptedRegex, Pattern: "^(apiVersion|kind|note.*)$"}},
	{name: "encrypted-regex", selector: keys.Selector{Kind: keys.EncryptedRegex, Pattern: "^(data|stringData|secret)"}},
	{name: "unencrypted-comment-regex", selector: keys.Selector{Kind: keys.UnencryptedCommentRegex, Pattern: "sops:plain"}},
	{name: "encrypted-comment-regex", selector: keys.Selector{Kind: keys.EncryptedCommentRegex, Pattern: "sops:enc"}},
	{name: "mac-only", selector: keys.Selector{Kind: keys.EncryptedRegex, Pattern: "^(data|stringData|secret)"}, macOnly: true},
	{name: "mac-only-comments", selector: keys.Selector{Kind: keys.EncryptedCommentRegex, Pattern: "sops:enc"}, macOnly: true},
}

// creationRule writes the lines of a creation rule for the classic identity.
func creationRule(tb testing.TB, s keys.Selector, macOnly bool) []string {
	rule := []string{"age: " + testIdentity(tb, classicKeyFile).Recipient()}
	if !s.IsZero() {
		rule = append(rule, fmt.Sprintf("%s: %q", s.Kind, s.Pattern))
	}
	if macOnly {
		rule = append(rule, "mac_only_encrypted: true")
	}
	return rule
}

func seeds(n int) []uint64 {
	if testing.Short() {
		n = 2
	}
	var out []uint64
	for i := range n {
		out = append(out, uint64(i))
	}
	return out
}

// TestOpensStock protects reading: what the stock sops encrypts and opens
// opens here to the same data and comments; what it cannot open itself (it
// moves comments, which can change what a comment selects) fails here too.
func TestOpensStock(t *testing.T) {
	for _, c := range selectorRules {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			opened := 0
			for _, seed := range seeds(8) {
				plain := newGenerator(seed).text()
				enc := sopsEncrypt(t, creationRule(t, c.selector, c.macOnly), "doc.yaml", []byte(plain))
				want, ok := sopsDecrypt(t, "yaml", enc)
				got, err := openFile(t, enc)
				switch {
				case ok && err == nil:
					opened++
					compareDocuments(t, seed, enc, got, want)
				case ok && noneEncrypted(err):
				case ok != (err == nil):
					t.Errorf("seed %d: stock opens: %v (%s), here: %v\n%s", seed, ok, want, err, short(enc))
				}
			}
			if opened == 0 {
				t.Error("no document was compared")
			}
		})
	}
}

// noneEncrypted reports whether no value was encrypted, which is refused here.
func noneEncrypted(err error) bool {
	return err != nil && strings.Contains(err.Error(), "nothing in it is encrypted")
}

func openFile(tb testing.TB, enc []byte) ([]*yaml.Node, error) {
	tb.Helper()
	f, err := ParseFile(parseDocuments(tb, enc)...)
	if err != nil {
		return nil, err
	}
	return f.Decrypt(unwrap(tb, f.Metadata.Recipients))
}

func compareDocuments(t *testing.T, seed uint64, enc []byte, got []*yaml.Node, plain []byte) {
	t.Helper()
	want := parseDocuments(t, plain)
	if diff := cmp.Diff(flatten(t, want), flatten(t, got)); diff != "" {
		t.Errorf("seed %d: data differs (-stock +here):\n%s\n%s", seed, diff, short(enc))
	}
	// Comments that the writer moved stay encrypted in stock sops; here they open.
	lost := slices.DeleteFunc(lostComments(want, got), func(c string) bool { return strings.HasPrefix(c, "#ENC[") })
	if len(lost) > 0 || len(sortedComments(got)) < len(sortedComments(want)) {
		t.Errorf("seed %d: comments lost: %q\n%s", seed, lost, short(enc))
	}
}

// TestStockOpensFile protects writing: the stock sops opens what EncryptFile
// makes and the YAML writer writes, and so do we.
func TestStockOpensFile(t *testing.T) {
	for _, c := range selectorRules {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			k := keys.GenerateDataKey()
			r := wrapFor(t, k, classicKeyFile)
			encrypted := 0
			for _, seed := range seeds(8) {
				docs := parseDocuments(t, []byte(newGenerator(seed).text()))
				settings := FileSettings{Recipients: r, Selector: c.selector, MACOnlyEncrypted: c.macOnly, Now: sealedAt}
				out, _, err := EncryptFile(docs, k, settings, nil)
				if err != nil {
					if kind, _ := errorAt(err); kind != "other" {
						t.Errorf("seed %d: %v", seed, err)
					}
					continue
				}
				encrypted++
				enc := encodeDocuments(t, out)
				got := checkOpens(t, seed, enc, docs)
				// Where the selector leaves parts in clear, a comment that the
				// writer moves there stays encrypted.
				if lost := lostComments(docs, got); c.name == "none" && len(lost) > 0 {
					t.Errorf("seed %d: comments lost: %q\n%s", seed, lost, short(enc))
				}
			}
			if encrypted == 0 {
				t.Error("no document was encrypted")
			}
		})
	}
}

func checkOpens(t *testing.T, seed uint64, enc []byte, docs []*yaml.Node) (opened []*yaml.Node) {
	t.Helper()
	want := flatten(t, docs)
	stock, ok := sopsDecrypt(t, "yaml", enc)
	if !ok {
		t.Errorf("seed %d: stock sops: %s\n%s", seed, stock, short(enc))
		return nil
	}
	if diff := cmp.Diff(want, flatten(t, parseDocuments(t, stock))); diff != "" {
		t.Errorf("seed %d: stock sops gives other data (-want +got):\n%s\n%s", seed, diff, short(enc))
	}
	got, err := openFile(t, enc)
	if err != nil {
		t.Errorf("seed %d: %v\n%s", seed, err, short(enc))
		return nil
	}
	if diff := cmp.Diff(want, flatten(t, got)); diff != "" {
		t.Errorf("seed %d: other data here (-want +got):\n%s", seed, diff)
	}
	return got
}

// lostComments returns the comments of before that are not in after.
func lostComments(before, after []*yaml.Node) []string {
	left := sortedComments(after)
	return slices.DeleteFunc(sortedComments(before), func(c string) bool {
		i := slices.Index(left, c)
		if i >= 0 {
			left = slices.Delete(left, i, i+1)
		}
		return i >= 0
	})
}

var valueParts = regexp.MustCompile(`data:[^,]*,iv:[^,]*,tag:[^,]*`)

// short leaves out what is only long.
func short(enc []byte) []byte {
	body, _, _ := bytes.Cut(enc, []byte("\nsops:"))
	return valueParts.ReplaceAll(body, []byte("..."))
}
