// SPDX-License-Identifier: Apache-2.0

package main

import (
	"regexp"
	"strings"
	"sync"

	"github.com/signet-secrets/signet/internal/helmtext"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

const templateHint = "take the value from where the template is filled in, without a default, or let the Secret come from a sealed one and refer to it by name"

// clearTemplates tells of values of Secrets that are written into a template.
func clearTemplates(name, text string) ([]finding, error) {
	secrets, err := templateSecrets(text)
	if err != nil {
		return nil, err
	}
	var all []finding
	for _, s := range secrets {
		keys := writtenKeys(s)
		all = append(all, finding{
			Rule: ruleClearTemplate, Level: ruleClearTemplate.level(), File: name, Line: s.Line, Object: report.Visible(s.Name),
			Keys: keys, Message: "a template of a Secret with values in clear: " + some(keys), Hint: templateHint,
		})
	}
	return all, nil
}

// templateSecrets is helmtext.Secrets for a text in which there may be more than
// actions that comes from elsewhere, and what SOPS has encrypted.
func templateSecrets(text string) ([]helmtext.Secret, error) {
	if strings.Contains(text, sopsdoc.ValuePrefix) {
		text = ciphertexts().ReplaceAllStringFunc(text, func(value string) string {
			if _, err := sopsdoc.ParseValue(value); err != nil {
				return value
			}
			return reference
		})
	}
	return helmtext.Secrets(withReferences(text, strings.Contains(text, vaultAnnotation)))
}

var ciphertexts = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(regexp.QuoteMeta(sopsdoc.ValuePrefix) + `[^\]\n]*\]`)
})

// writtenKeys names the values of a Secret in a template.
func writtenKeys(s helmtext.Secret) []string {
	var keys []string
	for _, w := range s.Literals {
		key := report.Visible(w.Key)
		if key == "" {
			key = w.Field
		}
		keys = append(keys, key)
	}
	return keys
}
