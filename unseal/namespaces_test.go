// SPDX-License-Identifier: Apache-2.0

package unseal_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// A limit decides about the namespace that the Secret would be in, whichever of
// object, caller and scope says so, and before any key is used.
func TestNamespaces(t *testing.T) {
	alice := newIdentity(t)
	strict, cluster := sealed(t, seal.Strict, alice.Recipient()), sealed(t, seal.Cluster, alice.Recipient())
	without := func(n *yaml.Node) *yaml.Node {
		n = manifest.Clone(n)
		drop(n, "metadata", "namespace")
		return n
	}
	tests := []struct {
		name       string
		document   *yaml.Node
		given      string
		namespaces []string
		target     any    // nil: it opens
		want       string // in the message
	}{
		{name: "no limit", document: strict},
		{name: "listed", document: strict, namespaces: []string{"dev", "prod"}},
		{name: "every one", document: strict, namespaces: []string{"dev", sopsdoc.Any}},
		{name: "another", document: strict, namespaces: []string{"dev"}, target: new(*unseal.ForbiddenNamespaceError),
			want: `the result would be in namespace "prod"; documents are opened for namespace dev only`},
		{name: "others", document: strict, namespaces: []string{"dev", "test"}, target: new(*unseal.ForbiddenNamespaceError), want: "for namespaces dev, test only"},
		{name: "none", document: strict, namespaces: []string{}, target: new(*unseal.ForbiddenNamespaceError), want: "opened for no namespace"},
		{name: "of the scope, listed", document: without(strict), namespaces: []string{"prod"}},
		{name: "of the scope, another", document: without(strict), namespaces: []string{"dev"}, target: new(*unseal.ForbiddenNamespaceError), want: `"prod"`},
		{name: "moved into one that is listed", document: inNamespace(strict, "dev"), namespaces: []string{"dev"}, target: new(*unseal.ScopeError)},
		{name: "wide scope, listed", document: inNamespace(cluster, "dev"), namespaces: []string{"dev"}},
		{name: "wide scope, another", document: cluster, namespaces: []string{"dev"}, target: new(*unseal.ForbiddenNamespaceError), want: `"prod"`},
		{name: "wide scope, given and listed", document: without(cluster), given: "dev", namespaces: []string{"dev"}},
		{name: "wide scope, given", document: without(cluster), given: "test", namespaces: []string{"dev"}, target: new(*unseal.ForbiddenNamespaceError), want: `"test"`},
		{name: "wide scope, nothing says", document: without(cluster), namespaces: []string{"dev"}, target: new(*unseal.ScopeError)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			count := &counting{Unwrapper: unwrapperOf(alice)}
			o := unseal.Options{Unwrapper: count, Namespace: test.given, Namespaces: test.namespaces}
			opened, err := unseal.Open(context.Background(), test.document, o)
			if test.target == nil {
				if err != nil || opened.Secret.StringData["password"] != canary {
					t.Errorf("not opened: %v", err)
				}
				return
			}
			checkForbidden(t, err, test.target, test.want, count)
		})
	}
}

func checkForbidden(t *testing.T, err error, target any, want string, count *counting) {
	t.Helper()
	if !errors.As(err, target) || !strings.Contains(err.Error(), want) {
		t.Errorf("got %T %v, want a %T with %q", err, err, target, want)
	}
	if count.calls != 0 {
		t.Errorf("%d keys were used", count.calls)
	}
}

// sopsFile makes a SOPS file of a manifest, in which what pattern selects is
// encrypted.
func sopsFile(t *testing.T, recipient, pattern, text string) []*yaml.Node {
	t.Helper()
	n, err := manifest.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	k := keys.GenerateDataKey()
	recipients, err := keys.WrapAll(context.Background(), ageWrapper(), groupOf(recipient), k)
	if err != nil {
		t.Fatal(err)
	}
	out, _, err := sopsdoc.EncryptFile([]*yaml.Node{n}, k, sopsdoc.FileSettings{
		Recipients: recipients, Selector: keys.Selector{Kind: keys.EncryptedRegex, Pattern: pattern},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// SOPS documents that are permitted under a limit must say where they belong,
// each object of them, where that can be read without a key; nothing else says
// it for them.
func TestNamespacesOfFiles(t *testing.T) {
	alice := newIdentity(t)
	const secret = "{apiVersion: v1, kind: Secret, metadata: {name: db, namespace: prod}, stringData: {password: correct horse battery staple}}"
	replaced := func(old, now string) string { return strings.Replace(secret, old, now, 1) }
	const list = "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Secret, metadata: {name: a, namespace: dev}, stringData: {a: b}}, " + secret + "]}"
	tests := []struct {
		name, pattern, text string
		given               string
		namespaces          []string
		want                string // in the message, "": it opens
	}{
		{name: "listed", text: secret, namespaces: []string{"prod"}},
		{name: "every one", text: replaced(", namespace: prod", ""), namespaces: []string{sopsdoc.Any}},
		{name: "another", text: secret, namespaces: []string{"dev"}, want: `would be in namespace "prod"`},
		{name: "a Secret without", text: replaced(", namespace: prod", ""), namespaces: []string{"prod"}, want: "metadata.namespace is missing, and a SOPS document has no scope"},
		{name: "a Secret without, given and listed", text: replaced(", namespace: prod", ""), given: "prod", namespaces: []string{"prod"}, want: "metadata.namespace is missing"},
		{name: "a Secret without, given", text: replaced(", namespace: prod", ""), given: "prod", namespaces: []string{"dev"}, want: "metadata.namespace is missing"},
		{name: "a Secret without, given, no limit", text: replaced(", namespace: prod", ""), given: "prod", namespaces: []string{sopsdoc.Any}},
		{name: "another kind, listed", text: replaced("kind: Secret", "kind: Thing"), namespaces: []string{"prod"}},
		{name: "for the whole cluster", text: "{apiVersion: example.com/v1, kind: ClusterThing, metadata: {name: a}, stringData: {a: b}}", given: "prod", namespaces: []string{"prod"},
			want: `a "ClusterThing" without it may be for the whole cluster`},
		{name: "encrypted namespace", pattern: "^(namespace|stringData)$", text: secret, namespaces: []string{"prod"}, want: "is encrypted"},
		{name: "encrypted kind", pattern: "^(kind|stringData)$", text: secret, namespaces: []string{"prod"}, want: "is encrypted"},
		{name: "List", text: list, namespaces: []string{"dev"}, want: `namespace "prod"`},
		{name: "List, all listed", text: list, namespaces: []string{"dev", "prod"}},
		{name: "List, with one that does not say", text: strings.Replace(list, ", namespace: dev", "", 1), given: "prod", namespaces: []string{"prod"}, want: "metadata.namespace is missing"},
		{name: "List without items", text: "{apiVersion: v1, kind: List, items: [], stringData: {a: b}}", namespaces: []string{"prod"}, want: "metadata.namespace is missing"},
		{name: "damaged kind", text: strings.Replace(secret, "kind: Secret", `kind: "ENC[Secret"`, 1), namespaces: []string{"prod"}, want: "is encrypted"},
		{name: "number", text: replaced("namespace: prod", "namespace: 5"), namespaces: []string{"5"}, want: "metadata.namespace is missing"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			pattern := test.pattern
			if pattern == "" {
				pattern = "^stringData$"
			}
			docs := sopsFile(t, alice.Recipient(), pattern, test.text)
			count := &counting{Unwrapper: unwrapperOf(alice)}
			o := unseal.Options{Unwrapper: count, Namespace: test.given, Namespaces: test.namespaces, Unscoped: true}
			_, err := unseal.OpenFile(context.Background(), docs, o)
			if test.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			checkForbidden(t, err, new(*unseal.ForbiddenNamespaceError), test.want, count)
			if strings.Contains(err.Error(), "ENC[") {
				t.Errorf("ciphertext in %q", err)
			}
		})
	}
}

// All documents of a file are looked at before the first is opened.
func TestNamespacesOfEachDocument(t *testing.T) {
	alice := newIdentity(t)
	var nodes []*yaml.Node
	for _, namespace := range []string{"dev", "prod"} {
		s := &manifest.Secret{Name: "db", Namespace: namespace, StringData: map[string]string{"password": canary}}
		nodes = append(nodes, s.Node())
	}
	result, err := seal.SealSOPS(context.Background(), nodes, nil, seal.SOPSOptions{
		Options: seal.Options{Recipients: groupOf(alice.Recipient()), Wrapper: ageWrapper()},
	})
	if err != nil {
		t.Fatal(err)
	}
	count := &counting{Unwrapper: unwrapperOf(alice)}
	_, err = unseal.OpenFile(context.Background(), result.Nodes, unseal.Options{Unwrapper: count, Namespaces: []string{"dev"}, Unscoped: true})
	checkForbidden(t, err, new(*unseal.ForbiddenNamespaceError), `"prod"`, count)
}
