// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/unseal"
)

// targetFile seals Secrets into the one file of several kinds that the tests of
// targets read, and returns how to open and seal again.
func targetFile(t *testing.T) (text string, open unseal.Options, again seal.Options) {
	t.Helper()
	isolate(t)
	k := newKeyFile(t)
	secret := func(namespace, name, values string) string {
		return "apiVersion: v1\nkind: Secret\nmetadata:\n  name: " + name + "\n  namespace: " + namespace + "\n" + values
	}
	sealed := mustRun(t, "# above\n"+secret("prod", "db", "stringData:\n  password: correct horse\n  user: app\ndata:\n  bin: AAECAw==\n")+
		"---\n"+secret("dev", "db", "stringData:\n  password: dev\n"), "seal", "--age", k.recipient, "-")
	named := mustRun(t, secret("prod", "cache", "stringData:\n  token: abc\n"), "seal", "--age", k.recipient, "--object-name", "cache-sealed", "-")
	sops := mustRun(t, secret("prod", "one", "stringData:\n  x: \"1\"\n  z: \"2\"\n")+"---\n"+secret("prod", "two", "stringData:\n  x: \"3\"\ndata:\n  b: AAEC\n"),
		"seal", "--as", "sops", "--age", k.recipient, "-")
	text = sealed + "---\napiVersion: v1\nkind: ConfigMap # kept\nmetadata: {name: other}\n---\n" + named + "---\n" + sops
	open, err := (&keyFlags{ageKeyFiles: []string{k.path}}).options(io.Discard, []input{{name: "-"}}, false)
	if err != nil {
		t.Fatal(err)
	}
	wrapper, err := (&keyFlags{}).wrapper(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	recipients := keys.Recipients{Groups: []keys.Group{{keys.AgeEntry{Recipient: k.recipient}}}}
	return text, open, seal.Options{Recipients: recipients, Wrapper: wrapper, Now: time.Now().Add(time.Hour)}
}

func readTargets(t *testing.T, text string) input {
	t.Helper()
	in, err := readTarget("-", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// openedTarget selects a target and opens it.
func openedTarget(t *testing.T, text, name string, o unseal.Options) *target {
	t.Helper()
	d, err := readTargets(t, text).target(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.open(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestSelectTarget protects against a change to another document than the one
// that was meant.
func TestSelectTarget(t *testing.T) {
	text, _, _ := targetFile(t)
	inClear := "---\napiVersion: v1\nkind: Secret\nmetadata: {name: clear, namespace: prod}\nstringData: {a: b}\n"
	only := mustRun(t, "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: prod}\n", "seal", "--age", newKeyFile(t).recipient, "-")
	all := strings.Join([]string{"prod/db", "dev/db", "prod/cache", "prod/one", "prod/two"}, ", ")
	tests := []struct {
		name, text, given string
		want              string // label, or the start of the error
		hint              string // its start
	}{
		{"the only one", only, "", "prod/db", ""},
		{"by its name", only, "db", "prod/db", ""},
		{"by namespace and name", text, "dev/db", "dev/db", ""},
		{"the first", text, "prod/db", "prod/db", ""},
		{"by the name of the Secret", text, "cache", "prod/cache", ""},
		{"by the name of the object", text, "cache-sealed", "prod/cache", ""},
		{"by both of the object", text, "prod/cache-sealed", "prod/cache", ""},
		{"of a SOPS file", text, "two", "prod/two", ""},
		{"several", text, "", "stdin: read: holds several sealed Secrets: " + all, "say which one is meant: --name prod/db"},
		{"several of a name", text, "db", "stdin: read: holds several Secrets with the name db: prod/db, dev/db", "name its namespace too: --name NAMESPACE/NAME"},
		{"none of a name", text, "x\x1b", `stdin: read: holds no sealed Secret with the name x\x1b, but ` + all, "name one that is there: --name prod/db"},
		{"in clear", inClear, "", "stdin: read: is not sealed", "seal it first: signet seal -"},
		{"in clear beside others", text + inClear, "clear", "stdin: read: is not sealed", "seal it first: signet seal -"},
		{"one beside what is in clear", only + inClear, "", "prod/db", ""},
		{"something else", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Secret}\n", "", "stdin: read: holds no sealed Secret", ""},
		{"nothing", "", "", "stdin: read: holds no sealed Secret", ""},
		{"of a newer version", strings.Replace(only, "v1alpha1", "v7", 1), "", "stdin, document 1, prod/db: read: unknown object", "a newer signet"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := readTargets(t, tt.text).target(tt.given)
			if err == nil {
				if label := labels([]*target{got})[0]; label != tt.want {
					t.Errorf("got %s, want %s", label, tt.want)
				}
				return
			}
			if !strings.HasPrefix(err.Error(), tt.want) || exitcode.Of(err) != exitcode.Failed {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			if hint := strings.Join(hints(err), "; "); !strings.HasPrefix(hint, tt.hint) || (tt.hint == "") != (hint == "") {
				t.Errorf("hint %q, want %q", hint, tt.hint)
			}
		})
	}
}

// TestTargetValues reads what every kind of document holds.
func TestTargetValues(t *testing.T) {
	text, open, _ := targetFile(t)
	tests := map[string][]value{
		"prod/db":    {{"bin", []byte{0, 1, 2, 3}, true}, {"password", []byte("correct horse"), false}, {"user", []byte("app"), false}},
		"dev/db":     {{"password", []byte("dev"), false}},
		"prod/cache": {{"token", []byte("abc"), false}},
		"prod/one":   {{"x", []byte("1"), false}, {"z", []byte("2"), false}},
		"prod/two":   {{"b", []byte{0, 1, 2}, true}, {"x", []byte("3"), false}},
	}
	for name, want := range tests {
		d := openedTarget(t, text, name, open)
		values, err := d.values()
		if diff := cmp.Diff(want, values, cmp.AllowUnexported(value{})); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
		if _, ok, err := d.get("missing"); ok || err != nil {
			t.Errorf("%s: missing: %v, %v", name, ok, err)
		}
	}
	closed, err := readTargets(t, text).target("prod/two")
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.open(t.Context(), unseal.Options{Unwrapper: keys.Unwrappers{}}); exitcode.Of(err) != 3 || !strings.Contains(err.Error(), "prod/two") {
		t.Errorf("without a key: %v, exit %d", err, exitcode.Of(err))
	}
}

// changedNames returns the keys on the lines of b that are not in a.
func changedNames(a, b string) []string {
	old := map[string]bool{}
	for line := range strings.Lines(a) {
		old[line] = true
	}
	var names []string
	for line := range strings.Lines(b) {
		if !old[line] {
			name, _, _ := strings.Cut(strings.TrimSpace(line), ":")
			names = append(names, name)
		}
	}
	return names
}

// TestTargetChange protects everything in a file that was not meant.
func TestTargetChange(t *testing.T) {
	text, open, again := targetFile(t)
	tests := []struct {
		name, target string
		edit         func(*target) error
		want         []string // names of changed lines; nil: none
	}{
		{"nothing", "prod/db", func(*target) error { return nil }, nil},
		{"nothing in a SOPS file", "prod/two", func(*target) error { return nil }, nil},
		{"the same", "prod/db", func(d *target) error {
			return errors.Join(d.set("user", []byte("app"), false), d.set("bin", []byte{0, 1, 2, 3}, false))
		}, nil},
		{"the same in a SOPS file", "prod/two", func(d *target) error { return d.set("b", []byte{0, 1, 2}, true) }, nil},
		{"a value", "prod/db", func(d *target) error { return d.set("password", []byte("battery staple"), false) }, []string{"password", "lastmodified", "mac"}},
		{"a binary value", "prod/db", func(d *target) error { return d.set("bin", []byte("now text"), false) }, []string{"bin", "lastmodified", "mac"}},
		{"a text that becomes binary", "dev/db", func(d *target) error { return d.set("password", []byte{0}, false) }, []string{"binding", "password", "lastmodified", "mac"}},
		{"the same as binary", "dev/db", func(d *target) error { return d.set("password", []byte("dev"), true) }, []string{"binding", "password", "lastmodified", "mac"}},
		{"one more", "dev/db", func(d *target) error { return d.set("new", []byte("x"), false) }, []string{"binding", "new", "lastmodified", "mac"}},
		{"the last one", "prod/cache", func(d *target) error { d.unset("token"); return nil }, []string{"binding", "lastmodified", "mac"}},
		{"of a SOPS file", "prod/two", func(d *target) error { return d.set("x", []byte("33"), false) }, []string{"lastmodified", "mac", "x", "lastmodified", "mac"}},
		{"one more in a SOPS file", "prod/one", func(d *target) error { return d.set("bin", []byte{0}, false) }, []string{"data", "bin", "lastmodified", "mac", "lastmodified", "mac"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := openedTarget(t, text, tt.target, open)
			if err := tt.edit(d); err != nil {
				t.Fatal(err)
			}
			changed, notes, err := d.apply(t.Context(), again)
			if err != nil || len(notes) > 0 || changed != (tt.want != nil) {
				t.Fatalf("changed %v, notes %q, %v", changed, notes, err)
			}
			got := string(d.bytes())
			names := changedNames(text, got)
			names = deleteAll(names, "data", "stringData", "signet")
			if diff := cmp.Diff(deleteAll(tt.want, "data"), names); diff != "" {
				t.Errorf("changed lines (-want +got):\n%s", diff)
			}
			checkTargetsOpen(t, got, open, d)
		})
	}
}

// deleteAll takes the names of mappings out, which move with what is in them.
func deleteAll(names []string, mappings ...string) []string {
	var left []string
	for _, name := range names {
		if !strings.Contains(" "+strings.Join(mappings, " ")+" ", " "+name+" ") {
			left = append(left, name)
		}
	}
	return left
}

// checkTargetsOpen opens every target of a file, and compares one with d.
func checkTargetsOpen(t *testing.T, text string, open unseal.Options, d *target) {
	t.Helper()
	all, err := readTargets(t, text).targets("")
	if err != nil || len(all) != 5 {
		t.Fatalf("%d targets, %v", len(all), err)
	}
	for _, other := range all {
		if err := other.open(t.Context(), open); err != nil {
			t.Fatal(err)
		}
		if labels([]*target{other})[0] != labels([]*target{d})[0] {
			continue
		}
		want, err := d.values()
		got, err2 := other.values()
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(value{})); diff != "" || err != nil || err2 != nil {
			t.Errorf("%v, %v (-want +got):\n%s", err, err2, diff)
		}
		if !other.recipients().Same(d.recipients()) {
			t.Error("other recipients")
		}
	}
	for _, kept := range []string{"# above\n", "kind: ConfigMap # kept\n"} {
		if !strings.Contains(text, kept) {
			t.Errorf("%q is gone", kept)
		}
	}
}

// TestTargetRefuses protects files from keys that no cluster takes, and from half
// of a change.
func TestTargetRefuses(t *testing.T) {
	text, open, again := targetFile(t)
	for _, name := range []string{"prod/db", "prod/two"} {
		d := openedTarget(t, text, name, open)
		for _, key := range []string{"", "a b", "..", "a/b", "ü", strings.Repeat("x", 254)} {
			if err := d.set(key, []byte("x"), false); err == nil {
				t.Errorf("%s: the key %q was taken", name, key)
			}
		}
		if d.unset("missing") {
			t.Errorf("%s: removed what is not there", name)
		}
		bad := again
		bad.Wrapper, bad.FreshKey = keys.Wrappers{}, true
		_, _, err := d.apply(t.Context(), bad)
		if placed, ok := report.As[*report.PlacedError](err); !ok || placed.Operation != "seal" || string(d.bytes()) != text {
			t.Errorf("%s: %v", name, err)
		}
	}
}
