// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestMinus compares as Same does: both are empty exactly where Same holds.
func TestMinus(t *testing.T) {
	azure := func(version string) Entry {
		return AzureKVEntry{VaultURL: "https://v", Name: "k", Version: version}
	}
	kms := func(role string) Entry { return KMSEntry{ARN: "arn", Role: role} }
	one := func(entries ...Entry) Recipients { return Recipients{Groups: []Group{entries}} }
	tests := []struct {
		name   string
		x, y   Recipients
		xy, yx string // what only x has, and only y
	}{
		{"the same in another order", grouped(0, group("a", "b")), grouped(0, group("b", "a")), "", ""},
		{"one more", grouped(0, group("a", "b", "c")), grouped(0, group("c", "a")), "b", ""},
		{"others", grouped(0, group("a", "b")), grouped(0, group("b", "c")), "a", "c"},
		{"twice", grouped(0, group("a", "a")), grouped(0, group("a")), "a", ""},
		{"another role", one(kms("x")), one(kms("y")), "arn", "arn"},
		{"wrapped or not", one(with(kms("x"), "enc")), one(kms("x")), "", ""},
		{"azure with and without version", one(azure("1")), one(azure("")), "", ""},
		{"azure of two versions", one(azure("1")), one(azure("2")), "https://v/keys/k/1", "https://v/keys/k/2"},
		{"another type of the same name", one(AgeEntry{Recipient: "a"}), grouped(0, group("a")), "a", "a"},
		{"over groups", grouped(2, group("a"), group("b")), grouped(2, group("b"), group("a", "c")), "", "c"},
		{"nobody", Recipients{}, grouped(0, group("a")), "", "a"},
	}
	names := func(entries []Entry) string {
		var ids []string
		for _, e := range entries {
			ids = append(ids, e.ID())
		}
		return strings.Join(ids, " ")
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := names(tt.x.Minus(tt.y)); got != tt.xy {
				t.Errorf("x minus y is %q, want %q", got, tt.xy)
			}
			if got := names(tt.y.Minus(tt.x)); got != tt.yx {
				t.Errorf("y minus x is %q, want %q", got, tt.yx)
			}
			if len(tt.x.Groups) == 1 && len(tt.y.Groups) == 1 && tt.x.Same(tt.y) != (tt.xy+tt.yx == "") {
				t.Error("Same says something else")
			}
		})
	}
}

// TestWrapMore protects the wrapped keys of others: only who is new costs a call.
func TestWrapMore(t *testing.T) {
	k := testKey(t)
	have := wrapped(t, grouped(0, group("a", "b")), k)
	s := &plainService{}
	got, err := WrapMore(t.Context(), s, have, grouped(0, group("c", "b", "a", "d")), k)
	if err != nil {
		t.Fatal(err)
	}
	wantCalls(t, s, "c", "d")
	if diff := cmp.Diff(have.Groups[0], got.Groups[0][:2]); diff != "" {
		t.Errorf("what was there is changed:\n%s", diff)
	}
	if shares := sharesOf(t, got); len(shares) != 1 || !bytes.Equal(shares[0], k.Bytes()) || !got.Same(grouped(0, group("a", "b", "c", "d"))) {
		t.Error("not the data key for all")
	}
	if len(have.Groups[0]) != 2 {
		t.Error("what was given is changed")
	}
	got, err = WrapMore(t.Context(), s, have, grouped(0, group("b", "a")), k)
	if diff := cmp.Diff(have, got); diff != "" || err != nil {
		t.Errorf("%v, nobody is new:\n%s", err, diff)
	}
	wantCalls(t, s)
	if _, err := WrapAnew(t.Context(), s, have, grouped(0, group("b", "a")), k); err != nil {
		t.Error(err)
	}
	wantCalls(t, s, "b", "a")
	failing := &plainService{fail: map[string]error{"c": errors.New("wrap for pgp c: refused")}}
	if got, err := WrapMore(t.Context(), failing, have, grouped(0, group("a", "b", "c")), k); err == nil || got.Groups != nil {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestWrapMoreGroups protects against shares of two divisions in one document.
func TestWrapMoreGroups(t *testing.T) {
	k := testKey(t)
	tests := []struct {
		name       string
		have, want Recipients
		calls      string
	}{
		{"one more in a group", grouped(2, group("a"), group("b"), group("c")), grouped(2, group("a", "d"), group("b"), group("c")), "a d b c"},
		{"one more group", grouped(2, group("a"), group("b")), grouped(2, group("a"), group("b"), group("c")), "a b c"},
		{"fewer are enough", grouped(3, group("a"), group("b"), group("c")), grouped(2, group("a"), group("b"), group("c")), "a b c"},
		{"every one is enough", grouped(2, group("a"), group("b")), grouped(0, group("b", "a")), "b a"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &plainService{}
			got, err := WrapMore(t.Context(), s, wrapped(t, tt.have, k), tt.want, k)
			if err != nil || !got.Same(tt.want) {
				t.Fatalf("%v, %v", got, err)
			}
			wantCalls(t, s, strings.Fields(tt.calls)...)
			if opened, err := UnwrapAny(t.Context(), s, got); err != nil || !opened.Equal(k) {
				t.Errorf("does not give the data key: %v", err)
			}
		})
	}
}

// TestRemoved protects against a removal that is none: who could open the
// document keeps its data key.
func TestRemoved(t *testing.T) {
	abc := grouped(2, group("a"), group("b"), group("c"))
	tests := []struct {
		name       string
		have, want Recipients
		lost       string
	}{
		{"one", grouped(0, group("a", "b")), grouped(0, group("a", "c")), "would take access from b, who would keep the data key"},
		{"all", grouped(0, group("a", "b")), grouped(0, group("c")), "would take access from a, b, who would keep the data key"},
		{"out of a group", grouped(2, group("a", "b"), group("c")), grouped(2, group("a"), group("c")), "would take access from b, who would keep the data key"},
		{"alone to groups", grouped(0, group("a", "b")), grouped(2, group("a"), group("b")), "groups"},
		{"more are needed", abc, grouped(3, group("a"), group("b"), group("c")), "groups"},
		{"more are needed, by default", grouped(0, group("a"), group("b")), grouped(0, group("a"), group("b"), group("c")), "groups"},
		{"into another group", grouped(2, group("a"), group("b"), group("c", "d")), grouped(2, group("a", "d"), group("b"), group("c")), "groups"},
		{"fewer groups", abc, grouped(2, group("a", "b"), group("c")), "groups"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, k := &plainService{}, testKey(t)
			for _, wrap := range []func() (Recipients, error){
				func() (Recipients, error) { return WrapMore(t.Context(), s, wrapped(t, tt.have, k), tt.want, k) },
				func() (Recipients, error) { return WrapAnew(t.Context(), s, wrapped(t, tt.have, k), tt.want, k) },
				func() (Recipients, error) { return Recipients{}, CheckKept(tt.have, tt.want) },
			} {
				got, err := wrap()
				var removed *RemovedError
				if !errors.As(err, &removed) || got.Groups != nil {
					t.Fatalf("%v, %v", got, err)
				}
				if removed.Groups != (tt.lost == "groups") || !removed.Groups && err.Error() != tt.lost {
					t.Errorf("%v", err)
				}
			}
			wantCalls(t, s)
		})
	}
}

// TestCreated protects the age of a data key: wrapping it again must not make
// it look younger, and what is not known must not look known.
func TestCreated(t *testing.T) {
	const early, late = "2026-01-31T09:30:00Z", "2026-06-01T00:00:00Z"
	age := func(at string) Entry { return AgeEntry{Recipient: "age1x", CreatedAt: at} }
	kms := func(at string) Entry { return KMSEntry{ARN: "arn", CreatedAt: at} }
	tests := []struct {
		name   string
		r      []Entry
		oldest string
		known  bool
	}{
		{"all at once", []Entry{age(early), kms(early)}, early, true},
		{"the oldest counts", []Entry{kms(late), age(early)}, early, true},
		{"in another zone", []Entry{kms(late), kms("2026-01-31T10:30:00+01:00")}, early, true},
		{"age without a time", []Entry{age("")}, "", false},
		{"age without a time, and another", []Entry{age(""), kms(late)}, late, false},
		{"no time", []Entry{kms("yesterday")}, "", false},
		{"nobody", nil, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			oldest, known := Recipients{Groups: []Group{tt.r}}.Created()
			want, _ := time.Parse(time.RFC3339, tt.oldest)
			if !oldest.Equal(want) || known != tt.known {
				t.Errorf("got %v, %v", oldest, known)
			}
		})
	}
}

// TestPlausibleAge protects rotation from who writes a time that keeps a data key
// for ever.
func TestPlausibleAge(t *testing.T) {
	now := time.Date(2026, 1, 31, 9, 30, 0, 0, time.UTC)
	at := func(d time.Duration) string { return now.Add(d).Format(time.RFC3339) }
	day := 24 * time.Hour
	tests := []struct {
		name    string
		made    string
		changed time.Time
		want    bool
	}{
		{"made and changed now", at(0), now, true},
		{"made before it was changed", at(-day), now, true},
		{"made long ago, and never changed", at(-day), now.Add(-day), true},
		{"made in the future", at(day), time.Time{}, false},
		{"made in the future, and so changed", at(day), now.Add(day), false},
		{"changed in the future", at(-day), now.Add(day), false},
		{"changed in the future, made at no known time", "", now.Add(day), false},
		{"made after it was changed", at(-day), now.Add(-2 * day), false},
		{"the clocks differ", at(5 * time.Minute), now.Add(5 * time.Minute), true},
		{"the clocks of two differ", at(-day + 5*time.Minute), now.Add(-day), true},
		{"nothing is known", "", time.Time{}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := Recipients{Groups: []Group{{AgeEntry{Recipient: "age1x", CreatedAt: tt.made}}}}
			if got := r.PlausibleAge(tt.changed, now); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

// TestWithCreated sets the time of every type, and changes nothing else.
func TestWithCreated(t *testing.T) {
	at := time.Date(2026, 1, 31, 10, 30, 0, 5, time.FixedZone("", 3600))
	all := Group{
		AgeEntry{Recipient: "age1x", Enc: "e"}, KMSEntry{ARN: "a", Enc: "e"}, GCPKMSEntry{ResourceID: "r", Enc: "e"},
		HuaweiKMSEntry{KeyID: "k", Enc: "e"}, AzureKVEntry{VaultURL: "v", Name: "n", Enc: "e"},
		VaultEntry{Address: "a", KeyName: "k", Enc: "e"}, PGPEntry{Fingerprint: "f", Enc: "e"},
	}
	if len(all) != len(Types) {
		t.Fatal("a type is missing")
	}
	r := grouped(2, all, Group{AgeEntry{Recipient: "age1y"}})
	got := r.WithCreated(at)
	for i, e := range got.Entries() {
		if createdAt(e) != "2026-01-31T09:30:00Z" || e.Wrapped() != r.Entries()[i].Wrapped() {
			t.Errorf("%T: %v", e, e)
		}
	}
	if oldest, known := got.Created(); !known || !oldest.Equal(at.Truncate(time.Second)) || !got.Same(r) {
		t.Errorf("%v, %v", oldest, known)
	}
	if _, known := r.Created(); known {
		t.Error("what was given is changed")
	}
}

// TestWrapMoreCarriesTheTime protects the age through WrapMore and WrapAnew.
func TestWrapMoreCarriesTheTime(t *testing.T) {
	early, late := time.Date(2026, 1, 31, 9, 30, 0, 0, time.UTC), time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	now := wrapFunc(func(_ context.Context, e Entry, _ []byte) (Entry, error) {
		e = with(e, "wrapped")
		if e.Type() != Age {
			e = withCreated(e, late)
		}
		return e, nil
	})
	age, kms, more := AgeEntry{Recipient: "age1x"}, KMSEntry{ARN: "arn"}, AgeEntry{Recipient: "age1y"}
	want := grouped(0, Group{age, kms, more})
	tests := []struct {
		name   string
		have   Recipients
		oldest time.Time
		known  bool
	}{
		{"known", grouped(0, Group{age, kms}).WithCreated(early), early, true},
		{"known in part", grouped(0, Group{age, withCreated(kms, early)}), early, false},
		{"not known", grouped(0, Group{age}), late, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for name, wrap := range map[string]func() (Recipients, error){
				"WrapMore": func() (Recipients, error) { return WrapMore(t.Context(), now, tt.have, want, testKey(t)) },
				"WrapAnew": func() (Recipients, error) { return WrapAnew(t.Context(), now, tt.have, want, testKey(t)) },
			} {
				got, err := wrap()
				if err != nil {
					t.Fatal(err)
				}
				if oldest, known := got.Created(); !oldest.Equal(tt.oldest) || known != tt.known {
					t.Errorf("%s: %v, %v", name, oldest, known)
				}
			}
		})
	}
}
