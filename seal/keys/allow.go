// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// AllowKind says what a pattern of an AllowList is about.
type AllowKind string

// The kinds. Those of key services carry the name of their list in the `sops`
// block.
const (
	AllowKMS       AllowKind = "kms"         // ARN of a key or an alias
	AllowRole      AllowKind = "role"        // ARN of a role to assume
	AllowProfile   AllowKind = "aws_profile" // profile of the AWS configuration
	AllowGCPKMS    AllowKind = "gcp_kms"     // projects/<p>/locations/<l>/keyRings/<r>/cryptoKeys/<k>
	AllowHuaweiKMS AllowKind = "hckms"       // <region>:<key id>
	AllowAzureKV   AllowKind = "azure_kv"    // https://<host>/keys/<name>
	AllowVault     AllowKind = "hc_vault"    // https://<host>/v1/<engine path>/keys/<name>
	AllowPGP       AllowKind = "pgp"         // fingerprint
	AllowPlugin    AllowKind = "age_plugin"  // name of an age plugin
)

var allowKinds = []AllowKind{
	AllowKMS, AllowRole, AllowProfile, AllowGCPKMS, AllowHuaweiKMS, AllowAzureKV, AllowVault, AllowPGP, AllowPlugin,
}

// AllowList says which keys may be used: where calls may go, and with whose
// credentials. age keys other than those of plugins are always allowed, because
// they cause no call. The zero value allows nothing else. It comes from
// whoever runs the program, never from the repository that documents are in.
type AllowList struct {
	patterns map[AllowKind][]allowPattern
}

// AllowListError says where an allow-list is malformed.
type AllowListError struct {
	Item   string // as it was given, without what could be a key
	Reason string
}

func (e *AllowListError) Error() string {
	return fmt.Sprintf("allow-list: %s: %s", shortText(e.Item), e.Reason)
}

// ParseAllowList reads items of the form <kind>=<pattern>, separated by white
// space or commas; # starts a comment up to the end of the line. In a pattern *
// stands for any characters but / and : (in an ARN, but :), and ** for any at
// all; the pattern * alone allows everything of its kind. Patterns for URLs begin with a scheme,
// a host without **, and a slash. The item "default" stands for those of
// defaults. An empty list allows nothing. The error is an *AllowListError.
func ParseAllowList(text string, defaults AllowList) (AllowList, error) {
	l := AllowList{patterns: map[AllowKind][]allowPattern{}}
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		for item := range strings.FieldsFuncSeq(line, separates) {
			if err := l.add(item, defaults); err != nil {
				return AllowList{}, err
			}
		}
	}
	return l, nil
}

func separates(r rune) bool { return r == ',' || unicode.IsSpace(r) }

// add adds one item.
func (l AllowList) add(item string, defaults AllowList) error {
	if item == "default" {
		for kind, patterns := range defaults.patterns {
			l.patterns[kind] = append(l.patterns[kind], patterns...)
		}
		return nil
	}
	name, pattern, found := strings.Cut(item, "=")
	kind := AllowKind(name)
	reason := ""
	switch {
	case isSecret(item):
		reason = "a private key does not belong here"
	case !utf8.ValidString(item) || strings.ContainsFunc(item, func(r rune) bool { return !unicode.IsPrint(r) }):
		reason = "holds what cannot be printed"
	case !found && strings.HasPrefix(item, "arn:"):
		reason = "say of what kind it is, as in kms=arn:..."
	case !found:
		reason = "want <kind>=<pattern> or default"
	case !slices.Contains(allowKinds, kind):
		reason = unknownKind(name)
	case pattern == "":
		reason = "no pattern after ="
	case kind == AllowAzureKV || kind == AllowVault:
		pattern, reason = hostPattern(pattern)
	}
	if reason != "" {
		return &AllowListError{Item: ForeignText(item), Reason: reason}
	}
	l.allow(kind, pattern)
	return nil
}

func (l AllowList) allow(kind AllowKind, pattern string) {
	l.patterns[kind] = append(l.patterns[kind], newAllowPattern(pattern))
}

func unknownKind(name string) string {
	if name == "age" {
		return "age keys need no item: they cause no call (plugins do: age_plugin=NAME)"
	}
	var names []string
	for _, k := range allowKinds {
		if k != AllowHuaweiKMS { // for which no program of ours has a provider
			names = append(names, string(k))
		}
	}
	if meant := closest(name, names); meant != "" {
		return "unknown kind, did you mean " + meant + "?"
	}
	return "unknown kind, there are " + strings.Join(names, ", ")
}

// String writes the list in the form that ParseAllowList reads, sorted by kind.
func (l AllowList) String() string {
	var items []string
	for _, kind := range allowKinds {
		for _, pattern := range l.patterns[kind] {
			items = append(items, string(kind)+"="+pattern.text)
		}
	}
	return strings.Join(items, " ")
}

// Check returns a *NotAllowedError if e would use something that the list does
// not name, or is so malformed that nobody can tell.
func (l AllowList) Check(e Entry) error {
	for _, use := range usesOf(e) {
		if use.malformed || !l.allows(use.kind, use.value) {
			return &NotAllowedError{Entry: e, Kind: use.kind, Value: use.value, Malformed: use.malformed}
		}
	}
	return nil
}

// maxAllowedBytes is longer than the name of any key; ARNs have 2,048 bytes at
// most.
const maxAllowedBytes = 4 << 10

func (l AllowList) allows(kind AllowKind, value string) bool {
	return len(value) <= maxAllowedBytes &&
		slices.ContainsFunc(l.patterns[kind], func(p allowPattern) bool { return p.match(value) })
}

// Unwrapper returns u behind the list.
func (l AllowList) Unwrapper(u Unwrapper) Unwrapper { return allowedUnwrapper{l, u} }

// Wrapper returns w behind the list.
func (l AllowList) Wrapper(w Wrapper) Wrapper { return allowedWrapper{l, w} }

type allowedUnwrapper struct {
	list AllowList
	next Unwrapper
}

func (a allowedUnwrapper) Unwrap(ctx context.Context, e Entry) ([]byte, error) {
	if err := a.list.Check(e); err != nil {
		return nil, err
	}
	return a.next.Unwrap(ctx, e)
}

func (a allowedUnwrapper) Rank(e Entry) Rank { return RankOf(a.next, e) }

type allowedWrapper struct {
	list AllowList
	next Wrapper
}

func (a allowedWrapper) Wrap(ctx context.Context, to Entry, secret []byte) (Entry, error) {
	if err := a.list.Check(to); err != nil {
		return nil, err
	}
	return a.next.Wrap(ctx, to, secret)
}

var (
	_ Unwrapper = allowedUnwrapper{}
	_ Ranker    = allowedUnwrapper{}
	_ Wrapper   = allowedWrapper{}
)
