// SPDX-License-Identifier: Apache-2.0

package main

import "slices"

// The rules of check.
const (
	ruleClearSecret   rule = "clear-secret"
	ruleClearLiteral  rule = "clear-literal"
	ruleClearTemplate rule = "clear-template"
	rulePrivateKey    rule = "private-key"
	ruleUnreadable    rule = "unreadable"
	ruleInvalid       rule = "invalid"
	ruleConflict      rule = "conflict"
	ruleScope         rule = "scope"
	ruleRecipients    rule = "recipients"
	ruleAgainstPQ     rule = "post-quantum"
	ruleWeak          rule = "weak-recipient"
	ruleUnsorted      rule = "unsorted"
	ruleNoRule        rule = "no-rule"
	ruleUnusedRule    rule = "unused-rule"
	ruleMaxAge        rule = "max-age"
	ruleKeyChanged    rule = "key-changed"
	ruleNewRecipients rule = "recipients-changed"
	ruleScopeChanged  rule = "scope-changed"
	ruleDowngraded    rule = "downgraded"
	ruleUnscoped      rule = "unscoped"
	ruleNoDriver      rule = "no-driver"
	ruleLeftover      rule = "leftover"
	ruleMissing       rule = "missing"
)

// ruleText is what a rule is about.
type ruleText struct {
	rule  rule
	level level
	short string
}

// ruleTexts are all rules, in the order of the help.
func ruleTexts() []ruleText {
	return []ruleText{
		{ruleClearSecret, levelError, "a Secret with values in clear, wherever in a file it is"},
		{ruleClearLiteral, levelError, "a kustomization makes a Secret of values or files in clear"},
		{ruleClearTemplate, levelError, "a template of a Secret has values in clear"},
		{rulePrivateKey, levelError, "a private key of age, or one in PEM, in clear in any file"},
		{ruleUnreadable, levelError, "a file about Secrets, or rules, cannot be read"},
		{ruleInvalid, levelError, "something sealed breaks its format"},
		{ruleConflict, levelError, "a merge of a sealed file was not finished"},
		{ruleScope, levelError, "something is sealed for another place than the one where it is"},
		{ruleRecipients, levelError, "something is sealed for others than the rules name"},
		{ruleAgainstPQ, levelError, "something opens for a recipient that is not post-quantum, against its rule or --require-post-quantum"},
		{ruleWeak, levelWarning, "a classic recipient takes from post-quantum ones what they are for"},
		{ruleUnsorted, levelWarning, "stock sops cannot verify an envelope"},
		{ruleNoRule, levelWarning, "no rule matches a sealed file"},
		{ruleUnusedRule, levelWarning, "the path_regex of a rule matches no file"},
		{ruleMaxAge, levelWarning, "a data key is older than --max-age"},
		{ruleKeyChanged, levelWarning, "a data key is another one than at --base"},
		{ruleNewRecipients, levelWarning, "the recipients are others than at --base"},
		{ruleScopeChanged, levelWarning, "the scope allows what it did not at --base"},
		{ruleDowngraded, levelWarning, "what was a SealedSecret at --base is encrypted by SOPS now, or in clear"},
		{ruleUnscoped, levelNote, "a Secret encrypted by SOPS opens anywhere"},
		{ruleNoDriver, levelNote, "Git merges a sealed file without signet"},
		{ruleLeftover, levelError, "something sealed in rendered output was not opened"},
		{ruleMissing, levelError, "a Secret is not in rendered output"},
	}
}

// ruleNames are the names of all rules.
func ruleNames() []string {
	var names []string
	for _, t := range ruleTexts() {
		names = append(names, string(t.rule))
	}
	return names
}

// level is how much the findings of a rule weigh.
func (r rule) level() level {
	all := ruleTexts()
	if i := slices.IndexFunc(all, func(t ruleText) bool { return t.rule == r }); i >= 0 {
		return all[i].level
	}
	return levelError
}

// weight puts levels in order, the heaviest highest.
func (l level) weight() int {
	return slices.Index([]level{levelNote, levelWarning, levelError}, l)
}
