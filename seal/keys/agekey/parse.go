// SPDX-License-Identifier: Apache-2.0

package agekey

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"filippo.io/age/armor"
)

// parseFile parses the contents of an identity file of any sort. The notes say
// what was left out. Errors hold nothing of data.
func (s Sources) parseFile(from origin, data []byte) ([]*candidate, []string, error) {
	trimmed := bytes.TrimSpace(data)
	switch {
	case bytes.HasPrefix(data, []byte("age-encryption")), bytes.HasPrefix(trimmed, []byte(armor.Header)):
		c, err := s.protectedFile(from, data)
		return one(c), nil, err
	case bytes.HasPrefix(trimmed, []byte("-----BEGIN")):
		c, err := s.sshKey(from, data)
		return one(c), nil, err
	}
	return s.parseIdentities(from, data, false)
}

func one(c *candidate) []*candidate {
	if c == nil {
		return nil
	}
	return []*candidate{c}
}

// parseIdentities parses identities, one a line or, if words is set, separated
// by white space. One that is malformed spoils the whole, as in SOPS.
func (s Sources) parseIdentities(from origin, data []byte, words bool) (ids []*candidate, notes []string, err error) {
	err = identityLines(data, words, func(text string) error {
		if !strings.HasPrefix(text, "AGE-PLUGIN-") {
			id, err := parseNative(text)
			if err == nil {
				ids = append(ids, nativeCandidate(from.name, id))
			}
			return err
		}
		c, note, err := pluginCandidate(from.name, text, s.Plugins)
		if c != nil {
			ids = append(ids, c)
		}
		if note != "" {
			notes = append(notes, note)
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return ids, notes, nil
}

// identityLines calls parse for each identity in data. Empty lines and lines
// that begin with # are skipped. The error holds the number of the line, never
// the line: it may be a private key (age: parse.go, parseIdentity).
func identityLines(data []byte, words bool, parse func(string) error) error {
	if !utf8.Valid(data) {
		return errors.New("not UTF-8 text")
	}
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		entries := []string{line}
		if words {
			entries = strings.Fields(line)
		}
		for _, e := range entries {
			if err := parse(e); err != nil {
				return fmt.Errorf("line %d: %w", n, err)
			}
		}
	}
	return nil
}
