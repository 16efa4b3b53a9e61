// SPDX-License-Identifier: Apache-2.0

package testcluster

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigsyaml "sigs.k8s.io/yaml"
)

// parseManifests reads a stream of YAML or JSON documents. Empty ones are left
// out, and a List is its items.
func parseManifests(stream []byte) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	reader := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(stream)))
	for n := 1; ; n++ {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read manifests: document %d: %w", n, err)
		}
		content := map[string]any{}
		if err := sigsyaml.UnmarshalStrict(document, &content); err != nil {
			return nil, fmt.Errorf("read manifests: document %d: %w", n, err)
		}
		if len(content) == 0 {
			continue
		}
		items, err := listItems(&unstructured.Unstructured{Object: content})
		if err != nil {
			return nil, fmt.Errorf("read manifests: document %d: %w", n, err)
		}
		objects = append(objects, items...)
	}
}

func listItems(o *unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	if o.GetKind() == "" || o.GetAPIVersion() == "" {
		return nil, errors.New("no apiVersion or kind")
	}
	if !o.IsList() {
		return []*unstructured.Unstructured{o}, nil
	}
	var items []*unstructured.Unstructured
	list, err := o.ToList()
	if err != nil {
		return nil, err
	}
	for i := range list.Items {
		items = append(items, &list.Items[i])
	}
	return items, nil
}

// describe names an object for an error: "Secret team-a/db".
func describe(o *unstructured.Unstructured) string {
	name := o.GetName()
	if ns := o.GetNamespace(); ns != "" {
		name = ns + "/" + name
	}
	return o.GetKind() + " " + name
}
