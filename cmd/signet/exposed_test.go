// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A recipient is meant by its whole text, a beginning that no other has, or the
// name of its SealingKey.
func TestExposedResolve(t *testing.T) {
	const arn = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	const (
		long  = "age1pq1aprgx9r9h7565aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaqv200qnk"
		ssh   = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN"
		print = "85D77543B3D624B63CEA9E6DBC17301B491B3F21"
		ruled = "age1ruledruledruled"
	)
	s := &sightings{
		command:  &exposedCommand{},
		rules:    []string{ruled, long, ssh + " bob@example.com", print},
		current:  []currentFile{{seen: []sighting{{recipients: []string{"age1aaaaaaaaaaaaaaa", arn}}}}},
		versions: map[string][]sighting{"1": {{recipients: []string{"age1aaaaaaaaaaaaaab", "age1aaaaaaaaaaaaaabb"}}}},
		keys:     []keySighting{{"prod", "age1key", []string{arn}}, {"prod", "age1older", nil}, {"prod", "age1key", nil}},
	}
	for _, row := range []struct {
		name, text     string
		want           []string
		several, short bool // the error, if there is one
		none           bool
	}{
		{"whole", arn, []string{arn}, false, false, false},
		{"whole, and the beginning of another", "age1aaaaaaaaaaaaaab", []string{"age1aaaaaaaaaaaaaab"}, false, false, false},
		{"beginning", "arn:aws:kms:", []string{arn}, false, false, false},
		{"beginning of several", "age1aaaaaaaaaa", nil, true, false, false},
		{"short, but whole", "age1key", []string{"age1key"}, false, false, false},
		{"too short", "arn:aws", nil, false, true, false},
		{"nobody", "age1zzzzzzzzzzzzzzz", nil, false, false, true},
		{"nobody, but valid", "arn:aws:kms:eu-west-1:111122223333:key/ffffffff-12ab-34cd-56ef-1234567890ab", nil, false, false, false},
		{"typing error in a whole one", "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8q", nil, false, false, true},
		{"only in the rules", ruled, []string{ruled}, false, false, false},
		{"ends", shortRecipient(long), []string{long}, false, false, false},
		{"ends, with a character for the dots", "age1pq1aprgx9r9h7565…qv200qnk", []string{long}, false, false, false},
		{"beginning with dots", long[:80] + "...", []string{long}, false, false, false},
		{"as inspect prints it", "age " + long[:80] + "... (post-quantum)", []string{long}, false, false, false},
		{"as errors print it", "age \"" + long[:60] + "...\"", []string{long}, false, false, false},
		{"type and whole", "kms " + arn, []string{arn}, false, false, false},
		{"ends of nobody", "age1pq1aprgx9r9h7565...qv200qnx", nil, false, false, true},
		{"ends that are short", "age1pq...qnk", nil, false, true, false},
		{"SSH key without the comment", ssh, []string{ssh + " bob@example.com"}, false, false, false},
		{"SSH key with another comment", ssh + " alice", []string{ssh + " bob@example.com"}, false, false, false},
		{"fingerprint in small letters", strings.ToLower(print), []string{print}, false, false, false},
		{"name that no SealingKey has", "production-keys", nil, false, false, true},
		{"name of SealingKeys", "prod", []string{"age1key", "age1older"}, false, false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := s.resolve(row.text)
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if several := errors.As(err, new(*ambiguousRecipientError)); several != row.several || errors.Is(err, errShortRecipient) != row.short || errors.Is(err, errNoRecipient) != row.none || err != nil && !several && !row.short && !row.none {
				t.Error(err)
			}
		})
	}
}
