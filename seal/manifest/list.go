// SPDX-License-Identifier: Apache-2.0

package manifest

import "go.yaml.in/yaml/v3"

// List returns the items of the list in a field of the mapping n, nil if that
// is absent or null. path is that of n, for the error: a *SyntaxError if it is
// no list.
func List(n *yaml.Node, path, field string) ([]*yaml.Node, error) {
	list := Get(n, field)
	switch {
	case IsNull(list):
		return nil, nil
	case list.Kind != yaml.SequenceNode:
		return nil, &SyntaxError{Line: list.Line, Path: ChildPath(path, field), Reason: "must be a list"}
	}
	return list.Content, nil
}

// Strings is List where each item must be a string that is not empty.
func Strings(n *yaml.Node, path, field string) ([]string, error) {
	list, err := List(n, path, field)
	var all []string
	for _, item := range list {
		if !IsString(item) || item.Value == "" {
			return nil, &SyntaxError{Line: item.Line, Path: ChildPath(path, field), Reason: "must be a list of strings"}
		}
		all = append(all, item.Value)
	}
	return all, err
}
