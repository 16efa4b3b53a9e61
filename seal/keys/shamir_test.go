// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"testing"

	"github.com/getsops/sops/v3/shamir"
)

// sharesOf returns the share that each group of r holds.
func sharesOf(t testing.TB, r Recipients) [][]byte {
	t.Helper()
	var shares [][]byte
	for _, g := range r.Groups {
		for i, e := range g {
			share, err := base64.StdEncoding.DecodeString(e.Wrapped())
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				shares = append(shares, share)
			}
			if !bytes.Equal(share, shares[len(shares)-1]) {
				t.Errorf("not the share of its group: %s", e.ID())
			}
		}
	}
	return shares
}

func numberedGroups(n int) []Group {
	var groups []Group
	for i := range n {
		groups = append(groups, group(fmt.Sprint(i)))
	}
	return groups
}

// TestSharesForSOPS joins our shares as stock SOPS does.
func TestSharesForSOPS(t *testing.T) {
	for _, tt := range []struct{ groups, threshold int }{{2, 2}, {3, 2}, {3, 3}, {3, 0}, {7, 4}, {64, 33}} {
		t.Run(fmt.Sprintf("%d of %d", tt.threshold, tt.groups), func(t *testing.T) {
			k := GenerateDataKey()
			r := wrapped(t, grouped(tt.threshold, numberedGroups(tt.groups)...), k)
			needed := tt.threshold
			if needed == 0 {
				needed = tt.groups
			}
			if r.Threshold != needed {
				t.Errorf("threshold %d, want %d: SOPS would join whatever it gets", r.Threshold, needed)
			}
			shares := sharesOf(t, r)
			for i, s := range shares {
				if len(s) != ShareBytes || s[ShareBytes-1] == 0 {
					t.Errorf("share %d has %d bytes", i, len(s))
				}
			}
			slices.Reverse(shares) // any will do, in any order
			if got, err := shamir.Combine(shares[:needed]); err != nil || !bytes.Equal(got, k.Bytes()) {
				t.Errorf("SOPS joins something else: %v", err)
			}
			if needed == 2 {
				return
			}
			if got, err := shamir.Combine(shares[:needed-1]); err == nil && bytes.Equal(got, k.Bytes()) {
				t.Error("one share less would do")
			}
		})
	}
}

// TestSharesOfSOPS joins shares that SOPS made, whichever groups open.
func TestSharesOfSOPS(t *testing.T) {
	k := testKey(t)
	shares, err := shamir.Split(k.Bytes(), 3, 2)
	if err != nil {
		t.Fatal(err)
	}
	r := Recipients{Threshold: 2}
	for i, s := range shares {
		r.Groups = append(r.Groups, Group{PGPEntry{Fingerprint: fmt.Sprint(i), Enc: base64.StdEncoding.EncodeToString(s)}})
	}
	for _, missing := range []string{"", "0", "1", "2"} {
		s := &plainService{fail: map[string]error{missing: denied(PGPEntry{Fingerprint: missing})}}
		if got, err := UnwrapAny(t.Context(), s, r); err != nil || !got.Equal(k) {
			t.Errorf("without %q: %v", missing, err)
		}
	}
}

// TestSharesHide has no group's share hold a piece of the data key, and no two
// divisions be alike.
func TestSharesHide(t *testing.T) {
	k := testKey(t)
	r := grouped(2, numberedGroups(3)...)
	first, second := sharesOf(t, wrapped(t, r, k)), sharesOf(t, wrapped(t, r, k))
	for i, s := range first {
		if bytes.Equal(s, second[i]) {
			t.Error("divided twice in the same way")
		}
		same := 0
		for j, b := range k.Bytes() {
			if s[j] == b {
				same++
			}
		}
		if same > 8 { // by chance: once in 10^13 times
			t.Errorf("share %d has %d bytes of the data key", i, same)
		}
	}
}

func TestJoinShares(t *testing.T) {
	k := testKey(t)
	shares := func() [][]byte {
		all, err := splitKey(k, grouped(2, numberedGroups(3)...))
		if err != nil {
			t.Fatal(err)
		}
		return all[:2]
	}
	if got, err := joinShares(shares()); err != nil || !got.Equal(k) {
		t.Fatalf("got %v", err)
	}
	tests := []struct {
		name   string
		damage func([][]byte) [][]byte
	}{
		{"none", func(s [][]byte) [][]byte { return nil }},
		{"one", func(s [][]byte) [][]byte { return s[:1] }},
		{"nil", func(s [][]byte) [][]byte { return [][]byte{nil, nil} }},
		{"both short", func(s [][]byte) [][]byte { return [][]byte{s[0][:32], s[1][:32]} }},
		{"one short", func(s [][]byte) [][]byte { return [][]byte{s[0], s[1][:32]} }},
		{"both long", func(s [][]byte) [][]byte { return [][]byte{append(s[0], 1), append(s[1], 2)} }},
		{"the same place", func(s [][]byte) [][]byte { s[1][32] = s[0][32]; return s }},
		{"the same share", func(s [][]byte) [][]byte { s[1] = s[0]; return s }},
		{"the place of the data key", func(s [][]byte) [][]byte { s[1][32] = 0; return s }},
		{"both there", func(s [][]byte) [][]byte { s[0][32], s[1][32] = 0, 0; return s }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := joinShares(tt.damage(shares())); err != errShares || !got.IsZero() {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

// lineAt returns the share at x where each polynomial is the byte of the key
// plus x.
func lineAt(k DataKey, x byte) []byte {
	share := make([]byte, 0, ShareBytes)
	for _, b := range k.Bytes() {
		share = append(share, b^x)
	}
	return append(share, x)
}

// FuzzJoinShares looks for panics, and for damage that goes unnoticed although
// it changes a share.
func FuzzJoinShares(f *testing.F) {
	k := testKey(f)
	shares := [][]byte{lineAt(k, 1), lineAt(k, 2), lineAt(k, 3)} // the same in each of the fuzzer's processes
	if got, err := joinShares(shares[:2]); err != nil || !got.Equal(k) {
		f.Fatal("these are no shares")
	}
	f.Add(shares[0], shares[1], []byte(nil))
	f.Add(shares[0], shares[1], shares[2])
	f.Add(shares[2], shares[2], shares[2])
	f.Add(make([]byte, ShareBytes), make([]byte, ShareBytes), make([]byte, 1))
	for i := range ShareBytes {
		damaged := bytes.Clone(shares[0])
		damaged[i] ^= byte(1 << (i % 8))
		f.Add(damaged, shares[1], []byte(nil))
	}
	f.Fuzz(func(t *testing.T, a, b, c []byte) {
		given := [][]byte{a, b}
		if len(c) > 0 {
			given = append(given, c)
		}
		got, err := joinShares(given)
		if err != nil {
			if err != errShares || !got.IsZero() {
				t.Fatalf("got %v, %v", got, err)
			}
			return
		}
		if len(got.Bytes()) != DataKeyBytes {
			t.Fatal("no data key")
		}
		// One share as it was and one that was changed: another data key.
		if len(given) == 2 && bytes.Equal(b, shares[1]) && !bytes.Equal(a, shares[0]) && !bytes.Equal(a, shares[2]) && got.Equal(k) {
			t.Fatalf("damage to a share went unnoticed: %x", a[ShareBytes-1])
		}
	})
}

func TestThresholds(t *testing.T) {
	tests := []struct {
		name              string
		groups, threshold int
		want              string
	}{
		{"two of two", 2, 2, ""},
		{"all", 3, 0, ""},
		{"as many as SOPS can", 255, 255, ""},
		{"one", 2, 1, "1 of 2 key groups would be enough, there must be at least 2"},
		{"negative", 3, -2, "-2 of 3 key groups would be enough, there must be at least 2"},
		{"too many", 2, 3, "3 key groups are needed and there are 2"},
		{"more groups than SOPS can", 256, 2, "parts cannot exceed 255"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &plainService{}
			_, err := WrapAll(t.Context(), s, grouped(tt.threshold, numberedGroups(tt.groups)...), testKey(t))
			if tt.want == "" {
				if err != nil || len(s.called()) != tt.groups {
					t.Errorf("got %v", err)
				}
				return
			}
			if err == nil || err.Error() != "divide data key: "+tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			wantCalls(t, s)
		})
	}
}
