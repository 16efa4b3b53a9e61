// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"
)

// content is what objects hold: values by "<secret>/<key>", and by
// "ConfigMap/<name>/<key>".
type content map[string]string

// newSecret returns the manifest of a Secret with random values and adds them
// to all.
func newSecret(all content, name string, keys ...string) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "apiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\n  namespace: prod\ntype: Opaque\nstringData:\n", name)
	for _, key := range keys {
		value := rand.Text()
		all[name+"/"+key] = value
		fmt.Fprintf(&out, "  %s: %s\n", key, value)
	}
	return out.Bytes()
}

// newConfigMap returns the manifest of a ConfigMap with random values and adds
// them to all.
func newConfigMap(all content, name string, keys ...string) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: %s\n  namespace: prod\ndata:\n", name)
	for _, key := range keys {
		value := rand.Text()
		all["ConfigMap/"+name+"/"+key] = value
		fmt.Fprintf(&out, "  %s: %s\n", key, value)
	}
	return out.Bytes()
}

// object is what comes out of the programs.
type object struct {
	Kind       string
	Metadata   struct{ Name string }
	Data       map[string]string
	StringData map[string]string `yaml:"stringData"`
	Items      []object
}

// readContent reads the values of all objects in manifests.
func readContent(r io.Reader) (content, error) {
	all := content{}
	decoder := yaml.NewDecoder(r)
	for {
		var o object
		err := decoder.Decode(&o)
		switch {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, err
		}
		if err := all.add(o); err != nil {
			return nil, err
		}
	}
}

// add adds the values of a Secret, a ConfigMap or a list of them, and takes
// nothing else.
func (all content) add(o object) error {
	switch o.Kind {
	case "ResourceList":
		for _, item := range o.Items {
			if err := all.add(item); err != nil {
				return err
			}
		}
	case "ConfigMap":
		for key, value := range o.Data {
			all["ConfigMap/"+o.Metadata.Name+"/"+key] = value
		}
	case "Secret":
		for key, encoded := range o.Data {
			value, err := base64.StdEncoding.DecodeString(encoded)
			if err != nil {
				return err
			}
			all[o.Metadata.Name+"/"+key] = string(value)
		}
		for key, value := range o.StringData {
			all[o.Metadata.Name+"/"+key] = value
		}
	default:
		return fmt.Errorf("kind %q, want Secret or ConfigMap", o.Kind)
	}
	return nil
}

// verifyOpened checks that files hold exactly these values, in clear.
func verifyOpened(want content, files ...string) error {
	stream, err := joined(files)
	if err != nil {
		return err
	}
	got, err := readContent(bytes.NewReader(stream))
	if err != nil {
		return fmt.Errorf("verify %s: %w", files[0], err)
	}
	if !maps.Equal(got, want) {
		return fmt.Errorf("verify %s: not the values that were sealed", files[0])
	}
	return nil
}

// joined returns files as one YAML stream.
func joined(files []string) ([]byte, error) {
	var stream bytes.Buffer
	for i, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			stream.WriteString("---\n")
		}
		stream.Write(text)
	}
	return stream.Bytes(), nil
}

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o600)
}

// verifyChangedLines checks that two files differ in no more than max lines.
func verifyChangedLines(a, b string, max int) error {
	before, err := os.ReadFile(a)
	if err != nil {
		return err
	}
	after, err := os.ReadFile(b)
	if err != nil {
		return err
	}
	x, y := strings.Split(string(before), "\n"), strings.Split(string(after), "\n")
	if len(x) != len(y) {
		return fmt.Errorf("verify %s: %d lines, before there were %d", b, len(y), len(x))
	}
	changed := 0
	for i := range x {
		if x[i] != y[i] {
			changed++
		}
	}
	if changed == 0 || changed > max {
		return fmt.Errorf("verify %s: %d lines changed, want 1 to %d", b, changed, max)
	}
	return nil
}
