// SPDX-License-Identifier: Apache-2.0

package editor

import (
	"path/filepath"
	"strings"
)

// family is what is known of an editor. Its functions take the directory for
// whatever it wants to keep.
type family struct {
	args func(dir string) []string // stand before those of the user
	env  func(dir string) []string // NAME=value

	// inDir starts it in the directory: when it is killed it writes what it has
	// into the working directory.
	inDir bool

	refuse  string // why it is refused, "" if it is not
	instead string // what to use then
}

func (f family) refused() bool { return f.refuse != "" }

// familyOf knows editors by the names of their programs.
func familyOf(name string) (family, bool) {
	if name, ok := strings.CutPrefix(name, "vim."); ok { // vim.basic, vim.gtk3
		return vim(), name != ""
	}
	switch name {
	case "vi", "vim", "view", "rvim", "rview", "ex", "vimdiff", "vimx", "gvim", "gview", "rgvim", "mvim":
		return vim(), true
	case "nvim":
		return neovim(), true
	case "nvi", "bsd-vi":
		return nvi(), true
	case "busybox":
		return family{}, true // its vi keeps nothing
	case "nano", "rnano", "pico":
		return family{args: fixed("--ignorercfiles")}, true
	case "micro":
		return family{args: micro}, true
	case "kak", "hx", "helix":
		return family{}, true
	case "joe", "jmacs", "jpico", "jstar", "rjoe":
		return family{args: fixed("-nobackups", "-nodeadjoe", "--joe_state"), inDir: true}, true
	case "mcedit":
		return family{env: variable("XDG_DATA_HOME", "data")}, true // its clipboard is a file
	case "ed", "red":
		return family{env: variable("HOME", "home"), inDir: true}, true // ed.hup
	case "code", "code-insiders", "codium", "vscodium":
		return family{args: code}, true
	}
	if strings.HasPrefix(name, "emacsclient") {
		return family{refuse: "has the text in a server, which may keep copies elsewhere", instead: "emacs -nw"}, true
	}
	if name == "emacs" || strings.HasPrefix(name, "emacs-") {
		return family{args: fixed("--eval", emacsSettings)}, true
	}
	return refusedFamily(name)
}

func refusedFamily(name string) (family, bool) {
	const terminal = "an editor in the terminal, such as vim or nano"
	switch name {
	case "subl", "sublime_text", "zed", "zeditor", "zedit", "atom", "fleet",
		"idea", "idea64", "goland", "pycharm", "webstorm", "phpstorm", "clion", "rubymine", "rider", "rustrover", "studio":
		return family{refuse: "keeps copies of open files elsewhere", instead: terminal}, true
	case "cursor", "windsurf":
		return family{refuse: "may send open files to a service", instead: "code --wait, or " + terminal}, true
	case "gedit", "gnome-text-editor", "kate", "kwrite", "xed", "pluma", "mousepad", "geany",
		"open", "xdg-open", "gio", "textedit", "notepad", "notepad++", "start":
		return family{refuse: "may return before you are done, or keep copies elsewhere", instead: terminal}, true
	}
	return family{}, false
}

func fixed(args ...string) func(string) []string {
	return func(string) []string { return args }
}

func variable(name, folder string) func(string) []string {
	return func(dir string) []string { return []string{name + "=" + filepath.Join(dir, folder)} }
}

// Settings of vim are made before its own files are read, and again after them
// and before each write, as vimrc may turn on anything for any event. Options
// that a small vim does not have are errors, so each stands alone. Should one be
// turned on even so, its files are in $TMPDIR.
const (
	vimEarly = "silent! set nomodeline nobackup nowritebackup noswapfile | silent! set noundofile"
	vimGuard = "silent! set nobackup nowritebackup | silent! set noswapfile | silent! set noundofile" +
		" | silent! set directory=$TMPDIR | silent! set backupdir=$TMPDIR | silent! set undodir=$TMPDIR" +
		" | silent! set viminfo= | silent! set viminfofile=NONE"
)

// vim has flags for swap files (-n) and viminfo (-i); -f keeps one with windows
// from going on in the background.
func vim() family {
	return family{args: fixed(append([]string{"-f"}, vimFlags()...)...)}
}

// neovim looks for .editorconfig in every directory above the file, where any user
// may have put one: it would change values, as by trim_trailing_whitespace.
func neovim() family {
	return family{args: fixed(append([]string{"--cmd", "let g:editorconfig = v:false"}, vimFlags()...)...)}
}

func vimFlags() []string {
	return []string{"-n", "-i", "NONE", "--cmd", vimEarly, "-c", vimGuard, "-c", "autocmd BufWritePre * " + vimGuard}
}

// nvi keeps a copy of each file for recovery, in recdir, and reads settings from
// NEXINIT in place of those of the user.
func nvi() family {
	return family{env: func(dir string) []string {
		tmp := filepath.Join(dir, "tmp")
		return []string{"NEXINIT=set recdir=" + tmp + " directory=" + tmp}
	}}
}

func micro(dir string) []string {
	return []string{
		"-backup", "false", "-permbackup", "false", "-backupdir", filepath.Join(dir, "state"),
		"-savecursor", "false", "-saveundo", "false", "-savehistory", "false",
	}
}

// code is Visual Studio Code: unsaved text and the local history are in the
// user-data-dir, which also makes it a process of its own.
func code(dir string) []string {
	return []string{"--wait", "--new-window", "--disable-extensions", "--user-data-dir", filepath.Join(dir, "ide")}
}

// emacsSettings are evaluated after the init file and before the file is visited.
// Variables that the text names, or a .dir-locals.el of any user above the file, are
// not for us.
const emacsSettings = `(progn (setq make-backup-files nil backup-inhibited t auto-save-default nil` +
	` auto-save-list-file-prefix nil auto-save-list-file-name nil create-lockfiles nil undo-tree-auto-save-history nil` +
	` delete-auto-save-files t backup-directory-alist nil` +
	` enable-local-variables nil enable-dir-local-variables nil)` +
	` (dolist (m '(recentf-mode savehist-mode desktop-save-mode save-place-mode auto-save-visited-mode))` +
	` (when (and (boundp m) (symbol-value m)) (funcall m -1))))`
