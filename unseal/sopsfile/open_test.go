// SPDX-License-Identifier: Apache-2.0

package sopsfile_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
	"github.com/signet-secrets/signet/unseal/sopsfile"
)

func TestFormatOf(t *testing.T) {
	for path, want := range map[string]sopsfile.Format{
		"a.yaml": sopsfile.YAML, "dir.json/a.yml": sopsfile.YAML, "a.json": sopsfile.JSON, ".env": sopsfile.Dotenv, "prod.env": sopsfile.Dotenv,
		"a.ini": sopsfile.INI, "a.YAML": sopsfile.Binary, "yaml": sopsfile.Binary, "a.yaml.enc": sopsfile.Binary, "": sopsfile.Binary, "a.env.bak": sopsfile.Binary,
	} {
		if got := sopsfile.FormatOf(path); got != want {
			t.Errorf("FormatOf(%q) = %q, want %q", path, got, want)
		}
	}
}

// TestClearFiles protects the place of the metadata: the word elsewhere is no
// sign that a file is encrypted.
func TestClearFiles(t *testing.T) {
	tests := []struct {
		name, content string
		format        sopsfile.Format
	}{
		{"nested YAML", "spec:\n  sops:\n    mac: x\n", sopsfile.YAML},
		{"text of YAML", "a: |\n  sops:\n    mac: x\n", sopsfile.YAML},
		{"second document", "a: 1\n---\nsops: {mac: x}\n", sopsfile.YAML},
		{"nested JSON", `{"a": {"sops": {}}}`, sopsfile.JSON},
		{"dotenv", "A=sops_mac\n#sops_mac=1\nsops=1\n", sopsfile.Dotenv},
		{"INI", "[a]\nsops=x\n; [sops]\n", sopsfile.INI},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := sopsfile.Open(t.Context(), []byte(test.content), test.format, unseal.Options{})
			if err == nil || !strings.Contains(err.Error(), "the file is not encrypted") {
				t.Errorf("error %v", err)
			}
		})
	}
}

// refusal is a file that nobody can or may open, and what is said of it.
type refusal struct {
	name, content string
	format        sopsfile.Format
	say           string
}

func refusals() []refusal {
	deep := func(open, end string) string {
		return strings.Repeat(open, 101) + "1" + strings.Repeat(end, 101)
	}
	return []refusal{
		{"clear YAML", "a: 1\n", sopsfile.YAML, "the file is not encrypted"},
		{"clear JSON", `{"a": 1}`, sopsfile.JSON, "the file is not encrypted"},
		{"clear dotenv", "A=1\n", sopsfile.Dotenv, "the file is not encrypted"},
		{"clear INI", "[a]\nb=1\n", sopsfile.INI, "the file is not encrypted"},
		{"clear binary", "hello", sopsfile.Binary, "line 1: not valid JSON"},
		{"empty YAML", "", sopsfile.YAML, "there is no document"},
		{"empty JSON", "", sopsfile.JSON, "cut short"},
		{"empty dotenv", "", sopsfile.Dotenv, "the file is not encrypted"},
		{"YAML list", "- a\n", sopsfile.YAML, "line 1: a document must be a mapping"},
		{"JSON list", "[]", sopsfile.JSON, "line 1: must be a JSON object"},
		{"JSON with more", "{}\n{}", sopsfile.JSON, "line 2: something stands behind"},
		{"dotenv line", "A=1\n" + canary + "\n", sopsfile.Dotenv, "line 2: is neither"},
		{"INI line", "[a]\n" + canary + "\n", sopsfile.INI, "not valid INI"},
		{"not UTF-8", "a: \xff\n", sopsfile.YAML, "not valid UTF-8"},
		{"YAML syntax", "a: 1\n b: '" + canary + "\n", sopsfile.YAML, "not valid YAML"},
		{"anchor", "a: &x " + canary + "\n", sopsfile.YAML, "a: line 1: anchors"},
		{"alias", "a: [1, &x b]\nc: *x\n", sopsfile.YAML, "anchors"},
		{"duplicate key in a later document", "a: 1\n---\nb:\n  c: 1\n  c: 2\n", sopsfile.YAML, "b: line 5: a key that stands there twice"},
		{"number as key", "1: a\n", sopsfile.YAML, "a key that is not a string"},
		{"large number", "a: 9223372036854775808\n", sopsfile.YAML, "a: line 1: a value that SOPS cannot hold"},
		{"tag", "a: !!int x\n", sopsfile.YAML, "does not fit its tag"},
		{"deep YAML", "a: " + deep("[", "]"), sopsfile.YAML, "nested too deeply"},
		{"deep JSON", `{"a": ` + deep("[", "]") + "}", sopsfile.JSON, "nested too deeply"},
		{"many nodes of YAML", "a: [" + strings.Repeat("1,", 300_000) + "1]", sopsfile.YAML, "nodes, the limit is"},
		{"many nodes of JSON", `{"a": [` + strings.Repeat("1,", 700_000) + "1]}", sopsfile.JSON, "nodes"},
		{"many lines of dotenv", strings.Repeat("A=\n", 300_000), sopsfile.Dotenv, "more than 200000 lines"},
		{"many lines of INI", strings.Repeat("a=\n", 20_000), sopsfile.INI, "the limit for INI is 10000"},
		{"lines and bytes of INI", "a=\"\"\"" + strings.Repeat(strings.Repeat("x", 200)+"\n", 5000), sopsfile.INI, "too much of both"},
		{"large INI", "a=" + strings.Repeat("x", 2<<20), sopsfile.INI, "the limit for INI"},
		{"large", strings.Repeat(" ", 9<<20), sopsfile.Binary, "the limit is"},
		{"metadata twice", `{"sops": {}, "sops": {}}`, sopsfile.JSON, "sops: stands twice"},
		{"metadata field twice", `{"sops": {"mac": "a", "mac": "b"}}`, sopsfile.JSON, "duplicate key"},
		{"metadata is text", "sops: x\n", sopsfile.YAML, "sops: must be a mapping"},
		{"metadata incomplete", "sops: {age: []}\n", sopsfile.YAML, "sops.lastmodified: is missing"},
		{"metadata with a gap", "sops_age__list_1__map_enc=x\n", sopsfile.Dotenv, "a list that is not complete"},
		{"metadata at odds", "sops_age=x\nsops_age__list_0=y\n", sopsfile.Dotenv, "does not fit the other fields"},
		{"metadata and no bool", "sops_mac_only_encrypted=1\n", sopsfile.Dotenv, "must be true or false"},
		{"unknown format", "{}", "toml", `unknown format "toml"`},
	}
}

// TestRefused protects what Open says of files that nobody can or may open.
func TestRefused(t *testing.T) {
	s := newStock(t)
	for _, test := range refusals() {
		t.Run(test.name, func(t *testing.T) {
			out, err := s.open([]byte(test.content), test.format)
			if err == nil || !strings.Contains(err.Error(), test.say) || out != nil {
				t.Errorf("%q, %v, want %q", out, err, test.say)
			}
			if kind := kindOf(err); kind != "invalid" && test.format != "toml" {
				t.Errorf("error is %s", kind)
			}
			checkHides(t, err, canary)
		})
	}
}

func TestWrongKey(t *testing.T) {
	s := newStock(t)
	for f, plain := range tamperFiles() {
		enc := s.mustEncrypt(t, nameOf(f), []byte(plain))
		if _, err := open(enc, f, newIdentity(t)); kindOf(err) != "no key" {
			t.Errorf("%s: %v, want that no key opens it", f, err)
		}
	}
}

// Signet's own objects, and paths whose ciphertext could be that of an
// envelope, are refused in every format and whether encrypted or not.
func TestReserved(t *testing.T) {
	s := newStock(t)
	own := "an object of signet.dev must not have SOPS metadata"
	reserved := `the root key "signet" is reserved`
	tests := []struct {
		name, plain string
		format      sopsfile.Format
		rule, say   string
	}{
		{"object in clear", "apiVersion: signet.dev/v1alpha1\nspec: {a: b}\n", sopsfile.YAML, "encrypted_regex: ^spec$", own},
		{"object encrypted", "apiVersion: signet.dev/v1alpha1\nspec: {a: b}\n", sopsfile.YAML, "", own},
		{"second object", "a: b\n---\napiVersion: signet.dev/v1alpha1\n", sopsfile.YAML, "", own},
		{"JSON object", `{"apiVersion": "signet.dev/v1"}`, sopsfile.JSON, "", own},
		{"root key of YAML", "signet:\n  a: b\n", sopsfile.YAML, "", reserved},
		{"comment in it", "signet:\n  # a\n  b: null\n", sopsfile.YAML, "", reserved},
		{"root key of JSON", `{"signet": {"a": "b"}}`, sopsfile.JSON, "", reserved},
		{"joined root key", `{"signet:stringData:a": "b"}`, sopsfile.JSON, "", reserved},
		{"dotenv", "signet=a\n", sopsfile.Dotenv, "", reserved},
		{"INI", "[signet]\na=b\n", sopsfile.INI, "", reserved},
		{"INI, joined", "[signet:stringData]\na=b\n", sopsfile.INI, "", reserved},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var rule []string
			if test.rule != "" {
				rule = append(rule, test.rule)
			}
			enc := s.mustEncrypt(t, nameOf(test.format), []byte(test.plain), rule...)
			_, err := s.open(enc, test.format)
			if err == nil || !strings.Contains(err.Error(), test.say) || kindOf(err) != "invalid" {
				t.Errorf("%v, want %q", err, test.say)
			}
		})
	}
}

// TestKeyGroups protects Shamir shares and threshold in every format of
// metadata.
func TestKeyGroups(t *testing.T) {
	s := newStock(t)
	other, third := newIdentity(t), newIdentity(t)
	for f, plain := range tamperFiles() {
		t.Run(string(f), func(t *testing.T) {
			var groups []string
			for _, id := range []agekey.Identity{s.id, other, third} {
				groups = append(groups, "  - age: ["+id.Recipient()+"]")
			}
			enc, ok := s.encryptFor(t, nameOf(f), []byte(plain), append([]string{"shamir_threshold: 2", "key_groups:"}, groups...)...)
			if !ok {
				t.Fatal("sops does not encrypt")
			}
			both := stock{other, s.path}
			if _, ok := both.decrypt(t, nameOf(f), enc); ok {
				t.Error("sops opens it with one of two groups")
			}
			if _, err := open(enc, f, other); kindOf(err) != "no key" {
				t.Errorf("one of two groups: %v", err)
			}
			got, err := open(enc, f, third, s.id)
			if err != nil {
				t.Fatal(err)
			}
			single := s.mustEncrypt(t, nameOf(f), []byte(plain))
			if want, _ := s.decrypt(t, nameOf(f), single); !bytes.Equal(got, want) {
				t.Errorf("opens to %q, want %q", got, want)
			}
		})
	}
}

// TestKeyring protects the rule that only SealingKeys for all namespaces open
// what has none.
func TestKeyring(t *testing.T) {
	s := newStock(t)
	master := newIdentity(t)
	enc := s.mustEncrypt(t, "app.env", []byte("A=1\n"))
	for _, test := range []struct{ namespace, want string }{{"*", "none"}, {"prod", "no key"}} {
		t.Run(test.namespace, func(t *testing.T) {
			sealed, err := seal.NewKey(context.Background(), seal.KeyOptions{
				Name: "prod", Namespaces: []string{test.namespace}, Identity: s.id,
				Recipients: keys.Recipients{Groups: []keys.Group{{keys.AgeEntry{Recipient: master.Recipient()}}}},
				Wrapper:    keys.Wrappers{keys.Age: agekey.NewWrapper(nil)},
			})
			if err != nil {
				t.Fatal(err)
			}
			key, err := sopsdoc.ParseSealingKey(manifest.Root(sealed.Node))
			if err != nil {
				t.Fatal(err)
			}
			ring := unseal.NewKeyring(unseal.KeyOptions{Unwrapper: unwrapperOf(master), ParseIdentity: func(text string) (string, keys.Unwrapper, error) {
				id, err := agekey.ParseIdentity(text)
				return id.Recipient(), unwrapperOf(id), err
			}}, unseal.Key{SealingKey: key})
			got, err := sopsfile.Open(context.Background(), enc, sopsfile.Dotenv, unseal.Options{Unwrapper: unwrapperOf(), Keyring: ring, Namespace: "prod"})
			if kindOf(err) != test.want {
				t.Errorf("error %v, want %s", err, test.want)
			}
			if err == nil && string(got) != "A=1\n" {
				t.Errorf("opens to %q", got)
			}
			if denied := new(*unseal.KeyNamespaceError); test.want == "no key" && !errors.As(err, denied) {
				t.Errorf("error %v does not say why", err)
			}
		})
	}
}

// TestPaddingIsBounded protects memory: the INI writer pads each key to the
// length of the longest.
func TestPaddingIsBounded(t *testing.T) {
	s := newStock(t)
	var b strings.Builder
	fmt.Fprintf(&b, "[a]\n%s=\n", strings.Repeat("k", 4000))
	for i := range 6000 {
		fmt.Fprintf(&b, "k%d=\n", i)
	}
	enc := s.mustEncrypt(t, "app.ini", []byte(b.String())) // padded as well
	enc = regexp.MustCompile(` += `).ReplaceAll(enc, []byte("="))
	if _, err := s.open(enc, sopsfile.INI); err == nil || !strings.Contains(err.Error(), "too many keys for one as long") {
		t.Errorf("%v", err)
	}
}
