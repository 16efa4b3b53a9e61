// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"testing"

	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// pair makes SealingKeys from one key pair.
type pair struct {
	t  *testing.T
	id agekey.Identity
}

func newPair(t *testing.T) pair {
	t.Helper()
	id, err := agekey.GenerateClassicIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return pair{t, id}
}

// key seals the pair anew, which changes the MAC.
func (p pair) key(name string, namespaces ...string) unseal.Key {
	p.t.Helper()
	result, err := seal.NewKey(p.t.Context(), seal.KeyOptions{
		Name: name, Namespaces: namespaces, Identity: p.id, Wrapper: keys.Wrappers{keys.Age: agekey.NewWrapper(nil)},
		Recipients: keys.Recipients{Groups: []keys.Group{{keys.AgeEntry{Recipient: newPair(p.t).id.Recipient()}}}},
	})
	if err != nil {
		p.t.Fatal(err)
	}
	k, err := sopsdoc.ParseSealingKey(manifest.Root(result.Node))
	if err != nil {
		p.t.Fatal(err)
	}
	return unseal.Key{SealingKey: k}
}

// A document is opened anew when something has changed that it hangs on, and not
// when a SealingKey has come or gone that has nothing to do with it.
func TestPolicyDigest(t *testing.T) {
	one, two := newPair(t), newPair(t)
	a, b := one.key("a", "prod"), two.key("b", "prod")
	for _, test := range []struct {
		name    string
		now     []unseal.Key
		changes map[string]bool // whether the digest changes, by the key that opened a document
	}{
		{"nothing", []unseal.Key{a, b}, map[string]bool{}},
		{"b is gone", []unseal.Key{a}, map[string]bool{"b": true, "": true}},
		{"another has come", []unseal.Key{a, b, newPair(t).key("c", "prod")}, map[string]bool{"": true}},
		{"other namespaces for b", []unseal.Key{a, two.key("b", "prod", "test")}, map[string]bool{"b": true, "": true}},
		{"another pair in b", []unseal.Key{a, newPair(t).key("b", "prod")}, map[string]bool{"b": true, "": true}},
		{"b for other recipients", []unseal.Key{a, two.key("b", "prod")}, map[string]bool{"": true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			keyring := unseal.NewKeyring(unseal.KeyOptions{}, a, b)
			p := newPolicy(Options{}, keyring)
			before := p.now() // which stays as it is
			keyring.Replace(test.now...)
			now := p.now()
			for key, opened := range map[string]string{
				"": "", "a": "SealingKey/a", "b": "age:age1example, SealingKey/b", "kms": "kms:arn:aws:kms:eu-west-1:111122223333:key/x",
			} {
				if changed := before.digest(opened) != now.digest(opened); changed != test.changes[key] {
					t.Errorf("opened by %q: changed %v, want %v", opened, changed, test.changes[key])
				}
			}
		})
	}
}

func TestPolicyDigestHangsOnTheOptions(t *testing.T) {
	digestWith := func(o Options) string {
		return newPolicy(o, unseal.NewKeyring(unseal.KeyOptions{})).now().digest("kms:x")
	}
	was := digestWith(Options{AllowList: "kms=x", Deny: sopsdoc.Policy{Types: []string{"a", "b"}, Metadata: []string{"c", "d"}}})
	for _, test := range []struct {
		name string
		o    Options
		same bool
	}{
		{"another order", Options{AllowList: "kms=x", Deny: sopsdoc.Policy{Types: []string{"b", "a"}, Metadata: []string{"d", "c"}}}, true},
		{"another allow-list", Options{AllowList: "kms=y", Deny: sopsdoc.Policy{Types: []string{"a", "b"}, Metadata: []string{"c", "d"}}}, false},
		{"a type less", Options{AllowList: "kms=x", Deny: sopsdoc.Policy{Types: []string{"a"}, Metadata: []string{"c", "d"}}}, false},
		{"a type as metadata", Options{AllowList: "kms=x", Deny: sopsdoc.Policy{Types: []string{"a"}, Metadata: []string{"b", "c", "d"}}}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if same := digestWith(test.o) == was; same != test.same {
				t.Errorf("the same digest: %v, want %v", same, test.same)
			}
		})
	}
}
