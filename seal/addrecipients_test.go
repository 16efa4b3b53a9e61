// SPDX-License-Identifier: Apache-2.0

package seal_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// counting is a Wrapper that counts its calls.
type counting struct {
	next  keys.Wrapper
	calls atomic.Int32
}

func (c *counting) Wrap(ctx context.Context, to keys.Entry, secret []byte) (keys.Entry, error) {
	c.calls.Add(1)
	return c.next.Wrap(ctx, to, secret)
}

var _ keys.Wrapper = (*counting)(nil)

// forBoth returns options with a second recipient, and the Wrapper's count.
func (k key) forBoth(more key) (seal.Options, *counting) {
	o := later(k.options())
	o.Recipients.Groups[0] = keys.Group{keys.AgeEntry{Recipient: more.recipient}, keys.AgeEntry{Recipient: k.recipient}}
	c := &counting{next: agekey.NewWrapper(nil)}
	o.Wrapper = c
	return o, c
}

// TestAddRecipients protects what nobody asked to change: one wrapped key is
// new, one call is made, the rest stays.
func TestAddRecipients(t *testing.T) {
	k, more := newKey(t), newKey(t)
	prev := k.open(t, oddDocument(t, k))
	before := leaves(prev.Object, "", map[string]string{})
	o, calls := k.forBoth(more)
	r, err := seal.AddRecipients(t.Context(), prev, o)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{envPath + "/signet/binding", envPath + "/sops/age[]/enc", envPath + "/sops/age[]/recipient", envPath + "/sops/lastmodified", envPath + "/sops/mac"}
	if diff := cmp.Diff(want, changed(before, leaves(r.Node, "", map[string]string{}))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for name, who := range map[string]key{"who could before": k, "who is new": more} {
		opened := who.open(t, reparsed(t, r.Node))
		if !opened.DataKey.Equal(prev.DataKey) || !opened.Sealed.Content.Equal(prev.Sealed.Content) || !r.DataKey.Equal(prev.DataKey) {
			t.Errorf("%s: other content or key", name)
		}
		md := opened.Sealed.Envelope.Metadata
		if diff := cmp.Diff(prev.Sealed.Envelope.Metadata.Recipients.Entries()[0], md.Recipients.Entries()[0]); diff != "" || !md.Recipients.Same(o.Recipients) {
			t.Errorf("%s: the first wrapped key is changed:\n%s", name, diff)
		}
		if created, known := md.Recipients.Created(); !known || !created.Equal(k.options().Now) {
			t.Errorf("%s: the data key is said to be made at %v, %v", name, created, known)
		}
	}
	if n := calls.calls.Load(); n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
	again, err := seal.AddRecipients(t.Context(), k.open(t, r.Node), o)
	if err != nil || !again.Unchanged || again.Node != r.Node || calls.calls.Load() != 1 {
		t.Errorf("again: %v, %d calls", err, calls.calls.Load())
	}
}

// TestAddRecipientsWrapsAll protects the repair of wrapped keys that do not open.
func TestAddRecipientsWrapsAll(t *testing.T) {
	k, more := newKey(t), newKey(t)
	prev := k.open(t, oddDocument(t, k))
	o, calls := k.forBoth(more)
	for i, o := range []seal.Options{o, later(k.options())} {
		o.WrapAll, o.Wrapper = true, calls
		r, err := seal.AddRecipients(t.Context(), prev, o)
		if err != nil {
			t.Fatal(err)
		}
		opened := k.open(t, reparsed(t, r.Node))
		if !opened.DataKey.Equal(prev.DataKey) || r.Unchanged {
			t.Errorf("%d: unchanged %v", i, r.Unchanged)
		}
		for _, e := range opened.Sealed.Envelope.Metadata.Recipients.Entries() {
			if e.Wrapped() == prev.Sealed.Envelope.Metadata.Recipients.Entries()[0].Wrapped() {
				t.Errorf("%d: not wrapped anew", i)
			}
		}
		if created, known := opened.Sealed.Envelope.Metadata.Recipients.Created(); !known || !created.Equal(k.options().Now) {
			t.Errorf("%d: the data key is said to be made at %v, %v", i, created, known)
		}
	}
	if n := calls.calls.Load(); n != 3 {
		t.Errorf("%d calls, want 3", n)
	}
}

// TestAddRecipientsRefuses protects against a removal that is none.
func TestAddRecipientsRefuses(t *testing.T) {
	k, more := newKey(t), newKey(t)
	prev := k.open(t, oddDocument(t, k))
	for name, turn := range map[string]func(*seal.Options){
		"plain":   func(*seal.Options) {},
		"all":     func(o *seal.Options) { o.WrapAll = true },
		"fresh":   func(o *seal.Options) { o.FreshKeyOnChange = true },
		"fresh 2": func(o *seal.Options) { o.FreshKey = true },
	} {
		o, calls := k.forBoth(more)
		o.Recipients.Groups[0] = o.Recipients.Groups[0][:1]
		turn(&o)
		r, err := seal.AddRecipients(t.Context(), prev, o)
		var removed *keys.RemovedError
		if !errors.As(err, &removed) || r != nil || len(removed.Entries) != 1 || removed.Entries[0].ID() != k.recipient || calls.calls.Load() > 0 {
			t.Errorf("%s: %v, %d calls", name, err, calls.calls.Load())
		}
	}
	o, _ := k.forBoth(more)
	failing := errors.New("wrap: refused")
	o.Wrapper = wrapFunc(func(keys.Entry) (keys.Entry, error) { return nil, failing })
	if r, err := seal.AddRecipients(t.Context(), prev, o); !errors.Is(err, failing) || r != nil {
		t.Errorf("got %v", err)
	}
}

type wrapFunc func(keys.Entry) (keys.Entry, error)

func (f wrapFunc) Wrap(_ context.Context, to keys.Entry, _ []byte) (keys.Entry, error) { return f(to) }

// TestAddRecipientsFresh protects rules that want a new data key: whoever knows,
// or has planted, the old one must not read on.
func TestAddRecipientsFresh(t *testing.T) {
	k, more := newKey(t), newKey(t)
	prev := k.open(t, oddDocument(t, k))
	o, _ := k.forBoth(more)
	o.FreshKeyOnChange = true
	r, err := seal.AddRecipients(t.Context(), prev, o)
	if err != nil {
		t.Fatal(err)
	}
	checkOpens(t, more, r, changeOf(prev))
	if r.DataKey.Equal(prev.DataKey) || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "new data key") {
		t.Errorf("kept the data key, or notes %q", r.Notes)
	}
	o = later(k.options())
	o.FreshKeyOnChange = true
	if r, err := seal.AddRecipients(t.Context(), prev, o); err != nil || !r.Unchanged {
		t.Errorf("nobody is new: %v", err)
	}
}

// TestAddRecipientsBindsTheContext protects the policy of a KMS key by which it
// opens documents of one place only.
func TestAddRecipientsBindsTheContext(t *testing.T) {
	k := newKey(t)
	prev := k.open(t, oddDocument(t, k))
	o := later(k.options())
	kms := keys.KMSEntry{ARN: "arn:aws:kms:eu-central-1:111122223333:key/x"}
	o.Recipients.Groups[0] = append(o.Recipients.Groups[0], kms)
	o.Wrapper = wrapFunc(func(to keys.Entry) (keys.Entry, error) {
		e := to.(keys.KMSEntry)
		e.Enc, e.CreatedAt = "AAAA", time.Now().Format(time.RFC3339)
		return e, nil
	})
	r, err := seal.AddRecipients(t.Context(), prev, o)
	if err != nil {
		t.Fatal(err)
	}
	e := k.open(t, r.Node).Sealed.Envelope
	got := e.Metadata.Recipients.Entries()[1].(keys.KMSEntry)
	want := keys.KMSEntry{ARN: kms.ARN, Enc: "AAAA", CreatedAt: "2026-01-31T09:30:00Z",
		Context: map[string]string{"kubernetes-namespace": "prod", "kubernetes-name": "db"}}
	if diff := cmp.Diff(want, got); diff != "" || e.CheckContext() != nil {
		t.Errorf("(-want +got):\n%s", diff)
	}
	o.Recipients.Groups[0][1] = keys.KMSEntry{ARN: kms.ARN, Context: map[string]string{"kubernetes-name": "x"}}
	if _, err := seal.AddRecipients(t.Context(), prev, o); !errors.As(err, new(*sopsdoc.InvalidError)) {
		t.Errorf("a reserved name: %v", err)
	}
}
