// SPDX-License-Identifier: Apache-2.0

// Package testtool gives tests the real programs that internal/testbin builds
// (stock sops, kustomize, a Kubernetes control plane), runs programs with a
// timeout, measuring them, keeps others running in the background, and takes the
// keys of whoever runs the tests out of reach.
//
// A program that can't be built fails the test: a test that needs one is never
// skipped. The package does not look for programs in PATH.
package testtool

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// modulePath is the first line of the go.mod at the root of the repository.
const modulePath = "github.com/signet-secrets/signet"

// Path returns the absolute path of the program name (a folder of
// internal/testbin), built first if the cache doesn't have it. It fails the
// test with the build's output otherwise. The build runs at most once per
// process; concurrent calls are safe.
func Path(tb testing.TB, name string) string {
	tb.Helper()
	path, err := Locate(name, io.Discard)
	if err != nil {
		tb.Fatalf("testtool: %v", err)
	}
	return path
}

// Locate is Path where there is no test. A build, which can take minutes, says
// on progress how far it is; an error holds all that it said. Like Path it must
// be called inside the checkout, and concurrent calls are safe: one of them
// builds, the others wait in silence.
func Locate(name string, progress io.Writer) (string, error) {
	return built.path(name, progress)
}

// built remembers what build.sh said for each name in this process.
var built = builds{byName: map[string]func() (string, error){}}

type builds struct {
	mu     sync.Mutex
	byName map[string]func() (string, error)
}

func (b *builds) path(name string, progress io.Writer) (string, error) {
	b.mu.Lock()
	once, ok := b.byName[name]
	if !ok {
		once = sync.OnceValues(func() (string, error) { return build(name, progress) })
		b.byName[name] = once
	}
	b.mu.Unlock()
	return once()
}

func build(name string, progress io.Writer) (string, error) {
	root, err := ModuleRoot()
	if err != nil {
		return "", err
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.Command("bash", filepath.Join(root, "internal", "testbin", "build.sh"), name)
	cmd.Stdout, cmd.Stderr = &stdout, io.MultiWriter(&stderr, progress)
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", name, err, stderr.Bytes())
	}
	path := strings.TrimSpace(stdout.String())
	if !filepath.IsAbs(path) {
		return "", fmt.Errorf("build %s: build.sh printed %q, want an absolute path\n%s", name, path, stderr.Bytes())
	}
	return path, nil
}

// Root returns the folder of the repository's go.mod, found by walking up from
// the working directory.
func Root(tb testing.TB) string {
	tb.Helper()
	root, err := ModuleRoot()
	if err != nil {
		tb.Fatalf("testtool: %v", err)
	}
	return root
}

// ModuleRoot is Root where there is no test.
func ModuleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	return moduleRoot(dir)
}

// moduleRoot walks up from dir to the go.mod of the main module, past those of
// nested modules.
func moduleRoot(dir string) (string, error) {
	for at := dir; ; at = filepath.Dir(at) {
		mod, err := os.ReadFile(filepath.Join(at, "go.mod"))
		if err == nil && declaresModule(mod, modulePath) {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("no go.mod of module %s in %s or above", modulePath, dir)
		}
	}
}

func declaresModule(mod []byte, path string) bool {
	for line := range strings.Lines(string(mod)) {
		if f := strings.Fields(line); len(f) >= 2 && f[0] == "module" {
			return strings.Trim(f[1], `"`) == path
		}
	}
	return false
}
