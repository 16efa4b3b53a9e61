// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/keys"
)

// initWant is what the flags of `signet init` ask for.
type initWant struct {
	group      keys.Group // of the key flags, nil for none
	keyName    string     // of a SealingKey
	namespaces []string   // nil if not given
	patterns   []string   // nil if not given
	hook, diff string     // "" if not given
}

// services reports whether the flags name a key that is not one of age: then they
// are about a SealingKey.
func (w *initWant) services() bool {
	return slices.ContainsFunc(w.group, func(e keys.Entry) bool { return e.Type() != keys.Age })
}

// stepState is how a step stands. Those that are local concern nothing but this
// clone; a conflict is left to the user.
type stepState string

const (
	stepDone     stepState = "done"
	stepCreate   stepState = "create"
	stepAppend   stepState = "append"
	stepLocal    stepState = "local"
	stepConflict stepState = "conflict"
)

// stepKind is what a step is about.
type stepKind string

const (
	kindKey        stepKind = "key"
	kindRules      stepKind = "rules"
	kindAttributes stepKind = "attributes"
	kindIgnore     stepKind = "ignore"
	kindConfig     stepKind = "config"
	kindHook       stepKind = "hook"
)

// initStep is a part of the plan.
type initStep struct {
	Kind  stepKind  `json:"step"`
	Path  string    `json:"path"` // relative to the root of the repository, if it is in there
	State stepState `json:"state"`
	About string    `json:"about,omitempty"`
	// Text is what a file gets, what it is about, or what the user is to do.
	Text string `json:"text,omitempty"`
	// Reason says why the user is to do it.
	Reason string `json:"reason,omitempty"`
	// Applied says that it was done in this run.
	Applied bool `json:"applied,omitempty"`

	file   string      // absolute path
	mode   fs.FileMode // of a new file
	before []byte      // what is in the file that gets more
}

// pending reports whether a step is to be done.
func pending(s *initStep) bool {
	return !s.Applied && (s.State == stepCreate || s.State == stepAppend || s.State == stepLocal)
}

// applied reports whether a step was done in this run.
func applied(s *initStep) bool { return s.Applied }

// initPlan is everything that has to be done, in this order.
type initPlan struct {
	Root  string      `json:"root"`
	Steps []*initStep `json:"steps"`
	// Notes are about what is as it should not be, and nothing that init does.
	Notes []string `json:"notes,omitempty"`
	Next  []string `json:"next,omitempty"`

	key  initKey
	want *initWant
}

// count returns how many steps are in a way.
func (p *initPlan) count(in func(*initStep) bool) int {
	n := 0
	for _, s := range p.Steps {
		if in(s) {
			n++
		}
	}
	return n
}

// open returns the steps that are not done.
func (p *initPlan) open() []*initStep {
	var open []*initStep
	for _, s := range p.Steps {
		if s.State != stepDone && !s.Applied {
			open = append(open, s)
		}
	}
	return open
}

// newInitPlan returns what is to be done, given what is asked for and what is
// there. It looks at nothing itself.
func newInitPlan(w *initWant, there *initState) (*initPlan, error) {
	key, err := w.chooseKey(there)
	if err != nil {
		return nil, err
	}
	p := &initPlan{Root: there.root, key: key, want: w, Notes: key.notes}
	p.add(key.step(w, there))
	p.add(rulesStep(key, there))
	p.add(attributesStep(w, there))
	p.add(ignoreStep(there))
	p.add(configSteps(w, there)...)
	p.add(hookSteps(w, there)...)
	for _, s := range p.Steps {
		if s.file == "" {
			s.file = there.at(s.Path)
		}
		if s.State == stepDone {
			s.Text = ""
		}
	}
	return p, nil
}

// add adds steps, without those that are nil.
func (p *initPlan) add(steps ...*initStep) {
	for _, s := range steps {
		if s != nil {
			p.Steps = append(p.Steps, s)
		}
	}
}

// newKeyText stands in a plan for the public key of a key that is yet to be made.
const newKeyText = "PUBLIC-KEY-OF-THE-NEW-KEY"

// rulesStep makes the rules. Those that are there were read, and stay.
func rulesStep(key initKey, there *initState) *initStep {
	s := &initStep{Kind: kindRules, Path: keys.RulesFile, State: stepDone}
	if there.rules != nil {
		return s
	}
	recipients := key.recipients
	if key.make != noKey {
		recipients = []string{newKeyText}
	}
	s.State, s.mode, s.Text = stepCreate, modeSealed, rulesText(recipients)
	s.About = "for " + key.whose()
	return s
}

// rulesText is a rules file by which everything is sealed for the recipients: a list,
// so that the next one is a line more.
func rulesText(recipients []string) string {
	var b strings.Builder
	b.WriteString("creation_rules:\n  - age:\n")
	for _, r := range recipients {
		if strings.ContainsAny(r, " #") { // an SSH key has a comment
			r = strconv.Quote(r)
		}
		b.WriteString("      - " + r + "\n")
	}
	return b.String()
}

// attributesStep makes Git compare and merge sealed files with signet.
func attributesStep(w *initWant, there *initState) *initStep {
	patterns := w.patterns
	if patterns == nil {
		patterns = []string{"*.yaml", "*.yml"}
	}
	var lines []string
	for _, p := range patterns {
		lines = append(lines, p+" diff=signet merge=signet")
	}
	f := there.files[attributesFile]
	s := markedStep(kindAttributes, attributesFile, lines, f)
	if s.State == stepConflict {
		return s
	}
	own, _ := findMarked(f.data)
	switch {
	case own != nil && w.patterns == nil && slices.ContainsFunc(own, setsDrivers), slices.Equal(own, lines):
		s.State = stepDone
		s.ofOthers(f.data, patternsOf(own)) // behind them
	case own != nil:
		s.conflict("the part between the marks is another; it should be")
	default:
		s.ofOthers(f.data, patterns)
	}
	return s
}

// patternsOf are those of the lines that make Git compare and merge with signet.
func patternsOf(lines []string) []string {
	var patterns []string
	for _, line := range lines {
		if setsDrivers(line) {
			patterns = append(patterns, strings.Fields(line)[0])
		}
	}
	return patterns
}

// ofOthers looks at the last lines for the same patterns, which are what counts for
// Git. Somebody else may have written them.
func (s *initStep) ofOthers(data []byte, patterns []string) {
	byHand := 0
	for _, p := range patterns {
		switch line := attributesOf(data, p); {
		case line == nil:
		case setsDrivers(strings.Join(line, " ")):
			byHand++
		case slices.ContainsFunc(line[1:], isDriver):
			s.conflict("it sets diff or merge of " + p + " to something else; if signet may do that, put in its place")
			return
		}
	}
	if byHand == len(patterns) {
		s.State = stepDone
	}
}

// ignored are names of files that usually are in clear. None of them is a name
// that people give to sealed files.
func ignored() []string {
	return []string{"*.clear.yaml", "*.clear.yml", "*.dec.yaml", "*.dec.yml", "*.agekey", "keys.txt", ".env"}
}

// ignoreStep keeps plaintext out of Git. Whoever has changed the part of signet
// knows why.
func ignoreStep(there *initState) *initStep {
	f := there.files[ignoreFile]
	s := markedStep(kindIgnore, ignoreFile, ignored(), f)
	if own, _ := findMarked(f.data); own != nil && s.State != stepConflict {
		s.State = stepDone
	}
	return s
}

// markedStep adds lines between marks to a file, or makes it.
func markedStep(kind stepKind, name string, lines []string, f initFile) *initStep {
	s := &initStep{Kind: kind, Path: name, State: stepAppend, Text: markedLines(lines), mode: modeSealed, before: f.data}
	_, whole := findMarked(f.data)
	switch {
	case !f.exists:
		s.State = stepCreate
	case !f.regular:
		s.conflict("it is no regular file, through which nothing is written; it should have")
	case !whole:
		s.conflict("the marks " + markBegin + " and " + markEnd + " do not belong together; this should be there once")
	}
	return s
}

// conflict leaves a step to the user.
func (s *initStep) conflict(reason string) { s.State, s.Reason = stepConflict, reason }

// hookSteps make Git look for Secrets in clear before every commit.
func hookSteps(w *initWant, there *initState) []*initStep {
	framework := there.files[preCommitFile]
	kind := w.hook
	if kind == "" {
		kind = hookGit
		if framework.exists {
			kind = hookPreCommit
		}
	}
	switch kind {
	case hookNone:
		return nil
	case hookPreCommit:
		return []*initStep{preCommitStep(framework)}
	}
	var steps []*initStep
	for _, name := range hookNames() {
		steps = append(steps, hookStep(name, there.hooks))
	}
	return steps
}

// hookNames are the hooks that run before something becomes part of a branch: a
// merge without conflicts does not run the first.
func hookNames() []string { return []string{"pre-commit", "pre-merge-commit"} }

// hookCommand is what hooks run, and by which they are recognized.
const hookCommand = "signet check --staged"

const hookText = `#!/bin/sh
# Made by signet init: no commit with a Secret in clear.
exec ` + hookCommand + `
`

func hookStep(name string, hooks initHooks) *initStep {
	f := hooks.files[name]
	s := &initStep{Kind: kindHook, Path: path.Join(hooks.shown, name), State: stepCreate, Text: hookText, mode: 0o755, file: f.at}
	line := hookCommand + " || exit 1\n"
	switch {
	case hooks.outside:
		if !f.exists || !runsCheck(f.data) {
			s.Text = line
			s.conflict("core.hooksPath leads out of this repository, to hooks that others may share; if they should run signet, add to it")
			return s
		}
		s.State = stepDone
	case !f.exists:
	case !f.regular:
		s.conflict("it is no regular file; a hook is")
	case !runsCheck(f.data):
		s.Text = line
		s.conflict("there is a hook already; add to it, before any exec or exit")
	case f.mode&0o100 == 0:
		s.Text = "chmod +x " + report.Quoted(s.Path) + "\n"
		s.conflict("Git does not run it, as it is not executable")
	default:
		s.State = stepDone
	}
	return s
}

// runsCheck reports whether a line that is no comment runs the check.
func runsCheck(data []byte) bool {
	for line := range strings.Lines(string(data)) {
		code, _, _ := strings.Cut(line, "#")
		if strings.Contains(code, "signet check") {
			return true
		}
	}
	return false
}

const preCommitText = `  - repo: local
    hooks:
      - id: signet
        name: signet check
        entry: ` + hookCommand + `
        language: system
        pass_filenames: false
        always_run: true
        stages: [pre-commit, pre-merge-commit]
`

// preCommitInstall is how pre-commit puts its hooks in place.
const preCommitInstall = "pre-commit install --hook-type pre-commit --hook-type pre-merge-commit"

func preCommitStep(f initFile) *initStep {
	s := &initStep{Kind: kindHook, Path: preCommitFile, State: stepCreate, Text: "repos:\n" + preCommitText, mode: modeSealed}
	switch {
	case !f.exists:
	case runsCheck(f.data):
		s.State = stepDone
	default:
		s.Text = preCommitText
		s.conflict("pre-commit runs the hooks here; add to its repos, and run " + preCommitInstall)
	}
	return s
}
