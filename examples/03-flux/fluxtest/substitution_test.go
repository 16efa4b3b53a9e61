// SPDX-License-Identifier: Apache-2.0

package fluxtest

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fluxcd/pkg/envsubst"
)

// substitute is what Flux does with each object, whose text is YAML. With strict
// a variable that is not set is an error.
func substitute(text string, strict bool) (string, error) {
	return envsubst.Eval(text, func(name string) (string, bool) {
		if name == "VAR" {
			return "SUBSTITUTED", true
		}
		return "", !strict
	})
}

// The control: these texts are substituted, in Flux's own words.
func TestSubstitutionSubstitutes(t *testing.T) {
	for _, text := range []string{"${VAR}", "a: ${VAR:-x}", "$${VAR}", "b: ${UNSET}"} {
		if got, err := substitute(text, false); err != nil || got == text {
			t.Errorf("%q became %q, %v", text, got, err)
		}
	}
}

// Nothing in a SealedSecret is a variable to Flux, in whatever form it is and
// whatever is sealed in it.
func TestSubstitutionLeavesDocumentsAlone(t *testing.T) {
	s := atHome(t)
	classic, hybrid := s.key(t, "classic.txt", "--classic"), s.key(t, "hybrid.txt")
	arn := s.kms(t)
	forms := []struct {
		name string
		args []string
	}{
		{"strict", []string{"--age", classic}},
		{"namespace", []string{"--age", classic, "--scope", "namespace"}},
		{"cluster", []string{"--age", hybrid, "--scope", "cluster"}},
		{"two recipients", []string{"--age", classic + "," + hybrid}},
		{"KMS", []string{"--kms", arn}},
		{"KMS and age", []string{"--kms", arn, "--age", hybrid}},
		{"sops", []string{"--age", classic, "--as", "sops"}},
		{"sops, KMS", []string{"--kms", arn, "--as", "sops"}},
	}
	for i, form := range forms {
		t.Run(form.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(uint64(i), 7))
			sealed := s.must(t, secrets(r, 100), append([]string{"seal", "-"}, form.args...)...)
			unsubstituted(t, sealed)
			if n := strings.Count(sealed, "ENC["); n < 200 {
				t.Errorf("only %d values in %d bytes", n, len(sealed))
			}
		})
	}
}

// A SealingKey is applied with them.
func TestSubstitutionLeavesSealingKeysAlone(t *testing.T) {
	s := atHome(t)
	s.must(t, "", "key", "create", "prod", "--kms", s.kms(t), "--namespaces", "prod")
	text, err := os.ReadFile(filepath.Join(s.dir, ".signet", "keys", "prod.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	unsubstituted(t, string(text))
}

func unsubstituted(t *testing.T, text string) {
	t.Helper()
	for _, strict := range []bool{false, true} {
		got, err := substitute(text, strict)
		if err != nil {
			t.Errorf("strict %v: %v", strict, err)
		} else if got != text {
			t.Errorf("strict %v: the text was changed", strict)
		}
	}
}

// A clear field that holds a variable would be changed, and the document no
// longer be authentic: sealing tells Flux to leave it alone.
func TestSubstitutionIsDisabledWhereItWouldHarm(t *testing.T) {
	s := atHome(t)
	recipient := s.key(t, "key.txt", "--classic")
	const annotation = `"kustomize.toolkit.fluxcd.io/substitute":"disabled"`
	for note, want := range map[string]bool{"${VAR}": true, "costs $$": true, "plain": false, "$5": false} {
		sealed := s.must(t, `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"db","namespace":"prod","annotations":{"example.com/note":"`+note+`"}},"stringData":{"a":"b"}}`,
			"seal", "-", "--age", recipient)
		said := strings.Contains(sealed, annotation)
		if said != want {
			t.Errorf("%q: annotation %v, want %v\n%s", note, said, want, sealed)
		}
		if got, err := substitute(sealed, false); !want && (err != nil || got != sealed) {
			t.Errorf("%q is not protected, and was changed (%v)", note, err)
		}
	}
}
