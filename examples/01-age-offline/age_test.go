// SPDX-License-Identifier: Apache-2.0

// Package ageoffline runs the commands of this example, and tests what its
// README promises.
package ageoffline

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/examples/internal/readme"
)

func TestReadme(t *testing.T) {
	s := readme.Start(t, "signet", "kustomize")
	out := s.Follow(t, readme.Blocks{Run: 4, Cluster: 1})
	for _, part := range []string{
		"password: correct horse battery\n", "all documents open\n", "1 file changed",
	} {
		if !strings.Contains(out, part) {
			t.Errorf("the commands did not print %q:\n%s", part, out)
		}
	}
	if opened := s.Must(t, "signet unseal -- kustomize build app"); !strings.Contains(opened, "password: correct horse staple\n") || strings.Contains(opened, "SealedSecret") {
		t.Errorf("what would be applied:\n%s", opened)
	}
	s.Hidden(t, "correct horse battery", "correct horse staple")
	onlyValueChanged(t, s)

	t.Run("without the key", func(t *testing.T) {
		s.Fails(t, "HOME=/nonexistent XDG_CONFIG_HOME=/nonexistent signet unseal -- kustomize build app", "no key could unwrap the data key")
	})
	t.Run("a copy in another place", func(t *testing.T) {
		s.Fails(t, "sed 's/namespace: prod/namespace: dev/' app/db.yaml | signet unseal -", "sealed for prod/db")
	})
	t.Run("a build that fails", func(t *testing.T) {
		s.Fails(t, "signet unseal -- kustomize build nowhere", "run kustomize: exit status 1")
	})
	t.Run("one more reader", func(t *testing.T) {
		s.Must(t, `signet key generate --classic -o ~/second.txt
			echo "      - $(sed -n 's/^# public key: //p' ~/second.txt)" >> .sops.yaml
			signet unseal app/db.yaml | signet seal - -o app/db.yaml`)
		s.Must(t, "HOME=/nonexistent XDG_CONFIG_HOME=/nonexistent signet unseal --age-key-file ~/second.txt app/db.yaml")
	})
}

// onlyValueChanged checks the last change to the document: the value, the mac
// and, unless both were sealed within one second, the time; and nothing else.
func onlyValueChanged(t *testing.T, s *readme.Scratch) {
	t.Helper()
	var changed []string
	for line := range strings.Lines(s.Must(t, "git log -p -U0 -1 --format= -- app/db.yaml")) {
		key, _, _ := strings.Cut(strings.TrimSpace(line[1:]), ":")
		if strings.HasPrefix(line, "+ ") && key != "lastmodified" {
			changed = append(changed, key)
		}
	}
	slices.Sort(changed)
	if diff := cmp.Diff([]string{"mac", "password"}, changed); diff != "" {
		t.Errorf("what another password changes (-want +got):\n%s", diff)
	}
}
