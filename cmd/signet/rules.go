// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/krm"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// encryptedPrefixBase64 is sopsdoc.ValuePrefix as it begins in a Secret that
// kustomize has made of an encrypted file.
const encryptedPrefixBase64 = "RU5DW0FFUzI1Nl9HQ00s"

// isFunction reports whether an object tells a function what to open.
func isFunction(o *manifest.Object) bool {
	return o.Group() == sopsdoc.Group && o.Kind() == krm.UnsealKind || o.APIVersion() == krm.KSOPSAPIVersion && o.Kind() == krm.KSOPSKind
}

// clearSecrets finds Secrets with values in clear, or that look as if they were
// not.
func clearSecrets(in input) ([]finding, error) {
	var all []finding
	_, err := in.objects(func(f found) (bool, error) {
		if f.IsSecret() {
			all = append(all, in.clearSecret(f)...)
		}
		return false, nil
	}, "Secret")
	return all, err
}

// clearSecret looks at one Secret.
func (in input) clearSecret(f found) (all []finding) {
	v := valuesOf(f)
	for _, is := range []struct {
		keys          []string
		message, hint string
	}{
		{v.clear, "a Secret with values in clear: ", in.clearHint(f)},
		{v.misnamed, "a Secret with values in clear, in fields that Kubernetes does not know: ", misnamedHint},
		{v.fake, "a Secret with values that look encrypted and are no ciphertext of SOPS: ", fakeHint},
		{v.orphaned, "a Secret with encrypted values and without the mac of SOPS: ", fakeHint},
	} {
		if len(is.keys) > 0 {
			clear := f.find(in.name, ruleClearSecret, is.message+some(is.keys), is.hint)
			clear.Keys = is.keys
			all = append(all, clear)
		}
	}
	return all
}

const (
	misnamedHint = "the fields of a Secret are data and stringData, in this case of letters: correct the name, then seal it"
	fakeHint     = "nothing opens them: restore the file from Git, or put the values in and seal it"
)

func (in input) clearHint(f found) string {
	switch {
	case f.mac() != "":
		return "somebody has written them into it, or it was encrypted with a selector that leaves them out: encrypt it again"
	case in.name == "-":
		return "seal it: signet seal"
	}
	return "seal it: signet seal -i " + report.Quoted(in.name)
}

// mac returns the mac of the SOPS document that an object is, or is an item of.
func (f found) mac() string {
	return cmp.Or(sopsdoc.FileMAC(f.Node), sopsdoc.FileMAC(f.root))
}

// secretValues are the keys of a Secret by what their values are. Empty ones,
// and those that SOPS has encrypted, are left out.
type secretValues struct {
	clear    []string
	misnamed []string // paths in fields like Data, which Git shows all the same
	fake     []string // look like a ciphertext of SOPS
	orphaned []string // are one, where no mac says that SOPS has put it there

	bySOPS       bool // the document has a mac of SOPS
	placeholders bool // another program puts values in the place of <NAME>
}

func valuesOf(f found) secretValues {
	var v secretValues
	_, err := sopsdoc.ParseValue(f.mac())
	v.bySOPS, v.placeholders = err == nil, hasPlaceholders(f.Node)
	for _, field := range manifest.Keys(f.Node) {
		known := field == "data" || field == "stringData"
		if !known && !strings.EqualFold(field, "data") && !strings.EqualFold(field, "stringData") {
			continue
		}
		m := manifest.Get(f.Node, field)
		if m.Kind != yaml.MappingNode {
			v.add(field, m, known)
			continue
		}
		for _, key := range manifest.Keys(m) {
			shown := key
			if !known {
				shown = manifest.ChildPath(field, key)
			}
			v.add(shown, manifest.Get(m, key), known)
		}
	}
	return v
}

// add notes a key by the worst of what stands below it, in a field that
// Kubernetes knows or not.
func (v *secretValues) add(key string, n *yaml.Node, known bool) {
	switch looks := lookOf(n, v.placeholders); {
	case looks == inClear && known:
		v.clear = append(v.clear, key)
	case looks == inClear:
		v.misnamed = append(v.misnamed, key)
	case looks == looksEncrypted:
		v.fake = append(v.fake, key)
	case looks == encrypted && !v.bySOPS:
		v.orphaned = append(v.orphaned, key)
	}
}

// look is what a value looks like, the worse the higher.
type look int

const (
	empty look = iota
	encrypted
	looksEncrypted
	inClear
)

// lookOf returns the worst look of the values in a tree. placeholders says that
// <NAME> is none.
func lookOf(n *yaml.Node, placeholders bool) look {
	switch {
	case manifest.IsNull(n), n.Kind == yaml.ScalarNode && (n.Value == "" || isReference(n.Value, placeholders)):
		return empty
	case n.Kind == yaml.ScalarNode && !sopsdoc.LooksEncrypted(n.Value):
		return inClear
	case n.Kind == yaml.ScalarNode:
		if _, err := sopsdoc.ParseValue(strings.TrimSpace(n.Value)); err != nil {
			return looksEncrypted
		}
		return encrypted
	}
	worst := empty
	for _, child := range n.Content {
		worst = max(worst, lookOf(child, placeholders))
	}
	return worst
}

// some lists names, not all of them if there are many.
func some(names []string) string {
	const most = 5
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}
