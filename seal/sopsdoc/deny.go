// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/signet-secrets/signet/seal/manifest"
)

// Policy lists what may neither be sealed nor come out of a document. It is a
// value: operators make larger ones, nothing makes a smaller one than Denied.
type Policy struct {
	// Types are Secret types.
	Types []string
	// Metadata are label and annotation keys. A final * stands for any rest,
	// key=value for one value of a key.
	Metadata []string
	// Listed ends the sentence about what is denied and is not in Denied. It may
	// say whose list that is. "" is a text that does not.
	Listed string
}

// Denied returns what is always denied: Secret types with which the holder
// gets a credential of the cluster or forges a Helm release, metadata that
// Signet itself acts on, and the marks by which other tools know what is
// theirs to prune or to overwrite.
func Denied() Policy {
	return Policy{
		Types: []string{
			"kubernetes.io/service-account-token",
			"bootstrap.kubernetes.io/token",
			"helm.sh/release.v1",
		},
		Metadata: []string{
			"signet.dev/*",
			"argocd.argoproj.io/tracking-id",
			"argocd.argoproj.io/instance",
			"kustomize.toolkit.fluxcd.io/*",
			"meta.helm.sh/*",
			"app.kubernetes.io/managed-by=Helm",
		},
	}
}

// mergeAnnotation is the one annotation of Signet's own that a sealed Secret
// may carry: its owner's consent to share it.
const mergeAnnotation = "signet.dev/merge"

// Extend returns p with what more lists, and with its text about that.
func (p Policy) Extend(more Policy) Policy {
	return Policy{Types: slices.Concat(p.Types, more.Types), Metadata: slices.Concat(p.Metadata, more.Metadata), Listed: more.Listed}
}

// Check returns a *DeniedError for the first thing in a Secret that p denies.
func (p Policy) Check(secretType string, labels, annotations map[string]string) error {
	switch {
	case slices.Contains(Denied().Types, secretType) && slices.Contains(p.Types, secretType):
		return &DeniedError{Path: "type", Reason: "a Secret of type " + secretType + " may not be sealed"}
	case slices.Contains(p.Types, secretType):
		return &DeniedError{Path: "type", Reason: "a Secret of type " + secretType + " " + p.listed()}
	}
	if err := p.checkMetadata("labels", labels); err != nil {
		return err
	}
	return p.checkMetadata("annotations", annotations)
}

func (p Policy) checkMetadata(field string, m map[string]string) error {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		path := manifest.ChildPath(field, key)
		switch {
		case key == "signet":
			// A selector of another reader must never reach what stands under
			// a key of this name.
			return &DeniedError{Path: path, Reason: `the key "signet" is reserved`}
		case key == mergeAnnotation && field == "annotations":
		case slices.Contains(p.Metadata, key+"="+m[key]):
			return &DeniedError{Path: path, Reason: "with the value " + m[key] + " " + p.why(key+"="+m[key])}
		default:
			if rules := matching(p.Metadata, key); len(rules) > 0 {
				return &DeniedError{Path: path, Reason: p.why(rules...)}
			}
		}
	}
	return nil
}

func (p Policy) listed() string {
	return cmp.Or(p.Listed, "is on a deny-list, and may be neither sealed nor opened here")
}

// why says on whose account rules for metadata deny: those that were added are
// no marks of anybody.
func (p Policy) why(rules ...string) string {
	always := Denied().Metadata
	if slices.ContainsFunc(rules, func(rule string) bool { return slices.Contains(always, rule) }) {
		return "is a mark of another tool or of Signet, and may be neither sealed nor opened"
	}
	return p.listed()
}

// matching returns the rules that deny a key whatever its value.
func matching(rules []string, key string) []string {
	var found []string
	for _, rule := range rules {
		if matches(rule, key) {
			found = append(found, rule)
		}
	}
	return found
}

func matches(rule, key string) bool {
	if prefix, ok := strings.CutSuffix(rule, "*"); ok {
		return strings.HasPrefix(key, prefix)
	}
	return key == rule
}
