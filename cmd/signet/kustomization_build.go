// SPDX-License-Identifier: Apache-2.0

package main

import "slices"

// folder is one kustomization, and what it adds to what it refers to.
type folder struct {
	file string
	kustomization
	bases, parts []string // directories of its resources and its components
	generated    []expectation
	transformed  []expectation // made by functions that run after it has set names
	loosens      []loosening
}

// Limits of what is followed. A base may be used by two overlays, these by two
// overlays each, and so on.
const (
	maxExpectations = 100_000
	maxBuilds       = 10_000
)

// building goes the way of kustomize (kustomize api: internal/target/kusttarget.go,
// accumulateTarget): resources, generators, components, which get all that and
// change it, names, transformers.
type building struct {
	folders map[string]*folder
	under   map[string]bool // way; kustomize refuses cycles
	built   map[string][]expectation
	builds  int
	made    int
}

// expectations returns what comes out of the kustomization in a directory, with
// what is already there if it is a component.
func (b *building) expectations(dir string, there []expectation) ([]expectation, error) {
	f := b.folders[dir]
	if f == nil || b.under[dir] {
		return there, nil
	}
	if b.builds++; b.builds > maxBuilds {
		return nil, errBuildTooLarge
	}
	b.under[dir] = true
	defer delete(b.under, dir)
	all := slices.Clone(there)
	for _, base := range f.bases {
		made, err := b.base(base)
		if err != nil {
			return nil, err
		}
		all = append(all, made...)
	}
	all = append(all, f.generated...)
	for _, part := range f.parts {
		var err error
		if all, err = b.expectations(part, all); err != nil {
			return nil, err
		}
	}
	return f.finish(all), b.count(len(all))
}

// base is expectations of a directory on its own, found out once.
func (b *building) base(dir string) ([]expectation, error) {
	if made, ok := b.built[dir]; ok {
		return made, b.count(len(made))
	}
	made, err := b.expectations(dir, nil)
	b.built[dir] = made
	return made, err
}

func (b *building) count(n int) error {
	if b.made += n; b.made > maxExpectations {
		return errBuildTooLarge
	}
	return nil
}

// finish sets the names.
func (f *folder) finish(all []expectation) []expectation {
	for i := range all {
		all[i].in.move(&f.kustomization)
	}
	all = append(all, f.transformed...)
	for i := range all {
		for _, l := range f.loosens {
			all[i].in.loosen(l)
		}
	}
	return all
}

// renames reports whether it gives other names or namespaces.
func (f *folder) renames() bool {
	return f.NamePrefix != "" || f.NameSuffix != "" || f.Namespace != "" || len(f.loosens) > 0
}

// merged makes room for merges. What is merged gets the name of what it is
// merged with, which may have been renamed before, and the type and the hash of
// the last one; what is replaced loses its keys.
func merged(all []expectation, generators []secretGenerator) {
	into, over := map[string]bool{}, map[string]bool{}
	for _, e := range all {
		into[e.name] = into[e.name] || e.merges
		over[e.name] = over[e.name] || e.replaces
	}
	hashed := map[string]bool{}
	for _, g := range generators {
		into[g.Name] = into[g.Name] || g.Behavior == "merge" || g.Behavior == "replace"
		over[g.Name] = over[g.Name] || g.Behavior == "replace"
		hashed[g.Name] = true
	}
	for _, e := range all {
		hashed[e.name] = hashed[e.name] || e.in.hash
	}
	for i := range all {
		e := &all[i]
		if !into[e.name] {
			continue
		}
		e.in.hash = hashed[e.name]
		e.content.typed = ""
		if over[e.name] && !e.replaces {
			e.content = content{more: true}
		}
	}
}

// secretGenerator is an item of that list. kustomize gives its Secrets a hash.
type secretGenerator struct {
	Name     string `yaml:"name"`
	Behavior string `yaml:"behavior"`
}
