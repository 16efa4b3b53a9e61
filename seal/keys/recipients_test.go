// SPDX-License-Identifier: Apache-2.0

package keys

import "testing"

// TestRecipientsSameAzure compares rules, which may leave the version of an
// Azure key out, with documents, which hold it.
func TestRecipientsSameAzure(t *testing.T) {
	key := func(name, version string) Entry {
		return AzureKVEntry{VaultURL: "https://v.vault.azure.net", Name: name, Version: version}
	}
	one := func(entries ...Entry) Recipients { return Recipients{Groups: []Group{entries}} }
	elsewhere := AzureKVEntry{VaultURL: "https://w.vault.azure.net", Name: "k", Version: "1"}
	tests := []struct {
		name string
		x, y Recipients
		want bool
	}{
		{"same version", one(key("k", "1")), one(key("k", "1")), true},
		{"other version", one(key("k", "1")), one(key("k", "2")), false},
		{"no version, any fits", one(key("k", "")), one(key("k", "1")), true},
		{"none on both sides", one(key("k", "")), one(key("k", "")), true},
		{"no version, other key", one(key("k", "")), one(key("l", "1")), false},
		{"no version, other vault", one(key("k", "")), one(elsewhere), false},
		{"no version, two versions", one(key("k", "")), one(key("k", "1"), key("k", "2")), false},
		{"no version twice, two versions", one(key("k", ""), key("k", "")), one(key("k", "1"), key("k", "2")), true},
		{"one with, one without", one(key("k", ""), key("l", "1")), one(key("l", "1"), key("k", "7")), true},
		{"without one, the other does not fit", one(key("k", ""), key("l", "1")), one(key("k", "7"), key("l", "2")), false},
		{"no version of another key", one(key("k", "1"), key("l", "")), one(key("k", "2"), key("l", "3")), false},
		{"one more key", one(key("k", "")), one(key("k", "1"), key("l", "1")), false},
		{"key of another type with the same name", one(key("k", "")), one(PGPEntry{Fingerprint: key("k", "").ID()}), false},
		{"no version in another group", grouped(2, Group{key("k", "")}, Group{key("k", "1")}), grouped(2, Group{key("k", "3")}, Group{key("k", "2")}), false},
		{"no version in each group", grouped(2, Group{key("k", "")}, Group{key("l", "")}), grouped(2, Group{key("k", "1")}, Group{key("l", "2")}), true},
		{"name that looks like a version", one(key("k/1", "")), one(key("k", "1/")), false},
		{"name that looks like a path", one(AzureKVEntry{VaultURL: "https://v/keys/k", Name: "l"}), one(AzureKVEntry{VaultURL: "https://v", Name: "k/keys/l"}), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.x.Same(tt.y); got != tt.want {
				t.Errorf("got %t", got)
			}
			if got := tt.y.Same(tt.x); got != tt.want {
				t.Errorf("the other way round: %t", got)
			}
		})
	}
}

// TestRecipientsSameVault keeps keys apart whose IDs are written alike.
func TestRecipientsSameVault(t *testing.T) {
	one := func(e Entry) Recipients { return Recipients{Groups: []Group{{e}}} }
	x := VaultEntry{Address: "https://v", EnginePath: "a/keys/b", KeyName: "c"}
	y := VaultEntry{Address: "https://v", EnginePath: "a", KeyName: "b/keys/c"}
	if x.ID() != y.ID() {
		t.Fatal("not what this is about")
	}
	if one(x).Same(one(y)) || !one(x).Same(one(x)) {
		t.Error("taken for the same key, or not for itself")
	}
}
