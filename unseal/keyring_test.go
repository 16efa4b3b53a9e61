// SPDX-License-Identifier: Apache-2.0

package unseal_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/unseal"
)

// TestKeyringNamespaces protects the limit of a SealingKey, which is looked at
// before it is opened and each time that it is used.
func TestKeyringNamespaces(t *testing.T) {
	tests := []struct {
		name       string
		namespaces []string
		in         string // namespace of the object, "" for none
		given      string
		ok         bool
	}{
		{name: "any", namespaces: []string{"*"}, in: "a", ok: true},
		{name: "its own", namespaces: []string{"a"}, in: "a", ok: true},
		{name: "one of several", namespaces: []string{"b", "a"}, in: "a", ok: true},
		{name: "another", namespaces: []string{"b", "c"}, in: "a"},
		{name: "a prefix", namespaces: []string{"a"}, in: "ab"},
		{name: "given", namespaces: []string{"a"}, given: "a", ok: true},
		{name: "given, another", namespaces: []string{"b"}, given: "a"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t, test.namespaces...)
			n := sealed(t, seal.Cluster, r.pair.Recipient())
			if test.in == "" {
				drop(n, "metadata", "namespace")
			} else {
				n = inNamespace(n, test.in)
			}
			o := r.options()
			o.Namespace = test.given
			opened, err := unseal.Open(context.Background(), n, o)
			if test.ok {
				if err != nil || opened.Secret.StringData["password"] != canary {
					t.Fatalf("got %v", err)
				}
				r.wantCalls(t, 1)
				return
			}
			denied := new(unseal.KeyNamespaceError)
			if !errors.As(err, &denied) || denied.Namespace != "a"+test.in[min(1, len(test.in)):] {
				t.Fatalf("got %v", err)
			}
			wantError(t, err, "SealingKey prod (prod.yaml) may not open documents of namespace "+denied.Namespace)
			r.wantCalls(t, 0)
		})
	}
}

// TestOpenKeyStaysLimited protects the limit of a SealingKey that a document of
// another namespace has opened already.
func TestOpenKeyStaysLimited(t *testing.T) {
	r := newRig(t, "a")
	n := sealed(t, seal.Cluster, r.pair.Recipient())
	if err := r.open(inNamespace(n, "a")); err != nil {
		t.Fatal(err)
	}
	if err := r.open(inNamespace(n, "b")); !errors.As(err, new(*unseal.KeyNamespaceError)) {
		t.Errorf("got %v", err)
	}
	if err := r.open(inNamespace(n, "a")); err != nil {
		t.Error(err)
	}
	r.wantCalls(t, 1)
}

func TestKeyringAndFiles(t *testing.T) {
	tests := []struct {
		name       string
		namespaces []string
		ok         bool
	}{
		{"any namespace", []string{"*"}, true},
		{"the namespace of the Secret", []string{"prod"}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t, test.namespaces...)
			opened, err := unseal.OpenFile(context.Background(), sealedFile(t, r.pair.Recipient()), r.options())
			if test.ok {
				if err != nil || len(opened.Documents) != 1 {
					t.Fatalf("got %v", err)
				}
				r.wantCalls(t, 1)
				return
			}
			wantError(t, err, `SealingKey prod (prod.yaml) may not open SOPS documents`, `["*"]`)
			if !errors.As(err, new(*unseal.KeyNamespaceError)) {
				t.Errorf("got %T", err)
			}
			r.wantCalls(t, 0)
		})
	}
}

// TestIdentityAtHandGoesFirst protects whoever has the identity from calls for
// a SealingKey, and from its limits.
func TestIdentityAtHandGoesFirst(t *testing.T) {
	r := newRig(t, "elsewhere")
	o := r.options()
	o.Unwrapper = unwrapperOf(r.pair)
	if _, err := unseal.Open(context.Background(), sealed(t, seal.Strict, r.pair.Recipient()), o); err != nil {
		t.Error(err)
	}
	r.wantCalls(t, 0)
}

// TestKeyringIsLastResort protects against opening a SealingKey where what
// failed was not for want of an identity.
func TestKeyringIsLastResort(t *testing.T) {
	broken := errors.New("key file is unreadable")
	r := newRig(t, "*")
	o := r.options()
	o.Unwrapper = &observed{Unwrapper: o.Unwrapper, before: func(context.Context, keys.Entry) error { return broken }}
	n := sealed(t, seal.Strict, r.pair.Recipient())
	if _, err := unseal.Open(context.Background(), n, o); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	r.wantCalls(t, 0)

	o.Unwrapper = keys.Unwrappers{} // a program without age at hand
	if _, err := unseal.Open(context.Background(), n, o); err != nil {
		t.Error(err)
	}
}

func TestKeyringPassesOverWhatIsNotItsOwn(t *testing.T) {
	r := newRig(t, "*")
	err := r.open(sealed(t, seal.Strict, newIdentity(t).Recipient()))
	if !errors.Is(err, keys.ErrNoIdentity) || errors.As(err, new(*unseal.KeyError)) {
		t.Errorf("got %v", err)
	}
	r.wantCalls(t, 0)
}

// TestNoNesting protects against SealingKeys that open others: one would reach
// further than its namespaces, and two could wait for each other.
func TestNoNesting(t *testing.T) {
	r := newRig(t)
	outer := newIdentity(t)
	r.ring.Replace(
		ringKey(t, outer, "outer", groupOf(r.master.Recipient()), "*"),
		ringKey(t, r.pair, "inner", groupOf(outer.Recipient()), "*"),
	)
	if err := r.open(sealed(t, seal.Strict, outer.Recipient())); err != nil {
		t.Fatal(err)
	}
	err := r.open(sealed(t, seal.Strict, r.pair.Recipient()))
	wantError(t, err, "SealingKey inner (inner.yaml)")
	if !errors.Is(err, keys.ErrNoIdentity) {
		t.Errorf("got %v", err)
	}
}

// TestSameRecipient protects copies, and old and new versions with other
// namespaces or recipients.
func TestSameRecipient(t *testing.T) {
	r := newRig(t)
	lost := groupOf(newIdentity(t).Recipient())
	tests := []struct {
		name  string
		ring  []unseal.Key
		calls int32
		want  []string // in the error, nil for none
	}{
		{"the second may", []unseal.Key{r.key(t, "first", "other"), r.key(t, "second", "prod")}, 1, nil},
		{"the second opens", []unseal.Key{ringKey(t, r.pair, "first", lost, "*"), r.key(t, "second", "*")}, 2, nil},
		{"the first is enough", []unseal.Key{r.key(t, "first", "prod"), ringKey(t, r.pair, "second", lost, "*")}, 1, nil},
		{"neither", []unseal.Key{r.key(t, "first", "other"), ringKey(t, r.pair, "second", lost, "prod")}, 1,
			[]string{"which 2 SealingKeys have", "SealingKey first (first.yaml) may not open documents of namespace prod", "SealingKey second (second.yaml): no key could unwrap"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r.keys.calls.Store(0)
			r.ring.Replace(test.ring...)
			n := sealed(t, seal.Strict, r.pair.Recipient())
			for range 2 {
				err := r.open(n)
				if test.want == nil && err != nil {
					t.Fatal(err)
				}
				if test.want != nil {
					wantError(t, err, test.want...)
				}
			}
			r.wantCalls(t, test.calls)
		})
	}
}

// TestManyKeys bounds what a repository full of SealingKeys, and a document for
// all of them, can cause.
func TestManyKeys(t *testing.T) {
	r := newRig(t)
	r.keys.before = func(context.Context, keys.Entry) error { return errors.New("connection reset") }
	var copies, others []unseal.Key
	var recipients, same []string
	first := r.key(t, "prod", "*")
	for i := range 20 {
		other := ringKey(t, newIdentity(t), fmt.Sprintf("other-%d", i), groupOf(r.master.Recipient()), "*")
		copies = append(copies, unseal.Key{SealingKey: first.SealingKey, Place: fmt.Sprintf("%d.yaml", i)})
		others = append(others, other)
		recipients, same = append(recipients, other.Recipient), append(same, first.Recipient)
	}
	tests := []struct {
		name  string
		ring  []unseal.Key
		doc   []string
		calls int32
		says  string
	}{
		{"of one recipient", copies, same[:1], 8, "which 8 SealingKeys have"},
		{"of many recipients", others, recipients, 8, "8 SealingKeys were tried"},
		{"one, for a document that names it many times", copies[:1], same, 1, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r.keys.calls.Store(0)
			r.ring.Replace(test.ring...)
			err := r.open(sealed(t, seal.Strict, test.doc...))
			if test.calls > 1 {
				wantError(t, err, test.says)
			}
			r.wantCalls(t, test.calls)
		})
	}
}

// TestOrderOfKeys protects the number of calls: a SealingKey is opened only
// where nothing at hand opens a document, and before any key is asked that
// serves this document alone.
func TestOrderOfKeys(t *testing.T) {
	r := newRig(t)
	second, personal := newIdentity(t), newIdentity(t)
	r.ring.Replace(r.key(t, "first", "*"), ringKey(t, second, "second", groupOf(r.master.Recipient()), "*"))
	if err := r.open(sealed(t, seal.Strict, second.Recipient())); err != nil {
		t.Fatal(err)
	}
	r.wantCalls(t, 1)
	if err := r.open(sealed(t, seal.Strict, r.pair.Recipient(), second.Recipient())); err != nil {
		t.Fatal(err)
	}
	r.wantCalls(t, 1) // the second was open

	o := r.options()
	o.Unwrapper = unwrapperOf(personal)
	if _, err := unseal.Open(context.Background(), sealed(t, seal.Strict, r.pair.Recipient(), personal.Recipient()), o); err != nil {
		t.Fatal(err)
	}
	r.wantCalls(t, 1) // the personal identity was at hand

	kms := &observed{Unwrapper: unwrapperOf(personal)} // stands for a key service: ranked like one
	o.Unwrapper = farUnwrapper{unwrapperOf(), personal.Recipient(), kms}
	if _, err := unseal.Open(context.Background(), sealed(t, seal.Strict, personal.Recipient(), r.pair.Recipient()), o); err != nil {
		t.Fatal(err)
	}
	r.wantCalls(t, 2)
	if got := kms.calls.Load(); got != 0 {
		t.Errorf("a key for one document was asked %d times before a SealingKey", got)
	}
}

// farUnwrapper has an Unwrapper for one recipient that is as costly to ask as a
// key service.
type farUnwrapper struct {
	keys.Unwrapper
	recipient string
	far       keys.Unwrapper
}

func (f farUnwrapper) Unwrap(ctx context.Context, e keys.Entry) ([]byte, error) {
	if e.ID() == f.recipient {
		return f.far.Unwrap(ctx, e)
	}
	return f.Unwrapper.Unwrap(ctx, e)
}

func (f farUnwrapper) Rank(e keys.Entry) keys.Rank {
	if e.ID() == f.recipient {
		return keys.Far
	}
	return keys.AtHand
}

func TestReplace(t *testing.T) {
	r := newRig(t)
	prod, other := r.key(t, "prod", "*"), ringKey(t, newIdentity(t), "other", groupOf(r.master.Recipient()), "*")
	reparsed := r.key(t, "prod", "*")
	reparsed.SealingKey, reparsed.Place = parsedAgain(t, prod), prod.Place
	narrowed := parsedAgain(t, prod)
	narrowed.Namespaces = []string{"prod"}
	n := sealed(t, seal.Strict, r.pair.Recipient())
	steps := []struct {
		name  string
		do    func()
		calls int32 // since the beginning
		opens bool
	}{
		{"empty", func() {}, 0, false},
		{"added", func() { r.ring.Replace(prod) }, 1, true},
		{"another one added", func() { r.ring.Replace(other, prod) }, 1, true},
		{"read again", func() { r.ring.Replace(reparsed) }, 1, true},
		{"namespaces changed", func() { r.ring.Replace(unseal.Key{SealingKey: narrowed, Place: prod.Place}) }, 2, true},
		{"moved", func() { r.ring.Replace(unseal.Key{SealingKey: narrowed, Place: "elsewhere.yaml"}) }, 3, true},
		{"another one removed", func() { r.ring.Remove("other") }, 3, true},
		{"removed", func() { r.ring.Remove("prod") }, 3, false},
		{"added again", func() { r.ring.Replace(prod) }, 4, true},
		{"all removed", func() { r.ring.Replace() }, 4, false},
	}
	for _, step := range steps {
		step.do()
		err := r.open(n)
		if (err == nil) != step.opens {
			t.Errorf("%s: %v", step.name, err)
		}
		if got := r.keys.calls.Load(); got != step.calls {
			t.Errorf("%s: %d calls so far, want %d", step.name, got, step.calls)
		}
	}
}

// TestRemovedKeyTakesItsDataKeys protects revocation: a cache around the
// program's Unwrapper must not go on opening what a SealingKey has opened.
func TestRemovedKeyTakesItsDataKeys(t *testing.T) {
	r := newRig(t, "*")
	o := r.options()
	o.Unwrapper = keys.NewCache(o.Unwrapper, keys.CacheOptions{}, nil)
	n := sealed(t, seal.Strict, r.pair.Recipient())
	if _, err := unseal.Open(context.Background(), n, o); err != nil {
		t.Fatal(err)
	}
	r.ring.Remove("prod")
	if _, err := unseal.Open(context.Background(), n, o); !errors.Is(err, keys.ErrNoIdentity) {
		t.Errorf("got %v", err)
	}
}
