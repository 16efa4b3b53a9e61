// SPDX-License-Identifier: Apache-2.0

package keys

import "strings"

// parseKeyGroup reads one entry of key_groups: the groups under merge first,
// however deep, then its own keys (sops: config/config.go, extractMasterKeys).
func parseKeyGroup(s spot) (Group, error) {
	var g Group
	for _, merged := range s.get("merge").items() {
		more, err := parseKeyGroup(merged)
		if err != nil {
			return nil, err
		}
		g = append(g, more...)
	}
	for _, item := range s.get("age").items() {
		entries, err := ParseRecipients(Age, item.text()) // SOPS takes commas here too
		if err != nil {
			return nil, item.fail("%s", err)
		}
		item.here(entries...)
		g = append(g, entries...)
	}
	for _, list := range groupLists() {
		for _, item := range s.get(list.name).items() {
			e, err := list.parse(item)
			if err != nil {
				return nil, err
			}
			item.here(e)
			g = append(g, e)
		}
	}
	return g, nil
}

// groupList is a field of a key group with the way to read an entry of it.
type groupList struct {
	name  string
	parse func(spot) (Entry, error)
}

func groupLists() []groupList {
	return []groupList{
		{"pgp", single(PGP, "")},
		{"kms", groupKMS},
		{"gcp_kms", single(GCPKMS, "resource_id")},
		{"hckms", single(HuaweiKMS, "key_id")},
		{"azure_keyvault", groupAzure},
		{"hc_vault", single(Vault, "")},
	}
}

// single reads an entry that is one text, at the given field of it or the
// entry itself.
func single(t Type, field string) func(spot) (Entry, error) {
	return func(s spot) (Entry, error) {
		if field != "" {
			var err error
			if s, err = s.required(field); err != nil {
				return nil, err
			}
		}
		e, err := parseRecipient(t, s.text())
		if err != nil {
			return nil, s.fail("%s", err)
		}
		return e, nil
	}
}

func (s spot) required(name string) (spot, error) {
	if v := s.get(name); v.node != nil {
		return v, nil
	}
	return spot{}, s.fail("no %s", name)
}

// groupKMS reads {arn, role, context, aws_profile}. SOPS does not look for a
// role in arn here.
func groupKMS(s spot) (Entry, error) {
	arn, err := s.required("arn")
	if err != nil {
		return nil, err
	}
	if strings.Contains(arn.text(), "+arn:") {
		return nil, arn.fail("a role goes into the field role here")
	}
	e := KMSEntry{ARN: strings.TrimSpace(arn.text()), AWSProfile: s.get("aws_profile").text()}
	if err := checkKeyARN(e.ARN); err != nil {
		return nil, arn.fail("%s", err)
	}
	if role := s.get("role"); role.node != nil {
		e.Role = strings.TrimSpace(role.text())
		if err := checkRoleARN(e.Role); err != nil {
			return nil, role.fail("%s", err)
		}
	}
	if e.Context, err = contextOf(s.get("context")); err != nil {
		return nil, err
	}
	return e, nil
}

// groupAzure reads {vaultUrl, key, version}. SOPS writes vaultUrl as it is.
func groupAzure(s spot) (Entry, error) {
	vault, err := s.required("vaultUrl")
	if err != nil {
		return nil, err
	}
	key, err := s.required("key")
	if err != nil {
		return nil, err
	}
	host, https := strings.CutPrefix(strings.TrimSuffix(vault.text(), "/"), "https://")
	if !https || host == "" || strings.ContainsAny(host, "/@ \n") {
		return nil, vault.fail("want https://<vault>.vault.azure.net")
	}
	return AzureKVEntry{VaultURL: vault.text(), Name: key.text(), Version: s.get("version").text()}, nil
}
