// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/internal/gitrepo"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/userkeys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// sightings are all versions of documents that were found, now and in history.
type sightings struct {
	command  *exposedCommand
	repo     *gitrepo.Repo
	noRepo   error // why there is none
	current  []currentFile
	commits  []gitrepo.Version     // that have made versions of files
	versions map[string][]sighting // of the documents of a file, by the name of its content
	keys     []keySighting
	missing  []missingPath
	asked    map[string]string // what the arguments name, as git takes it
	unread   int               // versions that could not be read
	rules    []string          // recipients that the rules name
	partial  bool              // there is history that was not looked at
}

// currentFile is a file as it is now.
type currentFile struct {
	name, path string // as the user knows it; in the repository, or ""
	seen       []sighting
}

// sighting is one version of a document.
type sighting struct {
	kind, object string
	recipients   []string
	values       map[string]string // ciphertext by key
}

// keySighting is a version of a SealingKey.
type keySighting struct {
	name, recipient string
	openedBy        []string
}

// read returns the documents of an input.
func (s *sightings) read(in input) ([]sighting, error) {
	objects, err := in.objects(toInspect, sopsdoc.Group, sopsdoc.MetadataKey)
	if err != nil {
		return nil, err
	}
	var all []sighting
	var errs []error
	for _, f := range objects {
		shown, err := inspectObject(f)
		if err != nil {
			errs = append(errs, f.at(in.name, "read", err))
			continue
		}
		seen := sighting{kind: shown.Kind, object: report.ObjectName(f.Object), values: map[string]string{}}
		for _, r := range shown.Recipients {
			seen.recipients = append(seen.recipients, r.ID)
		}
		if shown.Kind == sopsdoc.KeyKind {
			s.keys = append(s.keys, keySighting{shown.Name, shown.PublicKey, seen.recipients})
		}
		sealed := f.Node
		if f.Group() == sopsdoc.Group {
			sealed = manifest.Get(f.Node, "spec", "sealed", "signet")
		}
		for _, field := range []string{"data", "stringData"} {
			for _, key := range manifest.Keys(manifest.Get(sealed, field)) {
				seen.values[key] = manifest.GetString(sealed, field, key)
			}
		}
		all = append(all, seen)
	}
	return all, errors.Join(errs...)
}

// readSealingKeys looks at the SealingKeys that are at hand.
func (s *sightings) readSealingKeys(inputs []input) error {
	found, err := (&keyFlags{}).findSealingKeys(s.command.err, inputs)
	for _, k := range found {
		seen := keySighting{name: k.Name, recipient: k.Recipient}
		for _, e := range k.Metadata.Recipients.Entries() {
			seen.openedBy = append(seen.openedBy, report.WithoutKeys(e.ID()))
		}
		s.keys = append(s.keys, seen)
	}
	return err
}

// lookBack goes through the history of what the arguments name, and of SealingKeys.
func (s *sightings) lookBack(ctx context.Context, args []string) error {
	args = slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return arg == "-" })
	if len(args) == 0 {
		return nil
	}
	dir := args[0]
	for !isDirectory(dir) && dir != filepath.Dir(dir) {
		dir = filepath.Dir(dir)
	}
	repo, err := s.repository(ctx, dir)
	if errors.Is(err, gitrepo.ErrNoGit) || errors.Is(err, gitrepo.ErrNoRepository) {
		s.partial = errors.Is(err, gitrepo.ErrNoGit)
		printer(s.command.err).Line("note", "Git history was not looked at: "+noHistory(err))
		return nil
	}
	if err != nil {
		return err
	}
	paths, err := s.paths(repo, args)
	if err != nil {
		return err
	}
	blobs, err := repo.Blobs(ctx)
	if err != nil {
		return err
	}
	defer blobs.Close()
	for v, err := range repo.History(ctx, paths...) {
		if err != nil {
			return err
		}
		if v.OID != "" && s.readVersion(blobs, v) && s.concerns(args, v.Path) {
			s.commits = append(s.commits, v)
		}
	}
	s.noteUnread(ctx, repo)
	return s.readHidden()
}

// readHidden reads what is in history and was left out of a directory: hidden files,
// as those of SealingKeys are.
func (s *sightings) readHidden() error {
	known := map[string]bool{}
	for _, f := range s.current {
		known[f.path] = true
	}
	for _, v := range s.commits {
		in := input{name: filepath.Join(s.repo.Root(), filepath.FromSlash(v.Path)), notes: new(bytes.Buffer)}
		info, err := os.Lstat(in.name)
		if known[v.Path] || err != nil || !info.Mode().IsRegular() {
			continue
		}
		known[v.Path] = true
		if err := in.read(nil); err != nil {
			return err
		}
		seen, err := s.read(in)
		if err != nil {
			return exitcode.Opening(err)
		}
		s.current = append(s.current, currentFile{report.ShortPath(in.name), v.Path, seen})
	}
	return nil
}

func noHistory(err error) string {
	if errors.Is(err, gitrepo.ErrNoGit) {
		return err.Error()
	}
	return "these files are in no Git work tree"
}

// paths are those of the arguments and of SealingKeys, as git takes them.
func (s *sightings) paths(repo *gitrepo.Repo, args []string) ([]string, error) {
	paths := []string{userkeys.SealingKeyDir}
	s.asked = map[string]string{}
	for _, arg := range args {
		path, err := repo.Rel(arg)
		if err != nil {
			return nil, &report.PlacedError{File: arg, Operation: "read", Err: err}
		}
		s.asked[arg] = path
		paths = append(paths, path)
	}
	if slices.Contains(paths, ".") {
		return nil, nil // all files
	}
	return paths, nil
}

// concerns reports whether a file is one that the arguments name, and not only a
// SealingKey beside them.
func (s *sightings) concerns(args []string, path string) bool {
	return slices.ContainsFunc(args, func(arg string) bool {
		at, ok := s.asked[arg]
		return ok && (at == "." || at == path || strings.HasPrefix(path, at+"/"))
	})
}

// readVersion reads a version of a file, once for each content. It reports whether
// something is sealed in it.
func (s *sightings) readVersion(blobs *gitrepo.BlobReader, v gitrepo.Version) bool {
	seen, known := s.versions[v.OID]
	if known {
		return len(seen) > 0
	}
	s.versions[v.OID] = nil
	text, err := blobs.Read(v.OID, manifest.MaxStreamBytes)
	switch {
	case errors.Is(err, gitrepo.ErrTooLarge) && !manifest.IsFile(v.Path):
		return false // no manifest
	case err != nil:
		s.unread++
		return false
	}
	text = fromUTF16(text)
	if !mightBeSealed(v.Path, text) {
		return false
	}
	stream, err := manifest.Split(text)
	if err == nil {
		seen, err = s.read(input{name: v.Path, stream: stream, notes: new(bytes.Buffer)})
	}
	if err != nil && bytes.Contains(text, []byte(sopsdoc.ValuePrefix)) {
		s.unread++
	}
	s.versions[v.OID] = seen
	return len(seen) > 0
}

// mightBeSealed is a quick look at a text, as that at files on disk. Words in disguise
// count in manifests only: source code is full of escapes.
func mightBeSealed(path string, text []byte) bool {
	return manifest.Mentions(text, sopsdoc.Group, sopsdoc.MetadataKey, sopsdoc.ValuePrefix) ||
		manifest.IsFile(path) && manifest.Mentions(text, disguises...)
}

// noteUnread tells what may be missing in the list.
func (s *sightings) noteUnread(ctx context.Context, repo *gitrepo.Repo) {
	if s.unread > 0 {
		printer(s.command.err).Line("note", plural(s.unread, "version")+" in history could not be read, or not all of them: the list may lack something")
	}
	if shallow, err := repo.Shallow(ctx); err == nil && shallow {
		s.partial = true
		printer(s.command.err).Line("note", "this clone has only a part of the history: git fetch --unshallow gets the rest")
	}
}

// recipients are all that were seen, sorted.
func (s *sightings) recipients() []string {
	all := map[string]bool{}
	add := func(seen []sighting) {
		for _, d := range seen {
			for _, id := range d.recipients {
				all[id] = true
			}
		}
	}
	for _, f := range s.current {
		add(f.seen)
	}
	for _, seen := range s.versions {
		add(seen)
	}
	for _, id := range s.rules {
		all[id] = true
	}
	for _, k := range s.keys {
		all[k.recipient] = true
		for _, id := range k.openedBy {
			all[id] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}
