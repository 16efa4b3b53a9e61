// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzParseRules looks for panics, for rules that let nobody read, and for
// errors that hold a private key. Run it with -fuzzminimizetime 10x: by default
// most of the time goes into making inputs smaller.
func FuzzParseRules(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "rules", "*.yaml"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, seed := range []string{
		"", "a", "creation_rules: [{}]", `{"creation_rules": [{"age": "age1a"}]}`,
		"creation_rules: [{age: [AGE-SECRET-KEY-1]}]",
		"creation_rules: [{hc_vault_transit_uri: 'https://h/v1/t/keys/k?'}]",
		"creation_rules: [{kms: 'arn:a+arn:b'}]",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		rules, err := ParseRules(RulesFile, data)
		if err != nil {
			if strings.Contains(strings.ToUpper(err.Error()), "AGE-SECRET-KEY-") {
				t.Errorf("the error holds a private key: %v", err)
			}
			return
		}
		if len(rules.Rules) == 0 {
			t.Error("no rules")
		}
		for _, r := range rules.Rules {
			checkParsed(t, r)
		}
	})
}

func checkParsed(t *testing.T, r Rule) {
	t.Helper()
	if len(r.Recipients.Groups) == 0 || r.Recipients.Threshold > len(r.Recipients.Groups) {
		t.Errorf("rule %d: threshold %d of %d groups", r.Index, r.Recipients.Threshold, len(r.Recipients.Groups))
	}
	for i, g := range r.Recipients.Groups {
		if len(g) == 0 {
			t.Errorf("rule %d: group %d is empty", r.Index, i)
		}
		for _, e := range g {
			if e.ID() == "" || e.Wrapped() != "" {
				t.Errorf("rule %d: group %d holds %#v", r.Index, i, e)
			}
		}
	}
	if _, err := r.Selector.Compile(); err != nil && !r.Selector.IsZero() {
		t.Errorf("rule %d: %v", r.Index, err)
	}
}
