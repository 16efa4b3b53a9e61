// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// testKey is a data key that can be told from others.
func testKey(t testing.TB) DataKey {
	t.Helper()
	k, err := NewDataKey([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// wrapped wraps k for r with a service that notes nothing.
func wrapped(t testing.TB, r Recipients, k DataKey) Recipients {
	t.Helper()
	out, err := WrapAll(t.Context(), &plainService{}, r, k)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// grouped returns recipients with a threshold.
func grouped(threshold int, groups ...Group) Recipients {
	return Recipients{Groups: groups, Threshold: threshold}
}

// ids writes the keys that were tried and why in vain.
func ids(attempts []Attempt) string {
	var b strings.Builder
	for _, a := range attempts {
		fmt.Fprintf(&b, "%s ", a.Entry.ID())
	}
	return strings.TrimSpace(b.String())
}

// unwrapTest is a document, what of its keys fails, and what comes of it.
type unwrapTest struct {
	name    string
	r       Recipients
	failing string // IDs
	rank    map[string]Rank
	calls   string // IDs in order
	opened  string // "yes", or how many groups of how many
}

func TestUnwrapAny(t *testing.T) {
	three := []Group{group("a"), group("b"), group("c")}
	for _, tt := range []unwrapTest{

		{"one key", grouped(0, group("a")), "", nil, "a", "yes"},
		{"the first that works", grouped(0, group("a", "b", "c")), "a", nil, "a b", "yes"},
		{"none works", grouped(0, group("a", "b")), "a b", nil, "a b", "0/0"},
		{"by rank", grouped(0, group("far", "near", "hand", "many")), "hand many near far",
			map[string]Rank{"far": Far, "hand": AtHand, "many": OneForMany}, "hand many near far", "0/0"},
		{"by rank, the first works", grouped(0, group("far", "near")), "", map[string]Rank{"far": Far}, "near", "yes"},
		{"same rank in order", grouped(0, group("d", "c", "b", "a")), "a b c d", nil, "d c b a", "0/0"},
		{"threshold of one group", grouped(1, group("a")), "", nil, "a", "yes"},

		{"two of three", grouped(2, three...), "", nil, "a b", "yes"},
		{"two of three, the first missing", grouped(2, three...), "a", nil, "a b c", "yes"},
		{"two of three, the second missing", grouped(2, three...), "b", nil, "a b c", "yes"},
		{"two of three, two missing", grouped(2, three...), "a b", nil, "a b", "0/2"},
		{"two of three, first and last missing", grouped(2, three...), "a c", nil, "a b c", "1/2"},
		{"all of three", grouped(3, three...), "", nil, "a b c", "yes"},
		{"0 is all", grouped(0, three...), "", nil, "a b c", "yes"},
		{"all of three, the first missing", grouped(3, three...), "a", nil, "a", "0/3"},
		{"all of three, the last missing", grouped(0, three...), "c", nil, "a b c", "2/3"},
		{"two of two", grouped(2, group("a"), group("b")), "", nil, "a b", "yes"},
		{"several keys in a group", grouped(2, group("a", "b"), group("c", "d"), group("e")), "a c", nil, "a b c d", "yes"},
		{"a group fails after its last key", grouped(2, group("a", "b"), group("c", "d"), group("e")), "a b", nil, "a b c e", "yes"},
		{"gives up as soon as it must", grouped(4, group("a"), group("b", "c"), group("d"), group("e"), group("f")), "b c d", nil, "a b c d", "1/4"},

		{"groups by rank", grouped(2, group("far"), group("near"), group("hand")), "", map[string]Rank{"far": Far, "hand": AtHand}, "hand near", "yes"},
		{"groups by their best key", grouped(2, group("f1"), group("f2", "hand"), group("near")), "",
			map[string]Rank{"f1": Far, "f2": Far, "hand": AtHand}, "hand near", "yes"},
		{"best key fails", grouped(2, group("near"), group("far", "hand")), "hand", map[string]Rank{"far": Far, "hand": AtHand}, "hand far near", "yes"},
	} {
		t.Run(tt.name, tt.run)
	}
}

func (tt unwrapTest) run(t *testing.T) {
	k := testKey(t)
	s := &plainService{rank: tt.rank, fail: map[string]error{}}
	for id := range strings.FieldsSeq(tt.failing) {
		s.fail[id] = denied(PGPEntry{Fingerprint: id})
	}
	got, err := UnwrapAny(t.Context(), s, wrapped(t, tt.r, k))
	wantCalls(t, s, strings.Fields(tt.calls)...)
	if tt.opened == "yes" {
		if err != nil || !got.Equal(k) {
			t.Errorf("got key %t, %v", got.Equal(k), err)
		}
		return
	}
	none := new(NoKeyError)
	if !errors.As(err, &none) || !got.IsZero() {
		t.Fatalf("got %v, %v", got, err)
	}
	if opened := fmt.Sprintf("%d/%d", none.Opened, none.Needed); opened != tt.opened {
		t.Errorf("opened %s, want %s", opened, tt.opened)
	}
	var tried []string
	for _, id := range strings.Fields(tt.calls) {
		if s.fail[id] != nil {
			tried = append(tried, id)
		}
	}
	if ids(none.Attempts) != strings.Join(tried, " ") {
		t.Errorf("attempts %v, want %v", ids(none.Attempts), tried)
	}
	for _, a := range none.Attempts {
		if a.Err != s.fail[a.Entry.ID()] || !errors.Is(err, a.Err) {
			t.Errorf("attempt with %s: %v", a.Entry.ID(), a.Err)
		}
	}
}

func TestUnwrapAnyErrors(t *testing.T) {
	key := strings.Repeat("MDEy", 10) + "MDE=" // 32 bytes
	one := func(enc string) Recipients { return grouped(0, Group{PGPEntry{Fingerprint: "a", Enc: enc}}) }
	two := func(threshold int, encs ...string) Recipients {
		r := Recipients{Threshold: threshold}
		for i, enc := range encs {
			r.Groups = append(r.Groups, Group{PGPEntry{Fingerprint: fmt.Sprint(i), Enc: enc}})
		}
		return r
	}
	tests := []struct {
		name string
		r    Recipients
		want string
	}{
		{"no group", Recipients{}, "no key could unwrap the data key"},
		{"empty group", grouped(0, Group{}), "no key could unwrap the data key"},
		{"empty groups", grouped(2, Group{}, Group{}), "no key could unwrap the data key: 0 of the 2 key groups that are needed gave their share, and another one was not asked because it could not have been enough"},
		{"no bytes", one(""), "unwrap with pgp a: data key has 0 bytes, want 32"},
		{"too short", one("MDEy"), "unwrap with pgp a: data key has 3 bytes, want 32"},
		{"share without groups", one(strings.Repeat("MDEy", 11)), "unwrap with pgp a: data key has 33 bytes, want 32"},
		{"threshold 1", two(1, key, key), "1 of 2 key groups would be enough, there must be at least 2"},
		{"threshold below 0", two(-1, key, key), "-1 of 2 key groups would be enough, there must be at least 2"},
		{"threshold too large", two(3, key, key), "3 key groups are needed and there are 2"},
		{"data keys for shares", two(2, key, key), "the shares of the key groups do not fit together"},
		{"nothing for shares", two(2, "", ""), "the shares of the key groups do not fit together"},
		{"the same share twice", two(2, strings.Repeat("MDEy", 11), strings.Repeat("MDEy", 11)), "the shares of the key groups do not fit together"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := UnwrapAny(t.Context(), &plainService{}, tt.r)
			if err == nil || err.Error() != tt.want || !got.IsZero() {
				t.Errorf("got %v, %v, want %s", got, err, tt.want)
			}
		})
	}
}

// TestUnwrapFinal lets the first key decide, also if what it gives is no data key.
func TestUnwrapFinal(t *testing.T) {
	s := &plainService{}
	_, err := UnwrapAny(t.Context(), s, grouped(0, Group{PGPEntry{Fingerprint: "a", Enc: "MDEy"}, PGPEntry{Fingerprint: "b"}}))
	if err == nil || errors.As(err, new(*NoKeyError)) {
		t.Errorf("got %v", err)
	}
	wantCalls(t, s, "a")
}

// callsTest is a document with many keys.
type callsTest struct {
	name      string
	groups    [][]string // IDs, of which failure makes errors
	atHand    bool       // all of them
	calls     int
	attempts  int
	opens     bool
	threshold int
}

// failure returns the error that the letters of an ID stand for, nil for a key
// that works.
func failure(e Entry) error {
	switch strings.TrimRight(e.ID(), "0123456789") {
	case "denied":
		return denied(e)
	case "busy":
		return busy(e)
	case "broken":
		return errors.New("malformed")
	case "list":
		return fmt.Errorf("x: %w", &NotAllowedError{Entry: e, Kind: AllowPGP, Value: e.ID()})
	case "build":
		return fmt.Errorf("x: %w", &UnsupportedError{Type: PGP})
	case "identity":
		return fmt.Errorf("x: %w", ErrNoIdentity)
	}
	return nil
}

func numbered(prefix string, n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("%s%d", prefix, i)
	}
	return names
}

// TestMaxCalls bounds the calls that a document can cause.
func TestMaxCalls(t *testing.T) {
	each := func(names []string) [][]string { return slices.Collect(slices.Chunk(names, 1)) }
	for _, tt := range []callsTest{
		{"most failures and then a key", [][]string{append(numbered("denied", MaxCalls-1), "ok")}, false, MaxCalls, 0, true, 0},
		{"one failure more", [][]string{append(numbered("denied", MaxCalls), "ok")}, false, MaxCalls, MaxCalls + 1, false, 0},
		{"twice as many", [][]string{numbered("busy", 2*MaxCalls)}, false, MaxCalls, MaxCalls + 1, false, 0},
		{"malformed entries", [][]string{append(numbered("broken", MaxCalls), "ok")}, false, MaxCalls, MaxCalls + 1, false, 0},
		{"not allowed", [][]string{append(numbered("list", 3*MaxCalls), "ok")}, false, 3*MaxCalls + 1, 0, true, 0},
		{"not supported", [][]string{append(numbered("build", 3*MaxCalls), "ok")}, false, 3*MaxCalls + 1, 0, true, 0},
		{"no identity", [][]string{append(numbered("identity", 3*MaxCalls), "ok")}, false, 3*MaxCalls + 1, 0, true, 0},
		{"both sorts", [][]string{slices.Concat(numbered("list", 40), numbered("denied", MaxCalls), numbered("busy", 1))}, false, 40 + MaxCalls, 40 + MaxCalls + 1, false, 0},
		{"over groups", [][]string{append(numbered("denied", 20), "ok"), append(numbered("busy", 20), "ok"), {"ok"}}, false, MaxCalls, MaxCalls, false, 0},
		{"shares", each(numbered("ok", MaxCalls)), false, MaxCalls, 0, true, 0},
		{"one share too many", each(numbered("ok", MaxCalls+1)), false, MaxCalls, 1, false, 0},
		{"many shares too many", each(numbered("ok", 2*MaxCalls)), false, MaxCalls, 1, false, 0},
		{"failures at hand", [][]string{append(numbered("broken", 2*MaxCalls), "ok")}, true, 2*MaxCalls + 1, 0, true, 0},
		{"shares at hand", each(numbered("ok", 2*MaxCalls)), true, 2 * MaxCalls, 0, true, 0},
		{"groups after the last call", [][]string{numbered("denied", MaxCalls), {"ok"}, {"ok"}, {"ok"}, {"ok"}}, false, MaxCalls, MaxCalls + 1, false, 2},
	} {
		t.Run(tt.name, tt.run)
	}
}

func (tt callsTest) run(t *testing.T) {
	k := testKey(t)
	r := Recipients{Threshold: tt.threshold}
	for _, names := range tt.groups {
		r.Groups = append(r.Groups, group(names...))
	}
	s := &plainService{fail: map[string]error{}, rank: map[string]Rank{}}
	for _, e := range r.Entries() {
		s.fail[e.ID()] = failure(e)
		if tt.atHand {
			s.rank[e.ID()] = AtHand
		}
	}
	got, err := UnwrapAny(t.Context(), s, wrapped(t, r, k))
	if n := len(s.called()); n != tt.calls {
		t.Errorf("%d calls, want %d", n, tt.calls)
	}
	if tt.opens {
		if err != nil || !got.Equal(k) {
			t.Errorf("got %v", err)
		}
		return
	}
	none := new(NoKeyError)
	if !errors.As(err, &none) || len(none.Attempts) != tt.attempts {
		t.Fatalf("want %d attempts: %v", tt.attempts, err)
	}
	if n := strings.Count(err.Error(), "\n  32 keys were tried, the others were not"); n != 1 {
		t.Errorf("said %d times that keys were not tried: %v", n, err)
	}
}

// TestUnwrapTriesNoEntryTwice has an entry stand in a document many times, in one
// group and in several.
func TestUnwrapTriesNoEntryTwice(t *testing.T) {
	bad, ok := group("bad")[0], group("ok")[0]
	s := &plainService{fail: map[string]error{"bad": errors.New("it hangs")}}
	one := wrapped(t, Recipients{Groups: []Group{{bad, ok}}}, testKey(t)).Groups[0]
	if _, err := UnwrapAny(t.Context(), s, Recipients{Groups: []Group{{one[0], one[0], one[0], one[1]}}}); err != nil {
		t.Error(err)
	}
	if n := len(s.called()); n != 2 {
		t.Errorf("%d calls for two entries", n)
	}
	_, err := UnwrapAny(t.Context(), s, grouped(2, Group{one[0], one[0]}, Group{one[0], one[1]}, Group{one[0]}))
	none := new(NoKeyError)
	if !errors.As(err, &none) || ids(none.Attempts) != "bad" {
		t.Errorf("want one attempt with the key: %v", err)
	}
	if n := len(s.called()); n != 2 {
		t.Errorf("%d calls for two entries in three groups", n)
	}
}

// TestUnwrapContext ends the context before and during a call.
func TestUnwrapContext(t *testing.T) {
	k := testKey(t)
	for name, r := range map[string]Recipients{
		"one group": grouped(0, group("a", "b", "c")),
		"groups":    grouped(2, group("a", "b"), group("c"), group("d")),
	} {
		for _, failing := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, failing %t", name, failing), func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				s := &plainService{}
				stopping := unwrapFunc(func(ctx context.Context, e Entry) ([]byte, error) {
					cancel()
					if failing {
						s.fail = map[string]error{e.ID(): denied(e)}
					}
					return s.Unwrap(ctx, e)
				})
				got, err := UnwrapAny(ctx, stopping, wrapped(t, r, k))
				if err != context.Canceled || !got.IsZero() {
					t.Errorf("got %v, %v", got, err)
				}
				wantCalls(t, s, "a")
				if _, err := UnwrapAny(ctx, s, wrapped(t, r, k)); err != context.Canceled {
					t.Errorf("got %v", err)
				}
				wantCalls(t, s)
			})
		}
	}
}

func TestNoKeyError(t *testing.T) {
	a, b := KMSEntry{ARN: arn1}, PGPEntry{Fingerprint: "AABB"}
	attempts := []Attempt{
		{a, &CallError{Operation: Unwrapping, Entry: a, Err: errors.New("AccessDeniedException")}},
		{b, fmt.Errorf("unwrap with pgp AABB: %w", ErrNoIdentity)},
	}
	const list = "\n  unwrap with kms " + arn1 + ": AccessDeniedException\n  unwrap with pgp AABB: no matching identity"
	tests := []struct {
		name string
		err  NoKeyError
		want string
	}{
		{"no keys", NoKeyError{}, "no key could unwrap the data key"},
		{"keys", NoKeyError{Attempts: attempts}, "no key could unwrap the data key" + list},
		{"groups", NoKeyError{Attempts: attempts, Opened: 1, Needed: 3},
			"no key could unwrap the data key: 1 of the 3 key groups that are needed gave their share" + list},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.err.Error() != tt.want {
				t.Errorf("got  %s\nwant %s", tt.err.Error(), tt.want)
			}
		})
	}
	err := error(&NoKeyError{Attempts: attempts})
	if !errors.Is(err, ErrNoIdentity) || !errors.As(err, new(*CallError)) {
		t.Error("the causes are out of reach")
	}
}
