// SPDX-License-Identifier: Apache-2.0

// Package flux runs the commands of this example, and tests what its README
// promises of the documents. fluxtest, a module of its own, gives them to the
// code of Flux.
package flux

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/examples/internal/readme"
	"github.com/signet-secrets/signet/internal/kmstest"
)

const value = "correct horse battery"

func TestReadme(t *testing.T) {
	s := readme.Start(t, "signet", "kustomize", "sops")
	out := s.Follow(t, readme.Blocks{Run: 2, Cluster: 3})
	if !strings.Contains(out, "password: "+value+"\n") {
		t.Errorf("the commands did not print the Secret:\n%s", out)
	}
	s.Hidden(t, value, "AGE-SECRET-KEY")

	if built := s.Must(t, "kustomize build shop"); !strings.Contains(built, "kind: SealedSecret\n") {
		t.Errorf("the way of the controller builds to\n%s", built)
	}
	if got := s.Must(t, "SOPS_AGE_KEY_FILE=~/flux.agekey sops decrypt --extract '[\"stringData\"][\"password\"]' billing/db.yaml"); got != value {
		t.Errorf("stock sops opens it to %q", got)
	}
	t.Run("the keys are not exchangeable", func(t *testing.T) {
		s.Fails(t, "signet unseal --age-key-file ~/flux.agekey shop/db.yaml", "no key could unwrap the data key")
		s.Fails(t, "signet unseal --age-key-file ~/controller.txt billing/db.yaml", "no key could unwrap the data key")
	})
	t.Run("what Flux does not notice", func(t *testing.T) {
		s.Fails(t, "sed 's/namespace: billing/namespace: prod/' billing/db.yaml | signet unseal --age-key-file ~/flux.agekey -", "mac")
	})
}

// The commands for AWS, with a KMS test server and without a cluster.
func TestKMS(t *testing.T) {
	s := readme.Start(t, "signet", "sops")
	server := kmstest.Start(t, kmstest.Options{})
	key := server.CreateKey(kmstest.Key{})
	s.Env = append(s.Env, server.Env()...)
	seal, _, _ := strings.Cut(readme.Block(t, "On AWS"), "kubectl")
	arn := regexp.MustCompile(`arn:aws:kms:\S+`)
	if !arn.MatchString(seal) {
		t.Fatalf("no KMS key in %s", seal)
	}
	s.Must(t, arn.ReplaceAllString(seal, key))
	if got := s.Must(t, "sops decrypt --extract '[\"stringData\"][\"password\"]' billing/db.yaml"); got != value {
		t.Errorf("stock sops opens it to %q", got)
	}
}

// Flux turns resources into JSON before it decrypts them. Values and metadata
// that YAML 1.1 takes for something else must come through that unharmed.
func TestDecryptedAsJSON(t *testing.T) {
	s := readme.Start(t, "signet", "sops")
	s.Must(t, "signet key generate --classic -o k.agekey")
	labels := map[string]any{"a": "yes", "b": "012", "c": "1e3", "d": "null", "e": "0x10", "f": "1_000"}
	values := map[string]any{
		"norway": "no", "octal": "0777", "exponent": "1e400", "tilde": "~", "date": "2001-01-01", "empty": "", "spaces": "  a  ",
		"lines": "a\r\n\tb\n\n", "astral": "\U0001F511 \u2028\u0085\ufeff", "template": "${NOT_A_VARIABLE} $$ {{ .Values.x }}",
	}
	secret := map[string]any{
		"apiVersion": "v1", "kind": "Secret", "type": "Opaque",
		"metadata": map[string]any{"name": "db", "namespace": "prod", "labels": labels},
		"data":     map[string]any{"binary": "AP8AAQ=="}, "stringData": values,
	}
	s.Write(t, "secret.json", toJSON(t, secret))
	s.Must(t, "signet seal --as sops --age $(sed -n 's/^# public key: //p' k.agekey) secret.json -o sealed.json")

	// As YAML 1.1 and 1.2 and JSON it is the same.
	sealed := []byte(s.Read(t, "sealed.json"))
	var asJSON, asYAML map[string]any
	if err := json.Unmarshal(sealed, &asJSON); err != nil {
		t.Fatal(err)
	}
	text, err := yaml.Marshal(asJSON) // as whoever writes YAML of it
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &asYAML); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(toJSON(t, asJSON), toJSON(t, asYAML)); diff != "" {
		t.Error(diff)
	}
	if sops, _ := asJSON["sops"].(map[string]any); sops == nil || !strings.HasPrefix(sops["mac"].(string), "ENC[") {
		t.Error("Flux looks for .sops.mac at the top level")
	}
	// In another order, as Flux's kustomize may give it.
	s.Write(t, "sorted.json", toJSON(t, asJSON))
	for _, file := range []string{"sealed.json", "sorted.json"} {
		var opened map[string]any
		out := s.Must(t, "SOPS_AGE_KEY_FILE=k.agekey sops decrypt --ignore-mac "+file)
		if err := json.Unmarshal([]byte(out), &opened); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(toJSON(t, secret), toJSON(t, opened)); diff != "" {
			t.Errorf("%s: %s", file, diff)
		}
	}
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
