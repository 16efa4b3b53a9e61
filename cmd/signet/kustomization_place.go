// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"regexp"
	"strings"

	"github.com/signet-secrets/signet/internal/report"
)

// surety is how well the name of a Secret in the output is known, best first.
type surety int

const (
	exactly surety = iota
	within         // something may stand before and behind it
	unknown
)

// destination is where a Secret comes out: PREFIX NAME SUFFIX [-HASH].
type destination struct {
	namespace      string
	anyNamespace   bool
	prefix, suffix string // outside of name
	name           string
	nameIs         surety
	hash           bool // kustomize may add one, after all else
}

// defaultNamespace is the same to kustomize as none (kyaml: resid/resid.go,
// IsNsEquals).
const defaultNamespace = "default"

// fits reports whether a Secret has come out there.
func (p destination) fits(namespace, name string) bool {
	if !p.anyNamespace && cmp.Or(namespace, defaultNamespace) != cmp.Or(p.namespace, defaultNamespace) {
		return false
	}
	if p.fitsName(name) {
		return true
	}
	name, ok := withoutHash(name)
	return ok && p.hash && p.fitsName(name)
}

func (p destination) fitsName(name string) bool {
	name, before := strings.CutPrefix(name, p.prefix)
	name, behind := strings.CutSuffix(name, p.suffix)
	switch {
	case !before || !behind:
		return false
	case p.nameIs == exactly:
		return name == p.name
	case p.nameIs == within:
		return strings.Contains(name, p.name)
	}
	return name != ""
}

// withoutHash takes the hash of kustomize off a name (kustomize api:
// hasher/hasher.go, encode).
func withoutHash(name string) (string, bool) {
	const digits, alphabet = 10, "bcdfghkmt2456789"
	i := len(name) - digits - 1
	if i < 1 || name[i] != '-' || strings.Trim(name[i+1:], alphabet) != "" {
		return name, false
	}
	return name[:i], true
}

// String is the destination for people, with ... for what is not known.
func (p destination) String() string {
	name := p.name
	if p.nameIs == within {
		name = "..." + name + "..."
	}
	name = p.prefix + name + p.suffix
	if p.hash {
		name += "[-HASH]"
	}
	switch {
	case p.anyNamespace:
		name = ".../" + name
	case p.namespace != "":
		name = p.namespace + "/" + name
	}
	return report.Visible(name)
}

// move gives the Secret the name and namespace that a kustomization sets.
func (p *destination) move(k *kustomization) {
	p.prefix = k.NamePrefix + p.prefix
	p.suffix += k.NameSuffix
	if k.Namespace != "" {
		p.namespace, p.anyNamespace = k.Namespace, false
	}
}

// loosening is what a kustomization can do to names that is not read exactly.
type loosening struct {
	only      *regexp.Regexp // the names that it is for, all if nil
	affixes   bool           // something before and behind the name
	name      bool           // another one
	namespace bool
}

// anything is what a function may do that this program does not know.
func anything() loosening { return loosening{name: true, namespace: true} }

// loosen gives up what is no longer known.
func (p *destination) loosen(l loosening) {
	current := p.prefix + p.name + p.suffix
	if l.only != nil && p.nameIs == exactly && !l.only.MatchString(current) && !l.only.MatchString(p.name) {
		return
	}
	p.anyNamespace = p.anyNamespace || l.namespace
	if l.affixes || l.name {
		p.prefix, p.name, p.suffix = "", current, ""
	}
	switch {
	case l.name || p.nameIs == unknown:
		p.nameIs = unknown
	case l.affixes:
		p.nameIs = within
	}
}
