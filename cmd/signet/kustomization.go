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
	"slices"
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

// kustomization is what refers to other directories and to functions, and what
// changes names (kustomize api: types/kustomization.go).
type kustomization struct {
	// Each item is a path, or YAML.
	Resources    []string `yaml:"resources"`
	Components   []string `yaml:"components"`
	Bases        []string `yaml:"bases"`
	Generators   []string `yaml:"generators"`
	Transformers []string `yaml:"transformers"`

	naming `yaml:"-"`
}

type naming struct {
	NamePrefix      string    `yaml:"namePrefix"`
	NameSuffix      string    `yaml:"nameSuffix"`
	Namespace       string    `yaml:"namespace"`
	Patches         yaml.Node `yaml:"patches"`
	PatchesJSON6902 yaml.Node `yaml:"patchesJson6902"`
	Replacements    yaml.Node `yaml:"replacements"`
	SecretGenerator yaml.Node `yaml:"secretGenerator"`
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
	left     int                // bytes that may still be read
	read     int                // kustomizations, those for functions too
	folders  map[string]*folder // by directory
	allowed  []string           // entries that need not be read
	unread   bool               // there are such
	openers  bool               // configurations that open documents were seen
	renaming loosening          // by the folder of configurations that is read
	at       *folder            // the functions of which are read
	after    bool               // and are transformers

	generators []secretGenerator
}

// readBuild returns the Secrets that the functions of a kustomization, and of
// those that it refers to, are to make. What is not in the repository is an
// *unreadError, or is passed over with a note on stderr if it is allowed. Errors
// are *report.PlacedErrors, perhaps several joined, or that of ctx.
func readBuild(ctx context.Context, stderr io.Writer, dir string, allowed ...string) ([]expectation, error) {
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
	r := &buildReader{
		root: root, matcher: tree.NewMatcher(root), stderr: stderr, left: maxBuildBytes,
		folders: map[string]*folder{}, allowed: allowed,
	}
	top, err := r.inside(dir)
	if err != nil {
		return nil, fail(err)
	}
	err = r.folder(ctx, top)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, err
	}
	if !r.openers {
		note(stderr, dir, "nothing in it opens sealed documents: no Secret is expected")
	}
	expected, err := r.build(top)
	if err != nil {
		return nil, fail(err)
	}
	return expected, nil
}

// build returns what the folders make that were read.
func (r *buildReader) build(top string) ([]expectation, error) {
	renaming := 0
	for _, f := range r.folders {
		if f.renames() {
			renaming++
		}
	}
	for _, f := range r.folders {
		for i := range f.generated {
			e := &f.generated[i]
			if e.merges && (r.unread || renaming > 1 || renaming == 1 && !f.renames()) {
				e.in.loosen(loosening{affixes: true, namespace: true}) // as what it is merged with
			}
		}
	}
	b := &building{folders: r.folders, under: map[string]bool{}, built: map[string][]expectation{}}
	expected, err := b.base(top)
	if err != nil {
		return nil, err
	}
	expected = slices.Clone(expected)
	merged(expected, r.generators)
	return expected, nil
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

// inside returns the path of a directory in the tree, symbolic links followed, as
// kustomize follows them.
func (r *buildReader) inside(dir string) (string, error) {
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

// folder reads the kustomization in a directory, and all that it refers to.
func (r *buildReader) folder(ctx context.Context, dir string) error {
	if _, seen := r.folders[dir]; seen || ctx.Err() != nil {
		return nil
	}
	f := &folder{}
	r.folders[dir] = f
	file, k, err := r.kustomization(dir)
	if err != nil {
		return err
	}
	f.file, f.kustomization = file, k
	f.loosens = r.loosenings(dir, &k)
	var generators []secretGenerator
	if k.SecretGenerator.Decode(&generators) == nil { // else kustomize refuses it
		r.generators = append(r.generators, generators...)
	}
	var errs []error
	add := func(err error) { errs = append(errs, report.Split(err)...) }
	for _, entry := range slices.Concat(k.Resources, k.Bases) {
		target, err := r.reference(ctx, file, entry)
		add(err)
		f.bases = append(f.bases, target)
	}
	for _, entry := range k.Components {
		target, err := r.reference(ctx, file, entry)
		add(err)
		f.parts = append(f.parts, target)
		if err == nil && target == "" { // not read, and gets all that is there
			f.loosens = append(f.loosens, anything())
		}
	}
	r.at, r.after = f, false
	for _, entry := range k.Generators {
		add(r.function(ctx, file, entry))
	}
	r.after = true
	for _, entry := range k.Transformers {
		add(r.function(ctx, file, entry))
	}
	return errors.Join(errs...)
}

// reference reads what an entry refers to, if that is a directory.
func (r *buildReader) reference(ctx context.Context, file, entry string) (target string, err error) {
	target, isDir, err := r.resolve(file, entry)
	if err == nil && isDir {
		err = r.folder(ctx, target)
	}
	return target, err
}

// kustomization reads the file with the kustomization in a directory.
func (r *buildReader) kustomization(dir string) (file string, k kustomization, err error) {
	if r.read++; r.read > maxKustomizations {
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
	if err := checkCase(manifest.Root(&n)); err != nil {
		return err
	}
	if err := n.Decode(k); err != nil {
		return errors.New("resources, components, generators and transformers must be lists of strings")
	}
	if err := n.Decode(&k.naming); err != nil {
		return errors.New("namePrefix, nameSuffix and namespace must be strings")
	}
	return nil
}

// checkCase refuses fields that kustomize takes for others, whatever the case of
// their letters, and this program would not.
func checkCase(n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	fields := []string{
		"resources", "components", "bases", "generators", "transformers", "namePrefix", "nameSuffix", "namespace",
		"patches", "patchesJson6902", "replacements", "secretGenerator",
	}
	for _, key := range manifest.Keys(n) {
		for _, field := range fields {
			if key != field && strings.EqualFold(key, field) {
				return fmt.Errorf("the field %s must be written %s", report.Visible(key), field)
			}
		}
	}
	return nil
}

// content returns what is in a regular file of the tree.
func (r *buildReader) content(name string, limit int) ([]byte, error) {
	text, err := tree.Read(r.root, name, min(limit, r.left), errBuildTooLarge)
	r.left -= len(text)
	return text, err
}
