// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// ParseRecipients reads a list of keys of one type, separated by commas, as it
// stands in a rule or is given with a flag: at least one; white space around
// them, line breaks and empty places do not matter. Keys are taken apart as
// SOPS does it (a KMS ARN may be followed by + and the ARN of a role, a Vault
// URI holds address, engine and key), and no further: whether a key is well
// formed its Wrapper decides. No error holds a piece of the text, which might
// be a private key put there by mistake.
func ParseRecipients(t Type, list string) (Group, error) {
	pieces := strings.Split(list, ",")
	for i := range pieces {
		pieces[i] = strings.TrimSpace(pieces[i])
	}
	pieces = slices.DeleteFunc(pieces, func(p string) bool { return p == "" })
	if len(pieces) == 0 {
		return nil, errors.New("is empty")
	}
	g := make(Group, len(pieces))
	for i, p := range pieces {
		e, err := parseRecipient(t, p)
		switch {
		case err != nil && len(pieces) > 1:
			return nil, fmt.Errorf("key %d of %d: %w", i+1, len(pieces), err)
		case err != nil:
			return nil, err
		}
		g[i] = e
	}
	return g, nil
}

func parseRecipient(t Type, text string) (Entry, error) {
	text = strings.TrimSpace(text)
	switch {
	case isSecret(text), strings.HasPrefix(strings.ToUpper(text), "AGE-PLUGIN-"):
		return nil, errors.New(secretReason)
	case strings.Contains(text, ","):
		return nil, errors.New("holds a comma: each key is an entry of its own here")
	}
	switch t {
	case Age:
		return parseAge(text)
	case PGP:
		return PGPEntry{Fingerprint: withoutSpace(text)}, nil
	case AWSKMS:
		return parseKMS(text)
	case GCPKMS:
		return parseGCPKMS(text)
	case HuaweiKMS:
		return parseHuaweiKMS(text)
	case AzureKV:
		return parseAzureKV(text)
	case Vault:
		return parseVault(text)
	default:
		return nil, &UnsupportedError{Type: t}
	}
}

func withoutSpace(text string) string {
	return strings.Join(strings.Fields(text), "")
}

// parseAge takes age1... of any kind and SSH keys, which may end in a comment
// (sops: age/keysource.go, parseRecipient).
func parseAge(text string) (Entry, error) {
	words := strings.Fields(text)
	starts := func(word string) bool {
		return strings.HasPrefix(word, "age1") || strings.HasPrefix(word, "ssh-")
	}
	switch {
	case !starts(text):
		return nil, errors.New("want an age recipient (age1...) or an SSH public key (ssh-ed25519 ... or ssh-rsa ...)")
	case slices.ContainsFunc(words[1:], starts):
		return nil, errors.New("holds two recipients without a comma between them")
	case strings.HasPrefix(text, "age1") && len(words) > 1:
		return nil, errors.New("white space in an age recipient")
	}
	return AgeEntry{Recipient: text}, nil
}

// parseKMS splits "<key ARN>+<role ARN>"; all white space goes
// (sops: kms/keysource.go, NewMasterKeyFromArn).
func parseKMS(text string) (Entry, error) {
	key, role, found := strings.Cut(withoutSpace(text), "+arn:")
	e := KMSEntry{ARN: key}
	if err := checkKeyARN(key); err != nil {
		return nil, err
	}
	if found {
		e.Role = "arn:" + role
		return e, checkRoleARN(e.Role)
	}
	return e, nil
}

func checkKeyARN(arn string) error {
	if !strings.HasPrefix(arn, "arn:") {
		return errors.New("want the ARN of a KMS key: arn:aws:kms:<region>:<account>:key/<id>")
	}
	return checkOneARN(arn)
}

func checkRoleARN(arn string) error {
	if !strings.HasPrefix(arn, "arn:") {
		return errors.New("want the ARN of a role: arn:aws:iam::<account>:role/<name>")
	}
	return checkOneARN(arn)
}

func checkOneARN(arn string) error {
	if strings.Contains(arn[1:], "arn:") {
		return errors.New("holds two ARNs: a comma is missing between two keys, or + between a key and its role")
	}
	return nil
}

func parseGCPKMS(text string) (Entry, error) {
	id := withoutSpace(text)
	if !strings.HasPrefix(id, "projects/") {
		return nil, errors.New("want projects/<project>/locations/<location>/keyRings/<ring>/cryptoKeys/<key>")
	}
	return GCPKMSEntry{ResourceID: id}, nil
}

func parseHuaweiKMS(text string) (Entry, error) {
	region, id, _ := strings.Cut(text, ":")
	if strings.TrimSpace(region) == "" || strings.TrimSpace(id) == "" {
		return nil, errors.New("want <region>:<key id>")
	}
	return HuaweiKMSEntry{KeyID: text}, nil
}

// parseAzureKV reads https://<vault>/keys/<name> with or without a version
// (sops: azkv/keysource.go, NewMasterKeyFromURL). An empty version means the
// newest one when something is wrapped.
func parseAzureKV(text string) (Entry, error) {
	bad := errors.New("want https://<vault>.vault.azure.net/keys/<name>/<version>")
	rest, ok := strings.CutPrefix(text, "https://")
	if !ok {
		return nil, bad
	}
	host, key, ok := strings.Cut(rest, "/keys/")
	name, version, _ := strings.Cut(key, "/")
	if !ok || host == "" || name == "" || strings.ContainsAny(host, "/@") || strings.Contains(version, "/") {
		return nil, bad
	}
	return AzureKVEntry{VaultURL: "https://" + host, Name: name, Version: version}, nil
}

// parseVault reads <address>/v1/<engine path>/keys/<name>
// (sops: hcvault/keysource.go, NewMasterKeyFromURI). Unlike SOPS it insists on
// v1 and keys, because a document does not keep what stood in their place.
func parseVault(text string) (Entry, error) {
	bad := errors.New("want https://<host>/v1/<engine path>/keys/<name>")
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Host == "", u.Scheme != "https" && u.Scheme != "http":
		return nil, bad
	case u.User != nil:
		return nil, errors.New("holds a user name or password: a Vault address has none")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, bad
	}
	parts := strings.Split(strings.Trim(u.EscapedPath(), "/"), "/")
	n := len(parts)
	odd := func(part string) bool {
		return part == "" || part == "." || part == ".." || strings.ContainsFunc(part, unicode.IsSpace)
	}
	if n < 4 || parts[0] != "v1" || parts[n-2] != "keys" || slices.ContainsFunc(parts, odd) {
		return nil, bad
	}
	return VaultEntry{
		Address:    u.Scheme + "://" + u.Host,
		EnginePath: strings.Join(parts[1:n-2], "/"),
		KeyName:    parts[n-1],
	}, nil
}
