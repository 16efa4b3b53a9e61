// SPDX-License-Identifier: Apache-2.0

package bitnami

import (
	"bytes"
	"crypto/rsa"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/testtool"
	"github.com/signet-secrets/signet/seal/manifest"
)

var update = flag.Bool("update", false, "write testdata/golden/templates.json anew")

const golden = "testdata/golden"

func readTestFile(t testing.TB, path ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// testKeys returns the keys of a file in golden/keys.
func testKeys(t testing.TB, file string) []*rsa.PrivateKey {
	t.Helper()
	keys, err := ParseKeys(readTestFile(t, golden, "keys", file))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return keys
}

func parseTest(t testing.TB, data []byte) *yaml.Node {
	t.Helper()
	n, err := manifest.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// secretJSON is a Secret as Kubernetes programs print it.
type secretJSON struct {
	Metadata struct {
		Name        string            `json:"name"`
		Namespace   string            `json:"namespace"`
		Labels      map[string]string `json:"labels,omitempty"`
		Annotations map[string]string `json:"annotations,omitempty"`
	} `json:"metadata"`
	Type       string            `json:"type,omitempty"`
	Immutable  bool              `json:"immutable,omitempty"`
	Data       map[string][]byte `json:"data,omitempty"`
	StringData map[string]string `json:"stringData,omitempty"`
}

// comparable form of a Secret: values as text, no difference between empty and
// absent, none of the annotations of Sealed Secrets.
func (s *secretJSON) normal() *secretJSON {
	n := *s
	n.Data = map[string][]byte{}
	for key, value := range s.Data {
		n.Data[key] = append([]byte{}, value...)
	}
	for key, value := range s.StringData {
		n.Data[key] = append([]byte{}, value...)
	}
	n.StringData = nil
	n.Metadata.Labels = maps.Clone(s.Metadata.Labels)
	n.Metadata.Annotations = maps.Clone(s.Metadata.Annotations)
	maps.DeleteFunc(n.Metadata.Annotations, func(key, _ string) bool { return strings.HasPrefix(key, annotationPrefix) })
	if len(n.Metadata.Labels) == 0 {
		n.Metadata.Labels = nil
	}
	if len(n.Metadata.Annotations) == 0 {
		n.Metadata.Annotations = nil
	}
	return &n
}

func fromJSON(t testing.TB, data []byte) *secretJSON {
	t.Helper()
	var s secretJSON
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	return s.normal()
}

func fromResult(r *Result) *secretJSON {
	var s secretJSON
	s.Metadata.Name, s.Metadata.Namespace = r.Secret.Name, r.Secret.Namespace
	s.Metadata.Labels, s.Metadata.Annotations = r.Secret.Labels, r.Secret.Annotations
	s.Type, s.Immutable = r.Secret.Type, r.Secret.Immutable
	s.Data, s.StringData = r.Secret.Data, r.Secret.StringData
	return s.normal()
}

func diffSecrets(t testing.TB, want, got *secretJSON) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.Comparer(bytes.Equal)); diff != "" {
		t.Errorf("the Secret differs (-Sealed Secrets +ours):\n%s", diff)
	}
}

// program runs one of the programs of internal/testbin.
func program(t testing.TB, name string, stdin []byte, args ...string) (stdout []byte, stderr string, err error) {
	t.Helper()
	cmd := exec.Command(testtool.Path(t, name), args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &out, &errs
	err = cmd.Run()
	return out.Bytes(), errs.String(), err
}
