// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"fmt"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
)

// maxWrappedBytes bounds the text of one wrapped key: a post-quantum age file
// takes 2,400 bytes, an OpenPGP message for a large key some 4,000.
const maxWrappedBytes = 64 << 10

// entryFields lists the fields of an entry of each type (sops:
// stores/stores.go). "?" marks what may be absent.
var entryFields = map[keys.Type][]string{
	keys.Age:       {"created_at?", "enc", "recipient"}, // created_at is Signet's, written into envelopes only
	keys.AWSKMS:    {"arn", "aws_profile?", "context?", "created_at", "enc", "role?"},
	keys.AzureKV:   {"created_at", "enc", "name", "vault_url", "version?"},
	keys.GCPKMS:    {"created_at", "enc", "resource_id"},
	keys.HuaweiKMS: {"created_at", "enc", "key_id"},
	keys.PGP:       {"created_at", "enc", "fp"},
	keys.Vault:     {"created_at", "enc", "engine_path", "key_name", "vault_address"},
}

// recipients reads the key lists: flat ones if there are any, else key groups.
func (r metadataReader) recipients(n *yaml.Node) ([]keys.Group, error) {
	flat, err := r.group(n, "sops")
	if err != nil {
		return nil, err
	}
	list := manifest.Get(n, "key_groups")
	if len(flat) > 0 {
		if r.strict && list != nil {
			return nil, invalid("sops.key_groups", "must not stand beside keys without a group")
		}
		return []keys.Group{flat}, nil
	}
	if list == nil || !r.strict && manifest.IsNull(list) {
		return nil, nil
	}
	if list.Kind != yaml.SequenceNode {
		return nil, invalid("sops.key_groups", "must be a list")
	}
	return r.groups(list)
}

func (r metadataReader) groups(list *yaml.Node) ([]keys.Group, error) {
	if r.strict && len(list.Content) < 2 {
		return nil, invalid("sops.key_groups", "must have at least two groups")
	}
	var groups []keys.Group
	for i, n := range list.Content {
		path := fmt.Sprintf("sops.key_groups[%d]", i)
		if n.Kind != yaml.MappingNode {
			return nil, invalid(path, "must be a mapping")
		}
		for _, name := range manifest.Keys(n) {
			if !slices.Contains(keys.Types, keys.Type(name)) {
				return nil, invalid(manifest.ChildPath(path, name), "unknown field")
			}
		}
		group, err := r.group(n, path)
		if err != nil {
			return nil, err
		}
		if len(group) == 0 {
			return nil, invalid(path, "has no keys")
		}
		groups = append(groups, group)
	}
	return groups, nil
}

// group reads the key lists of one mapping in the order of keys.Types.
func (r metadataReader) group(n *yaml.Node, path string) (keys.Group, error) {
	var group keys.Group
	for _, t := range keys.Types {
		list := manifest.Get(n, string(t))
		if list == nil || !r.strict && manifest.IsNull(list) {
			continue
		}
		at := path + "." + string(t)
		// SOPS itself writes empty lists of age and Vault keys inside groups.
		if list.Kind != yaml.SequenceNode || r.strict && len(list.Content) == 0 {
			return nil, invalid(at, "must be a list of keys")
		}
		for i, item := range list.Content {
			e, err := r.entry(t, item, fmt.Sprintf("%s[%d]", at, i))
			if err != nil {
				return nil, err
			}
			group = append(group, e)
		}
	}
	return group, nil
}

func (r metadataReader) entry(t keys.Type, n *yaml.Node, path string) (keys.Entry, error) {
	if n.Kind != yaml.MappingNode {
		return nil, invalid(path, "must be a mapping")
	}
	f := fields{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, v := n.Content[i].Value, n.Content[i+1]
		required := slices.Contains(entryFields[t], name)
		if !required && !slices.Contains(entryFields[t], name+"?") {
			return nil, invalid(manifest.ChildPath(path, name), "unknown field")
		}
		if err := f.read(r, name, path+"."+name, v, required); err != nil {
			return nil, err
		}
	}
	for _, name := range entryFields[t] {
		if _, ok := f.text[name]; !ok && name[len(name)-1] != '?' {
			return nil, invalid(path+"."+name, "is missing")
		}
	}
	return f.entry(t), nil
}

// fields holds the fields of an entry while it is read.
type fields struct {
	text    map[string]string
	context map[string]string
}

func (f *fields) read(r metadataReader, name, path string, v *yaml.Node, required bool) error {
	if f.text == nil {
		f.text = map[string]string{}
	}
	if name == "context" {
		return f.readContext(r, path, v)
	}
	if !r.strict && !required && manifest.IsNull(v) {
		return nil
	}
	var text string
	if name == "created_at" && !r.strict && v.Kind == yaml.ScalarNode && v.ShortTag() == "!!timestamp" {
		text = v.Value
	} else if err := readString(&text, path, v); err != nil {
		return err
	}
	switch {
	case required && text == "":
		return invalid(path, "is empty")
	case len(text) > maxWrappedBytes:
		return invalid(path, "has %d bytes, the limit is %d", len(text), maxWrappedBytes)
	}
	if name == "created_at" {
		t, err := time.Parse(time.RFC3339, text)
		if err != nil || !required && lastModified(t) != text {
			return invalid(path, "must be a time like 2026-01-31T09:30:00Z")
		}
	}
	f.text[name] = text
	return nil
}

func (f *fields) readContext(r metadataReader, path string, v *yaml.Node) error {
	if !r.strict && manifest.IsNull(v) {
		return nil
	}
	if v.Kind != yaml.MappingNode || r.strict && len(v.Content) == 0 {
		return invalid(path, "must be a mapping of strings")
	}
	f.context = map[string]string{}
	for i := 0; i+1 < len(v.Content); i += 2 {
		var text string
		if err := readString(&text, manifest.ChildPath(path, v.Content[i].Value), v.Content[i+1]); err != nil {
			return err
		}
		f.context[v.Content[i].Value] = text
	}
	return nil
}

func (f *fields) entry(t keys.Type) keys.Entry {
	g := f.text
	switch t {
	case keys.Age:
		return keys.AgeEntry{Recipient: g["recipient"], CreatedAt: g["created_at"], Enc: g["enc"]}
	case keys.AWSKMS:
		return keys.KMSEntry{ARN: g["arn"], Role: g["role"], Context: f.context, CreatedAt: g["created_at"], Enc: g["enc"], AWSProfile: g["aws_profile"]}
	case keys.AzureKV:
		return keys.AzureKVEntry{VaultURL: g["vault_url"], Name: g["name"], Version: g["version"], CreatedAt: g["created_at"], Enc: g["enc"]}
	case keys.GCPKMS:
		return keys.GCPKMSEntry{ResourceID: g["resource_id"], CreatedAt: g["created_at"], Enc: g["enc"]}
	case keys.HuaweiKMS:
		return keys.HuaweiKMSEntry{KeyID: g["key_id"], CreatedAt: g["created_at"], Enc: g["enc"]}
	case keys.PGP:
		return keys.PGPEntry{Fingerprint: g["fp"], CreatedAt: g["created_at"], Enc: g["enc"]}
	default:
		return keys.VaultEntry{Address: g["vault_address"], EnginePath: g["engine_path"], KeyName: g["key_name"], CreatedAt: g["created_at"], Enc: g["enc"]}
	}
}

// addGroup writes the entries of g into the mapping n, one list a type.
func addGroup(n *yaml.Node, g keys.Group) {
	for _, t := range keys.Types {
		list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for _, e := range g {
			if e.Type() == t {
				list.Content = append(list.Content, entryNode(e))
			}
		}
		if len(list.Content) > 0 {
			manifest.Set(n, string(t), list)
		}
	}
}

func groupsNode(groups []keys.Group) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for _, g := range groups {
		n := manifest.Mapping()
		addGroup(n, g)
		list.Content = append(list.Content, n)
	}
	return list
}

// entryNode writes one entry with sorted keys.
func entryNode(e keys.Entry) *yaml.Node {
	text := func(pairs ...string) *yaml.Node {
		n := manifest.Mapping()
		for i := 0; i < len(pairs); i += 2 {
			manifest.Set(n, pairs[i], manifest.String(pairs[i+1]))
		}
		return n
	}
	switch e := e.(type) {
	case keys.AgeEntry:
		if e.CreatedAt == "" {
			return text("enc", e.Enc, "recipient", e.Recipient)
		}
		return text("created_at", e.CreatedAt, "enc", e.Enc, "recipient", e.Recipient)
	case keys.KMSEntry:
		return kmsNode(e)
	case keys.AzureKVEntry:
		return text("created_at", e.CreatedAt, "enc", e.Enc, "name", e.Name, "vault_url", e.VaultURL, "version", e.Version)
	case keys.GCPKMSEntry:
		return text("created_at", e.CreatedAt, "enc", e.Enc, "resource_id", e.ResourceID)
	case keys.HuaweiKMSEntry:
		return text("created_at", e.CreatedAt, "enc", e.Enc, "key_id", e.KeyID)
	case keys.PGPEntry:
		return text("created_at", e.CreatedAt, "enc", e.Enc, "fp", e.Fingerprint)
	case keys.VaultEntry:
		return text("created_at", e.CreatedAt, "enc", e.Enc, "engine_path", e.EnginePath, "key_name", e.KeyName, "vault_address", e.Address)
	default:
		return manifest.Mapping()
	}
}

func kmsNode(e keys.KMSEntry) *yaml.Node {
	n := manifest.Mapping(
		manifest.String("arn"), manifest.String(e.ARN),
		manifest.String("aws_profile"), manifest.String(e.AWSProfile),
	)
	if len(e.Context) > 0 {
		manifest.Set(n, "context", manifest.StringMap(e.Context))
	}
	manifest.Set(n, "created_at", manifest.String(e.CreatedAt))
	manifest.Set(n, "enc", manifest.String(e.Enc))
	if e.Role != "" {
		manifest.Set(n, "role", manifest.String(e.Role))
	}
	return n
}
