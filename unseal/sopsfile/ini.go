// SPDX-License-Identifier: Apache-2.0

package sopsfile

import (
	"bytes"
	"strings"

	"gopkg.in/ini.v1"

	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// Limits of INI files. The library compares each key with each in a section,
// and copies a value of many lines with every line.
const (
	maxINIBytes = 1 << 20
	maxINILines = 10_000
	maxINIWork  = 2 << 30 // lines times bytes, some seconds
)

func iniOptions() ini.LoadOptions { return ini.LoadOptions{AllowNonUniqueSections: true} }

// readINI reads sections, each a mapping of texts. A comment before a section
// is the first item in it, that of a key comes behind the key (sops:
// stores/ini/store.go, treeItemFromSection).
func readINI(content []byte) (branches []sopsdoc.Branch, err error) {
	lines := bytes.Count(content, []byte("\n")) + 1
	switch {
	case len(content) > maxINIBytes:
		return nil, invalid("", "the file has %d bytes, the limit for INI is %d", len(content), maxINIBytes)
	case lines > maxINILines:
		return nil, invalid("", "the file has %d lines, the limit for INI is %d", lines, maxINILines)
	case lines*len(content) > maxINIWork:
		return nil, invalid("", "the file has %d lines and %d bytes, which is too much of both for INI", lines, len(content))
	}
	defer func() {
		if recover() != nil {
			branches, err = nil, invalid("", "not valid INI")
		}
	}()
	file, err := ini.LoadSources(iniOptions(), content)
	if err != nil { // its text quotes the line
		return nil, invalid("", "not valid INI: a line is neither a section, nor a comment, nor key = value, or a quote is not closed")
	}
	var b sopsdoc.Branch
	for _, section := range file.Sections() {
		b = append(b, sopsdoc.Item{Key: section.Name(), Value: iniSection(section)})
	}
	return []sopsdoc.Branch{b}, nil
}

func iniSection(section *ini.Section) sopsdoc.Branch {
	b := sopsdoc.Branch{}
	comment := func(text string) {
		if text != "" {
			b = append(b, sopsdoc.Item{Comment: &sopsdoc.Comment{Text: iniComment(text)}})
		}
	}
	comment(section.Comment)
	for _, key := range section.Keys() {
		b = append(b, sopsdoc.Item{Key: key.Name(), Value: key.Value()})
		comment(key.Comment)
	}
	return b
}

// iniComment removes what introduces a comment, from its first line only.
func iniComment(text string) string {
	switch {
	case strings.HasPrefix(text, ";"):
		return strings.TrimLeft(text, "; ")
	case strings.HasPrefix(text, "#"):
		return strings.TrimLeft(text, "# ")
	}
	return text
}

func writeINI(branches []sopsdoc.Branch) (out []byte, err error) {
	if err := checkINI(branches[0]); err != nil {
		return nil, err
	}
	defer func() {
		if recover() != nil {
			out, err = nil, invalid("", "cannot be written as INI")
		}
	}()
	file := ini.Empty(iniOptions())
	file.DeleteSection(ini.DefaultSection)
	for _, item := range branches[0] {
		section, err := file.NewSection(item.Key)
		if err != nil {
			return nil, invalid(manifest.ChildPath("", item.Key), "is no name of a section")
		}
		if err := fillSection(section, item.Value.(sopsdoc.Branch)); err != nil {
			return nil, err
		}
	}
	var b bytes.Buffer
	if _, err := file.WriteTo(&b); err != nil {
		return nil, invalid("", "cannot be written as INI")
	}
	return b.Bytes(), nil
}

// fillSection puts the first comment before the section and every other before
// the key that it stands behind (sops: stores/ini/store.go, encodeTree).
func fillSection(section *ini.Section, b sopsdoc.Branch) error {
	var last *ini.Key
	for i, item := range b {
		switch {
		case item.Comment == nil:
			key, err := section.NewKey(item.Key, plainText(item.Value))
			if err != nil {
				return invalid(manifest.JoinPath([]string{section.Name(), item.Key}), "is no name of a key")
			}
			last = key
		case i == 0:
			section.Comment = item.Comment.Text
		case last != nil:
			last.Comment = item.Comment.Text
		}
	}
	return nil
}

// checkINI refuses what the library would crash on or fill memory with: it
// wants text in every line of a comment, and pads all keys of a section to the
// length of the longest.
func checkINI(root sopsdoc.Branch) error {
	padded := 0
	for _, section := range root {
		longest, count := 0, 0
		b, ok := section.Value.(sopsdoc.Branch)
		if section.Comment != nil || !ok {
			return invalid("", "there is something outside of sections")
		}
		for _, item := range b {
			if item.Comment != nil && hasEmptyLine(item.Comment.Text) {
				return invalid(manifest.ChildPath("", section.Key), "has a comment with an empty line, which has no form in INI")
			}
			longest, count = max(longest, len(item.Key)), count+1
		}
		if padded += longest * count; padded > maxResultBytes/4 {
			return invalid(manifest.ChildPath("", section.Key), "has too many keys for one as long as its longest")
		}
	}
	return nil
}

func hasEmptyLine(comment string) bool {
	if comment == "" {
		return false // is not written at all
	}
	for line := range strings.SplitSeq(comment, ini.LineBreak) {
		if line == "" {
			return true
		}
	}
	return false
}
