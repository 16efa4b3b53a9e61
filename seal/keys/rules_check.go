// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
)

// spot is a place in a rules file: a node and the way to it.
type spot struct {
	path string     // of the file
	at   string     // field path
	node *yaml.Node // nil where the field is absent
	lax  bool       // empty values do no harm here
	// lines are those on which the recipients of the rule around it stand, by
	// placeOf.
	lines map[string]int
}

// here notes that recipients stand at s.
func (s spot) here(entries ...Entry) {
	for _, e := range entries {
		if _, ok := s.lines[placeOf(e)]; !ok {
			s.lines[placeOf(e)] = s.node.Line
		}
	}
}

func (s spot) fail(format string, args ...any) error {
	e := &RulesError{Path: s.path, Field: s.at, Reason: fmt.Sprintf(format, args...)}
	if s.node != nil {
		e.Line = s.node.Line
	}
	return e
}

// get returns the spot of a field of a mapping.
func (s spot) get(name string) spot {
	s.node = manifest.Get(s.node, name)
	return s.below(name)
}

func (s spot) below(name string) spot {
	s.at = manifest.ChildPath(s.at, shownName(name))
	return s
}

// items returns the spots of the entries of a list; what is no list is its own
// only entry.
func (s spot) items() []spot {
	if s.node == nil {
		return nil
	}
	if s.node.Kind != yaml.SequenceNode {
		return []spot{s}
	}
	items := make([]spot, len(s.node.Content))
	for i, n := range s.node.Content {
		items[i] = s
		items[i].at += "[" + strconv.Itoa(i) + "]"
		items[i].node = n
	}
	return items
}

// text returns the string at s, "" where the field is absent.
func (s spot) text() string {
	if s.node == nil {
		return ""
	}
	return s.node.Value
}

// isTrue reports whether s is a boolean that is true.
func (s spot) isTrue() bool {
	return s.node != nil && strings.EqualFold(s.node.Value, "true")
}

// check tells whether what is at s has the shape of f, everything in it
// included.
func (s spot) check(f schemaField) error {
	if manifest.IsNull(s.node) {
		return s.empty()
	}
	switch f.shape {
	case shapeText:
		return s.checkText()
	case shapeTexts:
		return s.checkList("a list of strings", spot.checkText)
	case shapeTextOrTexts:
		if s.node.Kind == yaml.ScalarNode {
			return s.checkText()
		}
		return s.checkList("a string or a list of strings", spot.checkText)
	case shapeNumber:
		return s.checkScalar("!!int", "a whole number")
	case shapeBool:
		return s.checkScalar("!!bool", "true or false")
	case shapePairs:
		return s.checkPairs()
	case shapeObject:
		return s.checkObject(f.fields())
	default:
		return s.checkList("a list", func(item spot) error {
			if manifest.IsNull(item.node) {
				return item.empty()
			}
			return item.checkObject(f.fields())
		})
	}
}

func (s spot) empty() error {
	if s.lax {
		return nil
	}
	return s.fail("is empty: give a value or leave it out")
}

func (s spot) checkScalar(tag, want string) error {
	if s.node.Kind != yaml.ScalarNode || s.node.ShortTag() != tag {
		return s.fail("want %s", want)
	}
	return nil
}

func (s spot) checkList(want string, each func(spot) error) error {
	if s.node.Kind != yaml.SequenceNode {
		return s.fail("want %s", want)
	}
	items := s.items()
	if len(items) == 0 {
		return s.empty()
	}
	for _, item := range items {
		if err := each(item); err != nil {
			return err
		}
	}
	return nil
}

func (s spot) checkText() error {
	switch {
	case manifest.IsNull(s.node):
		return s.empty()
	case s.node.Kind != yaml.ScalarNode:
		return s.fail("want a string")
	case !manifest.IsString(s.node):
		return s.fail("want a string: put it in quotes")
	case strings.TrimSpace(s.node.Value) == "":
		return s.empty()
	case isSecret(s.node.Value):
		return s.fail("%s", secretReason)
	case strings.ContainsFunc(s.node.Value, isControl):
		return s.fail("holds a control character")
	}
	return nil
}

func (s spot) checkPairs() error {
	if s.node.Kind != yaml.MappingNode {
		return s.fail("want a mapping of strings")
	}
	for _, name := range manifest.Keys(s.node) {
		value := s.get(name)
		switch {
		case strings.TrimSpace(name) == "":
			return value.fail("empty name")
		case isSecret(name):
			return value.fail("%s", secretReason)
		}
		if err := value.checkText(); err != nil {
			return err
		}
	}
	return nil
}

func (s spot) checkObject(fields []schemaField) error {
	if s.node.Kind != yaml.MappingNode {
		return s.fail("want a mapping")
	}
	known := make(map[string]schemaField, len(fields))
	names := make([]string, len(fields))
	for i, f := range fields {
		known[f.name], names[i] = f, f.name
	}
	for i := 0; i+1 < len(s.node.Content); i += 2 {
		name := s.node.Content[i].Value
		f, ok := known[name]
		value := s.get(name)
		if !ok {
			value.node = s.node.Content[i] // the line of the name, not of its value
			if isSecret(name) {
				return value.fail("%s", secretReason)
			}
			return value.fail("%s", unknownField(name, names))
		}
		value.lax = s.lax || s.at == "" && ignored(name)
		if err := value.check(f); err != nil {
			return err
		}
	}
	return nil
}

func isControl(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t'
}

const secretReason = "looks like a private key or a key file, give its public name (recipient, ARN, fingerprint)"

// isSecret reports whether text looks like a private key or a whole key file.
func isSecret(text string) bool {
	upper := strings.ToUpper(text)
	return strings.Contains(upper, "AGE-SECRET-KEY-") || strings.Contains(upper, "-----BEGIN")
}

// shownName is how an error shows the name of a field.
func shownName(name string) string {
	if isSecret(name) {
		return "hidden"
	}
	return name
}

// privateKey finds a private key in a text that is not parsed yet, so also in
// comments: an age or plugin identity (Bech32) or a PEM or OpenPGP block.
var privateKey = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)age-(?:secret-key|plugin)-(?:[-a-z0-9+._]+-)?1[02-9ac-hj-np-z]{20,}|-----BEGIN [ A-Z]*PRIVATE KEY`)
})
