// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/tree"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
)

// Limits of what is read for one build. The files are the repository's, and so
// foreign.
const (
	maxKustomizations     = 1000
	maxKustomizationBytes = 1 << 20
	maxBuildBytes         = manifest.MaxStreamBytes // in all files together
)

// kustomization is what refers to other directories, and to functions
// (kustomize api: types/kustomization.go). Each item is a path, or YAML.
type kustomization struct {
	Resources    []string `yaml:"resources"`
	Components   []string `yaml:"components"`
	Bases        []string `yaml:"bases"`
	Generators   []string `yaml:"generators"`
	Transformers []string `yaml:"transformers"`
}

// kustomizationNames are the files that kustomize reads in a directory.
func kustomizationNames() []string {
	return []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}
}

// buildReader finds out what a build is expected to make. All paths are
// relative to root, with slashes.
type buildReader struct {
	root     *os.Root // the repository, or everything where there is none
	matcher  *tree.Matcher
	stderr   io.Writer
	left     int             // bytes that may still be read
	folders  int             // that were looked into
	seen     map[string]bool // those whose functions are known
	expected []expectation
}

// readBuild returns the Secrets that the functions of a kustomization, and of
// those that it refers to, are to make. What is not in the repository is passed
// over with a note on stderr. Errors are *report.PlacedErrors, perhaps several
// joined, or that of ctx.
func readBuild(ctx context.Context, stderr io.Writer, dir string) ([]expectation, error) {
	fail := func(err error) error {
		return &report.PlacedError{File: dir, Operation: "read", Err: tree.Cause(err)}
	}
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return nil, fail(err)
	case !info.IsDir():
		return nil, fail(errNoFolder)
	}
	repository, err := repositoryOf(dir)
	if err != nil {
		return nil, fail(err)
	}
	root, err := os.OpenRoot(repository)
	if err != nil {
		return nil, fail(err)
	}
	defer root.Close()
	r := &buildReader{root: root, matcher: tree.NewMatcher(root), stderr: stderr, left: maxBuildBytes, seen: map[string]bool{}}
	top, err := r.folder(dir)
	if err != nil {
		return nil, fail(err)
	}
	err = r.read(ctx, top)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return r.expected, err
}

var (
	errNoFolder        = errors.New("is no directory with a kustomization")
	errNoKustomization = errors.New("holds no kustomization.yaml")
	errAbsolute        = errors.New("an absolute path, which kustomize refuses")
	errBuildTooLarge   = errors.New("the kustomization, or all that it refers to, is too large to be looked into")
)

// repositoryOf returns the root of the repository that a directory is in, or that
// of the file system: kustomize follows references wherever they lead.
func repositoryOf(dir string) (string, error) {
	dirs, err := keys.SearchPath(filepath.Join(dir, "-"))
	if err != nil {
		return "", err
	}
	root := dirs[len(dirs)-1]
	if _, err := os.Lstat(filepath.Join(root, ".git")); errors.Is(err, fs.ErrNotExist) {
		return filepath.VolumeName(root) + string(filepath.Separator), nil
	}
	return root, nil
}

// folder returns the path of a directory in the tree, symbolic links followed, as
// kustomize follows them.
func (r *buildReader) folder(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if abs, err = filepath.EvalSymlinks(abs); err != nil {
		return "", err
	}
	rel, err := filepath.Rel(r.root.Name(), abs)
	if err != nil || !filepath.IsLocal(rel) {
		return "", tree.ErrOutside
	}
	return filepath.ToSlash(rel), nil
}

// shown is a path in the tree as people know it.
func (r *buildReader) shown(name string) string {
	return report.ShortPath(filepath.Join(r.root.Name(), filepath.FromSlash(name)))
}

func (r *buildReader) fail(name string, err error) error {
	return &report.PlacedError{File: r.shown(name), Operation: "read", Err: tree.Cause(err)}
}

// read reads the kustomization in a directory, and all that it refers to.
func (r *buildReader) read(ctx context.Context, dir string) error {
	if r.seen[dir] || ctx.Err() != nil {
		return nil
	}
	r.seen[dir] = true
	file, k, err := r.kustomization(dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, list := range [][]string{k.Resources, k.Components, k.Bases} {
		for _, entry := range list {
			target, isDir, err := r.resolve(file, entry)
			if err == nil && isDir {
				err = r.read(ctx, target)
			}
			errs = append(errs, report.Split(err)...)
		}
	}
	for _, list := range [][]string{k.Generators, k.Transformers} {
		for _, entry := range list {
			errs = append(errs, report.Split(r.function(ctx, file, entry))...)
		}
	}
	return errors.Join(errs...)
}

// kustomization reads the file with the kustomization in a directory.
func (r *buildReader) kustomization(dir string) (file string, k kustomization, err error) {
	if r.folders++; r.folders > maxKustomizations {
		return "", k, r.fail(dir, errBuildTooLarge)
	}
	for _, name := range kustomizationNames() {
		file = path.Join(dir, name)
		text, err := r.content(file, maxKustomizationBytes)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = parseKustomization(text, &k)
		}
		if err != nil {
			return "", k, r.fail(file, err)
		}
		return file, k, nil
	}
	return "", k, r.fail(dir, errNoKustomization)
}

// parseKustomization reads what a kustomization refers to. The text of the YAML
// library's errors can hold pieces of the file.
func parseKustomization(text []byte, k *kustomization) error {
	var n yaml.Node
	if err := yaml.Unmarshal(text, &n); err != nil {
		return errors.New("is not YAML")
	}
	if n.Kind == 0 {
		return nil // empty
	}
	if err := n.Decode(k); err != nil {
		return errors.New("resources, components, generators and transformers must be lists of strings")
	}
	return nil
}

// content returns what is in a regular file of the tree.
func (r *buildReader) content(name string, limit int) ([]byte, error) {
	text, err := tree.Read(r.root, name, min(limit, r.left), errBuildTooLarge)
	r.left -= len(text)
	return text, err
}

// resolve finds the file or directory that an entry of a kustomization names; ""
// is one that was passed over with a note.
func (r *buildReader) resolve(file, entry string) (target string, isDir bool, err error) {
	target = path.Join(path.Dir(file), filepath.ToSlash(entry))
	info, err := os.Stat(filepath.Join(r.root.Name(), filepath.FromSlash(target)))
	switch {
	case path.IsAbs(entry), filepath.IsAbs(entry):
		return "", false, r.fail(file, fmt.Errorf("%s: %w", report.Visible(entry), errAbsolute))
	case err != nil && remote(entry):
		r.note(file, withoutCredentials(entry)+" is not in this repository and was not looked into")
		return "", false, nil
	case err != nil:
		return "", false, r.fail(file, fmt.Errorf("%s: %w", report.Visible(entry), tree.Cause(err)))
	case !info.IsDir():
		return target, false, nil
	}
	target, err = r.folder(filepath.Join(r.root.Name(), filepath.FromSlash(target)))
	if errors.Is(err, tree.ErrOutside) {
		r.note(file, entry+" is outside of the repository and was not looked into")
		return "", false, nil
	}
	if err != nil {
		return "", false, r.fail(file, fmt.Errorf("%s: %w", report.Visible(entry), tree.Cause(err)))
	}
	return target, true, nil
}

func (r *buildReader) note(file, text string) { note(r.stderr, r.shown(file), text) }

// remote reports whether an entry that is no file could be what kustomize
// fetches: a URL, or HOST/PATH as git and go-getter take it.
func remote(entry string) bool {
	host, rest, _ := strings.Cut(entry, "/")
	return strings.Contains(entry, "://") || strings.Contains(host, ":") || strings.Contains(entry, "?ref=") ||
		rest != "" && strings.Contains(strings.TrimLeft(host, "."), ".") && !manifest.IsFile("x"+path.Ext(entry))
}

// withoutCredentials leaves out of a URL what could be a password: what stands
// before the host, and the query.
func withoutCredentials(entry string) string {
	entry, _, _ = strings.Cut(entry, "?")
	scheme, rest, ok := strings.Cut(entry, "://")
	if !ok {
		return entry
	}
	authority, tail, _ := strings.Cut(rest, "/")
	return scheme + "://" + authority[strings.LastIndex(authority, "@")+1:] + "/" + tail
}
