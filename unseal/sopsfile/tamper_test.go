// SPDX-License-Identifier: Apache-2.0

package sopsfile_test

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/signet-secrets/signet/unseal/sopsfile"
)

// tamperFiles has one file a format with clear and encrypted values.
func tamperFiles() map[sopsfile.Format]string {
	return map[sopsfile.Format]string{
		sopsfile.YAML:   "# head\napiVersion: v1\nkind: Secret\nlist_clear: [1, two]\nstringData:\n  # in\n  password: " + canary + " # inline\n  port: 5432\n  list:\n    # of the list\n    - a\n    - b\nend_clear: x\n---\nsecond: " + canary + "\n",
		sopsfile.JSON:   `{"kind_clear": "x", "data": {"a": "` + canary + `", "b": 5, "c": [1, "two"]}, "e_clear": ""}`,
		sopsfile.Dotenv: "# head\nA_clear=1\nB=" + canary + "\nC=3\nD_clear=\n# tail\n",
		sopsfile.INI:    "; head\n[a]\nb_clear = 1\n; of c\nc = " + canary + "\n[d]\ne = 2\nf = 3\n",
		sopsfile.Binary: canary + "\n",
	}
}

// mutations are what is done to one line of a file.
func mutations(line []byte) map[string][]byte {
	out := map[string][]byte{
		"removed": nil,
		"doubled": slices.Concat(line, []byte("\n"), line),
		"cut":     line[:len(line)/2],
	}
	for i, at := range []int{len(line) / 3, len(line) / 2, len(line) - 2} {
		if at < 0 || at >= len(line) {
			continue
		}
		changed := bytes.Clone(line)
		changed[at] = 'A' + (changed[at]+1)%26
		out[fmt.Sprintf("changed %d", i)] = changed
	}
	for _, swap := range [][2]string{{"type:str]", "type:int]"}, {"type:str]", "type:comment]"}, {"type:int]", "type:str]"}, {"type:str]", "type:float]"}, {"type:str]", "type:bool]"}, {"type:str]", "type:bytes]"}, {"type:int]", "type:float]"}, {"type:comment]", "type:str]"}, {"]", "]x"}, {"tag:", "tag:AAAA"}} {
		if changed := bytes.Replace(line, []byte(swap[0]), []byte(swap[1]), 1); !bytes.Equal(changed, line) {
			out["with "+swap[1]] = changed
		}
	}
	return out
}

// TestTampered protects every line of an encrypted file: what stock sops
// refuses after a change is refused here, and what opens here opens there, to
// the same bytes.
func TestTampered(t *testing.T) {
	s := newStock(t)
	for f, plain := range tamperFiles() {
		t.Run(string(f), func(t *testing.T) {
			t.Parallel()
			enc := s.mustEncrypt(t, nameOf(f), []byte(plain), "unencrypted_suffix: _clear")
			lines := bytes.Split(enc, []byte("\n"))
			var cases, refused, stricter atomic.Int32
			for i, line := range lines {
				if testing.Short() && i%5 > 0 {
					continue
				}
				for name, changed := range mutations(line) {
					cases.Add(1)
					tampered := slices.Clone(lines)
					tampered[i] = changed
					if changed == nil {
						tampered = slices.Delete(tampered, i, i+1)
					}
					file := bytes.Join(tampered, []byte("\n"))
					want, ok := s.decrypt(t, nameOf(f), file)
					got, err := s.open(file, f)
					checkHides(t, err, canary)
					switch {
					case err == nil && !ok:
						t.Errorf("line %d %s: opens here, not with sops\n%s", i+1, name, file)
					case err == nil && string(got) != string(want):
						t.Errorf("line %d %s: sops prints\n%q\nhere it is\n%q", i+1, name, want, got)
					case err != nil && !strings.Contains("invalid, tampered, no key", kindOf(err)):
						t.Errorf("line %d %s: %v", i+1, name, err)
					case err != nil && ok:
						stricter.Add(1)
						t.Logf("line %d %s: stricter than sops: %v", i+1, name, err)
					}
					if err != nil {
						refused.Add(1)
					}
				}
			}
			t.Logf("%s: %d changes, %d refused, %d of them by sops not", f, cases.Load(), refused.Load(), stricter.Load())
			if refused.Load() == 0 {
				t.Error("nothing was refused")
			}
		})
	}
}

// TestCutShort protects against half a file: whatever its length, it opens to
// all or nothing.
func TestCutShort(t *testing.T) {
	s := newStock(t)
	for f, plain := range tamperFiles() {
		t.Run(string(f), func(t *testing.T) {
			t.Parallel()
			enc := s.mustEncrypt(t, nameOf(f), []byte(plain))
			whole, err := s.open(enc, f)
			if err != nil {
				t.Fatal(err)
			}
			opened, step := 0, 1
			if testing.Short() {
				step = 13
			}
			for n := 0; n < len(enc); n += step {
				got, err := s.open(enc[:n], f)
				checkHides(t, err, canary)
				switch {
				case err == nil && string(got) != string(whole):
					t.Fatalf("%d of %d bytes open to %q", n, len(enc), got)
				case err == nil:
					opened++
				}
			}
			if f == sopsfile.YAML { // metadata of the last document plays no part
				return
			}
			if opened > 3 { // at most line breaks, or a bracket that nothing needs
				t.Errorf("%d shorter files open", opened)
			}
		})
	}
}

// TestValueMovedIntoComment protects what follows a comment: comments are not
// authenticated, and some values can be opened as one, which may have several
// lines then.
func TestValueMovedIntoComment(t *testing.T) {
	s := newStock(t)
	asComment := func(enc []byte, before, after string) []byte {
		sealed := regexp.MustCompile(`ENC\[[^]]*type:str\]`).FindString(string(enc))
		sealed = strings.Replace(sealed, "type:str", "type:comment", 1)
		return []byte(strings.Replace(string(enc), before, before+after+sealed+"\n", 1))
	}
	t.Run("dotenv", func(t *testing.T) {
		enc := s.mustEncrypt(t, "app.env", []byte("=x\\nPATH=/evil\n"))
		enc = asComment(enc, "", "#")
		if out, ok := s.decrypt(t, "app.env", enc); !ok || !bytes.Contains(out, []byte("\nPATH=/evil\n")) {
			t.Errorf("sops prints %q: the test has lost its point", out)
		}
		if _, err := s.open(enc, sopsfile.Dotenv); kindOf(err) != "tampered" {
			t.Errorf("error %v", err)
		}
	})
	t.Run("YAML", func(t *testing.T) {
		enc := s.mustEncrypt(t, "app.yaml", []byte("a:\n  - \"x\\nb: evil\"\n"))
		enc = asComment(enc, "a:\n", "    - ")
		if !s.compare(t, sopsfile.YAML, enc) {
			t.Error("sops does not open it")
		}
		if out, err := s.open(enc, sopsfile.YAML); err != nil || bytes.Contains(out, []byte("\nb: evil")) {
			t.Errorf("opens to %q, %v", out, err)
		}
	})
}
