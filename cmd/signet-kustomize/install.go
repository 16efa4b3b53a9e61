// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/signet-secrets/signet/internal/krm"
	"github.com/signet-secrets/signet/internal/parallel"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// installing is the operation of errors of `signet-kustomize install`.
const installing = "install"

// legacyPlugins are the names under which kustomize looks for plugins below
// $KUSTOMIZE_PLUGIN_HOME: group, version, kind in lower case, kind (kustomize
// api: internal/plugins/loader).
func legacyPlugins() []string {
	name := func(apiVersion, kind string) string { return apiVersion + "/" + strings.ToLower(kind) + "/" + kind }
	return []string{
		name(sopsdoc.APIVersion, sopsdoc.Kind),
		name(sopsdoc.APIVersion, krm.UnsealKind),
		name(krm.KSOPSAPIVersion, krm.KSOPSKind),
	}
}

// install copies this program, for images that have no shell and no cp.
func (p process) install(ctx context.Context, args []string, out io.Writer) error {
	var dir string
	legacy, flags := false, true
	for _, arg := range args {
		switch {
		case flags && arg == "--":
			flags = false
		case flags && arg == "--legacy":
			legacy = true
		case flags && (arg == "--help" || arg == "-h"):
			return help(out)
		case flags && strings.HasPrefix(arg, "-"):
			return usagef("unknown flag %q", arg)
		case arg == "" || dir != "":
			return usagef("name one directory to install to")
		default:
			dir = arg
		}
	}
	if dir == "" {
		return usagef("name a directory to install to")
	}
	source, err := os.Executable()
	if err != nil {
		return &report.PlacedError{File: dir, Operation: installing, Err: err}
	}
	notes := report.Printer{Program: program, W: p.err}
	made, err := copies{ctx: ctx, source: source, notes: notes}.all(targets(dir, legacy))
	if err == nil && made > 0 && legacy {
		notes.Note(dir, found(dir))
	}
	return err
}

// pluginHome is the variable that tells kustomize where plugins are, and no
// other program anything (kustomize api: konfig, DefaultAbsPluginHome).
const pluginHome = "KUSTOMIZE_PLUGIN_HOME"

// found says how kustomize finds what has been installed.
func found(dir string) string {
	abs, err := filepath.Abs(dir)
	if err != nil {
		abs = dir
	}
	set := pluginHome + "=" + report.Quoted(filepath.Join(abs, "kustomize", "plugin"))
	home, err := os.UserHomeDir()
	if err != nil || abs != filepath.Join(home, ".config") {
		return "kustomize and kubectl find the plugins with " + set
	}
	return "kustomize and kubectl find the plugins without a variable or, where XDG_CONFIG_HOME is set to another directory, with " + set
}

func targets(dir string, legacy bool) []string {
	if !legacy {
		return []string{filepath.Join(dir, program)}
	}
	var all []string
	for _, name := range legacyPlugins() {
		all = append(all, filepath.Join(dir, "kustomize", "plugin", filepath.FromSlash(name)))
	}
	return all
}

// copies makes files that are programs.
type copies struct {
	ctx    context.Context
	source string
	notes  report.Printer
}

// all makes the first target a copy of the source, and the others links to it
// where the file system has those. Targets that are the source already stay.
// It returns how many it has made.
func (c copies) all(targets []string) (made int, err error) {
	for i, target := range targets {
		if same(c.source, target) {
			continue
		}
		err := os.MkdirAll(filepath.Dir(target), 0o755)
		if err == nil && (i == 0 || link(targets[0], target) != nil) {
			err = c.copy(target)
		}
		if err != nil {
			return made, &report.PlacedError{File: target, Operation: installing, Err: withoutPaths(err)}
		}
		c.notes.Note(target, "installed")
		made++
	}
	return made, nil
}

// copy fills a file of another name and renames it: under the name of the
// target there is what was there before or all of the new one, however the
// process ends.
func (c copies) copy(target string) (err error) {
	from, err := os.Open(c.source)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.CreateTemp(filepath.Dir(target), "."+program+"-*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			to.Close()
			os.Remove(to.Name())
		}
	}()
	if _, err := io.Copy(to, contextReader{c.ctx, from}); err != nil {
		return err
	}
	if err := errors.Join(to.Chmod(0o755), to.Sync(), to.Close()); err != nil {
		return err
	}
	return os.Rename(to.Name(), target)
}

// contextReader reads until ctx ends.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, parallel.ErrNotTried
	}
	return c.r.Read(p)
}

// link puts a second name of a file in the place of the target.
func link(file, target string) error {
	name := filepath.Join(filepath.Dir(target), "."+program+"-"+rand.Text()+".tmp")
	if err := os.Link(file, name); err != nil {
		return err
	}
	if err := os.Rename(name, target); err != nil {
		os.Remove(name)
		return err
	}
	return nil
}

// same reports whether the target is a program, no link, with the content of
// the source.
func same(source, target string) bool {
	info, err := os.Lstat(target)
	if err != nil || !info.Mode().IsRegular() || info.Mode().Perm() != 0o755 {
		return false
	}
	from, err := os.Stat(source)
	switch {
	case err != nil || from.Size() != info.Size():
		return false
	case os.SameFile(from, info):
		return true
	}
	return sameContent(source, target)
}

func sameContent(a, b string) bool {
	from, err := os.Open(a)
	if err != nil {
		return false
	}
	defer from.Close()
	to, err := os.Open(b)
	if err != nil {
		return false
	}
	defer to.Close()
	one, other := make([]byte, 1<<20), make([]byte, 1<<20)
	for {
		n, err := io.ReadFull(from, one)
		m, otherErr := io.ReadFull(to, other)
		if !bytes.Equal(one[:n], other[:m]) {
			return false
		}
		if err != nil || otherErr != nil {
			return ended(err) && ended(otherErr)
		}
	}
}

func ended(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// withoutPaths takes the paths out of an error about files: the place names the
// target already.
func withoutPaths(err error) error {
	var link *os.LinkError
	if errors.As(err, &link) {
		return link.Err
	}
	return report.Cause(err)
}
