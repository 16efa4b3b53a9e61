// SPDX-License-Identifier: Apache-2.0

package sopsfile

import (
	"strconv"
	"strings"

	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// What joins the steps of a path in formats without nesting (sops:
// stores/flatten.go): age__list_0__map_enc is .age[0].enc.
const (
	mapMark  = "__map_"
	listMark = "__list_"
)

// maxFlatItems bounds the lists of metadata, whose largest holds keys.
const maxFlatItems = 1000

// flatNode is a place in metadata while it is put together: a text, or what
// stands below, in order.
type flatNode struct {
	text     any // nil, or the value
	list     bool
	children []flatChild
}

type flatChild struct {
	name string // a key, or a number in decimal
	node *flatNode
}

// unflatten makes the metadata that a mapping of flattened paths stands for,
// nil of an empty one, with the two fields that are not text in their types.
func unflatten(flat sopsdoc.Branch) (sopsdoc.Branch, error) {
	root := &flatNode{}
	for _, item := range flat {
		if item.Comment != nil {
			continue
		}
		if !root.add(item.Key, item.Value) {
			return nil, invalid(manifest.ChildPath(sopsdoc.MetadataKey, item.Key), "does not fit the other fields")
		}
	}
	if len(root.children) == 0 {
		return nil, nil
	}
	block, err := root.branch()
	if err != nil {
		return nil, err
	}
	for i, item := range block {
		if block[i].Value, err = typedField(item); err != nil {
			return nil, err
		}
	}
	return block, nil
}

// add puts a value at a flattened path. It reports false where there is one.
func (n *flatNode) add(path string, value any) bool {
	list := false
	for {
		name, rest, mark := cutMark(path)
		if n = n.child(name, list); n == nil {
			return false
		}
		if mark == "" {
			break
		}
		list, path = mark == listMark, rest
	}
	if n.text != nil || len(n.children) > 0 {
		return false
	}
	n.text = value
	return true
}

// cutMark cuts path before its first mark.
func cutMark(path string) (name, rest, mark string) {
	for i := range len(path) {
		for _, mark := range []string{mapMark, listMark} {
			if rest, ok := strings.CutPrefix(path[i:], mark); ok {
				return path[:i], rest, mark
			}
		}
	}
	return path, "", ""
}

// child returns the node of a name, made if need be, or nil where there can be
// none.
func (n *flatNode) child(name string, list bool) *flatNode {
	if n.text != nil || len(n.children) > 0 && n.list != list || len(n.children) >= maxFlatItems {
		return nil
	}
	n.list = list
	for _, c := range n.children {
		if c.name == name {
			return c.node
		}
	}
	made := &flatNode{}
	n.children = append(n.children, flatChild{name, made})
	return made
}

func (n *flatNode) value() (any, error) {
	switch {
	case n.text != nil:
		return n.text, nil
	case n.list:
		return n.items()
	}
	return n.branch()
}

func (n *flatNode) branch() (sopsdoc.Branch, error) {
	b := make(sopsdoc.Branch, 0, len(n.children))
	for _, c := range n.children {
		v, err := c.node.value()
		if err != nil {
			return nil, err
		}
		b = append(b, sopsdoc.Item{Key: c.name, Value: v})
	}
	return b, nil
}

// items returns a list, whose numbers must be 0 and those that follow.
func (n *flatNode) items() ([]any, error) {
	items := make([]any, len(n.children))
	for _, c := range n.children {
		i, err := strconv.Atoi(c.name)
		if err != nil || strconv.Itoa(i) != c.name || i < 0 || i >= len(items) {
			return nil, invalid(sopsdoc.MetadataKey, "has a list that is not complete")
		}
		if items[i], err = c.node.value(); err != nil {
			return nil, err
		}
	}
	return items, nil
}

// typedField reads the fields of metadata that are not text.
func typedField(item sopsdoc.Item) (any, error) {
	text, _ := item.Value.(string)
	path := manifest.ChildPath(sopsdoc.MetadataKey, item.Key)
	switch item.Key {
	case "mac_only_encrypted":
		if text != "true" && text != "false" {
			return nil, invalid(path, "must be true or false")
		}
		return text == "true", nil
	case "shamir_threshold":
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, invalid(path, "must be a small whole number")
		}
		return n, nil
	}
	return item.Value, nil
}
