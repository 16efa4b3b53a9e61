// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

const (
	sshRecipient = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN alice@example.com"
	initARN      = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
)

// recipientsForInit are those of new keys: two X25519 ones and a hybrid one.
func recipientsForInit(t *testing.T) (alice, bob, hybrid string) {
	t.Helper()
	pq, err := agekey.GenerateIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return newKeyFile(t).recipient, newKeyFile(t).recipient, pq.Recipient()
}

func rulesForInit(t *testing.T, text string) *keys.Rules {
	t.Helper()
	rules, err := keys.ParseRules(keys.RulesFile, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

// emptyState is a new repository of somebody without keys.
func emptyState() *initState {
	return &initState{
		root: "/repo", files: map[string]initFile{}, config: map[string]string{},
		hooks:      initHooks{shown: ".git/hooks", files: map[string]initFile{}},
		identities: initIdentities{file: "/home/keys.txt", shown: "~/keys.txt"},
	}
}

// setUpState is a repository in which everything is done, for these rules.
func setUpState(rules *keys.Rules) *initState {
	there := emptyState()
	there.rules = rules
	for _, v := range initVariables("") {
		there.config[v.name] = v.value
	}
	there.files[attributesFile] = textFile(markedLines([]string{"*.yaml diff=signet merge=signet", "*.yml diff=signet merge=signet"}))
	there.files[ignoreFile] = textFile(markedLines(ignored()))
	for _, name := range hookNames() {
		f := textFile(hookText)
		f.mode = 0o755
		there.hooks.files[name] = f
	}
	return there
}

func textFile(text string) initFile {
	return initFile{exists: true, regular: true, mode: 0o644, data: []byte(text)}
}

// steps writes the steps of a plan that are not done, one word each.
func (p *initPlan) steps() []string {
	var all []string
	for _, s := range p.open() {
		all = append(all, string(s.Kind)+":"+string(s.State))
	}
	return all
}

// What there is to do depends on what is there, and on nothing else.
func TestInitPlan(t *testing.T) {
	alice, _, _ := recipientsForInit(t)
	rules := rulesForInit(t, rulesText([]string{alice}))
	all := []string{"key:create", "rules:create", "attributes:create", "ignore:create", "config:local", "hook:create", "hook:create"}
	for _, tt := range []struct {
		name   string
		there  *initState
		change func(*initWant, *initState)
		want   []string
	}{
		{"nothing is there", emptyState(), nil, all},
		{"a key is there", emptyState(), func(_ *initWant, s *initState) { s.identities.recipients = []string{alice} }, all[1:]},
		{"recipients are given", emptyState(), func(w *initWant, _ *initState) { w.group = keys.Group{keys.AgeEntry{Recipient: alice}} }, all[1:]},
		{"a key service is given", emptyState(), func(w *initWant, _ *initState) { w.group = keys.Group{keys.KMSEntry{ARN: initARN}} }, all},
		{"no hooks are wanted", emptyState(), func(w *initWant, _ *initState) { w.hook = hookNone }, all[:5]},
		{"all is there", setUpState(rules), func(_ *initWant, s *initState) { s.identities.recipients = []string{alice} }, nil},
		{"the same is asked for", setUpState(rules), func(w *initWant, _ *initState) {
			w.group, w.patterns, w.hook, w.diff = keys.Group{keys.AgeEntry{Recipient: alice}}, []string{"*.yaml", "*.yml"}, hookGit, diffMasked
		}, nil},
		{"a clone", setUpState(rules), func(_ *initWant, s *initState) {
			s.identities.recipients, s.config, s.hooks.files = []string{alice}, map[string]string{}, map[string]initFile{}
		}, all[4:]},
		{"a clone without a key", setUpState(rules), nil, all[:1]},
		{"other patterns", setUpState(rules), func(w *initWant, s *initState) {
			w.patterns, s.identities.recipients = []string{"*.json"}, []string{alice}
		}, []string{"attributes:conflict"}},
		{"another comparison", setUpState(rules), func(w *initWant, s *initState) {
			w.diff, s.identities.recipients = diffKeyless, []string{alice}
		}, []string{"config:conflict"}},
		{"a line is missing at the end", emptyState(), func(w *initWant, s *initState) {
			s.files[ignoreFile], s.files[attributesFile] = textFile("x"), textFile("* text")
			s.identities.recipients, w.hook = []string{alice}, hookNone
		}, []string{"rules:create", "attributes:append", "ignore:append", "config:local"}},
		{"folders in the place of files", setUpState(rules), func(_ *initWant, s *initState) {
			s.identities.recipients = []string{alice}
			for name := range s.files {
				s.files[name] = initFile{exists: true, mode: fs.ModeDir}
			}
			s.hooks.files["pre-commit"] = initFile{exists: true, mode: fs.ModeSymlink}
		}, []string{"attributes:conflict", "ignore:conflict", "hook:conflict"}},
		{"hooks elsewhere that check", setUpState(rules), func(_ *initWant, s *initState) {
			s.identities.recipients, s.hooks.outside = []string{alice}, true
		}, nil},
		{"hooks elsewhere", setUpState(rules), func(_ *initWant, s *initState) {
			s.identities.recipients, s.hooks = []string{alice}, initHooks{shown: "/hooks", outside: true}
		}, []string{"hook:conflict", "hook:conflict"}},
		{"pre-commit", setUpState(rules), func(_ *initWant, s *initState) {
			s.identities.recipients, s.files[preCommitFile] = []string{alice}, textFile("repos: []\n")
		}, []string{"hook:conflict"}},
		{"pre-commit that checks", setUpState(rules), func(_ *initWant, s *initState) {
			s.identities.recipients, s.files[preCommitFile] = []string{alice}, textFile("repos:\n"+preCommitText)
		}, nil},
		{"pre-commit is wanted", setUpState(rules), func(w *initWant, s *initState) {
			s.identities.recipients, w.hook = []string{alice}, hookPreCommit
		}, []string{"hook:create"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &initWant{keyName: "main"}
			if tt.change != nil {
				tt.change(w, tt.there)
			}
			plan, err := newInitPlan(w, tt.there)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, plan.steps()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// The rules get the key that was asked for, else the one that is there, and nobody
// who can open the documents anyway gets a new one.
func TestInitKey(t *testing.T) {
	alice, bob, hybrid := recipientsForInit(t)
	sealing := func(recipient string, namespaces ...string) unseal.Key {
		return unseal.Key{SealingKey: &sopsdoc.SealingKey{
			KeyClear: sopsdoc.KeyClear{Name: "main", Namespaces: namespaces, Recipient: recipient},
			Metadata: &sopsdoc.Metadata{Recipients: keys.Recipients{Groups: []keys.Group{{keys.KMSEntry{ARN: initARN}}}}},
		}, Place: "repo/.signet/keys/main.yaml"}
	}
	kms := keys.Group{keys.KMSEntry{ARN: initARN}}
	type key struct {
		Make       keyToMake
		Recipients []string
		Notes      int
		Err        string
	}
	for _, tt := range []struct {
		name   string
		rules  string
		change func(*initWant, *initState)
		want   key
	}{
		{"nobody has a key", "", nil, key{Make: makeIdentity}},
		{"two have", "", func(_ *initWant, s *initState) { s.identities.recipients = []string{hybrid, alice} }, key{Recipients: []string{hybrid}}},
		{"encrypted", "", func(_ *initWant, s *initState) { s.identities.err = errIdentityEncrypted }, key{Err: "find your age key: ~/keys.txt: is encrypted"}},
		{"of a command", "", func(_ *initWant, s *initState) { s.identities.command = true }, key{Err: "find your age key: ~/keys.txt: age keys come from"}},
		{"no home", "", func(_ *initWant, s *initState) { s.identities.file = "" }, key{Err: "find your age key: sops/age/keys.txt: there is no folder"}},
		{"encrypted and others given", "", func(w *initWant, s *initState) {
			s.identities.err, w.group = errIdentityEncrypted, keys.Group{keys.AgeEntry{Recipient: bob}, keys.AgeEntry{Recipient: alice}}
		}, key{Recipients: []string{bob, alice}}},
		{"given ones that no rule names", alice, func(w *initWant, _ *initState) {
			w.group = keys.Group{keys.AgeEntry{Recipient: bob}, keys.AgeEntry{Recipient: alice}}
		}, key{Recipients: []string{bob, alice}, Notes: 1}},
		{"the rules name mine", alice + ", " + bob, func(_ *initWant, s *initState) { s.identities.recipients = []string{hybrid, bob} }, key{}},
		{"they name others", alice, func(_ *initWant, s *initState) { s.identities.recipients = []string{bob} }, key{Recipients: []string{bob}, Notes: 1}},
		{"they name others, and there is none", alice, nil, key{Make: makeIdentity, Notes: 1}},
		{"they name others, and mine is encrypted", alice, func(_ *initWant, s *initState) { s.identities.err = errIdentityEncrypted }, key{}},
		{"they name an SSH key", sshRecipient, nil, key{}},
		{"they name a SealingKey", alice, func(_ *initWant, s *initState) { s.sealingKeys = []unseal.Key{sealing(alice, "*")} }, key{}},
		{"a key service", "", func(w *initWant, s *initState) { w.group = kms }, key{Make: makeSealingKey}},
		{"a key service, and rules", alice, func(w *initWant, s *initState) { w.group = kms }, key{Make: makeSealingKey, Notes: 1}},
		{"its SealingKey is there", alice, func(w *initWant, s *initState) {
			w.group, s.sealingKeys = kms, []unseal.Key{sealing(alice, "*")}
		}, key{Recipients: []string{alice}}},
		{"its SealingKey is there, without rules", "", func(_ *initWant, s *initState) {
			s.sealingKeys = []unseal.Key{sealing(bob, "*")}
		}, key{Recipients: []string{bob}}},
		{"for the same namespaces", "", func(w *initWant, s *initState) {
			w.group, w.namespaces, s.sealingKeys = kms, []string{"b", "a"}, []unseal.Key{sealing(bob, "a", "b")}
		}, key{Recipients: []string{bob}}},
		{"for other namespaces", "", func(w *initWant, s *initState) {
			w.group, w.namespaces, s.sealingKeys = kms, []string{"b"}, []unseal.Key{sealing(bob, "*")}
		}, key{Err: "make SealingKey main: .signet/keys/main.yaml exists, for other namespaces"}},
		{"for more recipients", "", func(w *initWant, s *initState) {
			w.group, s.sealingKeys = append(slices.Clone(kms), keys.AgeEntry{Recipient: bob}), []unseal.Key{sealing(bob, "*")}
		}, key{Err: "make SealingKey main: .signet/keys/main.yaml exists, and does not open"}},
		{"something else in its place", "", func(w *initWant, s *initState) {
			w.group, s.files[".signet/keys/main.yaml"] = kms, textFile("x")
		}, key{Err: "make SealingKey main: .signet/keys/main.yaml is no SealingKey"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Chdir("/") // that places are relative to
			w, there := &initWant{keyName: "main"}, emptyState()
			if tt.rules != "" {
				there.rules = rulesForInit(t, rulesText([]string{tt.rules}))
			}
			if tt.change != nil {
				tt.change(w, there)
			}
			got, err := w.chooseKey(there)
			if err != nil {
				if tt.want.Err == "" || !strings.HasPrefix(err.Error(), tt.want.Err) {
					t.Errorf("error %v, want %q", err, tt.want.Err)
				}
				return
			}
			if diff := cmp.Diff(tt.want, key{Make: got.make, Recipients: got.recipients, Notes: len(got.notes)}); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// The rules are read as they are meant.
func TestInitRules(t *testing.T) {
	alice, bob, hybrid := recipientsForInit(t)
	for _, recipients := range [][]string{{alice}, {hybrid}, {alice, bob, hybrid}, {sshRecipient}, {alice, sshRecipient}} {
		rules := rulesForInit(t, rulesText(recipients))
		var got []string
		for _, e := range rules.Rules[0].Recipients.Entries() {
			got = append(got, e.ID())
		}
		if diff := cmp.Diff(slices.Sorted(slices.Values(recipients)), slices.Sorted(slices.Values(got))); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if rule, err := rules.For("any/where.yaml"); err != nil || rule.Index != 0 {
			t.Errorf("no rule for a file: %v", err)
		}
	}
}

func TestFindMarked(t *testing.T) {
	b, e := markBegin+"\n", markEnd+"\n"
	for _, tt := range []struct {
		name, text string
		lines      []string
		whole      bool
	}{
		{"empty", "", nil, true},
		{"none", "a\n# signet: other\n", nil, true},
		{"one", "a\n" + b + "x\n\ny\n" + e + "z\n", []string{"x", "", "y"}, true},
		{"with returns", "# signet: begin\r\nx\r\n# signet: end\r\n", []string{"x"}, true},
		{"nothing in it", b + e, []string{}, true},
		{"no line break at the end", b + "x\n" + markEnd, []string{"x"}, true},
		{"no end", b + "x\n", nil, false},
		{"no begin", "x\n" + e, nil, false},
		{"twice", b + e + b + e, nil, false},
		{"one in the other", b + b + e + e, nil, false},
		{"the other way round", e + b, nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			lines, whole := findMarked([]byte(tt.text))
			if diff := cmp.Diff(tt.lines, lines); diff != "" || whole != tt.whole {
				t.Errorf("whole %v (-want +got):\n%s", whole, diff)
			}
		})
	}
	lines := []string{"x", "y"}
	for _, before := range []string{"", "a", "a\n", "a\r\n"} {
		after := withMarked([]byte(before), markedLines(lines))
		got, whole := findMarked(after)
		if !slices.Equal(got, lines) || !whole || !strings.HasPrefix(string(after), before) {
			t.Errorf("%q became %q", before, after)
		}
	}
}

// Attributes that somebody has set for the same files are never set again.
func TestInitAttributes(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       stepState
	}{
		{"none", "", stepAppend},
		{"other patterns", "*.png diff=exif\n* text=auto\nx.yaml -diff\n", stepAppend},
		{"other attributes", "*.yaml text eol=lf\n", stepAppend},
		{"a comment", "# *.yaml diff=x\n", stepAppend},
		{"another driver", "*.yaml diff=yaml\n", stepConflict},
		{"no driver", "*.yml -merge\n", stepConflict},
		{"binary", "*.yml text binary\n", stepConflict},
		{"half of it", "*.yaml diff=signet merge\n", stepConflict},
		{"one pattern by hand", "*.yaml diff=signet merge=signet\n", stepAppend},
		{"both by hand", "*.yaml text merge=signet diff=signet\n*.yml diff=signet merge=signet", stepDone},
		{"by hand after another", "*.yaml -diff\n*.yaml diff=signet merge=signet\n*.yml diff=signet merge=signet\n", stepDone},
		{"other files in the part", markedLines([]string{"a/*.yaml diff=signet merge=signet"}), stepDone},
		{"another driver before the part", "*.yaml merge=union\n" + markedLines([]string{"*.yaml diff=signet merge=signet"}), stepDone},
		{"another driver behind the part", markedLines([]string{"*.yaml diff=signet merge=signet"}) + "*.yaml merge=union\n", stepConflict},
		{"nothing in the part", markedLines([]string{"# *.yaml diff=signet merge=signet"}), stepConflict},
	} {
		t.Run(tt.name, func(t *testing.T) {
			there := emptyState()
			there.files[attributesFile] = textFile(tt.text)
			if got := attributesStep(&initWant{}, there); got.State != tt.want {
				t.Errorf("%s, want %s", got.State, tt.want)
			}
		})
	}
}

func TestCheckPattern(t *testing.T) {
	for _, good := range []string{"*.yaml", "secrets/**/*.yml", "/a[bc]?.yaml", "ümlaut"} {
		if err := checkPattern(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", "a b", "a\tb", "a\nb", "a\u00a0b", `"a"`, "!a", "#a", "[attr]x", "a\x1b[1m"} {
		if err := checkPattern(bad); err == nil {
			t.Errorf("%q has no error", bad)
		}
	}
}

func TestInitVariableFits(t *testing.T) {
	fits := func(name, value, diff string) bool {
		for _, v := range initVariables(diff) {
			if v.name == name {
				return v.fits(value, diff)
			}
		}
		t.Fatalf("%s is not set", name)
		return false
	}
	for _, tt := range []struct {
		name, value, diff string
		want              bool
	}{
		{"merge.signet.name", "x", "", true},
		{"merge.signet.recursive", "binary", "", true},
		{"merge.signet.recursive", "union", "", false},
		{"merge.signet.driver", mergeDriverValue, "", true},
		{"merge.signet.driver", "/opt/" + mergeDriverValue, "", true},
		{"merge.signet.driver", "not" + mergeDriverValue, "", false},
		{"merge.signet.driver", mergeDriverValue + "; true", "", false},
		{"merge.signet.driver", "signet merge-driver %O %A %B", "", false},
		{"merge.signet.driver", "", "", false},
		{"diff.signet.cachetextconv", "No", "", true},
		{"diff.signet.cachetextconv", "true", "", false},
		{"diff.signet.textconv", "signet textconv", "", true},
		{"diff.signet.textconv", "signet textconv --keyless", "", true},
		{"diff.signet.textconv", "signet textconv --keyless", diffMasked, false},
		{"diff.signet.textconv", "signet textconv", diffKeyless, false},
		{"diff.signet.textconv", "cat", "", false},
	} {
		if got := fits(tt.name, tt.value, tt.diff); got != tt.want {
			t.Errorf("%s = %q, --diff %q: %v", tt.name, tt.value, tt.diff, got)
		}
	}
}
