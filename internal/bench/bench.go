// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/signet-secrets/signet/internal/figures"
)

// bench is one run: the programs, and a folder for everything else.
type bench struct {
	options
	root                    string // of the repository
	dir                     string // in which signet-kustomize is, too
	signet, sops, kustomize string // paths of the programs
	notes                   []string
}

// newBench builds the programs, Signet's as `make build` does.
func newBench(ctx context.Context, dir string, o options) (*bench, error) {
	root, err := goList(ctx, ".", "-m", "-f", "{{.Dir}}")
	if err != nil {
		return nil, err
	}
	b := &bench{options: o, root: root[0], dir: dir, signet: filepath.Join(dir, "signet")}
	say("building signet, signet-kustomize, sops and kustomize")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w -X github.com/signet-secrets/signet/internal/buildinfo.version=bench",
		"-o", dir+string(filepath.Separator), "./cmd/signet", "./cmd/"+function)
	build.Dir, build.Env = b.root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build signet: %w\n%s", err, out)
	}
	if b.sops, err = b.testbin(ctx, "sops"); err != nil {
		return nil, err
	}
	b.kustomize, err = b.testbin(ctx, "kustomize")
	return b, err
}

// testbin returns the path of a program of others, which it builds if need be.
func (b *bench) testbin(ctx context.Context, name string) (string, error) {
	script := exec.CommandContext(ctx, filepath.Join(b.root, "internal", "testbin", "build.sh"), name)
	script.Stderr = os.Stderr
	path, err := script.Output()
	if err != nil {
		return "", fmt.Errorf("build %s: %w", name, err)
	}
	return strings.TrimSpace(string(path)), nil
}

// goList runs `go list` in dir and returns the lines of its output.
func goList(ctx context.Context, dir string, args ...string) ([]string, error) {
	list := exec.CommandContext(ctx, "go", append([]string{"list", "-C", dir}, args...)...)
	list.Env = append(os.Environ(), "CGO_ENABLED=0")
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("go list %s: %w", strings.Join(args, " "), err)
	}
	lines := strings.Fields(string(out))
	if len(lines) == 0 {
		return nil, errors.New("go list printed nothing")
	}
	return lines, nil
}

// say tells on stderr what is going on.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, "bench: "+format+" ...\n", args...) }

// printMachine prints what the numbers depend on.
func (b *bench) printMachine(ctx context.Context, w io.Writer) {
	version := func(args ...string) string {
		out, err := exec.CommandContext(ctx, args[0], args[1:]...).Output()
		if err != nil {
			return "version unknown"
		}
		first, _, _ := strings.Cut(string(out), "\n")
		return strings.TrimSpace(first)
	}
	fmt.Fprintf(w, "%s, %s, %d cores, %s/%s, %s, %s, kustomize %s\n",
		time.Now().Format(time.DateOnly), figures.CPUModel(ctx), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(),
		version(b.sops, "--version", "--disable-version-check"), version(b.kustomize, "version"))
	fmt.Fprintf(w, "Medians of %d rounds (%d for starts) in which the programs take turns; the ratio is that of the median round.\n", b.rounds, b.starts)
	fmt.Fprint(w, "Every result was opened and compared with what went in.\n\n")
}
