// SPDX-License-Identifier: Apache-2.0

package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/signet-secrets/signet/internal/gitrepo"
	"github.com/signet-secrets/signet/internal/report"
)

// exposed is a document with its versions that a recipient could open.
type exposed struct {
	path, object string
	versions     []sighting
	first, last  *gitrepo.Version
	through      map[string]bool
}

// exposures lists the documents that the recipients can open, or could, directly
// or through a SealingKey, sorted by their files.
func (s *sightings) exposures(ids []string) []exposure {
	through := s.through(ids)
	index := map[[2]string]*exposed{}
	var all []*exposed
	see := func(path string, d sighting, v *gitrepo.Version) {
		names, ok := openedThrough(d, through)
		if !ok {
			return
		}
		id := [2]string{path, d.object}
		if index[id] == nil {
			index[id] = &exposed{path: path, object: d.object, through: map[string]bool{}}
			all = append(all, index[id])
		}
		index[id].add(d, names, v)
	}
	for _, f := range s.current {
		for _, d := range f.seen {
			see(f.id(), d, nil)
		}
	}
	for _, v := range s.commits {
		for _, d := range s.versions[v.OID] {
			see(v.Path, d, &v)
		}
	}
	list := make([]exposure, len(all))
	for i, e := range all {
		list[i] = s.exposure(e, through)
	}
	slices.SortStableFunc(list, func(a, b exposure) int { return strings.Compare(a.File, b.File) })
	return list
}

// openedThrough reports whether one of the recipients opens a version of a document, and
// the names of the SealingKeys through which.
func openedThrough(d sighting, through map[string]string) (names []string, ok bool) {
	for _, id := range d.recipients {
		name, is := through[id]
		ok = ok || is
		if name != "" {
			names = append(names, name)
		}
	}
	return names, ok
}

// id tells the file from others.
func (f currentFile) id() string {
	if f.path == "" {
		return f.name
	}
	return f.path
}

// through returns every recipient for which whoever has one of ids could open
// documents, with the name of the SealingKey that it belongs to, "" for ids. What a
// SealingKey holds does not change: who could open any version of it has it.
func (s *sightings) through(ids []string) map[string]string {
	all := map[string]string{}
	for _, id := range ids {
		all[id] = ""
	}
	for _, k := range s.keys {
		if _, direct := all[k.recipient]; !direct && slices.ContainsFunc(k.openedBy, func(id string) bool { return slices.Contains(ids, id) }) {
			all[k.recipient] = k.name
		}
	}
	return all
}

func (e *exposed) add(d sighting, through []string, v *gitrepo.Version) {
	e.versions = append(e.versions, d)
	for _, name := range through {
		e.through[name] = true
	}
	switch {
	case v == nil:
		return
	case e.first == nil:
		e.first, e.last = v, v
	case v.Time.Before(e.first.Time):
		e.first = v
	case v.Time.After(e.last.Time):
		e.last = v
	}
}

// exposure tells what became of a document.
func (s *sightings) exposure(e *exposed, through map[string]string) exposure {
	out := exposure{File: s.shown(e.path), Object: e.object, Keys: []string{}, Through: slices.Sorted(maps.Keys(e.through)), Now: exposedGone}
	for _, v := range e.versions {
		out.Keys = slices.AppendSeq(out.Keys, maps.Keys(v.values))
	}
	slices.Sort(out.Keys)
	out.Keys = slices.Compact(out.Keys)
	if e.first != nil {
		out.First = &exposedIn{e.first.Commit, e.first.Time}
		out.Last = &exposedIn{e.last.Commit, e.last.Time}
	}
	now, ok := s.now(e)
	if !ok {
		return out
	}
	if _, ok := openedThrough(now, through); ok {
		out.Now = exposedOpens
		return out
	}
	for _, key := range slices.Sorted(maps.Keys(now.values)) {
		same := func(v sighting) bool { return now.values[key] != "" && v.values[key] == now.values[key] }
		if slices.ContainsFunc(e.versions, same) {
			out.Same = append(out.Same, key)
		}
	}
	out.Now = exposedAnew
	if len(out.Same) > 0 {
		out.Now = exposedSame
	}
	return out
}

// now returns a document as it is now, also if its file was renamed.
func (s *sightings) now(e *exposed) (sighting, bool) {
	var elsewhere []sighting
	for _, f := range s.current {
		for _, d := range f.seen {
			switch {
			case d.object != e.object:
			case f.id() == e.path:
				return d, true
			default:
				elsewhere = append(elsewhere, d)
			}
		}
	}
	if len(elsewhere) == 1 && e.object != "" {
		return elsewhere[0], true
	}
	return sighting{}, false
}

// shown is a path in the repository as the user would write it.
func (s *sightings) shown(path string) string {
	for _, f := range s.current {
		if f.id() == path {
			return f.name
		}
	}
	if s.repo == nil {
		return path
	}
	shown := report.ShortPath(filepath.Join(s.repo.Root(), filepath.FromSlash(path)))
	return strings.TrimPrefix(shown, "."+string(filepath.Separator))
}

func isDirectory(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}
