// SPDX-License-Identifier: Apache-2.0

package main

import (
	"maps"
	"path/filepath"
	"slices"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// builds are the kustomizations of a source, by their directories.
type builds struct {
	byDir map[string]*scanned
	docs  map[string][]*sealedDoc // by the file that they are in
	found []finding
	told  map[string]bool
}

// scopesOfBuilds tells of SealedSecrets that kustomizations move away from what
// they are sealed for: only what no other kustomization refers to is built, and
// it may set a namespace, or change names.
func scopesOfBuilds(all []scanned) []finding {
	b := &builds{byDir: map[string]*scanned{}, docs: map[string][]*sealedDoc{}, told: map[string]bool{}}
	for i := range all {
		if all[i].kust != nil {
			b.byDir[filepath.Dir(all[i].file.at)] = &all[i]
		}
		for _, d := range all[i].docs {
			if d.kind == sopsdoc.Kind {
				b.docs[d.file.at] = append(b.docs[d.file.at], d)
			}
		}
	}
	used := map[string]bool{}
	for dir, r := range b.byDir {
		for _, entry := range r.kust.resources {
			used[filepath.Join(dir, filepath.FromSlash(entry))] = true
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(b.byDir)) {
		if !used[dir] {
			b.visit(dir, placement{top: b.byDir[dir].file.name}, map[string]bool{})
		}
	}
	return b.found
}

// placement is what the kustomizations around a directory make of names in it.
type placement struct {
	top       string // the file of the kustomization that is built
	namespace string
	renames   bool
}

// visit follows what the kustomization in a directory refers to. on are the
// directories on the way there.
func (b *builds) visit(dir string, p placement, on map[string]bool) {
	r := b.byDir[dir]
	if r == nil || on[dir] {
		return
	}
	on[dir] = true
	defer delete(on, dir)
	if p.namespace == "" { // the outermost one wins
		p.namespace = r.kust.namespace
	}
	p.renames = p.renames || r.kust.prefix+r.kust.suffix != ""
	for _, entry := range r.kust.resources {
		target := filepath.Join(dir, filepath.FromSlash(entry))
		for _, d := range b.docs[target] {
			b.compare(d, p)
		}
		b.visit(target, p, on)
	}
}

// compare compares what a document is sealed for with where it gets.
func (b *builds) compare(d *sealedDoc, p placement) {
	tell := func(message, hint string) {
		is := d.about(ruleScope, message, hint)
		if key := is.File + is.Object + message; !b.told[key] {
			b.told[key] = true
			b.found = append(b.found, is)
		}
	}
	top := report.Visible(p.top)
	if p.namespace != "" && !d.scope.Allows(p.namespace, d.scope.Name) {
		tell(top+" puts it into namespace "+report.Visible(p.namespace)+", but it is sealed for "+d.scope.Namespace,
			"seal it for that namespace, or with --scope cluster; or list it under generators, which open it before it is moved")
	}
	if p.renames && !d.explicit && d.scope.Name != sopsdoc.Any {
		tell(top+" changes its name, but it is sealed for "+d.scope.Name,
			"say which Secret it becomes, spec.secretName: "+d.scope.Name+"; or list it under generators")
	}
}
