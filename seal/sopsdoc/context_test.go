// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/seal/keys"
)

func kmsOnly(context map[string]string) keys.Recipients {
	return keys.Recipients{Groups: []keys.Group{{keys.AgeEntry{Recipient: "age1x"}, keys.KMSEntry{ARN: "arn:x", Context: context}}}}
}

func TestBindContext(t *testing.T) {
	scope := Scope{Namespace: "prod", Name: Any}
	given := map[string]string{"app": "shop"}
	got, err := BindContext(kmsOnly(given), scope)
	if err != nil {
		t.Fatal(err)
	}
	want := kmsOnly(map[string]string{"app": "shop", "kubernetes-namespace": "prod", "kubernetes-name": "*"})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(given) != 1 {
		t.Error("BindContext has changed what the rules say")
	}
	for _, name := range []string{"kubernetes-name", "kubernetes-cluster", "signet-sealing-key"} {
		if _, err := BindContext(kmsOnly(map[string]string{name: "x"}), scope); err == nil {
			t.Errorf("rules may set the reserved context %q", name)
		}
	}
}

func TestCheckContext(t *testing.T) {
	tests := []struct {
		name    string
		context map[string]string
		ok      bool
	}{
		{"of the scope", map[string]string{"kubernetes-namespace": "prod", "kubernetes-name": "db"}, true},
		{"with more", map[string]string{"kubernetes-namespace": "prod", "kubernetes-name": "db", "app": "shop"}, true},
		{"none", nil, false},
		{"of another namespace", map[string]string{"kubernetes-namespace": "dev", "kubernetes-name": "db"}, false},
		{"of another name", map[string]string{"kubernetes-namespace": "prod", "kubernetes-name": "*"}, false},
		{"without name", map[string]string{"kubernetes-namespace": "prod"}, false},
		{"of a SealingKey", map[string]string{"kubernetes-namespace": "prod", "kubernetes-name": "db", "signet-sealing-key": "x"}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := Envelope{Clear: Clear{Scope: Scope{"prod", "db"}}, Metadata: &Metadata{Recipients: kmsOnly(test.context)}}
			err := e.CheckContext()
			if (err == nil) != test.ok {
				t.Fatalf("got %v", err)
			}
			if invalid := new(InvalidError); err != nil && (!errors.As(err, &invalid) || invalid.Path != "sops.kms") {
				t.Errorf("error %v does not name sops.kms", err)
			}
		})
	}
}

func TestBindKeyContext(t *testing.T) {
	given := map[string]string{"app": "shop"}
	got, err := BindKeyContext(kmsOnly(given), "prod")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(kmsOnly(map[string]string{"app": "shop", "signet-sealing-key": "prod"}), got); diff != "" {
		t.Error(diff)
	}
	if len(given) != 1 {
		t.Error("BindKeyContext has changed what the rules say")
	}
	for _, name := range []string{"kubernetes-name", "signet-sealing-key", "signet-x"} {
		_, err := BindKeyContext(kmsOnly(map[string]string{name: "prod"}), "prod")
		expect(t, "rules with "+name, err, "InvalidError", "context."+name)
	}
}

func TestCheckKeyContext(t *testing.T) {
	tests := []struct {
		name    string
		context map[string]string
		ok      bool
	}{
		{"its name", map[string]string{"signet-sealing-key": "prod"}, true},
		{"with more", map[string]string{"signet-sealing-key": "prod", "app": "shop"}, true},
		{"none", nil, false},
		{"without name", map[string]string{"app": "shop"}, false},
		{"of another key", map[string]string{"signet-sealing-key": "dev"}, false},
		{"of a SealedSecret", map[string]string{"kubernetes-namespace": "prod", "kubernetes-name": "db"}, false},
		{"and of a SealedSecret", map[string]string{"signet-sealing-key": "prod", "kubernetes-name": "db"}, false},
		{"and another of ours", map[string]string{"signet-sealing-key": "prod", "signet-x": "y"}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			k := SealingKey{KeyClear: KeyClear{Name: "prod"}, Metadata: &Metadata{Recipients: kmsOnly(test.context)}}
			kind, path := "none", ""
			if !test.ok {
				kind, path = "InvalidError", "spec.sealed.sops.kms"
			}
			expect(t, "CheckContext", k.CheckContext(), kind, path)
		})
	}
}
