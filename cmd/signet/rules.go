// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// Configurations of functions that open documents.
const (
	unsealKind      = "Unseal"
	ksopsAPIVersion = "viaduct.ai/v1"
	ksopsKind       = "ksops"
)

// How a value looks that SOPS has encrypted (sops: aes/cipher.go), also in
// base64, as it is in a Secret that kustomize has made of an encrypted file.
const (
	encryptedPrefix       = "ENC[AES256_GCM,"
	encryptedPrefixBase64 = "RU5DW0FFUzI1Nl9HQ00s"
)

// isFunction reports whether an object tells a function what to open.
func isFunction(o *manifest.Object) bool {
	return o.Group() == sopsdoc.Group && o.Kind() == unsealKind || o.APIVersion() == ksopsAPIVersion && o.Kind() == ksopsKind
}

// clearSecrets finds Secrets with values in clear.
func clearSecrets(in input) ([]finding, error) {
	var all []finding
	_, err := in.objects(func(f found) (bool, error) {
		if !f.IsSecret() {
			return false, nil
		}
		if keys := clearKeys(f.Node); len(keys) > 0 {
			all = append(all, f.find(in.name, ruleClearSecret, "a Secret with values in clear: "+some(keys), in.clearHint(f)))
		}
		return false, nil
	}, "Secret")
	return all, err
}

func (in input) clearHint(f found) string {
	switch {
	case sopsdoc.FileMAC(f.Node) != "":
		return "somebody has written them into it, or it was encrypted with a selector that leaves them out: encrypt it again"
	case in.name == "-":
		return "seal it: signet seal"
	}
	return "seal it: signet seal -i " + report.Quoted(in.name)
}

// clearKeys returns the keys of a Secret whose values are neither empty nor
// encrypted by SOPS.
func clearKeys(n *yaml.Node) []string {
	var keys []string
	for _, field := range []string{"data", "stringData"} {
		m := manifest.Get(n, field)
		if m == nil || m.Kind != yaml.MappingNode {
			if hasClear(m) {
				keys = append(keys, field)
			}
			continue
		}
		for _, key := range manifest.Keys(m) {
			if hasClear(manifest.Get(m, key)) {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

func hasClear(n *yaml.Node) bool {
	switch {
	case manifest.IsNull(n):
		return false
	case n.Kind == yaml.ScalarNode:
		return n.Value != "" && !isEncrypted(n.Value)
	}
	return slices.ContainsFunc(n.Content, hasClear)
}

func isEncrypted(value string) bool {
	value = strings.TrimSpace(value)
	return strings.HasPrefix(value, encryptedPrefix) && strings.HasSuffix(value, "]")
}

// some lists names, not all of them if there are many.
func some(names []string) string {
	const most = 5
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}
