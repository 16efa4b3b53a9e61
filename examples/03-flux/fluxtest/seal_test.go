// SPDX-License-Identifier: Apache-2.0

package fluxtest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"
)

// root is that of the repository of Signet.
const root = "../../.."

// signet is the command line, with keys in a directory of its own.
type signet struct {
	dir  string
	env  []string
	path string
}

// bin is a directory with the command line and the KMS test server.
var bin string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "fluxtest")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	bin = dir
	build := exec.Command("go", "build", "-C", root, "-o", bin+string(os.PathSeparator), "./cmd/signet", "./internal/kmstest/cmd")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// atHome is signet with no keys but those that a test makes.
func atHome(t *testing.T) *signet {
	t.Helper()
	s := &signet{dir: t.TempDir(), path: filepath.Join(bin, "signet")}
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "SOPS_") && !strings.HasPrefix(e, "SIGNET_") {
			s.env = append(s.env, e)
		}
	}
	s.env = append(s.env, "HOME="+s.dir, "XDG_CONFIG_HOME="+filepath.Join(s.dir, ".config"), "AWS_EC2_METADATA_DISABLED=true")
	return s
}

func (s *signet) run(stdin string, args ...string) (string, error) {
	c := exec.Command(s.path, args...)
	c.Dir, c.Env, c.Stdin = s.dir, s.env, strings.NewReader(stdin)
	var out, said strings.Builder
	c.Stdout, c.Stderr = &out, &said
	if err := c.Run(); err != nil {
		return out.String(), fmt.Errorf("signet %.80q: %w\n%s", args, err, said.String())
	}
	return out.String(), nil
}

func (s *signet) must(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	out, err := s.run(stdin, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// kms starts the KMS test server and returns the ARN of a key of it.
func (s *signet) kms(t *testing.T) string {
	t.Helper()
	file := filepath.Join(s.dir, "kms.sh")
	server := exec.Command(filepath.Join(bin, "cmd"), "-key", "demo", "-env-file", file)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Signal(os.Interrupt)
		_ = server.Wait()
	})
	var text []byte
	for deadline := time.Now().Add(time.Minute); len(text) == 0; time.Sleep(10 * time.Millisecond) {
		text, _ = os.ReadFile(file)
		if time.Now().After(deadline) {
			t.Fatal("the KMS test server does not start")
		}
	}
	out, err := exec.Command("sh", "-c", ". "+file+" && env").Output()
	if err != nil {
		t.Fatal(err)
	}
	var arn string
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "AWS_") {
			s.env = append(s.env, line)
		}
		if value, found := strings.CutPrefix(line, "KMS_KEY_ARN="); found {
			arn = value
		}
	}
	return arn
}

// key makes an age key in a file of the directory and returns its recipient.
func (s *signet) key(t *testing.T, file string, args ...string) string {
	t.Helper()
	s.must(t, "", append([]string{"key", "generate", "-o", file}, args...)...)
	text, err := os.ReadFile(filepath.Join(s.dir, file))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "# public key: ")
	recipient, _, _ := strings.Cut(rest, "\n")
	return recipient
}

// secrets are random Secrets, in turn as YAML and as JSON. Their values are full
// of what Flux would substitute.
func secrets(r *rand.Rand, n int) string {
	var stream strings.Builder
	for i := range n {
		stringData, data := map[string]any{}, map[string]any{}
		for range r.IntN(5) {
			stringData[name(r)] = tempting(r)
		}
		for range r.IntN(5) {
			data["b-"+name(r)] = base64.StdEncoding.EncodeToString(random(r, r.IntN(3000)))
		}
		text, err := json.Marshal(map[string]any{
			"apiVersion": "v1", "kind": "Secret", "type": []string{"Opaque", "example.com/" + name(r)}[r.IntN(2)],
			"metadata": map[string]any{
				"name": fmt.Sprintf("s%d", i), "namespace": "prod",
				"labels": map[string]any{"app": name(r)}, "annotations": map[string]any{"example.com/note": name(r) + " $ {x} $HOME"},
			},
			"stringData": stringData, "data": data,
		})
		if err == nil && i%2 == 0 {
			text, err = yaml.JSONToYAML(text)
		}
		if err != nil {
			panic(err)
		}
		fmt.Fprintf(&stream, "---\n%s\n", text)
	}
	return stream.String()
}

func random(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func name(r *rand.Rand) string { return fmt.Sprintf("k%x", r.Uint64()) }

func tempting(r *rand.Rand) string {
	parts := []string{"${VAR}", "$${VAR}", "$$", "${VAR:-x}", "$", "{", "}", "${", "\n", "${UNSET}", "a", "%", "é", " "}
	var s strings.Builder
	for range r.IntN(20) {
		s.WriteString(parts[r.IntN(len(parts))])
	}
	return s.String()
}
