// SPDX-License-Identifier: Apache-2.0

// Package kustomizefunction runs the commands of this example, and tests that
// its gate stops builds in which kustomize left the function out.
package kustomizefunction

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/signet-secrets/signet/examples/internal/readme"
)

const value = "correct horse battery"

func TestReadme(t *testing.T) {
	s := readme.Start(t, "signet", "signet-kustomize", "kustomize")
	out := s.Follow(t, readme.Blocks{Run: 2, Cluster: 1})
	if n := strings.Count(out, "kind: Secret\n"); n != 4 {
		t.Errorf("%d Secrets, want 4:\n%s", n, out)
	}
	encoded := base64.StdEncoding.EncodeToString([]byte(value))
	for way, want := range map[string]string{
		"generator": `db-[a-z0-9]{10}`, "files": `blue-db-[a-z0-9]{10}`, "transformer": `db`, "ksops": `db-[a-z0-9]{10}`,
	} {
		built := s.Must(t, fmt.Sprintf("kustomize build --enable-alpha-plugins --enable-exec %[1]s | signet check --kustomization %[1]s --print -", way))
		secret := regexp.MustCompile(`(?s)kind: Secret\nmetadata:\n  name: (` + want + `)\n`).FindStringSubmatch(built)
		if secret == nil {
			t.Errorf("%s: no Secret %s in\n%s", way, want, built)
			continue
		}
		if !regexp.MustCompile(`secretRef:\n\s+name: ` + secret[1] + `\n`).MatchString(built) {
			t.Errorf("%s: the Deployment does not refer to %s:\n%s", way, secret[1], built)
		}
		if !strings.Contains(built, encoded) && !strings.Contains(built, value) {
			t.Errorf("%s: without the value:\n%s", way, built)
		}
		for _, left := range []string{"ENC[", "SealedSecret", "signet.dev", "config.kubernetes.io", "needs-hash"} {
			if strings.Contains(built, left) {
				t.Errorf("%s: %s is left in\n%s", way, left, built)
			}
		}
	}
	s.Hidden(t, value)
	gate(t, s)
}

// gate is the reason for `signet check`: without --enable-exec kustomize
// succeeds, and something is missing or still sealed.
func gate(t *testing.T, s *readme.Scratch) {
	for _, way := range []string{"generator", "files", "transformer", "ksops"} {
		t.Run("left out/"+way, func(t *testing.T) {
			build := "kustomize build --enable-alpha-plugins " + way
			if out := s.Must(t, build); strings.Contains(out, "kind: Secret\n") {
				t.Fatalf("kustomize ran the function:\n%s", out)
			}
			s.Fails(t, fmt.Sprintf("%s | signet check --kustomization %s --print -", build, way), "check")
		})
	}
}
