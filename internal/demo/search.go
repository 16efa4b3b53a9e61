// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// minPattern is the length in bytes below which a line of a value is not
// searched for, because it may well stand somewhere by chance.
const minPattern = 8

// printPatterns prints what `grep -F -f` should look for: the lines of each
// value that is text, and each value in base64 and hex.
func printPatterns(w io.Writer, valuesDir string) error {
	out := bufio.NewWriter(w)
	err := filepath.WalkDir(valuesDir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == typeFile {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		forms := []string{base64.StdEncoding.EncodeToString(content), hex.EncodeToString(content)}
		if utf8.Valid(content) {
			forms = append(forms, strings.Split(string(content), "\n")...)
		}
		for _, form := range forms {
			// An empty pattern would match everything, and a short one anything.
			if form = strings.TrimSpace(form); len(form) >= minPattern {
				fmt.Fprintln(out, form)
			}
		}
		return nil
	})
	return errors.Join(err, out.Flush())
}

// extract reads a stream of manifests and writes the values of its Secrets, as
// Kubernetes understands them.
func extract(r io.Reader, valuesDir string) error {
	decoder := yaml.NewDecoder(r)
	for {
		var object struct {
			APIVersion string `yaml:"apiVersion"`
			Kind       string
			Metadata   struct{ Name string }
			Type       string
			Data       map[string]string
			StringData map[string]string `yaml:"stringData"`
		}
		err := decoder.Decode(&object)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if object.APIVersion != "v1" || object.Kind != "Secret" {
			continue
		}
		var values []value
		for key, encoded := range object.Data {
			content, err := base64.StdEncoding.DecodeString(encoded)
			if err != nil {
				return fmt.Errorf("%s: data.%s: not base64", object.Metadata.Name, key)
			}
			values = append(values, file(key, content))
		}
		for key, content := range object.StringData {
			values = append(values, text(key, content))
		}
		if err := writeValues(valuesDir, object.Metadata.Name, object.Type, values); err != nil {
			return err
		}
	}
}
