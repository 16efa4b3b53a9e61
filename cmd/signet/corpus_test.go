// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/signet-secrets/signet/seal/keys/agekey"
)

// The corpus are small repositories in the style of real ones, each an archive
// in testdata/corpus: in leaky with something in it that signet check has to
// find, in clean with nothing, although much in it looks alike. What stands
// before the first file is a sentence, perhaps ARGS for check, and an EXPECT for
// each finding: its rule, its file with the object behind a colon, and its keys,
// or "-".
//
// Behind the name of a file, in braces, stands what is done with it once all
// are there, separated by semicolons: "seal FLAGS" and "sops FLAGS" seal it, s/RE/TEXT/
// replaces, "add FILE" appends another one, crlf, bom and utf16 write it in
// another form. No key is in the corpus: $ALICE, $BOB and $HYBRID are recipients
// that are made for the test.

// corpusRepo is one repository of the corpus.
type corpusRepo struct {
	name   string
	args   []string
	expect []string
	files  []txtar.File
}

func readCorpus(t *testing.T, kind string) []corpusRepo {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "corpus", kind, "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	var all []corpusRepo
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		repo := corpusRepo{name: strings.TrimSuffix(filepath.Base(path), ".txtar"), files: archive.Files}
		for line := range strings.Lines(string(archive.Comment)) {
			line = strings.TrimSpace(line)
			if rest, ok := strings.CutPrefix(line, "EXPECT "); ok {
				repo.expect = append(repo.expect, rest)
			} else if rest, ok := strings.CutPrefix(line, "ARGS "); ok {
				repo.args = strings.Fields(rest)
			}
		}
		slices.Sort(repo.expect)
		all = append(all, repo)
	}
	return all
}

// corpusKeys are the recipients of the corpus.
func corpusKeys(t *testing.T) map[string]string {
	t.Helper()
	keys := map[string]string{}
	for _, name := range []string{"ALICE", "BOB"} {
		keys[name] = newKeyFile(t).recipient
	}
	hybrid, err := agekey.GenerateIdentity()
	if err != nil {
		t.Fatal(err)
	}
	keys["HYBRID"] = hybrid.Recipient()
	return keys
}

// lay writes a repository into the working directory.
func (r corpusRepo) lay(t *testing.T, keys map[string]string) {
	t.Helper()
	if out, err := exec.Command("git", "init", "-q").CombinedOutput(); err != nil {
		t.Fatalf("git init: %v\n%s", err, out)
	}
	type step struct{ path, does string }
	var steps []step
	for _, f := range r.files {
		path, does, _ := strings.Cut(strings.TrimSuffix(f.Name, "}"), " {")
		writeTestFile(t, path, expandKeys(string(f.Data), keys))
		if does != "" {
			for s := range strings.SplitSeq(does, "; ") {
				steps = append(steps, step{path, s})
			}
		}
	}
	for _, s := range steps {
		corpusStep(t, s.path, s.does, keys)
	}
}

// expandKeys replaces $ALICE and the like, and nothing else that begins with $.
func expandKeys(text string, keys map[string]string) string {
	for name, recipient := range keys {
		text = strings.ReplaceAll(text, "$"+name, recipient)
	}
	return text
}

// corpusStep does with a file what its name asks for.
func corpusStep(t *testing.T, path, does string, keys map[string]string) {
	t.Helper()
	word, rest, _ := strings.Cut(does, " ")
	args := strings.Fields(expandKeys(rest, keys))
	text := readTestFile(t, path)
	switch {
	case word == "seal":
		mustRun(t, "", slices.Concat([]string{"seal", "-i"}, args, []string{path})...)
		return
	case word == "sops":
		mustRun(t, "", slices.Concat([]string{"seal", "-i", "--as", "sops"}, args, []string{path})...)
		return
	case word == "add":
		text += readTestFile(t, rest)
		if err := os.Remove(rest); err != nil {
			t.Fatal(err)
		}
	case word == "crlf":
		text = strings.ReplaceAll(text, "\n", "\r\n")
	case word == "bom":
		text = "\uFEFF" + text
	case word == "utf16":
		text = utf16Text(text)
	case strings.HasPrefix(does, "s/"):
		parts := strings.SplitN(strings.TrimSuffix(does[2:], "/"), "/", 2)
		re := regexp.MustCompile(parts[0])
		if len(parts) < 2 || !re.MatchString(text) {
			t.Fatalf("%s: nothing to replace in %s:\n%s", does, path, text)
		}
		text = re.ReplaceAllString(text, strings.ReplaceAll(parts[1], `\n`, "\n"))
	default:
		t.Fatalf("%s: unknown step %q", path, does)
	}
	writeTestFile(t, path, text)
}

func utf16Text(text string) string {
	var b bytes.Buffer
	for _, unit := range append([]uint16{0xFEFF}, utf16.Encode([]rune(text))...) {
		binary.Write(&b, binary.LittleEndian, unit)
	}
	return b.String()
}

// findings runs check in the working directory and writes what it finds as in the
// corpus.
func (r corpusRepo) findings(t *testing.T, more ...string) []string {
	t.Helper()
	o := runSignet(t, "", slices.Concat([]string{"check", "--output", "json"}, r.args, more, []string{"."})...)
	var all []finding
	if err := json.Unmarshal([]byte(o.stdout), &all); err != nil {
		t.Fatalf("%v in %q\n%s", err, o.stdout, o.stderr)
	}
	lines := []string{}
	for _, f := range all {
		if f.Level == levelNote {
			continue
		}
		place := f.File
		if f.Object != "" {
			place += ":" + f.Object
		}
		keys := slices.Sorted(slices.Values(f.Keys))
		if len(keys) == 0 {
			keys = []string{"-"}
		}
		lines = append(lines, fmt.Sprintf("%s %s %s", f.Rule, place, strings.Join(keys, ",")))
	}
	slices.Sort(lines)
	if fails := len(lines) > 0; fails != (o.code == 1) {
		t.Errorf("exit %d with %d findings\n%s", o.code, len(lines), o.stderr)
	}
	return lines
}

// What leaks is found, all of it and nothing else, and in what is clean there is
// nothing.
func TestCheckCorpus(t *testing.T) {
	for _, kind := range []string{"leaky", "clean"} {
		repos := readCorpus(t, kind)
		if len(repos) < 60 {
			t.Errorf("%s: %d repositories", kind, len(repos))
		}
		for _, repo := range repos {
			t.Run(kind+"/"+repo.name, func(t *testing.T) {
				if (len(repo.expect) > 0) != (kind == "leaky") {
					t.Fatalf("%d expectations", len(repo.expect))
				}
				keys := corpusKeys(t)
				isolate(t)
				repo.lay(t, keys)
				if diff := cmp.Diff(append([]string{}, repo.expect...), repo.findings(t)); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
				repo.showsNothing(t)
			})
		}
	}
}

// showsNothing fails the test if a value of the corpus is in what check prints.
func (r corpusRepo) showsNothing(t *testing.T) {
	t.Helper()
	for _, format := range []string{"text", "json", "sarif"} {
		o := runSignet(t, "", slices.Concat([]string{"check", "--fail-on", "note", "--output", format}, r.args, []string{"."})...)
		for _, value := range []string{"hunter", "aHVudGVy", "correct horse", "AKIDEXAMPLE"} {
			if strings.Contains(o.stdout+o.stderr, value) {
				t.Errorf("%s shows a value:\n%s%s", format, o.stdout, o.stderr)
			}
		}
	}
}

// ruleStories are the stories of those rules that are about revisions, rendered
// output and notes, of which the corpus has none, with what they want to see.
func ruleStories() map[rule][2]string {
	return map[rule][2]string{
		ruleKeyChanged:    {"check_base", "prod/db: key-changed: "},
		ruleNewRecipients: {"check_base", "prod/db: recipients-changed: "},
		ruleScopeChanged:  {"check_base", "prod/cache: scope-changed: "},
		ruleDowngraded:    {"check_base", "prod/mq: downgraded: "},
		ruleLeftover:      {"check_rendered", ": leftover: "},
		ruleMissing:       {"check_kustomization", "missing: "},
		ruleUnscoped:      {"check_report", "prod/old: unscoped: "},
		ruleNoDriver:      {"check_report", "db.yaml: no-driver: "},
	}
}

// Each rule is needed: without it, something that leaks in the corpus is not
// found, and nothing else is missed. The rules of ruleStories are needed by a
// story, and a rule is in one of the two places only.
func TestCheckNeedsEachRule(t *testing.T) {
	repos := readCorpus(t, "leaky")
	stories := ruleStories()
	for _, text := range ruleTexts() {
		t.Run(string(text.rule), func(t *testing.T) {
			of := func(line string) bool { return strings.HasPrefix(line, string(text.rule)+" ") }
			i := slices.IndexFunc(repos, func(r corpusRepo) bool { return slices.ContainsFunc(r.expect, of) })
			story, told := stories[text.rule]
			switch {
			case told == (i >= 0):
				t.Fatalf("in a story: %v, in the corpus: %v", told, i >= 0)
			case told:
				if script := readTestFile(t, filepath.Join("testdata", "script", story[0]+".txtar")); !strings.Contains(script, story[1]) {
					t.Errorf("%s does not want to see %q", story[0], story[1])
				}
				return
			}
			keys := corpusKeys(t)
			isolate(t)
			repos[i].lay(t, keys)
			want := slices.DeleteFunc(slices.Clone(repos[i].expect), of)
			if len(want) == len(repos[i].expect) {
				t.Fatal("nothing is missed without it")
			}
			if diff := cmp.Diff(append([]string{}, want...), repos[i].findings(t, "--skip", string(text.rule))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
