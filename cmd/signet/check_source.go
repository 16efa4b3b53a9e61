// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/signet-secrets/signet/internal/gitrepo"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/manifest"
)

// source is where the files come from that are checked: the disk, or what Git
// has of a repository. Paths are absolute, in the form of the file system.
type source interface {
	// list returns the files that arguments name, and those below directories.
	list(ctx context.Context, args []string) (*listing, error)
	// read returns what is in a file, or an error that wraps fs.ErrNotExist. It
	// is safe for concurrent use.
	read(at string) ([]byte, error)
	// readUpTo is read for files of at most limit bytes; of a larger one the error
	// is manifest.ErrTooLarge.
	readUpTo(at string, limit int64) ([]byte, error)
}

// listing is what a source has to be checked.
type listing struct {
	files []checkFile
	// others are those below directories that are looked through for private keys
	// only.
	others []checkFile
	// known are the paths of all files of the repository that are not secret to
	// Git; outside of one, those of the directories that were listed.
	known map[string]bool
	// whole are the directories that were listed with all that is in them.
	whole []string
	// changed says that files are there because their content is new.
	changed bool
	repo    *gitrepo.Repo // nil outside of Git
}

// checkFile is one file to be checked.
type checkFile struct {
	name   string // as the user knows it
	at     string // its path
	walked bool   // found in a directory, not named
}

// add adds a file that was found below a directory.
func (l *listing) add(f checkFile) {
	unhidden := strings.TrimPrefix(filepath.Base(f.at), ".")
	if isCheckFile(f.at) || manifest.IsFile(unhidden) {
		l.files = append(l.files, f)
	} else {
		l.others = append(l.others, f)
	}
}

// isCheckFile reports whether a file in a directory is looked at: manifests,
// kustomizations, templates of them, copies under another name, and scripts.
func isCheckFile(name string) bool {
	base := filepath.Base(name)
	if strings.HasPrefix(base, ".") && isCIName(base) {
		name = base[1:]
	}
	return manifest.IsFile(name) || base == "Kustomization" || isTemplateName(name) || isCopyName(name) || isScriptName(name)
}

// isScriptName reports whether a file is a script by its name.
func isScriptName(name string) bool {
	base := filepath.Base(name)
	return !strings.HasPrefix(base, ".") && slices.Contains([]string{".sh", ".bash", ".ps1"}, strings.ToLower(filepath.Ext(base)))
}

// isCopyName reports whether a file is by its name what somebody or a program
// has kept of a manifest: db.yaml.bak, db.yaml~, db.yaml.example.
func isCopyName(name string) bool {
	base := filepath.Base(name)
	if kept, ok := strings.CutSuffix(base, "~"); ok {
		return manifest.IsFile(kept)
	}
	suffix := strings.ToLower(strings.TrimPrefix(filepath.Ext(base), "."))
	known := []string{"bak", "backup", "old", "orig", "save", "copy", "disabled", "off", "example", "sample", "dist", "default", "template", "in", "txt"}
	return (slices.Contains(known, suffix) || suffix != "" && strings.Trim(suffix, "0123456789") == "") &&
		manifest.IsFile(strings.TrimSuffix(base, filepath.Ext(base)))
}

// isCIName reports whether a hidden file or directory is one of those in which
// services look for what they are to run.
func isCIName(base string) bool {
	return slices.Contains([]string{".github", ".gitlab", ".gitlab-ci", ".gitlab-ci.yml", ".gitlab-ci.yaml", ".gitea", ".forgejo", ".circleci",
		".tekton", ".buildkite", ".drone.yml", ".woodpecker", ".woodpecker.yml", ".woodpecker.yaml", ".travis.yml", ".azure-pipelines"}, base)
}

// isTemplateName reports whether a file is a template by its name.
func isTemplateName(name string) bool {
	base := filepath.Base(name)
	return !strings.HasPrefix(base, ".") && slices.Contains([]string{".tpl", ".tmpl", ".gotmpl", ".j2", ".jinja", ".jinja2", ".erb"}, strings.ToLower(filepath.Ext(base)))
}

// isHidden reports whether a path below a directory leads through a hidden file
// or directory. Those of CI services are not hidden.
func isHidden(rel string) bool {
	return slices.ContainsFunc(strings.Split(filepath.ToSlash(rel), "/"), func(part string) bool {
		return strings.HasPrefix(part, ".") && part != "." && part != ".." && !isCIName(part)
	})
}

// diskSource are the files of the disk, in a Git work tree without those that
// Git ignores.
type diskSource struct {
	useGit bool
	all    map[string][]string // what each repository tracks or would track, by its root
	named  map[string]bool     // the paths of files that are named, which may be pipes
}

// newDiskSource returns the disk as a source. Without git, or where it does not
// want to look into a repository, all files count.
func newDiskSource(useGit bool) *diskSource {
	return &diskSource{useGit: useGit, all: map[string][]string{}, named: map[string]bool{}}
}

func (d *diskSource) list(ctx context.Context, args []string) (*listing, error) {
	l := &listing{known: map[string]bool{}}
	for _, arg := range args {
		fail := func(err error) error {
			return &report.PlacedError{File: arg, Operation: "read", Err: report.Cause(err)}
		}
		at, err := filepath.Abs(arg)
		if err != nil {
			return nil, fail(err)
		}
		info, err := os.Stat(arg)
		switch {
		case err != nil:
			return nil, fail(err)
		case !info.IsDir():
			l.files = append(l.files, checkFile{name: arg, at: at})
			d.named[at] = true
			continue
		}
		if at, err = filepath.EvalSymlinks(at); err != nil {
			return nil, fail(err)
		}
		before := len(l.files)
		if err := d.folder(ctx, l, arg, at); err != nil {
			return nil, fail(err)
		}
		if len(l.files) == before {
			return nil, fail(errNoFiles)
		}
		l.whole = append(l.whole, at)
	}
	return l, noDuplicates(inputsOf(l.files))
}

// inputsOf gives files the names by which duplicates are found.
func inputsOf(files []checkFile) []input {
	inputs := make([]input, len(files))
	for i, f := range files {
		inputs[i] = input{name: f.name}
	}
	return inputs
}

// folder adds what is in a directory that was named.
func (d *diskSource) folder(ctx context.Context, l *listing, arg, at string) error {
	repo, names, err := d.tracked(ctx, at)
	if err != nil {
		return err
	}
	if repo != nil {
		l.repo = repo
		for _, name := range d.all[repo.Root()] {
			l.known[filepath.Join(repo.Root(), filepath.FromSlash(name))] = true
		}
	} else if names, err = filesBelow(at); err != nil {
		return err
	}
	for _, rel := range names {
		path := filepath.Join(at, rel)
		l.known[path] = true
		if repo != nil || !isHidden(rel) {
			l.add(checkFile{name: filepath.Join(arg, rel), at: path, walked: true})
		}
	}
	return nil
}

// tracked returns the files below a directory that Git tracks or would track,
// relative to it. repo is nil where Git cannot tell.
func (d *diskSource) tracked(ctx context.Context, at string) (repo *gitrepo.Repo, names []string, err error) {
	if !d.useGit {
		return nil, nil, nil
	}
	repo, err = gitrepo.Open(ctx, at)
	if err != nil {
		return nil, nil, ctx.Err() // no repository, no git, or not one that it trusts
	}
	below, err := repo.Rel(at)
	if err != nil || at != filepath.Join(repo.Root(), filepath.FromSlash(below)) {
		return nil, nil, nil
	}
	all, ok := d.all[repo.Root()]
	if !ok {
		if all, err = repo.Tracked(ctx); err != nil {
			return nil, nil, err
		}
		d.all[repo.Root()] = all
	}
	for _, name := range all {
		if rel, err := filepath.Rel(filepath.FromSlash(below), filepath.FromSlash(name)); err == nil && filepath.IsLocal(rel) {
			names = append(names, rel)
		}
	}
	if len(names) == 0 {
		return nil, nil, nil // all of it is ignored, and somebody has named it
	}
	return repo, names, nil
}

// filesBelow returns the regular files below a directory, relative to it. Hidden
// directories are left out.
func filesBelow(dir string) ([]string, error) {
	var names []string
	top := dir + string(filepath.Separator) + "." // follows a symbolic link
	err := filepath.WalkDir(top, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && path != top && isHidden(e.Name()):
			return filepath.SkipDir
		case e.Type().IsRegular():
			rel, err := filepath.Rel(top, path)
			if err != nil {
				return err
			}
			names = append(names, rel)
		}
		return nil
	})
	return names, err
}

// errSpecial says that a file is a pipe, a device or the like, which nobody has
// named: reading it may never end.
var errSpecial = errors.New("is not a regular file")

func (d *diskSource) read(at string) ([]byte, error) { return d.readUpTo(at, manifest.MaxStreamBytes) }

func (d *diskSource) readUpTo(at string, limit int64) ([]byte, error) {
	info, err := os.Stat(at)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, errDirectory
	case !info.Mode().IsRegular() && !d.named[at]:
		return nil, errSpecial
	case info.Mode().IsRegular() && info.Size() > limit:
		return nil, manifest.ErrTooLarge
	}
	f, err := os.Open(at)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(text)) > limit {
		return nil, manifest.ErrTooLarge
	}
	return text, err
}
