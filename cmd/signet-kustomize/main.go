// SPDX-License-Identifier: Apache-2.0

// Signet-kustomize opens sealed documents while kustomize builds, as a KRM
// function or as a plugin of the older kind.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"golang.org/x/term"

	"github.com/signet-secrets/signet/internal/parallel"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/userkeys"
	kustomizeplugin "github.com/signet-secrets/signet/kustomize-plugin"
	"github.com/signet-secrets/signet/unseal"
)

// program is the name in what is printed, and that of an installed file.
const program = "signet-kustomize"

// memoryLimit makes the garbage collector work harder on large input instead
// of letting memory grow. It is soft: nothing fails because of it.
const memoryLimit = 160 << 20

// gcPercent lets a build with some hundred documents end before the garbage
// collector has begun: it took a quarter of the time. memoryLimit stays.
const gcPercent = 800

func main() {
	debug.SetMemoryLimit(memoryLimit)
	debug.SetGCPercent(gcPercent)
	os.Unsetenv("AGEDEBUG") // age would print file keys
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], process{
		in:       os.Stdin,
		terminal: term.IsTerminal(int(os.Stdin.Fd())),
		out:      os.Stdout,
		err:      os.Stderr,
		options:  userOptions(os.Stderr),
	})
	stop()
	os.Exit(code)
}

// process is what surrounds a run. Results go to out, everything else to err.
type process struct {
	in       io.Reader
	terminal bool // in is one
	out, err io.Writer
	options  optionsFunc
}

// optionsFunc says with which keys to open what is below root. legacy says that
// a plugin of the older kind is to.
type optionsFunc func(root string, legacy bool, watch *userkeys.Watch) (unseal.Options, error)

// run does what a command line says and returns the exit code. Nothing is
// written to out before everything has succeeded.
func run(ctx context.Context, args []string, p process) int {
	return p.finish(p.result(ctx, args))
}

func (p process) result(ctx context.Context, args []string) (err error) {
	defer parallel.Recover(&err)
	var out bytes.Buffer
	if err := p.execute(ctx, args, &out); err != nil {
		return err
	}
	if _, err := p.out.Write(out.Bytes()); err != nil {
		return fmt.Errorf("write stdout: %w", report.Cause(err))
	}
	return nil
}

func (p process) execute(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		return p.function(ctx, out)
	}
	switch args[0] {
	case "install":
		return p.install(ctx, args[1:], out)
	case "version", "--version":
		return version(args[1:], out)
	case "help", "--help", "-h":
		return help(out)
	}
	return p.plugin(ctx, args, out)
}

// function is what kustomize calls a KRM function, which runs in the root of
// the kustomization.
func (p process) function(ctx context.Context, out io.Writer) error {
	if p.terminal {
		if err := help(p.err); err != nil {
			return err
		}
		return usagef("a ResourceList is expected on stdin, and that is a terminal")
	}
	root, err := os.Getwd()
	if err != nil {
		return fmt.Errorf("find the directory of the kustomization: %w", err)
	}
	return p.within(ctx, root, false, func(ctx context.Context, f *kustomizeplugin.Function) error {
		return f.Run(ctx, p.in, out)
	})
}

// rootVariable is set for plugins of the older kind, to the root of the
// kustomization (kustomize api: internal/plugins/execplugin).
const rootVariable = "KUSTOMIZE_PLUGIN_CONFIG_ROOT"

// plugin is what kustomize calls an exec plugin. Without the variable it is
// rather somebody who got a command wrong.
func (p process) plugin(ctx context.Context, args []string, out io.Writer) error {
	root := os.Getenv(rootVariable)
	switch {
	case root == "":
		return usagef("unknown command %q; a configuration is read for kustomize only, which sets $%s", args[0], rootVariable)
	case len(args) > 1:
		return usagef("the configuration has arguments (argsOneLiner, argsFromFile), which mean nothing here")
	}
	in := p.in
	if p.terminal {
		in = bytes.NewReader(nil)
	}
	return p.within(ctx, root, true, func(ctx context.Context, f *kustomizeplugin.Function) error {
		return f.RunLegacy(ctx, args[0], in, out)
	})
}

// within calls do with the function for a kustomization, and the time limit of
// the environment.
func (p process) within(ctx context.Context, root string, legacy bool, do func(context.Context, *kustomizeplugin.Function) error) error {
	limit, err := userkeys.Timeout(0, false)
	if err != nil {
		return err
	}
	watch := new(userkeys.Watch)
	f := &kustomizeplugin.Function{Root: root, Stderr: p.err}
	f.Options = func(root string) (unseal.Options, error) { return p.options(root, legacy, watch) }
	return watch.Within(ctx, limit, func(ctx context.Context) error { return do(ctx, f) })
}
