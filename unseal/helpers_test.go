// SPDX-License-Identifier: Apache-2.0

package unseal_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// canary is the value in all Secrets of these tests.
const canary = "correct horse battery staple"

func newIdentity(t testing.TB) agekey.Identity {
	t.Helper()
	id, err := agekey.GenerateClassicIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func unwrapperOf(ids ...agekey.Identity) keys.Unwrapper {
	return keys.Unwrappers{keys.Age: agekey.NewUnwrapper(agekey.Sources{Identities: ids})}
}

// parseIdentity is what programs inject.
func parseIdentity(text string) (string, keys.Unwrapper, error) {
	id, err := agekey.ParseIdentity(text)
	if err != nil {
		return "", nil, err
	}
	return id.Recipient(), unwrapperOf(id), nil
}

func groupOf(recipients ...string) keys.Recipients {
	var group keys.Group
	for _, r := range recipients {
		group = append(group, keys.AgeEntry{Recipient: r})
	}
	return keys.Recipients{Groups: []keys.Group{group}}
}

func ageWrapper() keys.Wrapper { return keys.Wrappers{keys.Age: agekey.NewWrapper(nil)} }

// sealKey makes a SealingKey object of the key pair.
func sealKey(t testing.TB, pair seal.Identity, name string, r keys.Recipients, namespaces ...string) *yaml.Node {
	t.Helper()
	result, err := seal.NewKey(context.Background(), seal.KeyOptions{
		Name: name, Namespaces: namespaces, Identity: pair, Recipients: r, Wrapper: ageWrapper(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return result.Node
}

// ringKey makes a SealingKey for a ring, at the place "<name>.yaml".
func ringKey(t testing.TB, pair seal.Identity, name string, r keys.Recipients, namespaces ...string) unseal.Key {
	t.Helper()
	key, err := sopsdoc.ParseSealingKey(manifest.Root(sealKey(t, pair, name, r, namespaces...)))
	if err != nil {
		t.Fatal(err)
	}
	return unseal.Key{SealingKey: key, Place: name + ".yaml"}
}

// sealed makes a SealedSecret prod/db, or with another reach.
func sealed(t testing.TB, reach seal.Reach, recipients ...string) *yaml.Node {
	t.Helper()
	s := &manifest.Secret{Name: "db", Namespace: "prod", StringData: map[string]string{"password": canary}}
	result, err := seal.Seal(context.Background(), s.Node(), nil, seal.Options{Recipients: groupOf(recipients...), Wrapper: ageWrapper(), Reach: reach})
	if err != nil {
		t.Fatal(err)
	}
	return result.Node
}

// inNamespace copies a SealedSecret into a namespace.
func inNamespace(n *yaml.Node, namespace string) *yaml.Node {
	n = manifest.Clone(n)
	set(n, namespace, "metadata", "namespace")
	return n
}

// sealedFile makes a SOPS-encrypted Secret prod/db.
func sealedFile(t testing.TB, recipients ...string) []*yaml.Node {
	t.Helper()
	s := &manifest.Secret{Name: "db", Namespace: "prod", StringData: map[string]string{"password": canary}}
	result, err := seal.SealSOPS(context.Background(), []*yaml.Node{s.Node()}, nil, seal.SOPSOptions{
		Options: seal.Options{Recipients: groupOf(recipients...), Wrapper: ageWrapper()},
	})
	if err != nil {
		t.Fatal(err)
	}
	return result.Nodes
}

// observed is an Unwrapper that counts its calls, and that can be made to wait
// and to fail.
type observed struct {
	keys.Unwrapper
	calls  atomic.Int32
	before func(context.Context, keys.Entry) error // nil: nothing
}

func (o *observed) Unwrap(ctx context.Context, e keys.Entry) ([]byte, error) {
	o.calls.Add(1)
	if o.before != nil {
		if err := o.before(ctx, e); err != nil {
			return nil, err
		}
	}
	return o.Unwrapper.Unwrap(ctx, e)
}

// rig is a SealingKey in a ring, what opens it, and nothing else at hand.
type rig struct {
	pair   agekey.Identity // in the SealingKey
	master agekey.Identity // opens it
	keys   *observed       // by which SealingKeys are opened
	ring   *unseal.Keyring
}

func newRig(t testing.TB, namespaces ...string) *rig {
	t.Helper()
	r := &rig{pair: newIdentity(t), master: newIdentity(t)}
	r.keys = &observed{Unwrapper: unwrapperOf(r.master)}
	r.ring = unseal.NewKeyring(unseal.KeyOptions{Unwrapper: r.keys, ParseIdentity: parseIdentity})
	if len(namespaces) > 0 {
		r.ring.Replace(r.key(t, "prod", namespaces...))
	}
	return r
}

func (r *rig) key(t testing.TB, name string, namespaces ...string) unseal.Key {
	return ringKey(t, r.pair, name, groupOf(r.master.Recipient()), namespaces...)
}

func (r *rig) options() unseal.Options {
	return unseal.Options{Unwrapper: unwrapperOf(), Keyring: r.ring}
}

func (r *rig) open(n *yaml.Node) error {
	_, err := unseal.Open(context.Background(), n, r.options())
	return err
}

func (r *rig) wantCalls(t *testing.T, want int32) {
	t.Helper()
	if got := r.keys.calls.Load(); got != want {
		t.Errorf("the SealingKey was unwrapped with %d calls, want %d", got, want)
	}
}

// checkHides fails if a text holds one of the secrets in any form.
func checkHides(t *testing.T, text string, secrets ...string) {
	t.Helper()
	for _, s := range secrets {
		for _, form := range []string{s, base64.StdEncoding.EncodeToString([]byte(s))[:len(s)], hex.EncodeToString([]byte(s)), fmt.Sprint([]byte(s))} {
			if strings.Contains(strings.ToLower(text), strings.ToLower(strings.Trim(form, "[]"))) {
				t.Errorf("holds a secret: %s", text)
			}
		}
	}
}

// secretPart is the part of an identity that nothing may show.
func secretPart(id agekey.Identity) string {
	return strings.TrimPrefix(id.Reveal(), "AGE-SECRET-KEY-1")[:40]
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("error %q does not say %q", err, p)
		}
	}
}

// aWhile is longer than failures are remembered; the clock of these tests is
// that of a bubble.
const aWhile = time.Minute
