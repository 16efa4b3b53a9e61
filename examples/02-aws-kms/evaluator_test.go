// SPDX-License-Identifier: Apache-2.0

package awskms_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The part of AWS's policy language that the files here use, by
// "IAM JSON policy elements: Condition operators" and "Policy evaluation
// logic" of the IAM User Guide and "AWS KMS condition keys" of the KMS
// Developer Guide. What it does not know it does not pass over: it panics.

// request is what AWS knows of a call when it decides.
type request struct {
	principal string              // ARN of a role, user or identity provider, or name of a service
	action    string              // such as kms:Decrypt
	resource  string              // ARN of a key, "" when a role is assumed
	keys      map[string][]string // condition keys in lower case: AWS ignores it in keys, not in values
}

type policy struct {
	Version   string
	Statement []statement
}

type statement struct {
	Sid, Effect      string
	Principal        map[string]texts
	Action, Resource texts
	Condition        map[string]map[string]texts // operator, condition key, values
}

// texts is a string or a list of strings.
type texts []string

func (t *texts) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*t = texts{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(t))
}

// allowed decides over a request. An explicit Deny anywhere wins. The key
// policies here name accounts as principals, never roles, and the same goes
// for the trust policy that has an AWS principal: this delegates to IAM, within
// an account and across accounts, so that both sides must allow. Services and
// identity providers have no IAM policies; there the resource's decides alone.
func allowed(r request, resource policy, identity ...policy) bool {
	for _, p := range append(slices.Clone(identity), resource) {
		if p.has("Deny", r) {
			return false
		}
	}
	byIAM := len(identity) == 0 || slices.ContainsFunc(identity, func(p policy) bool { return p.has("Allow", r) })
	return byIAM && resource.has("Allow", r)
}

func (p policy) has(effect string, r request) bool {
	return slices.ContainsFunc(p.Statement, func(s statement) bool { return s.Effect == effect && s.matches(r) })
}

// matches reports whether all elements match. An IAM policy has no Principal
// and a trust policy no Resource: then it is the one that it is attached to.
func (s statement) matches(r request) bool {
	switch {
	case s.Principal != nil && !principalMatches(s.Principal, r.principal),
		!anyLike(s.Action, r.action),
		s.Resource != nil && !anyLike(s.Resource, r.resource):
		return false
	}
	for operator, conditions := range s.Condition {
		for key, values := range conditions {
			if !holds(operator, r.keys[strings.ToLower(key)], values, r) {
				return false
			}
		}
	}
	return true
}

func principalMatches(p map[string]texts, principal string) bool {
	for _, name := range slices.Concat(slices.Collect(maps.Values(p))...) {
		account, root := strings.CutSuffix(name, ":root")
		if name == principal || root && strings.HasPrefix(principal, account+":") {
			return true
		}
	}
	return false
}

// holds decides over one condition key. Of a key with one value the request has
// at most one, save that of context keys that differ in case nobody says which
// one counts; it is enough here that any of them matches.
func holds(operator string, got []string, wanted texts, r request) bool {
	set, operator, isSet := strings.Cut(operator, ":")
	if !isSet {
		set, operator = "", set
	}
	if operator == "Null" {
		return (len(got) == 0) == (wanted[0] == "true")
	}
	matches := func(value string) bool {
		return slices.ContainsFunc(wanted, func(w string) bool { return compare(operator, value, w, r) })
	}
	switch set {
	case "ForAllValues": // true of no values at all
		return !slices.ContainsFunc(got, func(v string) bool { return !matches(v) })
	case "ForAnyValue", "": // false of no values at all
		return slices.ContainsFunc(got, matches)
	}
	panic("unknown set operator " + set)
}

func compare(operator, value, wanted string, r request) bool {
	wanted, ok := resolve(wanted, r)
	if !ok {
		return false
	}
	switch operator {
	case "StringEquals":
		return value == wanted
	case "StringLike":
		return like(wanted, value)
	case "ArnEquals": // part by part
		values, parts := strings.SplitN(value, ":", 6), strings.SplitN(wanted, ":", 6)
		return slices.EqualFunc(parts, values, like)
	case "Bool":
		return strings.EqualFold(value, wanted)
	}
	panic("unknown operator " + operator)
}

// resolve puts in the value of a policy variable. One without a value equals
// nothing.
func resolve(text string, r request) (string, bool) {
	before, rest, found := strings.Cut(text, "${")
	if !found {
		return text, true
	}
	name, after, _ := strings.Cut(rest, "}")
	values := r.keys[strings.ToLower(name)]
	if len(values) != 1 {
		return "", false
	}
	return before + values[0] + after, true
}

func anyLike(patterns texts, value string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return like(p, value) })
}

// like matches a pattern in which * is any text and ? any character.
func like(pattern, value string) bool {
	quoted := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(pattern))
	return regexp.MustCompile(`(?s)\A` + quoted + `\z`).MatchString(value)
}

// What is easily got wrong, here or in a policy.
func TestHolds(t *testing.T) {
	names := func(n ...string) []string { return n }
	tests := []struct {
		name, operator string
		got            []string
		wanted         texts
		want           bool
	}{
		{"all of none", "ForAllValues:StringEquals", nil, texts{"a", "b"}, true},
		{"any of none", "ForAnyValue:StringEquals", nil, texts{"a", "b"}, false},
		{"one of two is all that is there", "ForAllValues:StringEquals", names("a"), texts{"a", "b"}, true},
		{"one of two is enough for any", "ForAnyValue:StringEquals", names("a", "x"), texts{"a", "b"}, true},
		{"one more than all", "ForAllValues:StringEquals", names("a", "x"), texts{"a", "b"}, false},
		{"values keep their case", "ForAllValues:StringEquals", names("A"), texts{"a"}, false},
		{"equal to nothing", "StringEquals", nil, texts{""}, false},
		{"asterisk is text for StringEquals", "StringEquals", names("a"), texts{"*"}, false},
		{"asterisk is a wildcard for StringLike", "StringLike", names("a"), texts{"*"}, true},
		{"asterisk stays in its part of an ARN", "ArnEquals", names("arn:aws:iam::1:role/x"), texts{"arn:*:role/x"}, false},
		{"there", "Null", names(""), texts{"false"}, true},
		{"not there", "Null", nil, texts{"false"}, false},
		{"true of nothing", "Bool", nil, texts{"true"}, false},
		{"variable", "StringEquals", names("v"), texts{"${aws:PrincipalTag/Present}"}, true},
		{"variable without value", "StringEquals", names(""), texts{"${aws:PrincipalTag/absent}"}, false},
	}
	r := request{keys: map[string][]string{"aws:principaltag/present": {"v"}}}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := holds(test.operator, test.got, test.wanted, r); got != test.want {
				t.Errorf("holds = %v, want %v", got, test.want)
			}
		})
	}
}
