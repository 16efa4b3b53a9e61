// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestDataKey(t *testing.T) {
	a, b := GenerateDataKey(), GenerateDataKey()
	if len(a.Bytes()) != DataKeyBytes || a.Equal(b) || !a.Equal(a) || a.IsZero() || !(DataKey{}).IsZero() {
		t.Error("generated keys are not random 32-byte keys")
	}
	if (DataKey{}).Equal(a) {
		t.Error("no key equals a key")
	}
	raw := bytes.Repeat([]byte{7}, DataKeyBytes)
	k, err := NewDataKey(raw)
	if err != nil {
		t.Fatal(err)
	}
	raw[0] = 0
	if k.Bytes()[0] != 7 {
		t.Error("the key shares its bytes with the caller's")
	}
}

func TestNewDataKeyLength(t *testing.T) {
	for _, n := range []int{0, 16, 31, 33, 64} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			_, err := NewDataKey(make([]byte, n))
			want := fmt.Sprintf("data key has %d bytes, want 32", n)
			if err == nil || err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
		})
	}
}

// TestDataKeyIsHidden prints keys in every way and looks for their bytes.
func TestDataKeyIsHidden(t *testing.T) {
	raw := []byte("canary-canary-canary-canary-abcd")
	k, err := NewDataKey(raw)
	if err != nil {
		t.Fatal(err)
	}
	type holder struct {
		Key  DataKey
		Ptr  *DataKey
		Keys []DataKey
		Map  map[string]DataKey
		own  DataKey // fmt calls no method of it
	}
	values := map[string]any{
		"key": k, "pointer": &k, "slice": []DataKey{k}, "map": map[string]DataKey{"k": k},
		"struct": holder{k, &k, []DataKey{k}, map[string]DataKey{"k": k}, k},
	}
	for name, v := range values {
		t.Run(name, func(t *testing.T) {
			for verb, text := range printed(t, v) {
				for form, leak := range forms(raw) {
					if strings.Contains(text, leak) {
						t.Errorf("%s shows the key as %s: %s", verb, form, text)
					}
				}
			}
		})
	}
}

func printed(t *testing.T, v any) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, verb := range []string{"v", "+v", "#v", "s", "q", "x", "X", "d", "b", "o", "c", "U", "e", "t", "w", "T", "100.3s", "# x"} {
		out["%"+verb] = fmt.Sprintf("%"+verb, v)
	}
	out["Println"] = fmt.Sprintln(v)
	out["error"] = fmt.Errorf("key %v", v).Error()
	for name, marshal := range map[string]func(any) ([]byte, error){"JSON": json.Marshal, "YAML": yaml.Marshal} {
		data, err := marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = string(data)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", v)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "key", v)
	out["slog"] = log.String()
	return out
}

// forms gives the texts by which a piece of raw could be known.
func forms(raw []byte) map[string]string {
	decimal := strings.Trim(fmt.Sprint(raw[:8]), "[]")
	return map[string]string{
		"text":         string(raw[:6]),
		"hex":          hex.EncodeToString(raw[:6]),
		"upper hex":    strings.ToUpper(hex.EncodeToString(raw[:6])),
		"spaced hex":   fmt.Sprintf("% x", raw[:6]),
		"Go bytes":     strings.Trim(fmt.Sprintf("%#v", raw[:6])[len("[]byte{"):], "}"),
		"base64":       base64.StdEncoding.EncodeToString(raw[:6]),
		"decimal":      decimal,
		"decimal list": strings.ReplaceAll(decimal, " ", ","),
	}
}

func TestEntries(t *testing.T) {
	tests := []struct {
		name    string
		e       Entry
		typ     Type
		id, enc string
	}{
		{"age", AgeEntry{Recipient: "age1a", Enc: "x"}, Age, "age1a", "x"},
		{"kms", KMSEntry{ARN: arn1, Enc: "x"}, AWSKMS, arn1, "x"},
		{"gcp", GCPKMSEntry{ResourceID: gcp1, Enc: "x"}, GCPKMS, gcp1, "x"},
		{"huawei", HuaweiKMSEntry{KeyID: "r:k", Enc: "x"}, HuaweiKMS, "r:k", "x"},
		{"azure", AzureKVEntry{VaultURL: "https://v", Name: "k", Version: "1", Enc: "x"}, AzureKV, "https://v/keys/k/1", "x"},
		{"vault", VaultEntry{Address: "https://v", EnginePath: "a/b", KeyName: "k", Enc: "x"}, Vault, "https://v/v1/a/b/keys/k", "x"},
		{"pgp", PGPEntry{Fingerprint: "AA", Enc: "x"}, PGP, "AA", "x"},
	}
	if len(tests) != len(Types) {
		t.Errorf("%d types are tested, there are %d", len(tests), len(Types))
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.e.Type() != tt.typ || tt.e.ID() != tt.id || tt.e.Wrapped() != tt.enc {
				t.Errorf("got %s, %s, %s", tt.e.Type(), tt.e.ID(), tt.e.Wrapped())
			}
		})
	}
	if !slices.IsSortedFunc(Types, func(a, b Type) int { return strings.Compare(string(a), string(b)) }) {
		t.Errorf("not in the order of SOPS: %v", Types)
	}
}

func TestRecipientsSame(t *testing.T) {
	a, b := AgeEntry{Recipient: "age1a"}, AgeEntry{Recipient: "age1b"}
	kms := func(change func(*KMSEntry)) Recipients {
		e := KMSEntry{ARN: arn1, Role: role1, AWSProfile: "p", Context: map[string]string{"a": "1", "b": "2"}}
		change(&e)
		return Recipients{Groups: []Group{{e}}}
	}
	one := func(entries ...Entry) Recipients { return Recipients{Groups: []Group{entries}} }
	plain := kms(func(*KMSEntry) {})
	tests := []struct {
		name string
		x, y Recipients
		want bool
	}{
		{"none", Recipients{}, Recipients{}, true},
		{"none and one", Recipients{}, one(a), false},
		{"other order", one(a, b), one(b, a), true},
		{"one more", one(a), one(a, b), false},
		{"twice is not once", one(a, a), one(a), false},
		{"twice and another", one(a, a, b), one(a, b, b), false},
		{"wrapped does not count", one(a), one(AgeEntry{Recipient: "age1a", Enc: "x"}), true},
		{"time does not count", plain, kms(func(e *KMSEntry) { e.CreatedAt = "now" }), true},
		{"other type, same id", one(AgeEntry{Recipient: "x"}), one(PGPEntry{Fingerprint: "x"}), false},
		{"role", plain, kms(func(e *KMSEntry) { e.Role = "" }), false},
		{"profile", plain, kms(func(e *KMSEntry) { e.AWSProfile = "" }), false},
		{"context value", plain, kms(func(e *KMSEntry) { e.Context = map[string]string{"a": "1", "b": "3"} }), false},
		{"context missing", plain, kms(func(e *KMSEntry) { e.Context = nil }), false},
		{"empty context", kms(func(e *KMSEntry) { e.Context = map[string]string{} }), kms(func(e *KMSEntry) { e.Context = nil }), true},
		{"context moved", kms(func(e *KMSEntry) { e.Context = map[string]string{"a": "bc"} }), kms(func(e *KMSEntry) { e.Context = map[string]string{"ab": "c"} }), false},
		{"groups in other order", Recipients{Groups: []Group{{a}, {b}}}, Recipients{Groups: []Group{{b}, {a}}}, false},
		{"one group or two", one(a, b), Recipients{Groups: []Group{{a}, {b}}}, false},
		{"threshold", Recipients{Groups: []Group{{a}, {b}, {a, b}}, Threshold: 2}, Recipients{Groups: []Group{{a}, {b}, {a, b}}, Threshold: 3}, false},
		{"0 means all", Recipients{Groups: []Group{{a}, {b}}}, Recipients{Groups: []Group{{a}, {b}}, Threshold: 2}, true},
		{"threshold of one group", Recipients{Groups: []Group{{a}}, Threshold: 1}, one(a), true},
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

func TestRecipientsEntries(t *testing.T) {
	a, b := AgeEntry{Recipient: "age1a"}, AgeEntry{Recipient: "age1b"}
	r := Recipients{Groups: []Group{{b}, {}, {a, b}}}
	if got := r.Entries(); !slices.Equal(got, []Entry{b, a, b}) {
		t.Errorf("got %v", got)
	}
	if r.Empty() || !(Recipients{}).Empty() || !(Recipients{Groups: []Group{{}, {}}}).Empty() {
		t.Error("Empty is wrong")
	}
}

// fixed wraps by writing its own name and unwraps to it.
type fixed string

func (f fixed) Wrap(_ context.Context, to Entry, secret []byte) (Entry, error) {
	if to.Type() != Age {
		return PGPEntry{Fingerprint: to.ID(), Enc: string(f) + string(secret)}, nil
	}
	return AgeEntry{Recipient: to.ID(), Enc: string(f) + string(secret)}, nil
}

func (f fixed) Unwrap(_ context.Context, e Entry) ([]byte, error) {
	return []byte(string(f) + e.Wrapped()), nil
}

func TestWrappers(t *testing.T) {
	ctx := context.Background()
	w := Wrappers{Age: fixed("age:"), PGP: fixed("pgp:")}
	for _, tt := range []struct {
		name string
		to   Entry
		want Entry
	}{
		{"age", AgeEntry{Recipient: "r"}, AgeEntry{Recipient: "r", Enc: "age:k"}},
		{"pgp", PGPEntry{Fingerprint: "f"}, PGPEntry{Fingerprint: "f", Enc: "pgp:k"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := w.Wrap(ctx, tt.to, []byte("k")); err != nil || got != tt.want {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
	_, err := w.Wrap(ctx, KMSEntry{ARN: arn1}, []byte("k"))
	wantUnsupported(t, err, AWSKMS, "wrap for "+arn1)
	_, err = Wrappers(nil).Wrap(ctx, AgeEntry{Recipient: "AGE-SECRET-KEY-1QQ"}, nil)
	wantUnsupported(t, err, Age, "wrap for (a private key)")
}

func TestUnwrappers(t *testing.T) {
	ctx := context.Background()
	u := Unwrappers{Age: fixed("age:"), PGP: fixed("pgp:")}
	for _, tt := range []struct {
		name string
		e    Entry
		want string
	}{
		{"age", AgeEntry{Enc: "x"}, "age:x"},
		{"pgp", PGPEntry{Enc: "x"}, "pgp:x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := u.Unwrap(ctx, tt.e); err != nil || string(got) != tt.want {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	_, err := u.Unwrap(ctx, KMSEntry{ARN: arn1})
	wantUnsupported(t, err, AWSKMS, "unwrap with "+arn1)
	_, err = Unwrappers(nil).Unwrap(ctx, PGPEntry{Fingerprint: "a\nb"})
	wantUnsupported(t, err, PGP, `unwrap with "a\nb"`)
}

// wantUnsupported wants the error of a missing key service, which names the key.
func wantUnsupported(t *testing.T, err error, typ Type, key string) {
	t.Helper()
	var u *UnsupportedError
	if !errors.As(err, &u) || u.Type != typ {
		t.Errorf("got %v", err)
		return
	}
	if want := fmt.Sprintf("%s: key type %q is not supported by this program", key, typ); err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}
