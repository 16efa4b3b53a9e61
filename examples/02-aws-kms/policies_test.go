// SPDX-License-Identifier: Apache-2.0

package awskms_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/signet-secrets/signet/seal/keys"
)

const keyARN = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"

// elements are the keys of a statement, by the prefix of the file, which says
// what the policy is attached to. Condition may be absent.
func elements() map[string][]string {
	return map[string][]string{
		"key":   {"Action", "Effect", "Principal", "Resource", "Sid"},
		"iam":   {"Action", "Effect", "Resource", "Sid"},
		"trust": {"Action", "Effect", "Principal", "Sid"},
	}
}

func kindOf(file string) string {
	return strings.FieldsFunc(file, func(r rune) bool { return r == '-' || r == '.' })[0]
}

// load reads all policies, by file name. It is strict: what AWS would pass over
// or read otherwise is an error.
func load(t *testing.T) map[string]policy {
	t.Helper()
	files, err := filepath.Glob("*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no policies found: %v", err)
	}
	policies := map[string]policy{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		policies[file] = parse(t, file, data)
	}
	return policies
}

func parse(t *testing.T, file string, data []byte) policy {
	t.Helper()
	if err := noDuplicates(json.NewDecoder(bytes.NewReader(data))); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	var p policy
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		t.Fatalf("%s: there is more after the policy", file)
	}
	return p
}

// noDuplicates reads one JSON value and refuses an object with a key twice, in
// whatever case: encoding/json takes the last one, AWS need not.
func noDuplicates(d *json.Decoder) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	open, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	seen := map[string]bool{}
	for d.More() {
		if open == '{' {
			key, err := d.Token()
			if err != nil {
				return err
			}
			name := strings.ToLower(fmt.Sprint(key))
			if seen[name] {
				return fmt.Errorf("key %q stands twice in an object", key)
			}
			seen[name] = true
		}
		if err := noDuplicates(d); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

func TestNoDuplicates(t *testing.T) {
	for text, ok := range map[string]bool{
		`{"a": [{"b": 1}, {"b": 2}]}`: true,
		`{"a": [{"b": 1, "b": 2}]}`:   false,
		`{"Sid": "x", "sid": "y"}`:    false,
		`{"a": 1`:                     false,
	} {
		if err := noDuplicates(json.NewDecoder(strings.NewReader(text))); (err == nil) != ok {
			t.Errorf("%s: %v, want ok %v", text, err, ok)
		}
	}
}

// AWS passes over some statements that lack an element instead of refusing
// them, so the elements are exactly those of the kind of policy.
func TestShape(t *testing.T) {
	for file, p := range load(t) {
		t.Run(file, func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var raw struct{ Statement []map[string]json.RawMessage }
			if err := json.Unmarshal(data, &raw); err != nil {
				t.Fatal(err)
			}
			if p.Version != "2012-10-17" || len(p.Statement) == 0 {
				t.Errorf("version %q with %d statements", p.Version, len(p.Statement))
			}
			sids := map[string]bool{}
			for i, s := range p.Statement {
				got := slices.Sorted(maps.Keys(raw.Statement[i]))
				got = slices.DeleteFunc(got, func(k string) bool { return k == "Condition" })
				if diff := cmp.Diff(elements()[kindOf(file)], got); diff != "" {
					t.Errorf("statement %q (-want +got):\n%s", s.Sid, diff)
				}
				if !regexp.MustCompile(`^[A-Za-z0-9]+$`).MatchString(s.Sid) || sids[s.Sid] {
					t.Errorf("Sid %q is not letters and digits, or stands twice", s.Sid)
				}
				sids[s.Sid] = true
				if s.Effect != "Allow" && s.Effect != "Deny" {
					t.Errorf("statement %q: effect %q", s.Sid, s.Effect)
				}
				checkSetOperators(t, s)
			}
		})
	}
}

// checkSetOperators holds a statement to what AWS refuses or warns of: a key
// with many values needs a set operator, one with a single value takes none
// (OverlyPermissiveCondition).
func checkSetOperators(t *testing.T, s statement) {
	t.Helper()
	for operator, conditions := range s.Condition {
		for key := range conditions {
			many := key == "kms:EncryptionContextKeys"
			if operator != "Null" && strings.Contains(operator, ":") != many {
				t.Errorf("statement %q: operator %s with key %s", s.Sid, operator, key)
			}
		}
	}
}

// Who seals cannot open, who opens cannot seal, and neither on another key.
func TestActions(t *testing.T) {
	policies := load(t)
	tests := []struct {
		files             []string
		actions, resource texts
	}{
		{[]string{"iam-sealer.json", "iam-sealer-team.json", "iam-sealing-key-create.json"}, texts{"kms:Encrypt"}, texts{keyARN}},
		{[]string{"iam-controller.json", "iam-tenant.json", "iam-sealing-key-open.json", "iam-break-glass.json"}, texts{"kms:Decrypt"}, texts{keyARN}},
		{[]string{"trust-pod-identity.json", "trust-pod-identity-tenant.json"}, texts{"sts:AssumeRole", "sts:TagSession"}, nil},
		{[]string{"trust-irsa.json"}, texts{"sts:AssumeRoleWithWebIdentity"}, nil},
		{[]string{"trust-break-glass.json"}, texts{"sts:AssumeRole"}, nil},
	}
	for _, test := range tests {
		for _, file := range test.files {
			for _, s := range policies[file].Statement {
				if diff := cmp.Diff([]texts{test.actions, test.resource}, []texts{s.Action, s.Resource}); diff != "" {
					t.Errorf("%s (-want +got):\n%s", file, diff)
				}
			}
		}
	}
}

// The key policies are alike where they should be, and of what works with
// plaintext or hands it on they name Encrypt and Decrypt, each alone.
func TestKeyPolicies(t *testing.T) {
	policies := load(t)
	if diff := cmp.Diff(policies["key.json"].Statement[:3], policies["key-cross-account.json"].Statement[:3]); diff != "" {
		t.Errorf("key-cross-account.json administers or seals otherwise (-key.json +key-cross-account.json):\n%s", diff)
	}
	sensitive := []string{
		"kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyPair", "kms:ReEncryptFrom", "kms:ReEncryptTo",
		"kms:CreateGrant", "kms:ImportKeyMaterial",
	}
	for _, file := range []string{"key.json", "key-replica.json", "key-cross-account.json"} {
		for _, s := range policies[file].Statement {
			for _, action := range sensitive {
				if anyLike(s.Action, action) && !slices.Equal(s.Action, texts{"kms:Encrypt"}) && !slices.Equal(s.Action, texts{"kms:Decrypt"}) {
					t.Errorf("%s: statement %s allows %s among others", file, s.Sid, action)
				}
			}
		}
	}
}

// The README explains each file, and names none that is not there.
func TestReadmeNamesEachFile(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`[a-z0-9-]+\.json`).FindAllString(string(readme), -1)
	slices.Sort(names)
	policies := load(t)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(policies)), slices.Compact(names)); diff != "" {
		t.Errorf("files and their mention in the README (-files +README):\n%s", diff)
	}
	for file := range policies {
		if !strings.Contains(string(readme), "| ["+file+"]("+file+") |") {
			t.Errorf("%s has no row in the table of files", file)
		}
	}
}

// The rules in the README are valid, and about the key of the policies.
func TestReadmeRules(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{{"kms " + keyARN, "age age1pq1w8d…"}, {"age age1pq1f3k…", "age age1pq1w8d…"}}
	var got [][]string
	for _, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(readme, -1) {
		rules, err := keys.ParseRules(keys.RulesFile, block[1])
		if err != nil {
			t.Fatalf("%s%v", block[1], err)
		}
		var ids []string
		for _, e := range rules.Rules[0].Recipients.Entries() {
			ids = append(ids, string(e.Type())+" "+e.ID())
		}
		got = append(got, ids)
	}
	byText := cmpopts.SortSlices(func(a, b string) bool { return a < b })
	if diff := cmp.Diff(want, got, byText); diff != "" {
		t.Errorf("recipients of the rules (-want +got):\n%s", diff)
	}
}
