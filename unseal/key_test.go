// SPDX-License-Identifier: Apache-2.0

package unseal_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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

func TestOpenKey(t *testing.T) {
	hybrid, err := agekey.GenerateIdentity()
	if err != nil {
		t.Fatal(err)
	}
	for name, pair := range map[string]agekey.Identity{"hybrid": hybrid, "classic": newIdentity(t)} {
		t.Run(name, func(t *testing.T) {
			master := newIdentity(t)
			text, err := manifest.EncodeYAML(sealKey(t, pair, "prod", groupOf(master.Recipient()), "a", "b"))
			if err != nil {
				t.Fatal(err)
			}
			n, err := manifest.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			opened, err := unseal.OpenKey(context.Background(), n, unseal.KeyOptions{Unwrapper: unwrapperOf(master), ParseIdentity: parseIdentity})
			if err != nil {
				t.Fatal(err)
			}
			if opened.Identity.Reveal() != pair.Reveal() || opened.Key.Recipient != pair.Recipient() || opened.Key.Name != "prod" {
				t.Error("another SealingKey came out")
			}
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
				checkHides(t, fmt.Sprintf(verb, opened), secretPart(pair))
				checkHides(t, fmt.Sprintf(verb, *opened), secretPart(pair))
			}
			if out, err := json.Marshal(opened); err == nil {
				checkHides(t, string(out), secretPart(pair))
			}
		})
	}
}

// kmsEntry is for a key that no test has.
func kmsEntry(context map[string]string) keys.KMSEntry {
	return keys.KMSEntry{ARN: "arn:aws:kms:eu-west-1:111122223333:key/x", Context: context, CreatedAt: "2026-01-31T09:30:00Z", Enc: "AAAA"}
}

// TestOpenKeyRefuses protects against SealingKeys that were changed, and
// against asking any key about one that breaks the format.
func TestOpenKeyRefuses(t *testing.T) {
	const binding = "spec.sealed.signet.binding: does not match the "
	stranger := newIdentity(t)
	kms := func(context map[string]string) func(*yaml.Node) {
		return func(n *yaml.Node) {
			entry := manifest.StringMap(map[string]string{"arn": "arn:aws:kms:eu-west-1:111122223333:key/x", "created_at": "2026-01-31T09:30:00Z", "enc": "AAAA"})
			if context != nil {
				manifest.Set(entry, "context", manifest.StringMap(context))
			}
			manifest.Set(manifest.Get(manifest.Root(n), "spec", "sealed", "sops"), "kms", &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{entry}})
		}
	}
	tests := []struct {
		name   string
		change func(n *yaml.Node)
		target any
		want   string
		calls  int32
	}{
		{"recipient swapped", func(n *yaml.Node) { set(n, stranger.Recipient(), "spec", "sealed", "recipient") }, new(*sopsdoc.TamperedError), binding + "SealingKey", 1},
		{"renamed", func(n *yaml.Node) { set(n, "dev", "metadata", "name") }, new(*sopsdoc.TamperedError), binding + "SealingKey", 1},
		{"recipient appended", func(n *yaml.Node) {
			list := manifest.Get(manifest.Root(n), "spec", "sealed", "sops", "age")
			list.Content = append(list.Content, manifest.StringMap(map[string]string{"enc": "x", "recipient": stranger.Recipient()}))
		}, new(*sopsdoc.TamperedError), binding + "sops block", 1},
		{"key with its context appended", kms(map[string]string{"signet-sealing-key": "prod"}), new(*sopsdoc.TamperedError), binding + "sops block", 1},
		{"not a SealingKey", func(n *yaml.Node) { set(n, "SealedSecret", "kind") }, new(*sopsdoc.InvalidError), "SealingKey", 0},
		{"unknown field", func(n *yaml.Node) { set(n, "*/*", "spec", "sealed", "scope") }, new(*sopsdoc.InvalidError), "spec.sealed.scope", 0},
		{"no namespaces", func(n *yaml.Node) { drop(n, "spec", "namespaces") }, new(*sopsdoc.InvalidError), "spec.namespaces", 0},
		{"key without context", kms(nil), new(*sopsdoc.InvalidError), "spec.sealed.sops.kms", 0},
		{"key with another context", kms(map[string]string{"signet-sealing-key": "dev"}), new(*sopsdoc.InvalidError), "spec.sealed.sops.kms", 0},
		{"key with the context of a Secret too", kms(map[string]string{"signet-sealing-key": "prod", "kubernetes-namespace": "a"}), new(*sopsdoc.InvalidError), "spec.sealed.sops.kms", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			pair, master := newIdentity(t), newIdentity(t)
			n := sealKey(t, pair, "prod", groupOf(master.Recipient()), "*")
			test.change(n)
			o := &observed{Unwrapper: unwrapperOf(master)}
			opened, err := unseal.OpenKey(context.Background(), n, unseal.KeyOptions{Unwrapper: o, ParseIdentity: parseIdentity})
			if !errors.As(err, test.target) || opened != nil {
				t.Fatalf("got %T %v, want %T", err, err, test.target)
			}
			wantError(t, err, test.want)
			checkHides(t, err.Error(), secretPart(pair))
			if got := o.calls.Load(); got != test.calls {
				t.Errorf("%d keys were used, want %d", got, test.calls)
			}
		})
	}
}

// forged is a SealingKey that authenticates, made by somebody who knows its
// data key: they say that recipient is that of their own identity.
func forged(t *testing.T, recipient string, own agekey.Identity, r keys.Recipients) *yaml.Node {
	t.Helper()
	k := keys.GenerateDataKey()
	r, err := keys.WrapAll(context.Background(), ageWrapper(), r, k)
	if err != nil {
		t.Fatal(err)
	}
	id, err := sopsdoc.ParseIdentity(own.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	key, err := sopsdoc.SealSealingKey(sopsdoc.KeyClear{Name: "prod", Namespaces: []string{"*"}, Recipient: recipient}, id, k, r, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return key.Node()
}

// TestForgedRecipient protects those who seal for a recipient that they took
// from a SealingKey: one that opens is that of the identity in it.
func TestForgedRecipient(t *testing.T) {
	attacker, victim, master := newIdentity(t), newIdentity(t), newIdentity(t)
	for name, recipient := range map[string]string{"of somebody else": victim.Recipient(), "of nobody": "age1" + victim.Recipient()[4:61] + "q"} {
		t.Run(name, func(t *testing.T) {
			n := forged(t, recipient, attacker, groupOf(master.Recipient()))
			o := unseal.KeyOptions{Unwrapper: unwrapperOf(master), ParseIdentity: parseIdentity}
			_, err := unseal.OpenKey(context.Background(), n, o)
			tampered := new(sopsdoc.TamperedError)
			if !errors.As(err, &tampered) || tampered.Path != "spec.sealed.recipient" {
				t.Fatalf("got %v", err)
			}
			checkHides(t, err.Error(), secretPart(attacker))

			key, err := sopsdoc.ParseSealingKey(n)
			if err != nil {
				t.Fatal(err)
			}
			ring := unseal.NewKeyring(o, unseal.Key{SealingKey: key, Place: "forged.yaml"})
			_, err = unseal.Open(context.Background(), sealed(t, seal.Strict, victim.Recipient()), unseal.Options{Unwrapper: unwrapperOf(), Keyring: ring})
			if err == nil || name == "of somebody else" && !errors.As(err, new(*sopsdoc.TamperedError)) {
				t.Errorf("through a ring: %v", err)
			}
		})
	}
}

// TestNotAnIdentity protects against text under seal that age cannot read, and
// its being shown.
func TestNotAnIdentity(t *testing.T) {
	pair, master := newIdentity(t), newIdentity(t)
	n := sealKey(t, brokenIdentity{pair}, "prod", groupOf(master.Recipient()), "*")
	_, err := unseal.OpenKey(context.Background(), n, unseal.KeyOptions{Unwrapper: unwrapperOf(master), ParseIdentity: parseIdentity})
	wantError(t, err, "spec.sealed.signet.stringData.identity: ", "checksum")
	checkHides(t, err.Error(), secretPart(pair))
}

// brokenIdentity has a private half whose checksum is wrong.
type brokenIdentity struct{ agekey.Identity }

func (b brokenIdentity) Reveal() string {
	text := []byte(b.Identity.Reveal())
	last := &text[len(text)-1] // P and Q are in the alphabet of Bech32
	if *last == 'Q' {
		*last = 'P'
	} else {
		*last = 'Q'
	}
	return string(text)
}

func TestOpenKeyWithoutKey(t *testing.T) {
	pair := newIdentity(t)
	n := sealKey(t, pair, "prod", groupOf(newIdentity(t).Recipient(), newIdentity(t).Recipient()), "*")
	_, err := unseal.OpenKey(context.Background(), n, unseal.KeyOptions{Unwrapper: unwrapperOf(newIdentity(t)), ParseIdentity: parseIdentity})
	none := new(keys.NoKeyError)
	if !errors.As(err, &none) || len(none.Attempts) != 2 || !errors.Is(err, keys.ErrNoIdentity) {
		t.Errorf("got %v", err)
	}
}
