// SPDX-License-Identifier: Apache-2.0

//go:build unix

package editor

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// programs makes programs that do nothing, the only ones in PATH. A name may be
// that of a link, as in "vi -> vim.basic".
func programs(t *testing.T, names ...string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		link, target, ok := strings.Cut(name, " -> ")
		if ok {
			err = os.Symlink(target, filepath.Join(dir, link))
		} else {
			err = os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"), 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	return dir
}

func TestChoose(t *testing.T) {
	dir := programs(t, "vim.basic", "vi -> vim.basic", "nano", "editor -> nano", "my editor", "ed")
	for _, test := range []struct {
		name   string
		env    map[string]string
		editor string // name, source, file
		args   []string
		note   string
	}{
		{"our own variable first", map[string]string{"SIGNET_EDITOR": "nano", "VISUAL": "ed", "EDITOR": "ed"}, "nano $SIGNET_EDITOR nano", nil, ""},
		{"then VISUAL", map[string]string{"VISUAL": "nano", "EDITOR": "ed"}, "nano $VISUAL nano", nil, ""},
		{"then EDITOR", map[string]string{"SIGNET_EDITOR": "", "VISUAL": " ", "EDITOR": "ed"}, "ed $EDITOR ed", nil, ""},
		{"else vi", nil, "vi PATH vi", nil, ""},
		{"arguments", map[string]string{"EDITOR": `nano -x 'a b' "c"`}, "nano $EDITOR nano", []string{"-x", "a b", "c"}, ""},
		{"path", map[string]string{"EDITOR": dir + "/nano"}, "nano $EDITOR nano", nil, ""},
		{"name with a space", map[string]string{"EDITOR": "'my editor' -w"}, "my editor $EDITOR my editor", []string{"-w"}, "it is not known whether my editor keeps copies of the text elsewhere"},
		{"link to one that is known", map[string]string{"EDITOR": "editor"}, "editor $EDITOR editor", nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, err := Choose(func(name string) string { return test.env[name] }, false)
			if err != nil {
				t.Fatal(err)
			}
			if got := e.Name + " " + e.Source + " " + filepath.Base(e.path); got != test.editor || !filepath.IsAbs(e.path) {
				t.Errorf("chose %q in %s, want %q", got, e.path, test.editor)
			}
			if !slices.Equal(e.args, test.args) {
				t.Errorf("arguments %q, want %q", e.args, test.args)
			}
			if got := e.Note(); got != test.note {
				t.Errorf("note %q, want %q", got, test.note)
			}
		})
	}
}

func TestChooseWithoutVi(t *testing.T) {
	programs(t, "nano")
	if e, err := Choose(func(string) string { return "" }, false); err != nil || e.Name != "nano" {
		t.Errorf("%v, %v", e, err)
	}
	programs(t)
	if _, err := Choose(func(string) string { return "" }, false); !errors.Is(err, ErrNone) {
		t.Errorf("error %v, want ErrNone", err)
	}
}

func TestChooseFails(t *testing.T) {
	programs(t, "vim")
	for _, test := range []struct {
		name, editor, want string
		is                 error
	}{
		{"missing", "missing -w", `editor of $EDITOR: "missing": executable file not found in $PATH`, exec.ErrNotFound},
		{"no such path", "/missing/vim", `editor of $EDITOR: "/missing/vim": no such file or directory`, os.ErrNotExist},
		{"open quote", "vim 'x", "editor of $EDITOR: it cannot be split into words as a shell does it", nil},
		{"comment", "# vim", "editor of $EDITOR: it cannot be split into words as a shell does it", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Choose(func(name string) string { return map[string]string{"EDITOR": test.editor}[name] }, true)
			unusable := (*UnusableError)(nil)
			if !errors.As(err, &unusable) || err.Error() != test.want || test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	programs(t, "emacsclient.emacs", "emacsclient -> emacsclient.emacs", "my-emacs -> emacsclient", "subl", "zed", "idea", "cursor", "gedit")
	for _, name := range []string{"emacsclient", "emacsclient.emacs", "my-emacs", "subl", "zed", "idea", "cursor", "gedit"} {
		t.Run(name, func(t *testing.T) {
			getenv := func(variable string) string { return map[string]string{"VISUAL": name + " -w"}[variable] }
			_, err := Choose(getenv, false)
			refused := (*RefusedError)(nil)
			if !errors.As(err, &refused) || refused.Name != name || refused.Source != "$VISUAL" || refused.Reason == "" || refused.Instead == "" {
				t.Errorf("error %#v", err)
			}
			e, err := Choose(getenv, true)
			if err != nil || !strings.HasPrefix(e.Note(), name+" ") {
				t.Errorf("when any editor will do: %v, %v", e, err)
			}
		})
	}
}

// TestCommand shows what each editor is run with. The flags of those that tests
// run are shown to work elsewhere.
func TestCommand(t *testing.T) {
	vimFlags := []string{"-n", "-i", "NONE", "--cmd", vimEarly, "-c", vimGuard, "-c", "autocmd BufWritePre * " + vimGuard}
	for _, test := range []struct {
		editor string
		args   []string
		env    []string
	}{
		{"vim", append([]string{"-f"}, vimFlags...), nil},
		{"vim.tiny", append([]string{"-f"}, vimFlags...), nil},
		{"gvim", append([]string{"-f"}, vimFlags...), nil},
		{"nvim", append([]string{"--cmd", "let g:editorconfig = v:false"}, vimFlags...), nil},
		{"nvi", nil, []string{"NEXINIT=set recdir=/d/tmp directory=/d/tmp"}},
		{"nano", []string{"--ignorercfiles"}, nil},
		{"emacs", []string{"--eval", emacsSettings}, nil},
		{"emacs-nox", []string{"--eval", emacsSettings}, nil},
		{"micro", []string{"-backup", "false", "-permbackup", "false", "-backupdir", "/d/state", "-savecursor", "false", "-saveundo", "false", "-savehistory", "false"}, nil},
		{"joe", []string{"-nobackups", "-nodeadjoe", "--joe_state"}, nil},
		{"mcedit", nil, []string{"XDG_DATA_HOME=/d/data"}},
		{"ed", nil, []string{"HOME=/d/home"}},
		{"code", []string{"--wait", "--new-window", "--disable-extensions", "--user-data-dir", "/d/ide"}, nil},
		{"kak", nil, nil},
		{"unknown", nil, nil},
	} {
		t.Run(test.editor, func(t *testing.T) {
			dir := programs(t, test.editor)
			e, err := Choose(func(string) string { return test.editor + " --user" }, false)
			if err != nil {
				t.Fatal(err)
			}
			cmd := e.command("/d", "/d/file.yaml", []string{"A=1", "TMPDIR=/tmp", "HOME=/home/x", "TMPDIRS=2"})
			want := slices.Concat([]string{test.editor}, test.args, []string{"--user", "/d/file.yaml"})
			if diff := cmp.Diff(want, cmd.Args); diff != "" || cmd.Path != filepath.Join(dir, test.editor) {
				t.Errorf("%s: %s", cmd.Path, diff)
			}
			env := []string{"A=1", "HOME=/home/x", "TMPDIRS=2"}
			if slices.Contains(test.env, "HOME=/d/home") {
				env = []string{"A=1", "TMPDIRS=2"}
			}
			env = slices.Concat(env, []string{"TMPDIR=/d/tmp", "XDG_STATE_HOME=/d/state", "XDG_CACHE_HOME=/d/cache"}, test.env)
			if diff := cmp.Diff(env, cmd.Env); diff != "" {
				t.Error(diff)
			}
		})
	}
}
