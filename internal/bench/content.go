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

// content is what Secrets hold: values by "<secret>/<key>".
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

// readContent reads the values of all Secrets in manifests.
func readContent(r io.Reader) (content, error) {
	all := content{}
	decoder := yaml.NewDecoder(r)
	for {
		var object struct {
			Kind       string
			Metadata   struct{ Name string }
			Data       map[string]string
			StringData map[string]string `yaml:"stringData"`
		}
		err := decoder.Decode(&object)
		switch {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, err
		case object.Kind != "Secret":
			return nil, fmt.Errorf("kind %q, want Secret", object.Kind)
		}
		for key, encoded := range object.Data {
			value, err := base64.StdEncoding.DecodeString(encoded)
			if err != nil {
				return nil, err
			}
			all[object.Metadata.Name+"/"+key] = string(value)
		}
		for key, value := range object.StringData {
			all[object.Metadata.Name+"/"+key] = value
		}
	}
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
