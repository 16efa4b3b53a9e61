// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
)

// TestMain makes this program the command when a test starts it so.
func TestMain(m *testing.M) {
	if os.Getenv("KMSTEST_RUN_MAIN") == "1" {
		main()
		return
	}
	os.Exit(m.Run())
}

// The story of a shell script: wait for the file, source it, use the server,
// look at the counts, stop it.
func TestCommand(t *testing.T) {
	file := filepath.Join(t.TempDir(), "env.sh")
	if err := os.WriteFile(file, []byte("of an earlier run\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-env-file", file, "-key", "demo", "-key", "team-b", "-role", "sealer", "-latency", "1ms")
	cmd.Env = append(os.Environ(), "KMSTEST_RUN_MAIN=1")
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	env := waitForEnv(t, file)

	c := kms.New(kms.Options{
		Region:       env["AWS_REGION"],
		BaseEndpoint: aws.String(env["AWS_ENDPOINT_URL_KMS"]),
		Credentials:  credentials.NewStaticCredentialsProvider(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], ""),
	})
	for _, alias := range []string{"alias/demo", "alias/team-b"} {
		out, err := c.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &alias, Plaintext: []byte("x")})
		if err != nil {
			t.Fatal(err)
		}
		if want := env["KMS_KEY_ARN_"+shellName(alias[len("alias/"):])]; *out.KeyId != want {
			t.Errorf("%s is %s, want %s", alias, *out.KeyId, want)
		}
	}
	if env["KMS_KEY_ARN"] != env["KMS_KEY_ARN_DEMO"] || env["KMS_ROLE_ARN_SEALER"] != "arn:aws:iam::111122223333:role/sealer" {
		t.Errorf("environment %q", env)
	}
	if got := get(t, env["KMSTEST_URL"]+"/counts"); got != `{"Encrypt":2}`+"\n" {
		t.Errorf("counts %q", got)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v\n%s", err, stderr.Bytes())
	}
	if got := strings.Join(strings.Fields(stderr.String()), " "); got != "kmstest: Encrypt 2 calls, 2 succeeded" {
		t.Errorf("stderr %q", got)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the file of the environment is still there: %v", err)
	}
}

// waitForEnv sources the file in a shell, with a session of somewhere else set.
func waitForEnv(t *testing.T, file string) map[string]string {
	t.Helper()
	const patience = 30 * time.Second
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; <-tick.C {
		content, err := os.ReadFile(file)
		if err == nil && !strings.HasPrefix(string(content), "of an earlier run") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("no file of the environment after %v: %v", patience, err)
		}
	}
	shell := exec.CommandContext(t.Context(), "sh", "-euc", `. "$1"; env`, "sh", file)
	shell.Env = append(os.Environ(), "AWS_SESSION_TOKEN=elsewhere", "AWS_PROFILE=elsewhere")
	out, err := shell.Output()
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		env[name] = value
	}
	for _, name := range []string{"AWS_SESSION_TOKEN", "AWS_PROFILE"} {
		if value, set := env[name]; set {
			t.Errorf("%s=%s", name, value)
		}
	}
	return env
}

func get(t *testing.T, url string) string {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestStopAfter(t *testing.T) {
	o, err := parse([]string{"-stop-after", "1ms"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	if err := run(context.Background(), o, &stdout, &stderr); err != nil {
		t.Fatal(err)
	}
	if got := stderr.String(); got != "kmstest: stopped after 1ms; see -stop-after\nkmstest: no calls\n" {
		t.Errorf("stderr %q", got)
	}
	if !strings.Contains(stdout.String(), "export KMS_KEY_ARN_DEMO='arn:aws:kms:eu-west-1:111122223333:key/") {
		t.Errorf("stdout %q", stdout.String())
	}
}

func TestBadArguments(t *testing.T) {
	for _, args := range [][]string{{"-key", "a b"}, {"-key", ""}, {"-role", "$(id)"}, {"-no-such-flag"}, {"argument"}} {
		var stderr bytes.Buffer
		if _, err := parse(args, &stderr); err == nil || stderr.Len() == 0 {
			t.Errorf("%q: %v, said %q", args, err, stderr.String())
		}
	}
	o, err := parse([]string{"-account", "12"}, io.Discard)
	if err == nil {
		err = run(context.Background(), o, io.Discard, io.Discard)
	}
	if err == nil {
		t.Error("an account of 2 digits: no error")
	}
}
