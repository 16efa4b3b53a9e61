// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"fmt"
	"testing"
)

// TestCacheKeyDiffers has each pair of entries kept apart: one must not get
// what the other would, nor through the rights of the other.
func TestCacheKeyDiffers(t *testing.T) {
	kms := func(change func(*KMSEntry)) Entry {
		e := KMSEntry{ARN: arn1, Role: role1, AWSProfile: "p", Context: map[string]string{"a": "1", "b": "2"}, Enc: "x"}
		change(&e)
		return e
	}
	full := kms(func(*KMSEntry) {})
	context := func(c map[string]string, enc string) Entry {
		return kms(func(e *KMSEntry) { e.Context, e.Enc = c, enc })
	}
	type pairs map[string]string
	tests := []struct {
		name string
		a, b Entry
	}{
		{"type", AgeEntry{Recipient: "x", Enc: "y"}, PGPEntry{Fingerprint: "x", Enc: "y"}},
		{"key", full, kms(func(e *KMSEntry) { e.ARN = arn2 })},
		{"role", full, kms(func(e *KMSEntry) { e.Role = "" })},
		{"profile", full, kms(func(e *KMSEntry) { e.AWSProfile = "q" })},
		{"wrapped", full, kms(func(e *KMSEntry) { e.Enc = "y" })},
		{"context value", full, context(pairs{"a": "1", "b": "3"}, "x")},
		{"context name", full, context(pairs{"a": "1", "c": "2"}, "x")},
		{"context, one less", full, context(pairs{"a": "1"}, "x")},
		{"context, none", full, context(nil, "x")},
		{"role moved into the profile", kms(func(e *KMSEntry) { e.Role, e.AWSProfile = "r", "" }), kms(func(e *KMSEntry) { e.Role, e.AWSProfile = "", "r" })},
		{"end of the ARN moved into the role", kms(func(e *KMSEntry) { e.ARN, e.Role = "ab", "c" }), kms(func(e *KMSEntry) { e.ARN, e.Role = "a", "bc" })},
		{"border written out in the ARN", kms(func(e *KMSEntry) { e.ARN, e.Role = "a1:b", "" }), kms(func(e *KMSEntry) { e.ARN, e.Role = "a", "b" })},
		{"end of a context name moved", context(pairs{"a": "bc"}, "x"), context(pairs{"ab": "c"}, "x")},
		{"two pairs in one", context(pairs{"a": "1", "b": "2"}, "x"), context(pairs{"a": "11:b1:2"}, "x")},
		{"context moved into what is wrapped", context(pairs{"a": "1"}, "x"), context(nil, "1:a1:1x")},
		{"context moved with the border", context(pairs{"a": "1"}, "x"), context(nil, "1:a1:11:x")},
		{"one pair moved", context(pairs{"a": "1", "b": "2"}, "x"), context(pairs{"a": "1"}, "1:b1:2x")},
		{"end of the ID moved into what is wrapped", PGPEntry{Fingerprint: "ab", Enc: "c"}, PGPEntry{Fingerprint: "a", Enc: "bc"}},
		{"Azure version", AzureKVEntry{VaultURL: "v", Name: "k", Version: "1"}, AzureKVEntry{VaultURL: "v", Name: "k", Version: "2"}},
		{"Azure name moved into the version", AzureKVEntry{VaultURL: "v", Name: "k/1"}, AzureKVEntry{VaultURL: "v", Name: "k", Version: "1/"}},
		{"Azure name moved into the host", AzureKVEntry{VaultURL: "v/keys/k", Name: "l"}, AzureKVEntry{VaultURL: "v", Name: "k/keys/l"}},
		{"Vault engine moved into the key", VaultEntry{Address: "v", EnginePath: "a/keys/b", KeyName: "c"}, VaultEntry{Address: "v", EnginePath: "a", KeyName: "b/keys/c"}},
		{"Vault address moved into the engine", VaultEntry{Address: "v/v1/a", EnginePath: "b", KeyName: "c"}, VaultEntry{Address: "v", EnginePath: "a/v1/b", KeyName: "c"}},
		{"Vault address", VaultEntry{Address: "v"}, VaultEntry{Address: "w"}},
		{"GCP and Huawei", GCPKMSEntry{ResourceID: "x"}, HuaweiKMSEntry{KeyID: "x"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if keyOf(tt.a) == keyOf(tt.b) {
				t.Error("the same key of the cache")
			}
		})
	}
}

// TestCacheKeySame has entries share a call that differ in nothing that matters.
func TestCacheKeySame(t *testing.T) {
	e := KMSEntry{ARN: arn1, Context: map[string]string{"a": "1", "b": "2", "c": "3"}, Enc: "x"}
	later := e
	later.CreatedAt = "2026-01-31T09:30:00Z"
	none := KMSEntry{ARN: arn1, Enc: "x"}
	empty := KMSEntry{ARN: arn1, Enc: "x", Context: map[string]string{}}
	if keyOf(e) != keyOf(later) || keyOf(none) != keyOf(empty) {
		t.Error("not the same key of the cache")
	}
	for range 20 {
		if keyOf(e) != keyOf(later) {
			t.Fatal("the key of the cache depends on the order of a map")
		}
	}
}

// TestCacheServesOnlyTheEntry asks a cache for an entry whose context was left
// out and written into what is wrapped instead.
func TestCacheServesOnlyTheEntry(t *testing.T) {
	s := &plainService{}
	c := NewCache(s, CacheOptions{}, nil)
	unwrapsTo(t, c, KMSEntry{ARN: arn1, Context: map[string]string{"kubernetes-namespace": "prod"}, Enc: "YWFhYQ=="}, "aaaa")
	for _, enc := range []string{"20:kubernetes-namespace4:prodYWFhYQ==", "20:kubernetes-namespace4:prod8:YWFhYQ=="} {
		if got, err := c.Unwrap(t.Context(), KMSEntry{ARN: arn1, Enc: enc}); err == nil {
			t.Errorf("%q without its context", got)
		}
	}
	wantCalls(t, s, repeated(3, arn1)...)
	for i, e := range allEntries() {
		enc := fmt.Sprintf("%04d", i)
		if _, err := c.Unwrap(t.Context(), with(e, enc)); err != nil {
			t.Error(err)
		}
	}
	if got := len(s.called()); got != len(Types) {
		t.Errorf("%d calls for %d types", got, len(Types))
	}
}
