// SPDX-License-Identifier: Apache-2.0

package seal_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

func keyOptions(t *testing.T, recipients ...keys.Entry) (seal.KeyOptions, agekey.Identity) {
	t.Helper()
	pair, err := agekey.GenerateClassicIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return seal.KeyOptions{
		Name: "prod", Namespaces: []string{"team-a", "team-b"}, Identity: pair,
		Recipients: keys.Recipients{Groups: []keys.Group{recipients}},
		Wrapper:    keys.Wrappers{keys.Age: agekey.NewWrapper(nil)},
		Now:        time.Date(2026, 1, 31, 9, 30, 0, 0, time.UTC),
	}, pair
}

func TestNewKey(t *testing.T) {
	master := newKey(t)
	o, pair := keyOptions(t, keys.AgeEntry{Recipient: master.recipient})
	var dataKeys []keys.DataKey
	for range 2 {
		result, err := seal.NewKey(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		n := reparsed(t, result.Node)
		key, err := sopsdoc.ParseSealingKey(manifest.Root(n))
		if err != nil {
			t.Fatal(err)
		}
		want := sopsdoc.KeyClear{Name: "prod", Namespaces: []string{"team-a", "team-b"}, Recipient: pair.Recipient()}
		if diff := cmp.Diff(want, key.KeyClear); diff != "" {
			t.Error(diff)
		}
		if key.Metadata.LastModified != "2026-01-31T09:30:00Z" {
			t.Errorf("last modified %s", key.Metadata.LastModified)
		}
		k, err := keys.UnwrapAny(context.Background(), master.unwrapper, key.Metadata.Recipients)
		if err != nil {
			t.Fatal(err)
		}
		dataKeys = append(dataKeys, k)
		id, err := key.Open(k)
		if err != nil || id.Reveal() != pair.Reveal() {
			t.Errorf("does not open to the identity: %v", err)
		}
		for path, text := range leaves(n, "", map[string]string{}) {
			if strings.Contains(text, "AGE-SECRET") {
				t.Errorf("%s holds the identity", path)
			}
		}
	}
	if dataKeys[0].Equal(dataKeys[1]) {
		t.Error("the data key was made once for two SealingKeys")
	}
}

// contexts wraps for KMS keys that exist nowhere, and keeps what it was given.
type contexts struct{ got []map[string]string }

func (c *contexts) Wrap(_ context.Context, to keys.Entry, _ []byte) (keys.Entry, error) {
	k := to.(keys.KMSEntry)
	c.got = append(c.got, k.Context)
	k.Enc, k.CreatedAt = "AAAA", "2026-01-31T09:30:00Z"
	return k, nil
}

// TestNewKeyTellsItsName protects key policies that go by the encryption
// context.
func TestNewKeyTellsItsName(t *testing.T) {
	o, _ := keyOptions(t, keys.KMSEntry{ARN: "arn:1", Context: map[string]string{"app": "shop"}}, keys.KMSEntry{ARN: "arn:2"})
	wrapper := &contexts{}
	o.Wrapper = wrapper
	result, err := seal.NewKey(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	want := []map[string]string{{"app": "shop", "signet-sealing-key": "prod"}, {"signet-sealing-key": "prod"}}
	if diff := cmp.Diff(want, wrapper.got); diff != "" {
		t.Error(diff)
	}
	key, err := sopsdoc.ParseSealingKey(manifest.Root(reparsed(t, result.Node)))
	if err != nil {
		t.Fatal(err)
	}
	if err := key.CheckContext(); err != nil {
		t.Errorf("readers refuse the context: %v", err)
	}
}

// swapped is a private half with the public half of another key pair, of
// another kind.
type swapped struct {
	agekey.Identity
	public string
}

func (s swapped) Recipient() string { return s.public }

func TestNewKeyRefuses(t *testing.T) {
	hybrid, err := agekey.GenerateIdentity()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		change func(*seal.KeyOptions)
		want   string
	}{
		{"no name", func(o *seal.KeyOptions) { o.Name = "" }, "metadata.name"},
		{"name with slash", func(o *seal.KeyOptions) { o.Name = "a/b" }, "metadata.name"},
		{"no namespaces", func(o *seal.KeyOptions) { o.Namespaces = nil }, "spec.namespaces"},
		{"any and more", func(o *seal.KeyOptions) { o.Namespaces = []string{"*", "a"} }, "spec.namespaces[0]"},
		{"invalid namespace", func(o *seal.KeyOptions) { o.Namespaces = []string{"team_a"} }, "spec.namespaces[0]"},
		{"no identity", func(o *seal.KeyOptions) { o.Identity = agekey.Identity{} }, "identity"},
		{"recipient of another kind", func(o *seal.KeyOptions) {
			o.Identity = swapped{o.Identity.(agekey.Identity), hybrid.Recipient()}
		}, "spec.sealed.signet.stringData.identity"},
		{"recipient of a plugin", func(o *seal.KeyOptions) {
			o.Identity = swapped{o.Identity.(agekey.Identity), "age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t"}
		}, "spec.sealed.recipient"},
		{"no recipients", func(o *seal.KeyOptions) { o.Recipients = keys.Recipients{} }, "spec.sealed.sops"},
		{"wrapped for itself", func(o *seal.KeyOptions) {
			o.Recipients.Groups[0] = append(o.Recipients.Groups[0], keys.AgeEntry{Recipient: o.Identity.Recipient()})
		}, "spec.sealed.sops.age"},
		{"reserved context", func(o *seal.KeyOptions) {
			o.Recipients.Groups[0] = append(o.Recipients.Groups[0], keys.KMSEntry{ARN: "arn:x", Context: map[string]string{"kubernetes-namespace": "a"}})
		}, "context.kubernetes-namespace"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o, pair := keyOptions(t, keys.KMSEntry{ARN: "arn:1"})
			wrapper := &contexts{}
			o.Wrapper = wrapper
			test.change(&o)
			_, err := seal.NewKey(context.Background(), o)
			invalid := new(sopsdoc.InvalidError)
			if !errors.As(err, &invalid) || invalid.Path != test.want {
				t.Fatalf("got %v, want an InvalidError at %s", err, test.want)
			}
			if len(wrapper.got) != 0 {
				t.Error("a key was used before")
			}
			if strings.Contains(err.Error(), strings.TrimPrefix(pair.Reveal(), "AGE-SECRET-KEY-")) {
				t.Errorf("error %q holds the identity", err)
			}
		})
	}
}

func TestNewKeyFailsWithItsWrapper(t *testing.T) {
	o, _ := keyOptions(t, keys.AgeEntry{Recipient: newKey(t).recipient}, keys.KMSEntry{ARN: "arn:1"})
	if _, err := seal.NewKey(context.Background(), o); !errors.As(err, new(*keys.UnsupportedError)) {
		t.Errorf("got %v", err)
	}
}
