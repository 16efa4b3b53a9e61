// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"

	"github.com/rogpeppe/go-internal/testscript"
)

// setGitEnv makes git in a story the same on every machine: no configuration but
// that of the story, fixed people and dates, a first branch called main. The date
// of a commit can be moved on with `env GIT_COMMITTER_DATE=...`.
func setGitEnv(env *testscript.Env) {
	for _, pair := range [][2]string{
		{"GIT_CONFIG_GLOBAL", os.DevNull},
		{"GIT_CONFIG_NOSYSTEM", "1"},
		{"GIT_CONFIG_COUNT", "1"},
		{"GIT_CONFIG_KEY_0", "init.defaultBranch"},
		{"GIT_CONFIG_VALUE_0", "main"},
		{"GIT_AUTHOR_NAME", "alice"},
		{"GIT_AUTHOR_EMAIL", "alice@example.com"},
		{"GIT_AUTHOR_DATE", "2026-01-31T09:30:00Z"},
		{"GIT_COMMITTER_NAME", "alice"},
		{"GIT_COMMITTER_EMAIL", "alice@example.com"},
		{"GIT_COMMITTER_DATE", "2026-01-31T09:30:00Z"},
	} {
		env.Setenv(pair[0], pair[1])
	}
}
