// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// An object that is stored although it breaks the schema can be read, and says
// what it has: a list in which one object can't be read would be none.
func TestSpecsAreReadWhateverTheyAre(t *testing.T) {
	for _, test := range []struct {
		name, spec string
		secretName string // "" where nothing can be read
	}{
		{"good", `{"secretName":"db","suspend":true,"sealed":{"scope":"prod/db"}}`, "db"},
		{"with a field that nobody knows", `{"secretName":"db","unknown":{"a":[1]}}`, "db"},
		{"with a field of another type", `{"secretName":"db","suspend":"yes"}`, ""},
		{"empty", `{}`, ""},
		{"null", `null`, ""},
		{"text", `"text"`, ""},
		{"list", `[{"secretName":"db"}]`, ""},
		{"number", `1e400`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var o SealedSecret
			var k SealingKey
			text := []byte(`{"metadata":{"name":"app"},"spec":` + test.spec + `}`)
			for _, object := range []any{&o, &k} {
				if err := json.Unmarshal(text, object); err != nil {
					t.Fatalf("%T: %v", object, err)
				}
			}
			if o.Name != "app" || o.Spec.SecretName != test.secretName || string(o.Spec.Raw) != test.spec {
				t.Errorf("name %q, secretName %q, raw %s", o.Name, o.Spec.SecretName, o.Spec.Raw)
			}
			if k.Name != "app" || string(k.Spec.Raw) != test.spec {
				t.Errorf("name %q of a SealingKey, raw %s", k.Name, k.Spec.Raw)
			}
			if test.secretName == "" {
				o.Spec.Raw = nil
				if diff := cmp.Diff(SealedSecretSpec{}, o.Spec); diff != "" {
					t.Errorf("something was read (-want +got):\n%s", diff)
				}
			}
		})
	}
}

// A status that can't be read is like none, and is written anew.
func TestStatusesAreReadWhole(t *testing.T) {
	for _, test := range []struct {
		name, status string
		observed     int64
	}{
		{"good", `{"observedGeneration":2,"conditions":[{"type":"Ready"}]}`, 2},
		{"with a field of another type", `{"observedGeneration":2,"conditions":"text"}`, 0},
		{"text", `"text"`, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			var o SealedSecret
			var k SealingKey
			text := []byte(`{"status":` + test.status + `}`)
			for _, object := range []any{&o, &k} {
				if err := json.Unmarshal(text, object); err != nil {
					t.Fatalf("%T: %v", object, err)
				}
			}
			if o.Status.ObservedGeneration != test.observed || k.Status.ObservedGeneration != test.observed {
				t.Errorf("generation %d, of a SealingKey %d, want %d", o.Status.ObservedGeneration, k.Status.ObservedGeneration, test.observed)
			}
			if test.observed == 0 && len(o.Status.Conditions)+len(k.Status.Conditions) > 0 {
				t.Errorf("conditions %v, of a SealingKey %v", o.Status.Conditions, k.Status.Conditions)
			}
		})
	}
}

// No bytes are refused, and none are lost.
func FuzzUnmarshal(f *testing.F) {
	for _, seed := range []string{
		`{"secretName":"db","sealed":{"scope":"prod/db","sops":{"mac":"x"}}}`, `{"observedGeneration":2,"conditions":[]}`,
		`{"suspend":"yes"}`, ` [1] `, `null`, `"text"`, `{`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, was []byte) {
		text := bytes.Clone(was)
		var spec SealedSecretSpec
		var key SealingKeySpec
		for _, part := range []json.Unmarshaler{&spec, &key, new(SealedSecretStatus), new(SealingKeyStatus)} {
			if err := part.UnmarshalJSON(text); err != nil {
				t.Errorf("%T: %v", part, err)
			}
		}
		for i := range text {
			text[i] = 'x' // the caller may use it again
		}
		if !bytes.Equal(spec.Raw, was) || !bytes.Equal(key.Raw, was) {
			t.Errorf("raw %q, of a SealingKey %q, came as %q", spec.Raw, key.Raw, was)
		}

		whole := fmt.Appendf(nil, `{"metadata":{"name":"app"},"spec":%s,"status":%[1]s}`, was)
		if !json.Valid(was) || !json.Valid(whole) { // too deep, for one
			return
		}
		var o SealedSecret
		if err := json.Unmarshal(whole, &o); err != nil || o.Name != "app" || !bytes.Equal(o.Spec.Raw, bytes.Trim(was, " \t\r\n")) {
			t.Errorf("error %v, name %q, raw %q, came as %q", err, o.Name, o.Spec.Raw, was)
		}
	})
}
