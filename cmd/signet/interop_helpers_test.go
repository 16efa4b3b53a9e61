// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/base64"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	kyaml "sigs.k8s.io/yaml"

	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/internal/testtool"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/manifest"
)

// interopSecret holds what writers and readers could disagree about.
func interopSecret() *manifest.Secret {
	return &manifest.Secret{
		Name: "db", Namespace: "prod", Type: "kubernetes.io/basic-auth",
		Labels:      map[string]string{"app": "db", "version": "1.0"},
		Annotations: map[string]string{"example.org/note": "first\nsecond"},
		StringData:  map[string]string{"username": "app", "password": "correct horse battery staple", "lines": "a: b\n# c\n", "number": "0777", "hangul": "비밀 🔑"},
		Data:        map[string][]byte{"keystore.p12": {0, 1, 2, 0x80, 0xfe, 0xff}},
	}
}

// newInterop is newKMS for tests with stock sops, which is built before HOME and
// the working directory are others. Of empty variables sops makes empty
// commands, on which it panics.
func newInterop(t *testing.T) (srv *kmstest.Server, arn string) {
	t.Helper()
	testtool.Path(t, "sops")
	srv, arn = newKMS(t)
	for _, kv := range os.Environ() {
		if name, value, _ := strings.Cut(kv, "="); value == "" && strings.HasPrefix(name, "SOPS_") {
			unsetenv(t, name)
		}
	}
	return srv, arn
}

// runSops runs stock sops in the environment of the test.
func runSops(t *testing.T, args ...string) outcome {
	t.Helper()
	r := testtool.Run(t, testtool.Cmd{Path: testtool.Path(t, "sops"), Args: args})
	return outcome{r.ExitCode, string(r.Stdout), string(r.Stderr)}
}

// sopsEncrypt makes a SOPS document of a manifest, as its users do.
func sopsEncrypt(t *testing.T, plain string, args ...string) string {
	t.Helper()
	writeTestFile(t, "plain.yaml", plain)
	o := runSops(t, append(append([]string{"encrypt", "--encrypted-regex", "^(data|stringData)$"}, args...), "plain.yaml")...)
	if o.code != 0 {
		t.Fatalf("sops encrypt %q: exit %d\n%s", args, o.code, o.stderr)
	}
	return o.stdout
}

// sopsDecrypt opens a document with stock sops.
func sopsDecrypt(t *testing.T, text string) outcome {
	t.Helper()
	writeTestFile(t, "encrypted.yaml", text)
	return runSops(t, "decrypt", "encrypted.yaml")
}

// envelopeOf takes the SOPS document out of a SealedSecret, as
// `yq .spec.sealed` does.
func envelopeOf(t *testing.T, sealed string) string {
	t.Helper()
	return encodeLoose(t, step(manifest.Root(parseDocument(t, sealed)), "spec/sealed"))
}

// sameEnvelope compares an envelope that stock sops has opened with what was
// sealed.
func sameEnvelope(t testing.TB, out string, want *manifest.Secret) {
	t.Helper()
	var got struct {
		Annotations, Labels map[string]string
		Type, Scope         string
		Immutable           bool
		Signet              struct {
			Binding          string
			Data, StringData map[string]string
		}
	}
	if err := kyaml.UnmarshalStrict([]byte(out), &got); err != nil {
		t.Fatalf("%v in:\n%s", err, out)
	}
	data := map[string]string{}
	for k, v := range want.Data {
		data[k] = base64.StdEncoding.EncodeToString(v)
	}
	for _, part := range []struct {
		name      string
		want, got any
	}{
		{"data", data, got.Signet.Data}, {"stringData", want.StringData, got.Signet.StringData},
		{"labels", want.Labels, got.Labels}, {"annotations", want.Annotations, got.Annotations},
		{"type", want.Type, got.Type}, {"scope", want.Namespace + "/" + want.Name, got.Scope},
	} {
		if diff := cmp.Diff(part.want, part.got); diff != "" {
			t.Errorf("%s (-sealed +opened by sops):\n%s", part.name, diff)
		}
	}
}

// ageKey puts a new age identity where signet and sops look for it.
func ageKey(t *testing.T, generate func() (agekey.Identity, error)) (recipient string) {
	t.Helper()
	id, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOPS_AGE_KEY", id.Reveal())
	return id.Recipient()
}

// pgpKey makes a key in a new key ring, which GNUPGHOME then names, and returns
// its fingerprint.
func pgpKey(t *testing.T) (fingerprint string) {
	t.Helper()
	dir := keyRing(t)
	setenv(t, "GNUPGHOME="+dir, "GPG_TTY=")
	gpg(t, "%no-protection\nKey-Type: eddsa\nKey-Curve: ed25519\nSubkey-Type: ecdh\nSubkey-Curve: cv25519\nName-Email: signet@example.org\n%commit\n", "--gen-key")
	for line := range strings.Lines(gpg(t, "", "--with-colons", "--list-keys")) {
		if f := strings.Split(line, ":"); f[0] == "fpr" {
			return f[9]
		}
	}
	t.Fatal("gpg made no key")
	return ""
}

func gpg(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	cmd := exec.Command("gpg", append([]string{"--batch", "--no-tty", "--pinentry-mode", "loopback"}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("gpg %q (GnuPG is needed for this test): %v\n%s", args, err, stderr.Bytes())
	}
	return stdout.String()
}

// keyRing returns an empty folder for a key ring, with a path that is short
// enough for the sockets of gpg-agent. The agent ends with the test.
func keyRing(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sg")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("gpgconf", "--homedir", dir, "--kill", "all").CombinedOutput(); err != nil {
			t.Errorf("end gpg-agent: %v: %s", err, out)
		}
		os.RemoveAll(dir)
	})
	return dir
}
