// SPDX-License-Identifier: Apache-2.0

package kmstest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/internal/testtool"
)

const secretYAML = "password: correct horse battery staple\n"

// sops runs stock sops in a folder of its own with a plaintext file in it.
type sops struct {
	path, dir string
	env       []string
}

func newSops(t *testing.T, s *Server) sops {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "plain.yaml"), []byte(secretYAML), 0o600); err != nil {
		t.Fatal(err)
	}
	return sops{path: testtool.Path(t, "sops"), dir: dir, env: append(s.Env(), "HOME="+dir, "XDG_CONFIG_HOME="+dir)}
}

func (p sops) run(t *testing.T, args ...string) testtool.Result {
	t.Helper()
	return testtool.Run(t, testtool.Cmd{Path: p.path, Args: args, Dir: p.dir, Env: p.env})
}

// encrypt makes secret.yaml of plain.yaml.
func (p sops) encrypt(t *testing.T, args ...string) {
	t.Helper()
	r := p.run(t, append([]string{"encrypt", "--output", "secret.yaml"}, append(args, "plain.yaml")...)...)
	if r.ExitCode != 0 {
		t.Fatalf("sops encrypt: exit code %d\n%s", r.ExitCode, r.Stderr)
	}
}

func (p sops) mustDecrypt(t *testing.T) {
	t.Helper()
	if r := p.run(t, "decrypt", "secret.yaml"); r.ExitCode != 0 || string(r.Stdout) != secretYAML {
		t.Errorf("sops decrypt: exit code %d, %q\n%s", r.ExitCode, r.Stdout, r.Stderr)
	}
}

func (p sops) failsToDecrypt(t *testing.T, want string) {
	t.Helper()
	r := p.run(t, "decrypt", "secret.yaml")
	if r.ExitCode == 0 || len(r.Stdout) > 0 {
		t.Errorf("sops decrypt: exit code %d, %q", r.ExitCode, r.Stdout)
	}
	// sops wraps its lines.
	mustContain(t, strings.Join(strings.Fields(strings.ReplaceAll(string(r.Stderr), "|", " ")), " "), want)
}

func TestStockSops(t *testing.T) {
	s := Start(t, Options{})
	arn := s.CreateKey(Key{Region: "eu-central-1"})
	p := newSops(t, s)
	p.encrypt(t, "--kms", arn)
	p.mustDecrypt(t)
	if diff := cmp.Diff(map[string]int{"Encrypt": 1, "Decrypt": 1}, s.Counts()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if call := s.Calls()[1]; call.KeyID != arn || call.Region != "eu-central-1" {
		t.Errorf("call %+v", call)
	}
	s.SetState(arn, Disabled)
	p.failsToDecrypt(t, "DisabledException")
	s.SetState(arn, Deleted)
	p.failsToDecrypt(t, "NotFoundException")
	s.SetState(arn, Enabled)
	s.Deny(Denial{Operation: "Decrypt"})
	p.failsToDecrypt(t, "AccessDeniedException")
}

func TestStockSopsContext(t *testing.T) {
	s := Start(t, Options{})
	p := newSops(t, s)
	p.encrypt(t, "--kms", s.CreateKey(Key{}), "--encryption-context", "namespace:prod,name:db")
	p.mustDecrypt(t)
	if diff := cmp.Diff(map[string]string{"namespace": "prod", "name": "db"}, s.Calls()[1].Context); diff != "" {
		t.Errorf("context (-want +got):\n%s", diff)
	}
	file := filepath.Join(p.dir, "secret.yaml")
	sealed, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	moved := strings.Replace(string(sealed), "namespace: prod", "namespace: test", 1)
	if err := os.WriteFile(file, []byte(moved), 0o600); err != nil {
		t.Fatal(err)
	}
	p.failsToDecrypt(t, "InvalidCiphertextException")
}

func TestStockSopsRole(t *testing.T) {
	s := Start(t, Options{})
	arn := s.CreateKey(Key{})
	p := newSops(t, s)
	if r := p.run(t, "encrypt", "--kms", arn+"+"+testRole, "plain.yaml"); r.ExitCode == 0 || s.Count("Encrypt") != 0 {
		t.Errorf("role that is not registered: exit code %d, %v", r.ExitCode, s.Counts())
	}
	s.AddRole(testRole)
	p.encrypt(t, "--kms", arn+"+"+testRole)
	p.mustDecrypt(t)
	if got := s.Calls()[0].Principal; !strings.HasPrefix(got, "arn:aws:sts::111122223333:assumed-role/sealer/sops@") {
		t.Errorf("principal %s", got)
	}
	s.Deny(Denial{Principal: testRole})
	p.failsToDecrypt(t, "AccessDeniedException")
}

// stock sops retries what is worth it, as every SDK program does.
func TestStockSopsGetsOverFaults(t *testing.T) {
	s := Start(t, Options{})
	p := newSops(t, s)
	p.encrypt(t, "--kms", s.CreateKey(Key{}))
	s.Inject(Throttle, "Decrypt", 1)
	s.Inject(ResetAfter, "Decrypt", 1)
	p.mustDecrypt(t)
	if got, ok := s.Count("Decrypt"), s.Succeeded("Decrypt"); got != 3 || ok != 1 {
		t.Errorf("%d requests, %d succeeded, want 3 and 1", got, ok)
	}
}
