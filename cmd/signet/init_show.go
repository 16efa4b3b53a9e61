// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/signet-secrets/signet/internal/gitrepo"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/userkeys"
)

// initLeftError says that --check has found something to do.
type initLeftError struct{ steps int }

func (e *initLeftError) Error() string {
	return "init: " + plural(e.steps, "step") + " left to be done"
}

// tell shows what is left to be done, and fails if anything is.
func (k *initCommand) tell(plan *initPlan) error {
	if err := k.show(plan); err != nil {
		return err
	}
	if left := len(plan.open()); left > 0 {
		return &initLeftError{left}
	}
	return nil
}

// show prints the plan: what is to be done or was done, and what is left to the
// user.
func (k *initCommand) show(plan *initPlan) error {
	var text string
	if k.output == "json" {
		data, err := json.MarshalIndent(plan, "", "  ")
		if err != nil {
			return fmt.Errorf("write JSON: %w", err)
		}
		text = string(data) + "\n"
	} else {
		text = plan.text()
		defer k.notes(plan)
	}
	if _, err := fmt.Fprint(k.out, text); err != nil {
		return fmt.Errorf("write stdout: %w", report.Cause(err))
	}
	return nil
}

// notes prints the notes, unless a key is yet to be made that they are about.
func (k *initCommand) notes(plan *initPlan) {
	for _, n := range plan.Notes {
		if !strings.Contains(n, newKeyText) {
			k.say(n)
		}
	}
}

// showNext prints what comes next, after what was done was shown before.
func (k *initCommand) showNext(plan *initPlan) error {
	k.notes(plan)
	if _, err := fmt.Fprint(k.out, plan.nextText()); err != nil {
		return fmt.Errorf("write stdout: %w", report.Cause(err))
	}
	return nil
}

// text is the plan for people.
func (p *initPlan) text() string {
	var b strings.Builder
	for _, s := range p.Steps {
		switch {
		case s.State == stepDone:
		case s.State != stepConflict:
			fmt.Fprintf(&b, "%s\n%s", s.title(), indented(s.Text))
		default:
			fmt.Fprintf(&b, "by hand: %s: %s\n%s", report.Visible(s.Path), s.Reason, indented(s.Text))
		}
	}
	switch {
	case p.count(pending) > 0, p.count(applied) > 0:
	case b.Len() == 0:
		b.WriteString("nothing to do\n")
	default:
		b.WriteString("nothing else to do\n")
	}
	return b.String() + p.nextText()
}

// title says in a line what a step does.
func (s *initStep) title() string {
	verbs := map[stepState]string{stepCreate: "create ", stepAppend: "add to ", stepLocal: "set in the "}
	if s.Applied {
		verbs = map[stepState]string{stepCreate: "created ", stepAppend: "added to ", stepLocal: "set in the "}
	}
	line := verbs[s.State] + report.Visible(s.Path)
	if s.About != "" {
		line += ", " + report.Visible(s.About)
	}
	if s.mode != modeSealed && s.mode != 0 {
		line += fmt.Sprintf(" (mode %#o)", s.mode)
	}
	return line
}

// indented sets lines in. Public keys that are longer than a line are cut: the
// file has all of them.
func indented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		var words []string
		for word := range strings.SplitSeq(strings.TrimRight(line, "\n"), " ") {
			if strings.HasPrefix(word, "age1") {
				word = shortRecipient(strings.TrimSuffix(word, ",")) + word[len(strings.TrimSuffix(word, ",")):]
			}
			words = append(words, word)
		}
		b.WriteString("  " + report.Visible(strings.Join(words, " ")) + "\n")
	}
	return b.String()
}

// nextText is what comes next.
func (p *initPlan) nextText() string {
	if len(p.Next) == 0 {
		return ""
	}
	return "\nnext:\n" + indented(strings.Join(p.Next, "\n")+"\n")
}

// nextSteps tells how to go on after everything was done.
func nextSteps(ctx context.Context, repo *gitrepo.Repo, plan *initPlan) ([]string, error) {
	next, err := commitLine(ctx, repo, plan)
	if err != nil {
		return nil, err
	}
	for _, s := range plan.Steps {
		if s.Path == preCommitFile && s.Applied {
			next = append(next, "put the hooks in place: "+preCommitInstall)
		}
		if s.Kind == kindKey && s.Applied && plan.key.make == makeIdentity {
			next = append(next, "make a backup of "+s.Path+": what is sealed for that key is lost with it, and nobody can restore it")
		}
		if s.Kind == kindRules && s.Applied {
			if plan.key.place != "" && plan.key.make == noKey {
				next = append(next, "see that "+plan.key.place+" has a backup: what is sealed for it is lost with it, and nobody can restore it")
			}
			next = append(next, "find what is in clear already: signet check .", "seal a Secret, and commit it: signet seal -i secret.yaml")
		}
	}
	return next, nil
}

// commitLine is the command that stages what was made, if there is anything.
func commitLine(ctx context.Context, repo *gitrepo.Repo, plan *initPlan) ([]string, error) {
	files, err := toCommit(ctx, repo, plan)
	if err != nil || len(files) == 0 {
		return nil, err
	}
	ignored, err := repo.Ignored(ctx, files...)
	if err != nil {
		return nil, &initError{plan.Root, err}
	}
	line := "commit what was made: git "
	if root := report.ShortPath(plan.Root); root != "." {
		line += "-C " + report.Quoted(root) + " "
	}
	line += "add "
	if len(ignored) > 0 {
		line += "-f "
	}
	for i, name := range files {
		files[i] = report.Quoted(name)
	}
	line += strings.Join(files, " ")
	if len(ignored) > 0 {
		line += " (-f, as Git ignores " + strings.Join(ignored, ", ") + ")"
	}
	return []string{line}, nil
}

// toCommit are the files and folders that were made or changed, or were before and
// are not in Git yet.
func toCommit(ctx context.Context, repo *gitrepo.Repo, plan *initPlan) ([]string, error) {
	var all, paths []string
	for _, s := range plan.Steps {
		private := s.Kind == kindKey && plan.key.make == makeIdentity // which may lie in the repository of a home
		if private || path.IsAbs(s.Path) || s.Kind == kindConfig || s.State == stepConflict || isBelow(repo.CommonDir(), s.file) || !isBelow(plan.Root, s.file) {
			continue
		}
		paths = append(paths, s.Path)
	}
	if plan.key.path != "" && !slices.Contains(paths, plan.key.path) {
		paths = append(paths, plan.key.path)
	}
	tracked := map[string]bool{}
	if len(paths) > 0 {
		index, err := repo.Index(ctx, paths...)
		if err != nil {
			return nil, &initError{plan.Root, err}
		}
		for _, blob := range index {
			tracked[blob.Path] = true
		}
	}
	for _, name := range paths {
		done := slices.ContainsFunc(plan.Steps, func(s *initStep) bool { return s.Path == name && s.Applied })
		if tracked[name] && !done {
			continue
		}
		if strings.HasPrefix(name, userkeys.SealingKeyDir+"/") {
			name = path.Dir(userkeys.SealingKeyDir)
		}
		all = append(all, name)
	}
	return all, nil
}
