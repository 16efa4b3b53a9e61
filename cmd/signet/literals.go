// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// literalFlags build a Secret on the command line, as `kubectl create secret`
// does, so that it never is in a file in clear.
type literalFlags struct {
	literals []string
	files    []string
	envFiles []string
	name     string
	kind     string
}

func (f *literalFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.literals, "from-literal", nil, "make a Secret with this `KEY=VALUE` (others can see it in the process list)")
	flags.StringArrayVar(&f.files, "from-file", nil, "make a Secret with the content of a file: `[KEY=]FILE`, - for stdin")
	flags.StringArrayVar(&f.envFiles, "from-env-file", nil, "make a Secret of the KEY=VALUE lines in `FILE`, - for stdin")
	flags.StringVar(&f.name, "name", "", "`NAME` of the Secret that --from-... makes")
	flags.StringVar(&f.kind, "type", "", "`TYPE` of the Secret that --from-... makes, such as kubernetes.io/basic-auth")
}

// used reports whether a Secret is to be built.
func (f *literalFlags) used() bool { return len(f.literals)+len(f.files)+len(f.envFiles) > 0 }

func (f *literalFlags) check(cmd *cobra.Command, args []string) error {
	switch {
	case !f.used() && (f.name != "" || f.kind != ""):
		return usagef(cmd, "--name and --type are for Secrets that --from-literal, --from-file or --from-env-file make")
	case f.used() && len(args) > 0:
		return usagef(cmd, "name files to seal or build a Secret with --from-..., not both")
	case f.used() && f.name == "":
		return usagef(cmd, "--from-... needs --name, the name of the Secret")
	case f.used() && !sopsdoc.ValidSecretName(f.name):
		return usagef(cmd, "--name %q is not a valid name for a Secret", f.name)
	}
	for _, literal := range f.literals {
		// The key is not shown: it may be a value, if the key was forgotten.
		if key, _, ok := strings.Cut(literal, "="); !ok || !sopsdoc.ValidDataKey(key) {
			return usagef(cmd, "--from-literal must be KEY=VALUE, with only letters, digits, -, _ and . in KEY")
		}
	}
	return nil
}

// build makes the Secret.
func (f *literalFlags) build(namespace string, stdin io.Reader, allowEmpty bool) (*manifest.Secret, error) {
	b := builder{stdin: stdin, allowEmpty: allowEmpty, secret: &manifest.Secret{
		Name: f.name, Namespace: namespace, Type: f.kind,
		Data: map[string][]byte{}, StringData: map[string]string{},
	}}
	for _, literal := range f.literals {
		key, value, _ := strings.Cut(literal, "=") // check has seen the sign
		if err := b.put(key, []byte(value)); err != nil {
			return nil, fmt.Errorf("--from-literal: %w", err)
		}
	}
	for _, arg := range f.files {
		if err := b.putFile(arg); err != nil {
			return nil, fmt.Errorf("--from-file: %w", err)
		}
	}
	for _, path := range f.envFiles {
		if err := b.putEnvFile(path); err != nil {
			return nil, fmt.Errorf("--from-env-file: %s: %w", report.Source(path), err)
		}
	}
	return b.secret, nil
}

// dataKeyError says that a name, for example of a file, cannot be a key.
type dataKeyError struct{ key string }

func (e *dataKeyError) Error() string {
	return fmt.Sprintf("%q is not a valid key: letters, digits, -, _ and . only", e.key)
}

type builder struct {
	stdin      io.Reader
	read       bool // stdin was read
	allowEmpty bool
	secret     *manifest.Secret
}

// put adds a value: as text if it is text, else as binary data.
func (b *builder) put(key string, value []byte) error {
	if !sopsdoc.ValidDataKey(key) {
		return &dataKeyError{key}
	}
	_, text := b.secret.StringData[key]
	_, binary := b.secret.Data[key]
	if text || binary {
		return fmt.Errorf("key %q is given twice", key)
	}
	if utf8.Valid(value) && !bytes.ContainsRune(value, 0) {
		b.secret.StringData[key] = string(value)
		return nil
	}
	b.secret.Data[key] = value
	return nil
}

func (b *builder) putFile(arg string) error {
	key, path, ok := strings.Cut(arg, "=")
	switch {
	case arg == "-":
		return fmt.Errorf("stdin: %w", &dataKeyError{arg})
	case !ok:
		key, path = filepath.Base(arg), arg
	}
	value, err := b.readFile(path)
	if err != nil {
		return fmt.Errorf("%s: %w", report.Source(path), err)
	}
	return b.put(key, value)
}

// readFile reads a value, at most as much as a Secret can hold.
func (b *builder) readFile(path string) ([]byte, error) {
	r := b.stdin
	if path == "-" {
		if b.read {
			return nil, errors.New("can be read only once")
		}
		b.read = true
	} else {
		f, err := os.Open(path)
		if err != nil {
			return nil, report.Cause(err)
		}
		defer f.Close()
		r = f
	}
	const limit = 1 << 20
	value, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, report.Cause(err)
	}
	switch {
	case len(value) > limit:
		return nil, errors.New("is larger than 1 MiB, the most that a Secret can hold")
	case len(value) == 0 && path == "-" && !b.allowEmpty:
		return nil, errEmpty
	}
	return value, nil
}

// putEnvFile reads KEY=VALUE lines as kubectl does: blank lines and lines that
// begin with # are skipped, nothing is unquoted.
func (b *builder) putEnvFile(path string) error {
	data, err := b.readFile(path)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(bytes.NewReader(bytes.TrimPrefix(data, []byte("\uFEFF"))))
	lines.Buffer(nil, len(data)+1)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimLeft(lines.Text(), " \t")
		if line == "" || line[0] == '#' {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			return fmt.Errorf("line %d is not KEY=VALUE", n)
		}
		if !sopsdoc.ValidDataKey(key) {
			return fmt.Errorf("line %d does not begin with a valid key", n)
		}
		if err := b.put(key, []byte(value)); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	return lines.Err()
}
