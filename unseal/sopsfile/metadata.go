// SPDX-License-Identifier: Apache-2.0

package sopsfile

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// nestedMetadata takes the key `sops` out of the root of every branch. That of
// the first counts (sops: stores/metadata.go, ExtractMetadata).
func nestedMetadata(branches []sopsdoc.Branch) (sopsdoc.Branch, error) {
	var block sopsdoc.Branch
	found := 0
	for i, b := range branches {
		for _, item := range b {
			if i > 0 || !isMetadata(item) {
				continue
			}
			value, ok := item.Value.(sopsdoc.Branch)
			if found++; found > 1 {
				return nil, invalid(sopsdoc.MetadataKey, "stands twice in the file")
			}
			if !ok {
				return nil, invalid(sopsdoc.MetadataKey, "must be a mapping")
			}
			block = value
		}
		branches[i] = slices.DeleteFunc(b, isMetadata)
	}
	return block, nil
}

func isMetadata(item sopsdoc.Item) bool {
	return item.Comment == nil && item.Key == sopsdoc.MetadataKey
}

// metadataPrefix begins the keys of metadata in dotenv files (sops:
// stores/metadata.go, SopsPrefix).
const metadataPrefix = sopsdoc.MetadataKey + "_"

// prefixedMetadata takes the metadata out of a dotenv file.
func prefixedMetadata(branches []sopsdoc.Branch) (sopsdoc.Branch, error) {
	var flat, rest sopsdoc.Branch
	for _, item := range branches[0] {
		key, ok := strings.CutPrefix(item.Key, metadataPrefix)
		if ok && item.Comment == nil {
			flat = append(flat, sopsdoc.Item{Key: key, Value: item.Value})
		} else {
			rest = append(rest, item)
		}
	}
	branches[0] = rest
	return unflatten(flat)
}

// sectionMetadata takes the metadata out of an INI file. Its line breaks are
// escaped (sops: stores/metadata.go, MetadataOpts).
func sectionMetadata(branches []sopsdoc.Branch) (sopsdoc.Branch, error) {
	flat, err := nestedMetadata(branches)
	if err != nil {
		return nil, err
	}
	for i, item := range flat {
		if text, ok := item.Value.(string); ok {
			flat[i].Value = strings.ReplaceAll(text, `\n`, "\n")
		}
	}
	return unflatten(flat)
}

var versionPattern = sync.OnceValue(func() *regexp.Regexp {
	const number, part = `(0|[1-9][0-9]{0,17})`, `(0|[1-9][0-9]{0,17}|[0-9]*[a-zA-Z-][-0-9a-zA-Z]*)`
	return regexp.MustCompile(`^v?` + number + `\.` + number + `\.` + number +
		`(-` + part + `(\.` + part + `)*)?(\+[-0-9a-zA-Z]+(\.[-0-9a-zA-Z]+)*)?$`)
})

// parseMetadata reads the metadata, and wants a version that sops can read too
// (sops: version/version.go, AIsNewerThanB).
func parseMetadata(block sopsdoc.Branch) (*sopsdoc.Metadata, error) {
	n, err := metadataNode(block)
	if err != nil {
		return nil, err
	}
	md, err := sopsdoc.ParseMetadata(n)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(md.Version, "1.") && !versionPattern().MatchString(md.Version) {
		return nil, invalid("sops.version", "must be a version like %s", sopsdoc.Version)
	}
	return md, nil
}

// metadataNode writes a value of the metadata as YAML has it, without comments.
func metadataNode(v any) (*yaml.Node, error) {
	scalar := func(tag, text string) (*yaml.Node, error) {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: text}, nil
	}
	switch v := v.(type) {
	case sopsdoc.Branch:
		return metadataMapping(v)
	case []any:
		return metadataList(v)
	case nil:
		return scalar("!!null", "null")
	case string:
		return manifest.String(v), nil
	case int:
		return scalar("!!int", strconv.Itoa(v))
	case bool:
		return manifest.Bool(v), nil
	case float64:
		return scalar("!!float", strconv.FormatFloat(v, 'g', -1, 64))
	case time.Time:
		return scalar("!!timestamp", v.Format(time.RFC3339))
	}
	return nil, invalid(sopsdoc.MetadataKey, "has a value of an unknown kind")
}

func metadataMapping(b sopsdoc.Branch) (*yaml.Node, error) {
	n := manifest.Mapping()
	for _, item := range b {
		if item.Comment != nil {
			continue
		}
		v, err := metadataNode(item.Value)
		if err != nil {
			return nil, err
		}
		n.Content = append(n.Content, manifest.String(item.Key), v)
	}
	return n, nil
}

func metadataList(items []any) (*yaml.Node, error) {
	n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for _, item := range items {
		if _, ok := item.(sopsdoc.Comment); ok {
			continue
		}
		v, err := metadataNode(item)
		if err != nil {
			return nil, err
		}
		n.Content = append(n.Content, v)
	}
	return n, nil
}
