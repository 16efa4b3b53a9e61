// SPDX-License-Identifier: Apache-2.0

package unseal_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

func parsed(t *testing.T) *yaml.Node {
	t.Helper()
	n, err := manifest.Parse(document)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func set(n *yaml.Node, value string, path ...string) {
	last := len(path) - 1
	manifest.Set(manifest.Get(manifest.Root(n), path[:last]...), path[last], manifest.String(value))
}

func drop(n *yaml.Node, path ...string) {
	last := len(path) - 1
	manifest.Delete(manifest.Get(manifest.Root(n), path[:last]...), path[last])
}

func TestPlace(t *testing.T) {
	tests := []struct {
		name   string
		change func(*yaml.Node)
		given  string
		want   string // namespace/name
		target any
	}{
		{name: "as sealed", want: "prod/db"},
		{name: "namespace given and equal", given: "prod", want: "prod/db"},
		{name: "object without namespace takes that of the scope", change: func(n *yaml.Node) { drop(n, "metadata", "namespace") }, want: "prod/db"},
		{name: "object without namespace and the one given", change: func(n *yaml.Node) { drop(n, "metadata", "namespace") }, given: "prod", want: "prod/db"},
		{name: "object without namespace, another given", change: func(n *yaml.Node) { drop(n, "metadata", "namespace") }, given: "dev", target: new(*unseal.ScopeError)},
		{name: "another namespace", change: func(n *yaml.Node) { set(n, "dev", "metadata", "namespace") }, target: new(*unseal.ScopeError)},
		{name: "another namespace given", given: "dev", target: new(*unseal.NamespaceError)},
		{name: "another secretName", change: func(n *yaml.Node) { set(n, "other", "spec", "secretName") }, target: new(*unseal.ScopeError)},
		{name: "renamed object, same secretName", change: func(n *yaml.Node) { set(n, "pre-db", "metadata", "name") }, want: "prod/db"},
		{name: "renamed object without secretName", change: func(n *yaml.Node) {
			drop(n, "spec", "secretName")
			set(n, "pre-db", "metadata", "name")
		}, target: new(*unseal.ScopeError)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			n, o := parsed(t), options()
			if test.change != nil {
				test.change(n)
			}
			o.Namespace = test.given
			opened, err := unseal.Open(context.Background(), n, o)
			if test.target != nil {
				if !errors.As(err, test.target) {
					t.Errorf("got %T %v, want %T", err, err, test.target)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := opened.Secret.Namespace + "/" + opened.Secret.Name; got != test.want {
				t.Errorf("opened as %s, want %s", got, test.want)
			}
		})
	}
}

// counting counts the calls that reach an Unwrapper.
type counting struct {
	keys.Unwrapper
	calls int
}

func (c *counting) Unwrap(ctx context.Context, e keys.Entry) ([]byte, error) {
	c.calls++
	return c.Unwrapper.Unwrap(ctx, e)
}

func TestRefusedBeforeAnyKeyIsUsed(t *testing.T) {
	tests := []struct {
		name   string
		change func(*yaml.Node)
		target any
	}{
		{"scope", func(n *yaml.Node) { set(n, "dev", "metadata", "namespace") }, new(*unseal.ScopeError)},
		{"shape", func(n *yaml.Node) { set(n, "x", "spec", "sealed", "extra") }, new(*sopsdoc.InvalidError)},
		{"type", func(n *yaml.Node) { set(n, "helm.sh/release.v1", "spec", "sealed", "type") }, new(*sopsdoc.DeniedError)},
		{"label", func(n *yaml.Node) {
			manifest.Set(manifest.Get(manifest.Root(n), "spec", "sealed"), "labels",
				manifest.StringMap(map[string]string{"kustomize.toolkit.fluxcd.io/name": "x"}))
		}, new(*sopsdoc.DeniedError)},
		{"context", func(n *yaml.Node) {
			manifest.Set(manifest.Get(manifest.Root(n), "spec", "sealed", "sops"), "kms",
				&yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{manifest.StringMap(map[string]string{
					"arn": "arn:aws:kms:eu-west-1:111122223333:key/x", "created_at": "2026-01-31T09:30:00Z", "enc": "AAAA",
				})}})
		}, new(*sopsdoc.InvalidError)},
		{"reserved field", func(n *yaml.Node) { set(n, "x", "spec", "serviceAccountName") }, new(*sopsdoc.InvalidError)},
		{"creation policy", func(n *yaml.Node) { set(n, "Merge", "spec", "creationPolicy") }, new(*sopsdoc.InvalidError)},
		{"mark without the policy", func(n *yaml.Node) {
			manifest.Set(manifest.Get(manifest.Root(n), "spec", "sealed"), "merge", manifest.Bool(true))
		}, new(*sopsdoc.InvalidError)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			n, o := parsed(t), options()
			test.change(n)
			count := &counting{Unwrapper: o.Unwrapper}
			o.Unwrapper, o.WholeSecrets = count, true
			_, err := unseal.Open(context.Background(), n, o)
			if !errors.As(err, test.target) {
				t.Errorf("got %T %v, want %T", err, err, test.target)
			}
			if count.calls != 0 {
				t.Errorf("%d keys were used", count.calls)
			}
		})
	}
}

// Whoever only looks at what is in a document does not act on the policy.
func TestCreationPolicyIsForWhoActsOnIt(t *testing.T) {
	n := parsed(t)
	set(n, "Merge", "spec", "creationPolicy")
	if _, err := unseal.Open(context.Background(), n, options()); err != nil {
		t.Error(err)
	}
}

// wrongKey gives a data key for every entry, but not the right one.
type wrongKey struct{ calls int }

func (w *wrongKey) Unwrap(context.Context, keys.Entry) ([]byte, error) {
	w.calls++
	return make([]byte, keys.DataKeyBytes), nil
}

func TestFirstKeyDecides(t *testing.T) {
	n, o := parsed(t), options()
	list := manifest.Get(manifest.Root(n), "spec", "sealed", "sops", "age")
	list.Content = append(list.Content, list.Content[0])
	wrong := &wrongKey{}
	o.Unwrapper = wrong
	_, err := unseal.Open(context.Background(), n, o)
	if !errors.As(err, new(*sopsdoc.TamperedError)) || wrong.calls != 1 {
		t.Errorf("after %d calls: %v; want one call and a TamperedError", wrong.calls, err)
	}
}

func TestNoKeyNamesEachAttempt(t *testing.T) {
	stranger, err := agekey.GenerateIdentity()
	if err != nil {
		t.Fatal(err)
	}
	o := unseal.Options{Unwrapper: keys.Unwrappers{
		keys.Age: agekey.NewUnwrapper(agekey.Sources{Identities: []agekey.Identity{stranger}}),
	}}
	_, err = unseal.Open(context.Background(), parsed(t), o)
	var none *keys.NoKeyError
	if !errors.As(err, &none) || len(none.Attempts) != 1 || !errors.Is(err, keys.ErrNoIdentity) {
		t.Fatalf("got %v", err)
	}
	if recipient := none.Attempts[0].Entry.ID(); !strings.Contains(err.Error(), recipient) {
		t.Errorf("error %q does not name %s", err, recipient)
	}
	if strings.Contains(err.Error(), stranger.Reveal()) {
		t.Error("the error holds an identity")
	}
}

func TestOpenFileRefusesSealedSecrets(t *testing.T) {
	n := parsed(t)
	root := manifest.Root(n)
	manifest.Set(root, "sops", manifest.Get(root, "spec", "sealed", "sops"))
	if _, err := unseal.OpenFile(context.Background(), []*yaml.Node{n}, options()); !errors.As(err, new(*sopsdoc.InvalidError)) {
		t.Errorf("got %v", err)
	}
	envelope := manifest.Get(root, "spec", "sealed")
	manifest.Set(envelope, "kind", manifest.String("Secret"))
	manifest.Set(envelope, "apiVersion", manifest.String("v1"))
	_, err := unseal.OpenFile(context.Background(), []*yaml.Node{envelope}, options())
	if !errors.As(err, new(*sopsdoc.InvalidError)) || !strings.Contains(err.Error(), "signet") {
		t.Errorf("an envelope opens as a SOPS document: %v", err)
	}
}
