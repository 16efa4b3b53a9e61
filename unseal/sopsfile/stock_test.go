// SPDX-License-Identifier: Apache-2.0

package sopsfile_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/signet-secrets/signet/unseal/sopsfile"
)

// stockCase is a text that stock sops encrypts under a rule.
type stockCase struct {
	name, plain string
	rule        []string
	refused     bool // by stock sops too, when it reads what it wrote
}

func rule(lines ...string) []string { return lines }

// TestOpensStock protects the text: what stock sops encrypts opens to the bytes
// that it prints, in every format.
func TestOpensStock(t *testing.T) {
	s := newStock(t)
	for f, cases := range map[sopsfile.Format][]stockCase{
		sopsfile.YAML: yamlCases(), sopsfile.JSON: jsonCases(), sopsfile.Dotenv: dotenvCases(), sopsfile.INI: iniCases(), sopsfile.Binary: binaryCases(),
	} {
		for _, c := range cases {
			t.Run(string(f)+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				enc := s.mustEncrypt(t, nameOf(f), []byte(c.plain), c.rule...)
				if opened := s.compare(t, f, enc); opened == c.refused {
					t.Errorf("sops opens it: %v", opened)
				}
			})
		}
	}
}

// TestOpensYAMLInJSON protects comments of YAML that sops wrote as JSON, where
// those of lists are items.
func TestOpensYAMLInJSON(t *testing.T) {
	s := newStock(t)
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "app.yaml"), []byte("# head\na: 1\nlist:\n  # first\n  - 1\n  - 2 # second\n  # end\n"))
	r := s.run(t, dir, "encrypt", "--age", s.id.Recipient(), "--output-type", "json", "app.yaml")
	if r.ExitCode != 0 || !bytes.Contains(r.Stdout, []byte("type:comment]")) {
		t.Fatalf("sops writes %q, %q", r.Stdout, r.Stderr)
	}
	if !s.compare(t, sopsfile.JSON, r.Stdout) {
		t.Error("sops does not open it")
	}
	// The same text is YAML too, where the items become comments again.
	if !s.compare(t, sopsfile.YAML, r.Stdout) {
		t.Error("sops does not open it as YAML")
	}
}

func yamlCases() []stockCase {
	return []stockCase{
		{name: "no object", plain: "a: b\nlist:\n  - 1\n  - two\n  - {three: 3}\n"},
		{name: "empty mapping", plain: "{}\n"},
		{name: "empty values", plain: "a: \"\"\nb: null\nc:\nd: {}\ne: []\nf: ''\ng: ~\n"},
		{name: "documents", plain: "a: 1\n---\nb: 2\n---\n# only a comment\n---\nc: 3\n"},
		{name: "documents with comments", plain: "# first\na: 1\n# foot\n---\n# second\n\n# its key\nb: 2 # line\n\n# end\n"},
		{name: "a document marker first", plain: "---\na: 1\n...\n---\nb: 2\n"},
		{name: "comments everywhere", plain: "# head\n\n# of a\na: 1 # line of a\n# foot of a\n\nb: # line of b\n  # of c\n  c: 2 # line of c\n  # foot of c\nlist:\n  # first\n  - 1 # inline\n  # second\n  - 2\n  # last\nd:\n    - x: 1 # deep\n      # deep foot\n    - y: 2\n# end\n"},
		{name: "comments in clear", plain: "a_unencrypted: 1 # inline\n# between\nb_unencrypted:\n  # head\n  - 1 # one\n  - 2 # two\n  # tail\nc: 2 # secret\n"},
		{name: "comments only in mapping and list", plain: "a:\n  # nothing\n  {}\nb:\n  # nothing\n  []\n"},
		{name: "empty comments", plain: "#\na: 1\n#\nlist:\n  #\n  - 1\n  #\n  - 2 #\n"},
		{name: "literals", plain: "a: |\n  one\n    two\n\n  three\nb: |-\n  no end\nc: |+\n  ends\n\n\nd: >\n  folded\n  text\n\n  more\ne: |2\n    indented\n"},
		{name: "numbers", plain: "a: 0777\nb: 0o17\nc: 0x1F\nd: 1e3\ne: 1.10\nf: -0\ng: -0.0\nh: .inf\ni: -.Inf\nj: .nan\nk: 1_000\nl: 9007199254740993\nm: 9223372036854775807\nn: 1e21\no: 190:20:30\np: 0b11\nq: 1.0\nr: 3.0e-10\n"},
		{name: "numbers in clear", plain: "x_unencrypted:\n  a: 0777\n  b: 0o17\n  c: 0x1F\n  d: 1e3\n  e: 1.10\n  f: -0\n  g: -0.0\n  h: .inf\n  j: .nan\n  k: 1_000\n  m: 9223372036854775807\n  n: 1e21\n", refused: true},
		{name: "floats in clear", plain: "x_unencrypted:\n  d: 1e3\n  e: 1.10\n  h: .inf\n  j: .nan\n  n: 1e21\n  o: 1e-7\n  p: 1e20\n"},
		{name: "booleans", plain: "a: true\nb: False\nc: yes\nd: NO\ne: \"true\"\nf: 'on'\ng: y\nyes: 1\n\"no\": 2\n"},
		{name: "dates", plain: "a: 2026-01-31\nb: 2001-12-14t21:59:43.10-05:00\nc: 2001-12-14 21:59:43.123456789\nd: \"2026-01-31\"\ne_unencrypted: 2026-01-31\n"},
		{name: "unicode", plain: "한국어: 값\nemoji: \"\\U0001F511\"\nbreaks: \"a\\u0085b\\u2028c\"\nnul: \"a\\0b\"\nbom: \"\\uFEFFx\"\n\"key \\u00e9\": é\ntab: \"a\\tb\"\n"},
		{name: "binary", plain: "a: !!binary aGVsbG8=\nb: !!binary //79/A==\n"},
		{name: "tags", plain: "a: !Ref x\nb: !Sub {c: d}\ne: !!str 5\nf: !!float 1\n"},
		{name: "anchors and merge keys", plain: "base: &b\n  a: 1\n  c: [x]\nuse:\n  <<: *b\n  d: 2\nref: *b\n"},
		{name: "list of merge keys", plain: "a: &a {x: 1}\nb: &b {y: 2}\nuse:\n  <<: [*a, *b]\n  z: <<\n"},
		{name: "flow style", plain: "{a: 1, b: [1, {c: d}], \"e\": 'f'}\n"},
		{name: "JSON", plain: `{"a": {"b": [1, "2", null, true]}, "c": 1.5}`},
		{name: "strings that need quotes", plain: "a: \"# no comment\"\nb: \" leading\"\nc: \"trailing \"\nd: \"- x\"\ne: \": y\"\nf: \"null\"\ng: \"1\"\nh: \"*a\"\ni: \"&a\"\nj: \"!a\"\nk: \"@a\"\nl: \"`\"\nm: \"<<\"\nn: '\"'\no: \"'\"\n\"p q\": \"%\"\n\"\": empty\n"},
		{name: "long lines", plain: "a: " + words(60) + "\nb: \"" + words(60) + "\"\nc: >-\n  " + words(60) + "\n"},
		{name: "no line break at the end", plain: "a: b"},
		{name: "CRLF", plain: "a: b\r\nc: |\r\n  x\r\n  y\r\n# comment\r\nd: 1\r\n"},
		{name: "nested lists", plain: "a:\n- - 1\n  - - 2\n    - b: 3\n      c:\n      - 4\n-x: y\n"},
		{name: "Secret", plain: "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  creationTimestamp: null\nstringData:\n  password: x\n", rule: rule("encrypted_regex: ^(data|stringData)$")},
		{name: "mac only encrypted", plain: "a: 1\nsecret: x\n# c\nb: 2\n", rule: rule("encrypted_regex: ^secret$", "mac_only_encrypted: true")},
		{name: "encrypted suffix", plain: "a: 1 # x\nb_enc:\n  # in\n  c: 2\n", rule: rule("encrypted_suffix: _enc")},
		{name: "unencrypted regex", plain: "a: 1\nnote: [1, 2] # x\n", rule: rule("unencrypted_regex: ^no")},
		{name: "encrypted comment regex", plain: "a: 1\n# sops:enc\nb: 2 # more\n# sops:enc\n# and this\nc:\n  d: 3\n  # e\n  e: [4] # f\nlist:\n  - 1\n  # sops:enc\n  - 2\n  - 3\n", rule: rule("encrypted_comment_regex: sops:enc")},
		{name: "unencrypted comment regex", plain: "a: 1\n# sops:plain\nb: 2 # more\nc:\n  # sops:plain\n  d: 3\n  e: [4] # f\nlist:\n  - 1\n  # sops:plain\n  - 2\n  - 3\n", rule: rule("unencrypted_comment_regex: sops:plain")},
		{name: "selector that selects nothing", plain: "a: 1\n", rule: rule("encrypted_regex: ^nothing$")},
	}
}

func words(n int) string {
	out := "word"
	for range n {
		out += " word"
	}
	return out
}

func jsonCases() []stockCase {
	return []stockCase{
		{name: "object", plain: `{"a": "b", "list": [1, "two", {"three": 3}, [], {}]}`},
		{name: "empty", plain: `{}`},
		{name: "empty values", plain: `{"a": "", "b": null, "c": {}, "d": []}`},
		{name: "numbers", plain: `{"a": 1, "b": -0, "c": 1.0, "d": 1e3, "e": 1e21, "f": 9007199254740993, "g": 9223372036854775807, "h": 9223372036854775808, "i": 0.1, "j": -1.5e-9, "k": 123456789012345678901234567890}`},
		{name: "numbers in clear", plain: `{"x_unencrypted": {"b": -0, "c": 1.0, "d": 1e3, "e": 1e21, "f": 9007199254740993, "h": 9223372036854775808, "i": 1e-9}}`},
		{name: "strings", plain: `{"html": "<a href=\"x\">&</a>", "u": "\u2028 \ud83d\udd11 \ud800", "c": "\b\f\n\r\t\u0001", "한국어": "값", "": "empty key", "slash": "\/"}`},
		{name: "duplicate keys", plain: `{"a": 1, "a": 2, "b": {"c": 3, "c": 4}}`},
		{name: "booleans", plain: `{"a": true, "b": false, "c": "true", "d_unencrypted": true}`},
		{name: "indented", plain: "{\n    \"a\": [\n        1,\n        2\n    ]\n}\n\n"},
		{name: "encrypted regex", plain: `{"kind": "x", "data": {"a": "b"}}`, rule: rule("encrypted_regex: ^data$")},
		{name: "mac only encrypted", plain: `{"kind": "x", "data": {"a": "b"}}`, rule: rule("encrypted_regex: ^data$", "mac_only_encrypted: true")},
	}
}

func dotenvCases() []stockCase {
	return []stockCase{
		{name: "plain", plain: "A=1\nB=two\n"},
		{name: "comments", plain: "# head\nA=1\n#\n#tail\n# \n"},
		{name: "CRLF", plain: "A=1\r\n# c\r\nB=\"x\"\r\n"},
		{name: "blank lines", plain: "\n\nA=1\n\n\nB=2\n\n"},
		{name: "no line break at the end", plain: "A=1"},
		{name: "empty values", plain: "A=\nB=\n"},
		{name: "odd keys", plain: "export A=1\n B =2\n=3\nA.b-c=4\nß=5\nsops=6\nA:B=7\n"},
		{name: "odd values", plain: "A==\nB= x \nC='q'\nD=\"q\"\nE=a#b\nF=\\n\\\\n\\t\nG=\t\nH=ENC[no]\n"},
		{name: "duplicate keys", plain: "A=1\nA=2\nA=1\n"},
		{name: "unicode", plain: "A=값\nB=🔑\n"},
		{name: "not UTF-8", plain: "A=\xff\xfe\n\x80=1\n#\xff\n"},
		{name: "NUL", plain: "A=\x00\n"},
		{name: "encrypted regex", plain: "A=1\nSECRET=2\n# c\n", rule: rule("encrypted_regex: ^SECRET")},
		{name: "suffix", plain: "A_unencrypted=1\nB=2\n"},
		{name: "encrypted comment regex", plain: "A=1\n# sops:enc\n# more\nB=2\nC=3\n", rule: rule("encrypted_comment_regex: sops:enc")},
		{name: "mac only encrypted", plain: "A=1\nSECRET=2\n", rule: rule("encrypted_regex: ^SECRET", "mac_only_encrypted: true")},
	}
}

func iniCases() []stockCase {
	return []stockCase{
		{name: "plain", plain: "[a]\nb = c\nlonger key=1\n[d]\ne: f\n"},
		{name: "without section", plain: "b = c\nd=e\n\n[s]\nf=g\n"},
		{name: "DEFAULT", plain: "[DEFAULT]\na=1\n[b]\nc=2\n"},
		{name: "default in lower case", plain: "[default]\na=1\n"},
		{name: "comments", plain: "; top\n# second\n[a] ; behind\n; of b\n# more of b\nb = c ; inline\n# of d\nd = e # other\n; end\n[f]\n"},
		{name: "comment of the default section", plain: "# of a\na = 1\n; of b\nb = 2\n"},
		{name: "comment with an empty line", plain: "#\n#x\n[a]\nb = 1\n", refused: true}, // sops crashes
		{name: "empty comment", plain: "#\n[a]\n;\nb = 1\n"},
		{name: "quotes", plain: "[a]\na = \"q\"\nb = 'q'\nc = `q # x`\nd = \"\"\"x\ny\"\"\"\ne = \" lead \"\nf = \"a\"b\"\n`k=l` = 1\n\"m:n\" = 2\n"},
		{name: "empty values", plain: "[a]\nb =\nc=\n[empty]\n"},
		{name: "continuation", plain: "[a]\nb = one \\\n two \\\n three\nc = \\\n"},
		{name: "duplicate sections", plain: "[a]\nb=1\n[a]\nb=2\n[A]\nb=3\n"},
		{name: "duplicate keys", plain: "[a]\nb=1\nc=2\nb=3\n"},
		{name: "auto increment", plain: "[a]\n-=1\n-=2\n", refused: true},
		{name: "child sections", plain: "[a]\nb=1\n[a.c]\nd=2\n[a.c.e]\n"},
		{name: "odd sections", plain: "[a b]\nc=1\n[ x ]\nd=1\n[[y]]\ne=1\n[z:w]\nf=1\n"},
		{name: "odd values", plain: "[a]\nb = \\n\nc = x=y\nd = x:y\ne = %(b)s\nf = 한국어\ng = [x]\nh = \\\\\n"},
		{name: "CRLF", plain: "[a]\r\nb = c\r\n; x\r\nd = e\r\n"},
		{name: "byte order mark", plain: "\ufeff[a]\nb=c\n"},
		{name: "numbers", plain: "[a]\nb = 0777\nc = 1.50\nd = true\n"},
		{name: "encrypted regex", plain: "[a]\nb = 1\nsecret = 2\n[secrets]\nc=3\n", rule: rule("encrypted_regex: ^secret")},
		{name: "suffix", plain: "[a]\nb_unencrypted = 1 ; c\nd = 2 ; e\n"},
		{name: "mac only encrypted", plain: "[a]\nb = 1\nsecret = 2\n", rule: rule("encrypted_regex: ^secret", "mac_only_encrypted: true")},
		{name: "encrypted comment regex", plain: "[a]\nb = 1\n; sops:enc\nc = 2\nd = 3\n", rule: rule("encrypted_comment_regex: sops:enc")},
	}
}

func binaryCases() []stockCase {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	return []stockCase{
		{name: "text", plain: "hello\n"},
		{name: "empty", plain: ""},
		{name: "every byte", plain: string(every)},
		{name: "not UTF-8", plain: "\xff\xfe\x80"},
		{name: "JSON", plain: `{"data": "x", "sop": 1}`},
		{name: "CRLF", plain: "a\r\nb\r\n"},
		{name: "a line break only", plain: "\n"},
		{name: "in clear", plain: "hello", rule: rule("encrypted_regex: ^nothing$")},
		{name: "mac only encrypted", plain: "hello", rule: rule("encrypted_regex: ^data$", "mac_only_encrypted: true")},
	}
}
