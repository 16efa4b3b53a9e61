// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// function is the program that kustomize runs.
const function = "signet-kustomize"

// sealingKeyDir is userkeys.SealingKeyDir. That package links key services, and
// the bench must need less memory than what it measures; see peakCommand.
const sealingKeyDir = ".signet/keys"

// form is how something sealed is built, or a part of that.
type form string

const (
	alone       form = "function without kustomize" // given what a generator is given
	generator   form = "generator"
	transformer form = "transformer"
	filter      form = "filter"      // signet unseal -- kustomize build
	noFunction  form = "no function" // of clear Secrets
)

// builds are the forms of which one is the fastest.
func builds() []form { return []form{generator, transformer, filter} }

// kustomization is a folder for kustomize: a file for each Secret, sealed or
// not, and for each ConfigMap.
type kustomization struct {
	dir                 string
	secrets, configMaps []string // files to copy there
	sealingKey          string   // the same; "" is none
}

const unsealConfig = `apiVersion: signet.dev/v1alpha1
kind: Unseal
metadata:
  name: secrets
  annotations:
    config.kubernetes.io/function: "exec: {path: ` + function + `}"
`

const filesConfig = "files: [secrets/*.yaml]\n"

// write writes the folder for a form. That of a generator does for the function
// alone, too.
func (k kustomization) write(f form) error {
	secrets, err := copyInto(filepath.Join(k.dir, "secrets"), k.secrets...)
	if err != nil {
		return err
	}
	resources, err := copyInto(filepath.Join(k.dir, "configmaps"), k.configMaps...)
	if err != nil {
		return err
	}
	if k.sealingKey != "" {
		if _, err := copyInto(filepath.Join(k.dir, sealingKeyDir), k.sealingKey); err != nil {
			return err
		}
	}
	config, functions := unsealConfig, ""
	switch f {
	case generator:
		config, functions = config+filesConfig, "generators: [unseal.yaml]\n"
	case transformer:
		resources, functions = append(resources, secrets...), "transformers: [unseal.yaml]\n"
	default:
		resources = append(resources, secrets...)
	}
	return k.writeConfigs(config, functions+yamlList("resources", resources))
}

func (k kustomization) writeConfigs(unseal, kustomization string) error {
	list := "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: []\nfunctionConfig:\n  " +
		strings.ReplaceAll(strings.TrimSpace(unseal), "\n", "\n  ") + "\n"
	for name, text := range map[string]string{"unseal.yaml": unseal, "kustomization.yaml": kustomization, "list.yaml": list} {
		if err := os.WriteFile(filepath.Join(k.dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// yamlList is a field with a list, and nothing if that is empty.
func yamlList(field string, items []string) string {
	if len(items) == 0 {
		return ""
	}
	return field + ":\n- " + strings.Join(items, "\n- ") + "\n"
}

// copyInto copies files to a folder, which it makes, and returns their paths
// from the one above.
func copyInto(dir string, files ...string) ([]string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	paths := make([]string, len(files))
	for i, file := range files {
		paths[i] = filepath.Join(filepath.Base(dir), filepath.Base(file))
		if err := copyFile(file, filepath.Join(dir, filepath.Base(file))); err != nil {
			return nil, err
		}
	}
	return paths, nil
}

// build is the command that builds a folder that was written for a form.
func (b *bench) build(f form, dir string, env []string) command {
	c := command{
		env:    append([]string{"PATH=" + b.dir + string(filepath.ListSeparator) + os.Getenv("PATH")}, env...),
		stdout: filepath.Join(dir, "built"),
	}
	kustomize := []string{b.kustomize, "build", "."}
	switch f {
	case alone:
		c.args, c.stdin = []string{filepath.Join(b.dir, function)}, filepath.Join(dir, "list.yaml")
	case generator, transformer:
		c.args = append(kustomize, "--enable-alpha-plugins", "--enable-exec")
	case filter:
		c.args = append([]string{b.signet, "unseal", "--"}, kustomize...)
	case noFunction:
		c.args = kustomize
	default:
		panic(fmt.Sprintf("unknown form %q", f))
	}
	return c
}
