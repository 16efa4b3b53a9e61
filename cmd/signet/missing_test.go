// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// expect reads expectations: a name, with a namespace before a slash, the keys
// behind a colon, + for one that merges, # for one that gets a hash, ~ for one
// with something around its name and ? for one of any name.
func expect(words string) []expectation {
	var all []expectation
	for i, word := range strings.Fields(words) {
		s := output(strings.TrimLeft(word, "+#~?"))[0]
		marks := word[:len(word)-len(strings.TrimLeft(word, "+#~?"))]
		e := expectation{namespace: s.namespace, name: s.name, merges: strings.Contains(marks, "+"), file: "f.yaml", document: i + 1, content: s.content}
		e.in = destination{namespace: s.namespace, name: s.name, hash: strings.Contains(marks, "#")}
		e.in.loosen(loosening{affixes: strings.Contains(marks, "~"), name: strings.Contains(marks, "?")})
		all = append(all, e)
	}
	return all
}

// output reads Secrets: a name, with a namespace before a slash, the keys behind
// a colon, else k.
func output(words string) []rendered {
	var all []rendered
	for _, word := range strings.Fields(words) {
		id, keys, ok := strings.Cut(word, ":")
		s := rendered{name: id, content: content{keys: []string{"k"}, typed: opaque}}
		if namespace, name, ok := strings.Cut(id, "/"); ok {
			s.namespace, s.name = namespace, name
		}
		if ok {
			s.keys = strings.Split(keys, ",")
		}
		all = append(all, s)
	}
	return all
}

func TestMissingSecrets(t *testing.T) {
	tests := []struct{ name, expected, rendered, want string }{
		{"none expected", "", "db", ""},
		{"there", "db", "db", ""},
		{"in the default namespace", "db", "default/db", ""},
		{"not there", "prod/db prod/app", "prod/app", "prod/db"},
		{"nothing there", "db app", "", "db app"},
		{"twice from one base", "prod/db prod/db", "prod/db", ""},
		{"in another namespace", "prod/db", "other/db", "prod/db"},
		{"same name in two namespaces", "prod/db test/db", "prod/db test/db", ""},
		{"same name in two namespaces, one there", "prod/db test/db", "prod/db", "test/db"},
		{"a name within another one", "db", "db-replica", "db"},
		{"a name within a word", "db a", "mongodb-admin stdbool mariadb", "db a"},
		{"with a hash", "#db", "db-k7h2m5t9ff", ""},
		{"without its hash", "#db", "db", ""},
		{"with a hash that it cannot have", "db", "db-k7h2m5t9ff", "db"},
		{"with what is no hash", "#db #x #y", "db-k7h2m5t9fa db-k7h2m5t9f x-kk7h2m5t9ff yk7h2m5t9ff", "db x y"},
		{"with all its keys", "db:user,password", "db:password,more,user", ""},
		{"without one of its keys", "db:user,password", "db:password", "db"},
		{"with something around its name", "~db", "pre-db-suf", ""},
		{"another one", "~db", "pre-d-b", "db"},
		{"renamed", "?prod/db:user,password", "prod/x:user,password", ""},
		{"renamed, in another namespace", "?prod/db", "test/x", "prod/db"},
		{"renamed, with more keys", "?db:user", "x:user,more", "db"},
		{"two renamed, one there", "?db ?app", "x", "db"},
		{"one that is known is not for the renamed", "?db app", "app", "db"},
		{"names that have to make room", "~a ~ab ~abc", "abc ab a", ""},
		{"equally long names that have to make room", "~ab ~bc", "abc ab", ""},
		{"a merge into another one", "prod/db:user +prod/db:more", "prod/db:user,more", ""},
		{"a merge that did not happen", "prod/db:user +prod/db:more", "prod/db:user", "prod/db"},
		{"a merge into nothing", "+db app", "app", "db"},
		{"a merge alone", "+#db", "db-k7h2m5t9ff", ""},
		{"a merge into what has been renamed", "+~db", "pre-db", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, f := range missingSecrets(expect(test.expected), output(test.rendered)) {
				got = append(got, f.Object)
			}
			if diff := cmp.Diff(test.want, strings.Join(got, " ")); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// What is expected in the output is as exact as what is known of it.
func TestPlace(t *testing.T) {
	named := func(prefix, suffix, namespace string) *kustomization {
		return &kustomization{naming: naming{NamePrefix: prefix, NameSuffix: suffix, Namespace: namespace}}
	}
	move := func(k *kustomization) func(*destination) { return func(p *destination) { p.move(k) } }
	loosen := func(l loosening) func(*destination) { return func(p *destination) { p.loosen(l) } }
	tests := []struct {
		name     string
		does     []func(*destination)
		want     string
		yes, not string
	}{
		{"nothing", nil, "prod/db", "prod/db", "prod/a-db prod/db-a test/db db"},
		{"a prefix and a suffix", []func(*destination){move(named("a-", "-z", ""))}, "prod/a-db-z", "prod/a-db-z", "prod/db prod/a-db prod/a-x-db-z"},
		{"at two levels", []func(*destination){move(named("a-", "-y", "")), move(named("b-", "-z", ""))}, "prod/b-a-db-y-z", "prod/b-a-db-y-z", "prod/a-b-db-y-z prod/b-a-db-z-y"},
		{"the outermost namespace", []func(*destination){move(named("", "", "test")), move(named("", "", "live")), move(named("", "", ""))}, "live/db", "live/db", "prod/db test/db db"},
		{"an affix, then a prefix", []func(*destination){loosen(loosening{affixes: true}), move(named("b-", "", ""))}, "prod/b-...db...", "prod/b-db prod/b-x-db-y", "prod/db prod/b-d test/b-db"},
		{"another name, then a prefix", []func(*destination){loosen(loosening{name: true}), move(named("b-", "", ""))}, "prod/b-db", "prod/b-x prod/b-db", "prod/db prod/b- test/b-db"},
		{"another namespace", []func(*destination){loosen(loosening{namespace: true})}, ".../db", "test/db db", "test/a-db"},
		{"another namespace, then one", []func(*destination){loosen(loosening{namespace: true}), move(named("", "", "live"))}, "live/db", "live/db", "prod/db"},
		{"what is for others", []func(*destination){loosen(loosening{name: true, only: regexp.MustCompile("^(?:dbx)$")})}, "prod/db", "prod/db", "prod/x"},
		{"what is for it by its new name", []func(*destination){move(named("a-", "", "")), loosen(loosening{name: true, only: regexp.MustCompile("^(?:a-db)$")})}, "prod/a-db", "prod/x", "test/x"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := destination{namespace: "prod", name: "db"}
			for _, do := range test.does {
				do(&p)
			}
			if got := p.String(); got != test.want {
				t.Errorf("is %s, want %s", got, test.want)
			}
			for _, s := range output(test.yes) {
				if !p.fits(s.namespace, s.name) {
					t.Errorf("%s/%s does not fit", s.namespace, s.name)
				}
			}
			for _, s := range output(test.not) {
				if p.fits(s.namespace, s.name) {
					t.Errorf("%s/%s fits", s.namespace, s.name)
				}
			}
		})
	}
}

// Many Secrets whose names are alike take a moment, not minutes.
func TestMissingSecretsOfMany(t *testing.T) {
	var expected []expectation
	var there []rendered
	for i := range 2000 {
		e := expectation{name: fmt.Sprintf("app-%d", i), in: destination{name: fmt.Sprintf("app-%d", i)}}
		e.in.loosen(loosening{affixes: true})
		expected = append(expected, e)
		there = append(there, rendered{name: fmt.Sprintf("pre-app-%d-hash", 1999-i)})
	}
	if got := missingSecrets(expected, there); len(got) != 0 {
		t.Errorf("%d are missing", len(got))
	}
	if got := missingSecrets(expected, there[1:]); len(got) != 1 {
		t.Errorf("%d are missing, want 1", len(got))
	}
}

func TestRemote(t *testing.T) {
	tests := []struct {
		entry  string
		remote bool
		shown  string // "": as it is
	}{
		{entry: "https://example.com/shop/base?ref=v1", remote: true, shown: "https://example.com/shop/base"},
		{entry: "https://example.com/shop/base?token=battery&ref=v1", remote: true, shown: "https://example.com/shop/base"},
		{entry: "https://user:correct@horse@example.com/shop?token=battery", remote: true, shown: "https://example.com/shop"},
		{entry: "ssh://git@example.com/shop", remote: true, shown: "ssh://example.com/shop"},
		{entry: "https://token@example.com", remote: true, shown: "https://example.com/"},
		{entry: "git@github.com:example/shop", remote: true},
		{entry: "github.com/example/shop//base", remote: true},
		{entry: "shop?ref=v1", remote: true, shown: "shop"},
		{entry: "db.yaml"},
		{entry: "base"},
		{entry: "../base"},
		{entry: "./base/v1.2"},
		{entry: "deploy.d/db.yaml"},
		{entry: "../../.config/base"},
	}
	for _, test := range tests {
		t.Run(test.entry, func(t *testing.T) {
			if got := remote(test.entry); got != test.remote {
				t.Errorf("remote: %t", got)
			}
			want := test.shown
			if want == "" {
				want = test.entry
			}
			if got := withoutCredentials(test.entry); got != want {
				t.Errorf("shown as %q, want %q", got, want)
			}
			if strings.Contains(test.entry, "ref=v1") {
				want += "?ref=v1"
			}
			if got := withRevision(test.entry); got != want {
				t.Errorf("allowed as %q, want %q", got, want)
			}
		})
	}
}
