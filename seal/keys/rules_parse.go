// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"github.com/signet-secrets/signet/seal/manifest"
)

// maxKeyGroups is how many shares Shamir's scheme over GF(256) can make
// (sops: shamir/shamir.go, Split).
const maxKeyGroups = 255

// ParseRules reads a rules file: the `creation_rules` of SOPS 3.13.3, every
// rule checked whether it is going to match or not. `destination_rules` and
// `stores` may stand in the file and have no effect. It reads no files; path
// becomes Rules.Path. The error is a *RulesError.
func ParseRules(path string, data []byte) (*Rules, error) {
	if at := privateKey().FindIndex(data); at != nil {
		return nil, &RulesError{Path: path, Line: 1 + bytes.Count(data[:at[0]], []byte("\n")), Reason: secretReason}
	}
	doc, err := manifest.Parse(data)
	if err != nil {
		return nil, fromManifest(path, err)
	}
	root := spot{path: path, node: manifest.Root(doc)}
	if manifest.IsNull(root.node) {
		return nil, root.fail("empty file, want creation_rules")
	}
	if err := root.checkObject(rulesFields()); err != nil {
		return nil, err
	}
	rules := root.get("creation_rules")
	if rules.node == nil {
		return nil, root.fail("no creation_rules")
	}
	out := &Rules{Path: path}
	for i, s := range rules.items() {
		r, err := parseRule(s)
		if err != nil {
			return nil, err
		}
		r.Index = i
		out.Rules = append(out.Rules, r)
	}
	return out, nil
}

func fromManifest(path string, err error) error {
	e := &RulesError{Path: path, Reason: "not valid YAML"}
	var syntax *manifest.SyntaxError
	if errors.As(err, &syntax) {
		e.Line = syntax.Line
		if !isSecret(syntax.Path) && !isSecret(syntax.Reason) {
			e.Field, e.Reason = syntax.Path, syntax.Reason
		}
	}
	return e
}

func parseRule(s spot) (Rule, error) {
	s.lines = map[string]int{}
	r := Rule{
		PathRegex:          s.get("path_regex").text(),
		MACOnlyEncrypted:   s.get("mac_only_encrypted").isTrue(),
		FreshKey:           s.get("fresh_key").isTrue(),
		RequirePostQuantum: s.get("require_post_quantum").isTrue(),
		lines:              s.lines,
	}
	var err error
	if r.PathRegex != "" {
		if r.path, err = compileRegex(r.PathRegex); err != nil {
			return Rule{}, s.get("path_regex").fail("%s", err)
		}
	}
	if r.Selector, err = parseSelector(s); err != nil {
		return Rule{}, err
	}
	if r.Recipients, err = parseRecipients(s); err != nil {
		return Rule{}, err
	}
	return r, nil
}

func parseSelector(rule spot) (Selector, error) {
	var found Selector
	for _, kind := range SelectorKinds {
		s := rule.get(string(kind))
		if s.node == nil {
			continue
		}
		if !found.IsZero() {
			return Selector{}, s.fail("a rule has at most one selector, and this one has %s too", found.Kind)
		}
		var err error
		if found, err = NewSelector(kind, s.text()); err != nil {
			return Selector{}, s.fail("%s", err)
		}
	}
	return found, nil
}

func parseRecipients(rule spot) (Recipients, error) {
	group, err := parseFlatKeys(rule)
	if err != nil {
		return Recipients{}, err
	}
	r := Recipients{Groups: []Group{group}}
	if groups := rule.get("key_groups"); groups.node != nil {
		if r.Groups, err = parseKeyGroups(groups); err != nil {
			return Recipients{}, err
		}
	} else if len(group) == 0 {
		return Recipients{}, rule.fail("no keys: give age, kms, another key type or key_groups")
	}
	r.Threshold, err = parseThreshold(rule.get("shamir_threshold"), len(r.Groups))
	return r, err
}

// parseThreshold refuses what SOPS refuses when it splits the data key
// (sops: shamir/shamir.go, Split), and a threshold that nothing can reach.
func parseThreshold(s spot, groups int) (int, error) {
	if s.node == nil {
		return 0, nil
	}
	var n int
	if err := s.node.Decode(&n); err != nil {
		return 0, s.fail("want a whole number")
	}
	switch {
	case n < 0:
		return 0, s.fail("is negative, want 0 (all key groups) to %d", groups)
	case n > groups && groups == 1:
		return 0, s.fail("%d key groups are needed, but the rule has only one: without key_groups all keys are in one group", n)
	case n > groups:
		return 0, s.fail("%d key groups are needed, but the rule has only %d", n, groups)
	case n == 1 && groups > 1:
		return 0, s.fail("one key group cannot be enough where there are several: put all keys into one group, or need at least 2")
	}
	return n, nil
}

// flatKey is a field of a rule that holds keys of one type.
type flatKey struct {
	name string
	typ  Type
}

func flatKeys() []flatKey {
	return []flatKey{
		{"age", Age}, {"pgp", PGP}, {"kms", AWSKMS}, {"gcp_kms", GCPKMS},
		{"hckms", HuaweiKMS}, {"azure_keyvault", AzureKV}, {"hc_vault_transit_uri", Vault},
	}
}

// parseFlatKeys reads the keys that stand in the rule itself. SOPS ignores
// them beside key_groups; then whoever wrote them would be surprised.
func parseFlatKeys(rule spot) (Group, error) {
	grouped := rule.get("key_groups").node != nil
	profile := rule.get("aws_profile")
	if grouped && profile.node != nil {
		return nil, profile.fail("has no effect beside key_groups: write it into their kms entries")
	}
	var g Group
	for _, key := range flatKeys() {
		s := rule.get(key.name)
		if grouped && s.node != nil {
			return nil, s.fail("has no effect beside key_groups: write it into the groups")
		}
		for _, item := range s.items() {
			entries, err := ParseRecipients(key.typ, item.text())
			if err != nil {
				return nil, item.fail("%s", err)
			}
			item.here(entries...)
			g = append(g, entries...)
		}
	}
	for i, e := range g {
		if k, ok := e.(KMSEntry); ok {
			k.AWSProfile = profile.text()
			g[i] = k
		}
	}
	return tidy(g), nil
}

func parseKeyGroups(s spot) ([]Group, error) {
	items := s.items()
	if len(items) > maxKeyGroups {
		return nil, s.fail("%d key groups, at most %d are possible", len(items), maxKeyGroups)
	}
	groups := make([]Group, len(items))
	for i, item := range items {
		g, err := parseKeyGroup(item)
		if err != nil {
			return nil, err
		}
		if len(g) == 0 {
			return nil, item.fail("no keys: each key group needs one")
		}
		groups[i] = tidy(g)
	}
	return groups, nil
}

// tidy drops repeated recipients and puts the others in the order of Types,
// which is how a document shows them. Within a type the order stays.
func tidy(g Group) Group {
	seen := make(map[string]bool, len(g))
	out := make(Group, 0, len(g))
	for _, e := range g {
		if id := identity(e); !seen[id] {
			seen[id] = true
			out = append(out, e)
		}
	}
	slices.SortStableFunc(out, func(a, b Entry) int {
		return slices.Index(Types, a.Type()) - slices.Index(Types, b.Type())
	})
	return out
}

// contextOf reads an encryption context. The names that Signet itself derives
// from a document are not for rules to give (FORMAT.md 2.8).
func contextOf(s spot) (map[string]string, error) {
	pairs := make(map[string]string)
	for _, name := range manifest.Keys(s.node) {
		value := s.get(name)
		if strings.HasPrefix(name, "kubernetes-") || strings.HasPrefix(name, "signet-") {
			return nil, value.fail("names that begin with kubernetes- or signet- are reserved: they are derived from the document")
		}
		pairs[name] = value.text()
	}
	if len(pairs) == 0 {
		return nil, nil
	}
	return pairs, nil
}
