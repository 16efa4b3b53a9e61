// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
)

// recipientFlags say for whom to seal.
type recipientFlags struct {
	keyLists
	config   string
	filename string
}

func (f *recipientFlags) add(cmd *cobra.Command) {
	f.keyLists.add(cmd, "instead of those of the rules")
	flags := cmd.Flags()
	flags.StringVar(&f.config, "config", "", "use this rules `FILE` instead of looking for .sops.yaml")
	flags.StringVar(&f.filename, "filename-override", "", "match rules as if the document were `FILE`, for stdin")
}

// keyLists are the keys that flags name, under the names that sops gives them.
type keyLists struct {
	lists      map[keys.Type]*[]string
	awsProfile string
}

// keyListFlags are the flags of keyLists in the order of the help.
func keyListFlags() []struct {
	of                    keys.Type
	name, shorthand, what string
} {
	return []struct {
		of                    keys.Type
		name, shorthand, what string
	}{
		{keys.Age, "age", "a", "age `RECIPIENTS`"},
		{keys.AWSKMS, "kms", "k", "AWS KMS key `ARNS`"},
		{keys.GCPKMS, "gcp-kms", "", "Google Cloud KMS `KEYS`"},
		{keys.AzureKV, "azure-kv", "", "Azure Key Vault key `URLS`"},
		{keys.Vault, "hc-vault-transit", "", "Vault or OpenBao transit key `URIS`"},
		{keys.PGP, "pgp", "p", "PGP `FINGERPRINTS`"},
	}
}

func (l *keyLists) add(cmd *cobra.Command, instead string) {
	l.lists = map[keys.Type]*[]string{}
	flags := cmd.Flags()
	for _, f := range keyListFlags() {
		list := new([]string)
		l.lists[f.of] = list
		flags.StringArrayVarP(list, f.name, f.shorthand, nil, strings.TrimSpace("seal for these "+f.what+", separated by commas, "+instead))
	}
	flags.StringVar(&l.awsProfile, "aws-profile", "", "`PROFILE` of the AWS configuration for the keys of --kms; it is written into the document")
}

// group returns the keys that the flags name, checked, or nil.
func (l *keyLists) group() (keys.Group, error) {
	if l.awsProfile != "" && len(*l.lists[keys.AWSKMS]) == 0 {
		return nil, errors.New("--aws-profile is for the keys of --kms; keys in the rules have aws_profile there")
	}
	var group keys.Group
	for _, f := range keyListFlags() {
		list := *l.lists[f.of]
		if len(list) == 0 {
			continue
		}
		entries, err := keys.ParseRecipients(f.of, strings.Join(list, ","))
		if err != nil {
			return nil, fmt.Errorf("--%s: %w", f.name, err)
		}
		for i, e := range entries {
			entries[i] = withProfile(e, l.awsProfile)
		}
		if err := checkRecipients("--"+f.name, keys.Recipients{Groups: []keys.Group{entries}}); err != nil {
			return nil, err
		}
		group = append(group, entries...)
	}
	return group, nil
}

func withProfile(e keys.Entry, profile string) keys.Entry {
	k, ok := e.(keys.KMSEntry)
	if !ok {
		return e
	}
	k.AWSProfile = profile
	return k
}

// ruleFinder finds the rule for each document. It reads each rules file once.
type ruleFinder struct {
	flags  recipientFlags
	loaded map[string]*keys.Rules
}

// rule returns what the flags say instead of rules, checked, or nil.
func (f *recipientFlags) rule() (*keys.Rule, error) {
	group, err := f.group()
	if err != nil || group == nil {
		return nil, err
	}
	return &keys.Rule{Recipients: keys.Recipients{Groups: []keys.Group{group}}}, nil
}

// rule returns the rule for a document, checked, or what flags say instead.
func (r *ruleFinder) rule(document string) (*keys.Rule, error) {
	if rule, err := r.flags.rule(); rule != nil || err != nil {
		return rule, err
	}
	path := r.flags.config
	if path == "" {
		found, err := keys.FindRules(document)
		if err != nil {
			return nil, err
		}
		path = found
	}
	rules, err := r.load(path)
	if err != nil {
		return nil, err
	}
	rule, err := rules.For(document)
	if err != nil {
		return nil, err
	}
	return rule, checkRule(fmt.Sprintf("%s: creation_rules[%d]", path, rule.Index), rule)
}

func (r *ruleFinder) load(path string) (*keys.Rules, error) {
	if rules, ok := r.loaded[path]; ok {
		return rules, nil
	}
	rules, err := keys.LoadRules(path)
	if err != nil {
		return nil, err
	}
	if r.loaded == nil {
		r.loaded = map[string]*keys.Rules{}
	}
	r.loaded[path] = rules
	return rules, nil
}

// recipientError says that a recipient cannot be sealed for.
type recipientError struct {
	where string // rules file and rule, or a flag
	kind  keys.Type
	err   error
}

func (e *recipientError) Error() string { return e.where + ": " + e.err.Error() }
func (e *recipientError) Unwrap() error { return e.err }

// checkRecipients finds typing errors before anything is done.
func checkRecipients(where string, r keys.Recipients) error {
	for _, e := range r.Entries() {
		err := checkRecipient(e)
		if err == nil {
			continue
		}
		if e.Type() != keys.Age { // whose errors name the recipient
			err = fmt.Errorf("%q: %w", keys.ForeignText(e.ID()), err)
		}
		return &recipientError{where, e.Type(), err}
	}
	return nil
}

// weakens tells what makes a document unsafe that would otherwise be safe from
// quantum computers: "because ... is a classic one", or "". With key groups it
// takes one recipient in as many of them as open the document. strong says
// that it is safe without a look at the recipients, as a SealingKey is that is
// a hybrid key pair.
func weakens(r keys.Recipients, strong bool) string {
	needed := r.Threshold
	var weak []string // the first of each group
	for _, g := range r.Groups {
		id := ""
		for _, e := range g {
			switch pq, known := postQuantum(e); {
			case known && pq:
				strong = true
			case known && id == "":
				id = shortRecipient(e.ID())
			}
		}
		if id != "" {
			weak = append(weak, id)
		}
	}
	if needed == 0 || len(r.Groups) == 1 {
		needed = len(r.Groups)
	}
	switch {
	case !strong || len(weak) < needed:
		return ""
	case needed == 1:
		return "because " + weak[0] + " is a classic one"
	}
	return "because " + strings.Join(weak[:needed], ", ") + " are classic ones and enough to open it"
}

// postQuantum reports whether what an entry wraps is safe from a quantum
// computer that has the document and nothing else. known is false where that
// depends on the key behind the entry.
func postQuantum(e keys.Entry) (safe, known bool) {
	switch e := e.(type) {
	case keys.AgeEntry:
		r, err := agekey.ParseRecipient(e.Recipient)
		if err != nil {
			return false, false
		}
		return r.PostQuantum()
	case keys.KMSEntry, keys.GCPKMSEntry:
		return true, true // symmetric: both services wrap only with AES-256 here
	case keys.AzureKVEntry, keys.PGPEntry:
		return false, true // RSA, or elliptic curves
	}
	return false, false
}
