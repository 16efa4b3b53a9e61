// SPDX-License-Identifier: Apache-2.0

//go:build linux

// The tests run the plugin as Argo CD does: its own server of plugins, with the
// configuration and the scripts of this directory, is sent repositories by its own
// client. What Argo CD does before and after, from Git to the cluster, is not
// part of them, and neither is the image.
package argocd_test

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/internal/testtool"
)

// password is what no log may hold.
const password = "correct horse battery staple"

// plugin is a running server with the plugin, and a KMS.
type plugin struct {
	*kmstest.Server
	arn    string
	server string // the program, which is the client too
	socket string
	dir    string // what the server may write to
	bin    string // the first directory of its PATH
	log    string
	pid    int
}

// setup is what differs from test to test.
type setup struct {
	config string   // the directory of plugin.yaml; "" is that of the test
	env    []string // of the sidecar
}

// start runs a server until the test ends.
func start(t *testing.T, s setup) *plugin {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "cmp") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	p := &plugin{
		Server: kmstest.Start(t, kmstest.Options{}), server: testtool.Path(t, "argocd-cmp-server"),
		socket: filepath.Join(dir, "plugins", "signet.sock"), dir: dir,
		bin: filepath.Join(dir, "bin"), log: filepath.Join(dir, "log"),
	}
	p.arn = p.CreateKey(kmstest.Key{})
	p.install(t)
	p.run(t, s)
	return p
}

// install puts what the image has into PATH.
func (p *plugin) install(t *testing.T) {
	t.Helper()
	for _, dir := range []string{"bin", "plugins", "work", "home", "tmp"} {
		if err := os.Mkdir(filepath.Join(p.dir, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{
		"signet":                 os.Getenv(signetIn),
		"kustomize":              testtool.Path(t, "kustomize"),
		"helm":                   testtool.Path(t, "helm"),
		"signet-argocd-generate": filepath.Join(here, "generate.sh"),
		"signet-argocd-discover": filepath.Join(here, "discover.sh"),
	} {
		if err := os.Symlink(target, filepath.Join(p.bin, name)); err != nil {
			t.Fatal(err)
		}
	}
}

func (p *plugin) path(program string) string { return filepath.Join(p.bin, program) }

// environ is all of the sidecar's environment.
func (p *plugin) environ(more ...string) []string {
	env := []string{
		"PATH=" + p.bin + ":/usr/bin:/bin", "HOME=" + filepath.Join(p.dir, "home"),
		"TMPDIR=" + filepath.Join(p.dir, "tmp"), "SIGNET_ALLOW_KEYS=kms=arn:aws:kms:*:111122223333:key/*",
		"ARGOCD_PLUGINSOCKFILEPATH=" + filepath.Dir(p.socket), "ARGOCD_CMP_WORKDIR=" + filepath.Join(p.dir, "work"),
	}
	return append(append(env, p.Env()...), more...)
}

func (p *plugin) run(t *testing.T, s setup) {
	t.Helper()
	config, err := filepath.Abs(s.config)
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(p.log)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(p.server, "--config-dir-path", config, "--loglevel", "info")
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = p.dir, p.environ(s.env...), log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.pid = cmd.Process.Pid
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		cmd.Process.Kill() // SIGTERM only makes it remove its socket
		<-ended
		for _, form := range []string{password, base64.StdEncoding.EncodeToString([]byte(password))} {
			if strings.Contains(p.logged(t), form) {
				t.Error("the log of the server holds a password")
			}
		}
		if t.Failed() {
			t.Logf("log of the server:\n%.20000s", p.logged(t))
		}
	})
	eventually(t, "that the server listens", func() bool {
		select {
		case <-ended:
			t.Fatalf("the server ended:\n%s", p.logged(t))
		default:
		}
		_, err := os.Stat(p.socket)
		return err == nil
	})
}

func (p *plugin) logged(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(p.log)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s never came true", what)
		}
	}
}

// answer is what the client prints.
type answer struct {
	Supported, Discovery bool
	Manifests            []string
	Parameters           []announcement
	Error                string
}

type announcement struct{ Name, CollectionType, String string }

// app is an Application: where it is in a repository, and what Argo CD tells a
// plugin of it.
type app struct {
	files      map[string]string
	links      map[string]string
	path       string // in the repository
	namespace  string // "" is prod, "-" none
	parameters string // as in the Application, in JSON
	timeout    time.Duration
}

// ask sends a repository as Argo CD's repo server does.
func (p *plugin) ask(t *testing.T, what string, a app) answer {
	t.Helper()
	repo := t.TempDir()
	write(t, filepath.Join(repo, ".git", "HEAD"), "ref: refs/heads/main\n")
	for name, text := range a.files {
		write(t, filepath.Join(repo, name), text)
	}
	for name, target := range a.links {
		if err := os.Symlink(target, filepath.Join(repo, name)); err != nil {
			t.Fatal(err)
		}
	}
	namespace := a.namespace
	switch namespace {
	case "":
		namespace = "prod"
	case "-":
		namespace = ""
	}
	args := []string{"client", what}
	for _, kv := range []string{
		"ARGOCD_APP_NAME=argocd_shop", "ARGOCD_APP_NAMESPACE=" + namespace, "ARGOCD_APP_SOURCE_PATH=" + a.path,
		"ARGOCD_APP_PROJECT_NAME=default", "KUBE_VERSION=1.36.3", "KUBE_API_VERSIONS=v1,example.com/v1",
	} {
		args = append(args, "-env", kv)
	}
	if a.parameters != "" {
		args = append(args, "-parameters", a.parameters)
	}
	if a.timeout > 0 {
		args = append(args, "-timeout", a.timeout.String())
	}
	r := testtool.Run(t, testtool.Cmd{
		Path: p.server, Args: append(args, p.socket, repo, filepath.Join(repo, a.path)), Timeout: 5 * time.Minute,
	})
	if r.ExitCode != 0 {
		t.Fatalf("client: exit %d\n%s", r.ExitCode, r.Stderr)
	}
	var got answer
	if err := json.Unmarshal(r.Stdout, &got); err != nil {
		t.Fatalf("client: %v in %q", err, r.Stdout)
	}
	return got
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// seal seals a Secret for the KMS key.
func (p *plugin) seal(t *testing.T, namespace, name string, args ...string) string {
	t.Helper()
	secret := "apiVersion: v1\nkind: Secret\nmetadata:\n  name: " + name + "\n  namespace: " + namespace +
		"\nstringData:\n  password: " + password + "\n"
	r := testtool.Run(t, testtool.Cmd{
		Path: p.path("signet"), Args: append([]string{"seal", "--kms", p.arn, "-"}, args...), Stdin: []byte(secret),
		Env: append(p.Env(), "HOME="+p.dir, "XDG_CONFIG_HOME="+p.dir), Dir: p.dir,
	})
	if r.ExitCode != 0 {
		t.Fatalf("seal: %s", r.Stderr)
	}
	return string(r.Stdout)
}

// descendants returns the processes that the server has started and that run:
// all have this directory in a variable, which for renderers is TMPDIR.
func (p *plugin) descendants(t *testing.T) []string {
	t.Helper()
	var all []string
	stats, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range stats {
		pid := filepath.Base(filepath.Dir(path))
		env, err := os.ReadFile(path) // of those that are gone, and of others, nothing
		if err != nil || !strings.Contains(string(env), "TMPDIR="+filepath.Join(p.dir, "tmp")) {
			continue
		}
		if cmdline, _ := os.ReadFile("/proc/" + pid + "/cmdline"); !strings.Contains(string(cmdline), "--config-dir-path") && len(cmdline) > 0 {
			all = append(all, pid+" "+strings.ReplaceAll(string(cmdline), "\x00", " "))
		}
	}
	return all
}
