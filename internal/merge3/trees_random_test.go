// SPDX-License-Identifier: Apache-2.0

package merge3

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// plant is a tree to be written as YAML: a mapping if it has children, even
// none, else a list or a scalar.
type plant struct {
	comment  string
	scalar   string
	list     []string
	keys     []string // of children, in order
	children map[string]*plant
}

func randomPlant(r *rand.Rand, depth int) *plant {
	p := &plant{scalar: randomOf(r, "x", "y", "5", "true", "'5'", "null", "\"a b\"")}
	if r.IntN(4) == 0 {
		p.comment = randomOf(r, "one", "two")
	}
	switch n := r.IntN(6); {
	case depth > 0 && n < 4:
		p.children = map[string]*plant{}
		for range r.IntN(5) {
			p.add(randomOf(r, "a", "b", "c", "d", "data", "metadata"), randomPlant(r, depth-1))
		}
	case n == 5:
		p.list = []string{"1", randomOf(r, "2", "3")}
	}
	return p
}

func (p *plant) add(key string, child *plant) {
	if _, ok := p.children[key]; !ok {
		p.keys = append(p.keys, key)
	}
	p.children[key] = child
}

func (p *plant) clone() *plant {
	c := *p
	c.keys, c.list = slices.Clone(p.keys), slices.Clone(p.list)
	c.children = maps.Clone(p.children)
	for key, child := range c.children {
		c.children[key] = child.clone()
	}
	return &c
}

// change makes one change to p or below it.
func (p *plant) change(r *rand.Rand, depth int) {
	if len(p.keys) > 0 && r.IntN(3) > 0 {
		p.children[randomOf(r, p.keys...)].change(r, depth-1)
		return
	}
	switch n := r.IntN(6); {
	case n == 0:
		p.comment = randomOf(r, "", "three", "four")
	case n == 1 && p.children != nil:
		r.Shuffle(len(p.keys), func(i, j int) { p.keys[i], p.keys[j] = p.keys[j], p.keys[i] })
	case n == 2 && len(p.keys) > 0:
		key := randomOf(r, p.keys...)
		delete(p.children, key)
		p.keys = slices.DeleteFunc(p.keys, func(k string) bool { return k == key })
	case n <= 4 && p.children != nil:
		p.add(randomOf(r, "a", "b", "e", "f", "labels"), randomPlant(r, depth-1))
	case p.children == nil:
		*p = *randomPlant(r, 0)
	}
}

func (p *plant) String() string {
	var b strings.Builder
	p.write(&b, "")
	return b.String()
}

func (p *plant) write(b *strings.Builder, indent string) {
	for _, key := range p.keys {
		child := p.children[key]
		if child.comment != "" {
			fmt.Fprintf(b, "%s# %s\n", indent, child.comment)
		}
		switch {
		case len(child.keys) > 0:
			fmt.Fprintf(b, "%s%s:\n", indent, key)
			child.write(b, indent+"  ")
		case child.children != nil:
			fmt.Fprintf(b, "%s%s: {}\n", indent, key)
		case child.list != nil:
			fmt.Fprintf(b, "%s%s: [%s]\n", indent, key, strings.Join(child.list, ", "))
		default:
			fmt.Fprintf(b, "%s%s: %s\n", indent, key, child.scalar)
		}
	}
	if len(p.keys) == 0 {
		b.WriteString(indent + "{}\n")
	}
}

// randomTrees returns a base and two versions.
func randomTrees(t *testing.T, r *rand.Rand) (base, ours, theirs *yaml.Node) {
	t.Helper()
	root := &plant{children: map[string]*plant{}}
	for _, key := range []string{"a", "b", "c"} {
		root.add(key, randomPlant(r, 3))
	}
	all := [3]*plant{root, root.clone(), root.clone()}
	for range r.IntN(3) {
		seed := r.Uint64()
		all[1].change(rand.New(rand.NewPCG(seed, 0)), 4)
		all[2].change(rand.New(rand.NewPCG(seed, 0)), 4)
	}
	for _, p := range all[1:] {
		for range r.IntN(5) {
			p.change(r, 4)
		}
	}
	return parse(t, all[0].String()), parse(t, all[1].String()), parse(t, all[2].String())
}

func decode(t *testing.T, n *yaml.Node) any {
	t.Helper()
	var v map[string]any
	if err := n.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// missing stands for what a mapping doesn't have.
type missing struct{}

// oracleValue merges Go values, and adds the paths that are in conflict.
func oracleValue(path string, b, o, t any, conflicts *[]string) any {
	bm, isB := b.(map[string]any)
	om, isO := o.(map[string]any)
	tm, isT := t.(map[string]any)
	switch {
	case isO && isT && (isB || b == any(missing{})):
		merged := map[string]any{}
		for _, m := range []map[string]any{om, tm} {
			for key := range m {
				merged[key] = nil
			}
		}
		of := func(m map[string]any, key string) any {
			if x, ok := m[key]; ok {
				return x
			}
			return missing{}
		}
		for key := range merged {
			merged[key] = oracleValue(path+"/"+key, of(bm, key), of(om, key), of(tm, key), conflicts)
			if merged[key] == any(missing{}) {
				delete(merged, key)
			}
		}
		return merged
	case reflect.DeepEqual(o, b):
		return t
	case !reflect.DeepEqual(o, t) && !reflect.DeepEqual(t, b):
		*conflicts = append(*conflicts, path)
	}
	return o
}

func TestTreesLikeOracle(t *testing.T) {
	seeds(t, 2000, func(t *testing.T, seed uint64) {
		base, ours, theirs := randomTrees(t, rand.New(rand.NewPCG(seed, 2)))
		var wantConflicts []string
		want := oracleValue("", decode(t, base), decode(t, ours), decode(t, theirs), &wantConflicts)
		slices.Sort(wantConflicts)
		merged, conflicts := Trees(base, ours, theirs)
		if diff := diffOf(want, decode(t, merged)); diff != "" {
			t.Errorf("merged (-want +got):\n%s", diff)
		}
		var paths []string
		for _, c := range conflicts {
			paths = append(paths, "/"+strings.Join(c.At, "/"))
		}
		slices.Sort(paths)
		if diff := diffOf(wantConflicts, paths); diff != "" {
			t.Errorf("conflicts (-want +got):\n%s", diff)
		}
	})
}

func TestTreesProperties(t *testing.T) {
	seeds(t, 500, func(t *testing.T, seed uint64) {
		base, ours, theirs := randomTrees(t, rand.New(rand.NewPCG(seed, 2)))
		check := func(what string, want, base, ours, theirs *yaml.Node) {
			got, conflicts := Trees(base, ours, theirs)
			if !identical(want, got) || len(conflicts) > 0 {
				t.Errorf("%s: conflicts %v, want\n%s\ngot\n%s", what, shown(conflicts), encode(t, want), encode(t, got))
			}
		}
		check("theirs is base", ours, base, ours, base)
		check("ours is base", theirs, base, base, theirs)
		check("both alike", ours, base, ours, ours)
		check("both alike, no base", ours, nil, ours, ours)

		merged, conflicts := Trees(base, ours, theirs)
		other, swapped := Trees(base, theirs, ours)
		if diff := diffOf(conflicts, swapped); diff != "" {
			t.Errorf("conflicts with the sides swapped (-want +got):\n%s", diff)
		}
		for _, c := range conflicts {
			merged = c.TakeNode(merged, theirs)
		}
		if !same(rootOf(merged), rootOf(other)) {
			t.Errorf("with all conflicts taken from theirs:\n%s\nand with the sides swapped:\n%s", encode(t, merged), encode(t, other))
		}
	})
}
