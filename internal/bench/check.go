// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/signet-secrets/signet/internal/figures"
)

// checkFiles is how many files a repository has that is checked, and targetCheck
// is how long that may take.
const (
	checkFiles  = 10_000
	targetCheck = 3 * time.Second
)

// check measures `signet check` of a whole repository. No program does the same;
// beside it stands one that only looks for a word in the same files, and the
// target, which is a time.
func (b *bench) check(ctx context.Context) ([]row, error) {
	say("checking %d files", checkFiles)
	dir := filepath.Join(b.dir, "check")
	repo := filepath.Join(dir, "repo")
	if err := b.layRepository(ctx, dir, repo); err != nil {
		return nil, err
	}
	run := func(name string, verify func(out string) error, args ...string) side {
		out := filepath.Join(dir, name)
		return side{commands: []command{{args: args, stdout: out}}, verify: func() error { return verify(out) }}
	}
	costs, err := takeTurns(ctx, b.rounds,
		run("found", isEmpty, b.signet, "check", repo),
		run("grep", func(out string) error { return contains(out, "sealed-1.yaml") }, "git", "-C", repo, "grep", "-c", "stringData"),
	)
	if err != nil {
		return nil, err
	}
	title := fmt.Sprintf("check %d files, 2000 of them sealed", checkFiles)
	beside := timeRow(title, costs[0], costs[1], 0)
	beside.beside = "git grep -c"
	wall := figures.Median(column(costs[0], func(c cost) float64 { return float64(c.wall) }))
	cpu := figures.Median(column(costs[0], func(c cost) float64 { return float64(c.cpu) }))
	return []row{beside, againstTarget(title, wall, 1), againstTarget("  processor time", cpu, 0)}, nil
}

// againstTarget is a row of a time in nanoseconds beside targetCheck.
func againstTarget(work string, took, good float64) row {
	return row{work: work, signet: figures.Duration(took), sops: targetCheck.String(), beside: "target", ratio: took / float64(targetCheck), target: good}
}

// layRepository writes the files: 6,000 manifests, 2,000 sealed documents with
// values of their own, 1,000 kustomizations, 500 templates of Secrets and 500
// other files. A check that finds nothing in them finds what is planted.
func (b *bench) layRepository(ctx context.Context, dir, repo string) error {
	if err := os.MkdirAll(repo, 0o700); err != nil {
		return err
	}
	k, err := b.newKey(ctx, dir)
	if err != nil {
		return err
	}
	write := func(name, text string) error {
		if err := os.MkdirAll(filepath.Join(repo, filepath.Dir(name)), 0o700); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(repo, name), []byte(text), 0o600)
	}
	if err := write(".sops.yaml", "creation_rules:\n  - age: "+k.recipient+"\n"); err != nil {
		return err
	}
	for i := range checkFiles {
		if err := write(repositoryFile(i)); err != nil {
			return err
		}
	}
	commands := []command{
		{args: []string{"git", "-C", repo, "init", "-q"}},
		{args: []string{b.signet, "seal", "-i", repo}, env: k.env},
		{args: []string{"git", "-C", repo, "add", "."}},
	}
	for _, c := range commands {
		c.stdout = filepath.Join(dir, "out")
		if _, err := c.run(ctx); err != nil {
			return err
		}
	}
	return b.findsPlanted(ctx, repo)
}

// findsPlanted makes sure that check looks at the repository.
func (b *bench) findsPlanted(ctx context.Context, repo string) error {
	planted := filepath.Join(repo, "apps", "app-0500", "planted.yaml")
	if err := os.WriteFile(planted, newSecret(content{}, "planted", "password"), 0o600); err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, b.signet, "check", repo).Output()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(string(out), "planted.yaml, document 1") {
		return fmt.Errorf("check does not find what is planted: %w", errors.Join(err, errors.New("exit code 1 and a finding are expected")))
	}
	return os.Remove(planted)
}

// repositoryFile is the name and the text of file i.
func repositoryFile(i int) (name, text string) {
	app := fmt.Sprintf("apps/app-%04d/", i/10)
	switch i % 20 {
	case 1, 5, 11, 15:
		return fmt.Sprintf("%ssealed-%d.yaml", app, i%10), string(newSecret(content{}, fmt.Sprintf("db-%d", i), "username", "password"))
	case 2, 12:
		return app + "kustomization.yaml", "resources: [plain-0.yaml, sealed-1.yaml]\n"
	case 3:
		return app + "secret.yaml.tmpl", "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n" + strings.Repeat("  k: {{ .Values.k | b64enc }}\n", 10)
	case 4:
		return app + "README.md", "# an app\n"
	}
	return fmt.Sprintf("%splain-%d.yaml", app, i%10), "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n      containers:\n" +
		strings.Repeat("      - name: web\n        image: example.com/web:1.4.2\n        envFrom: [{secretRef: {name: db}}]\n", 20)
}

// isEmpty fails if there is anything in a file.
func isEmpty(file string) error {
	b, err := os.ReadFile(file)
	if err == nil && len(b) > 0 {
		err = fmt.Errorf("verify %s: is not empty", file)
	}
	return err
}
