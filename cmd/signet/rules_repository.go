// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/keys"
)

// repositoryRules are about what files are in a repository, and how it is set up.
func (s *scan) repositoryRules(ctx context.Context, all []scanned, notes bool) ([]finding, error) {
	found := s.brokenRules()
	found = append(found, s.unusedRules()...)
	if !notes {
		return found, nil
	}
	drivers, err := s.drivers(ctx, all)
	return append(found, drivers...), err
}

// brokenRules tells of rules files that nobody can read: those that sealed
// documents have, and those that are new or were named.
func (s *scan) brokenRules() []finding {
	for _, f := range s.list.files {
		if filepath.Base(f.at) == keys.RulesFile && (s.list.changed || !f.walked) {
			s.sealed.rules.look(f.at)
		}
	}
	var all []finding
	broken := s.sealed.rules.broken()
	for _, path := range slices.Sorted(maps.Keys(broken)) {
		all = append(all, finding{
			Rule: ruleUnreadable, Level: ruleUnreadable.level(), File: report.ShortPath(path),
			Message: "the rules cannot be read, so that nobody knows for whom to seal: " + broken[path].Error(), Hint: "correct the rules file",
		})
	}
	return all
}

// unusedRules tells of rules whose path_regex matches no file of a directory that
// was checked as a whole.
func (s *scan) unusedRules() []finding {
	var all []finding
	for _, path := range slices.Sorted(maps.Keys(s.list.known)) {
		dir := filepath.Dir(path)
		whole := func(top string) bool { return isBelow(top, dir) }
		if filepath.Base(path) != keys.RulesFile || !slices.ContainsFunc(s.list.whole, whole) {
			continue
		}
		rules, err := readRules(s.src, path)
		if err != nil || rules == nil {
			continue // a file for sops that signet cannot read, or brokenRules tells
		}
		for _, rule := range rules.Rules {
			if rule.PathRegex == "" || s.anyMatches(dir, rule.PathRegex) {
				continue
			}
			all = append(all, finding{
				Rule: ruleUnusedRule, Level: ruleUnusedRule.level(), File: report.ShortPath(path),
				Message: fmt.Sprintf("creation_rules[%d]: no file has a path that its path_regex matches", rule.Index),
				Hint:    "paths are relative to the directory of the rules file, with slashes; correct the path_regex, or remove the rule",
			})
		}
	}
	return all
}

func (s *scan) anyMatches(dir, pattern string) bool {
	compiled, err := regexp.Compile(pattern)
	if err != nil {
		return true
	}
	for at := range s.list.known {
		rel, err := filepath.Rel(dir, at)
		if err == nil && filepath.IsLocal(rel) && compiled.MatchString(filepath.ToSlash(rel)) {
			return true
		}
	}
	return false
}

// drivers tells of sealed files that Git merges as text, and of a clone in which
// it cannot do otherwise.
func (s *scan) drivers(ctx context.Context, all []scanned) ([]finding, error) {
	const attribute, hint = "merge", "signet init sets it up"
	if s.list.repo == nil {
		return nil, nil
	}
	var paths []string
	files := map[string]checkFile{}
	for _, r := range all {
		rel, err := filepath.Rel(s.list.repo.Root(), r.file.at)
		if len(r.docs) == 0 || err != nil || !filepath.IsLocal(rel) {
			continue
		}
		paths = append(paths, filepath.ToSlash(rel))
		files[filepath.ToSlash(rel)] = r.file
	}
	if len(paths) == 0 {
		return nil, nil
	}
	attributes, err := s.list.repo.Attributes(ctx, []string{attribute}, paths...)
	if err != nil {
		return nil, fmt.Errorf("read attributes: %w", err)
	}
	var found []finding
	tell := func(file, message string) {
		found = append(found, finding{Rule: ruleNoDriver, Level: ruleNoDriver.level(), File: file, Message: message, Hint: hint})
	}
	set := ""
	for _, path := range paths {
		if attributes[path][attribute] == program {
			set = path
			continue
		}
		tell(files[path].name, "Git merges this sealed file as text: .gitattributes has no merge=signet for it")
	}
	if set == "" {
		return found, nil
	}
	_, ok, err := s.list.repo.Config(ctx, "merge.signet.driver")
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	if !ok {
		tell(files[set].name, "Git merges sealed files as text in this clone: merge.signet.driver is not set")
	}
	return found, nil
}
