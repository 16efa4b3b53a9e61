// SPDX-License-Identifier: Apache-2.0

package unseal_test

import (
	"context"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
	"github.com/signet-secrets/signet/unseal/sopsfile"
)

// edited is a SOPS file of a Secret prod/db, in which whoever can write to the
// repository has replaced the metadata.
func edited(t *testing.T, recipient, metadata string) []*yaml.Node {
	t.Helper()
	docs := sealedFile(t, recipient)
	n, err := manifest.Parse([]byte(metadata))
	if err != nil {
		t.Fatal(err)
	}
	manifest.Set(manifest.Root(docs[0]), "metadata", manifest.Root(n))
	return docs
}

// Edits that the mac of a SOPS document does not notice take it from namespace
// prod to another one. Under a limit none opens, nor does the document itself,
// and no key is used.
func TestUnscoped(t *testing.T) {
	const place = "{name: db, namespace: prod}"
	tests := []struct {
		name, now  string
		namespaces []string
		given      string
		permitted  string // what is said where such documents are permitted, "": it opens
	}{
		{name: "as it is", now: place, namespaces: []string{"prod"}},
		{name: "as it is, elsewhere", now: place, namespaces: []string{"team-b"}, permitted: `namespace "prod"`},
		{name: "as it is, for none", now: place, namespaces: []string{}, permitted: `namespace "prod"`},
		{name: "namespace under another key", now: "{name: db, generateName: prod}", namespaces: []string{"team-b"}, given: "team-b", permitted: "metadata.namespace is missing"},
		{name: "values cut elsewhere", now: "{name: dbpr, namespace: od}", namespaces: []string{"od"}},
		{name: "names exchanged", now: "{generateName: db, namespace: prod}", namespaces: []string{"prod"}},
	}
	alice := newIdentity(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			docs := edited(t, alice.Recipient(), test.now)
			count := &counting{Unwrapper: unwrapperOf(alice)}
			o := unseal.Options{Unwrapper: count, Namespace: test.given, Namespaces: test.namespaces}
			_, err := unseal.OpenFile(context.Background(), docs, o)
			checkForbidden(t, err, new(*unseal.UnscopedError), "nothing binds it to a namespace, and documents are opened for n", count)

			o.Unscoped = true
			_, err = unseal.OpenFile(context.Background(), docs, o)
			if test.permitted != "" {
				checkForbidden(t, err, new(*unseal.ForbiddenNamespaceError), test.permitted, count)
			} else if err != nil {
				t.Errorf("does not open where it is permitted: %v", err)
			}
		})
	}
}

// Without a limit each of them opens, as stock sops opens it: it is the limit
// that keeps them out, not the mac.
func TestMACBindsNoNames(t *testing.T) {
	alice := newIdentity(t)
	for _, now := range []string{"{name: db, namespace: prod}", "{name: db, generateName: prod}", "{name: dbpr, namespace: od}"} {
		docs := edited(t, alice.Recipient(), now)
		for _, namespaces := range [][]string{nil, {sopsdoc.Any}} {
			opened, err := unseal.OpenFile(context.Background(), docs, unseal.Options{Unwrapper: unwrapperOf(alice), Namespaces: namespaces})
			if err != nil || manifest.GetString(manifest.Root(opened.Documents[0]), "stringData", "password") != canary {
				t.Errorf("%q, %q: %v", now, namespaces, err)
			}
		}
	}
}

// A file that is no object says nothing about places: with a limit it is never
// opened.
func TestUnscopedFiles(t *testing.T) {
	alice := newIdentity(t)
	text, err := manifest.EncodeYAML(sealedFile(t, alice.Recipient())[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []unseal.Options{
		{Namespaces: []string{"prod"}}, {Namespaces: []string{}}, {Namespaces: []string{"prod"}, Unscoped: true},
	} {
		count := &counting{Unwrapper: unwrapperOf(alice)}
		o.Unwrapper = count
		_, err := sopsfile.Open(context.Background(), text, sopsfile.YAML, o)
		checkForbidden(t, err, new(*unseal.UnscopedError), "has no scope", count)
		_, err = o.UnwrapFile(context.Background(), keys.Recipients{})
		checkForbidden(t, err, new(*unseal.UnscopedError), "has no scope", count)
	}
	if _, err := sopsfile.Open(context.Background(), text, sopsfile.YAML, unseal.Options{Unwrapper: unwrapperOf(alice), Namespaces: []string{sopsdoc.Any}}); err != nil {
		t.Error(err)
	}
}
