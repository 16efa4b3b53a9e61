// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// expect reads expectations: names, with a namespace before a slash, and + for
// one that merges.
func expect(words string) []expectation {
	var all []expectation
	for i, word := range strings.Fields(words) {
		e := expectation{name: strings.TrimPrefix(word, "+"), merges: word[0] == '+', file: "f.yaml", document: i + 1}
		if namespace, name, ok := strings.Cut(e.name, "/"); ok {
			e.namespace, e.name = namespace, name
		}
		all = append(all, e)
	}
	return all
}

func TestMissingSecrets(t *testing.T) {
	tests := []struct{ name, expected, rendered, want string }{
		{"none expected", "", "db", ""},
		{"there", "db", "db", ""},
		{"with prefix, suffix and hash", "db", "pre-db-suf-k7h2m5t9ff", ""},
		{"not there", "prod/db app", "app", "prod/db"},
		{"nothing there", "db app", "", "db app"},
		{"twice from one base", "prod/db prod/db", "db", ""},
		{"one base rendered twice", "prod/db", "a-db b-db", ""},
		{"same name in two namespaces", "prod/db test/db", "db db", ""},
		{"same name in two namespaces, one there", "prod/db test/db", "db", "test/db"},
		{"a name within another one", "db db-replica", "db-replica", "db"},
		{"the same, in the other order", "db-replica db", "db-replica", "db"},
		{"both, the longer one first", "db db-replica", "db-replica db", ""},
		{"names that have to make room", "a ab abc", "abc ab a", ""},
		{"equally long names that have to make room", "ab bc", "abc ab", ""},
		{"a merge into another one", "prod/db +prod/db", "db", ""},
		{"a merge from elsewhere", "prod/db +db", "db", ""},
		{"a merge into nothing", "+db app", "app", "db"},
		{"a merge alone", "+db", "db-hash", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, f := range missingSecrets(expect(test.expected), strings.Fields(test.rendered)) {
				got = append(got, f.Object)
			}
			if diff := cmp.Diff(strings.Fields(test.want), got, cmp.Transformer("joined", func(all []string) string { return strings.Join(all, " ") })); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// Many Secrets whose names are alike take a moment, not minutes.
func TestMissingSecretsOfMany(t *testing.T) {
	var expected []expectation
	var rendered []string
	for i := range 2000 {
		expected = append(expected, expectation{name: fmt.Sprintf("app-%d", i)})
		rendered = append(rendered, fmt.Sprintf("pre-app-%d-hash", 1999-i))
	}
	if got := missingSecrets(expected, rendered); len(got) != 0 {
		t.Errorf("%d are missing", len(got))
	}
	if got := missingSecrets(expected, rendered[1:]); len(got) != 1 {
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
		})
	}
}
