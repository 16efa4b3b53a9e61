// SPDX-License-Identifier: Apache-2.0

//go:build linux

package editor

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"golang.org/x/sys/unix"

	"github.com/signet-secrets/signet/internal/testtool"
)

// hostileVim turns on everything that vim can keep, in the home directory.
const hostileVim = `set nocompatible swapfile updatecount=1 updatetime=1 directory=$HOME/swap//
set backup writebackup backupcopy=no backupdir=$HOME/bk
set undofile undodir=$HOME/undo
set viminfo='100,<1000,s1000,:100 viminfofile=$HOME/viminfo
autocmd BufWritePre * set backup writebackup backupdir=$HOME/bk | setlocal undofile
`

const hostileNeovim = `set swapfile updatecount=1 updatetime=1 directory=$HOME/swap//
set backup writebackup backupcopy=no backupdir=$HOME/bk
set undofile undodir=$HOME/undo
set shada='100,<1000,s1000,:100 shadafile=$HOME/viminfo
autocmd BufWritePre * set backup writebackup backupdir=$HOME/bk | setlocal undofile
`

func hostileHome() fstest.MapFS {
	text := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s), Mode: 0o600} }
	return fstest.MapFS{
		".vimrc":                         text(hostileVim),
		".config/nvim/init.vim":          text(hostileNeovim),
		".config/nano/nanorc":            text("set backup\nset backupdir \"HOMEDIR/bk\"\nset historylog\nset positionlog\n"),
		".exrc":                          text("set recdir=.\n"),
		".config/micro/settings.json":    text(`{"backup": true, "saveundo": true, "savecursor": true, "permbackup": true}`),
		".emacs":                         text(hostileEmacs),
		"bk/keep":                        text(""),
		"undo/keep":                      text(""),
		"swap/keep":                      text(""),
		".local/state/nvim/swap/keep":    text(""),
		".local/share/nano/keep":         text(""),
		".emacs.d/auto-save-list/keep":   text(""),
		".local/share/nvim/shada/keep":   text(""),
		".config/micro/backups/keep":     text(""),
		".config/micro/buffers/history2": text(""),
	}
}

const hostileEmacs = `(setq backup-directory-alist '(("." . "~/bk")) auto-save-file-name-transforms '((".*" "~/bk/" t)) auto-save-interval 1 auto-save-timeout 1)
(setq savehist-additional-variables '(kill-ring))
(savehist-mode 1) (recentf-mode 1) (desktop-save-mode 1) (save-place-mode 1) (auto-save-visited-mode 1)
`

// traced runs an editor under strace, and returns what it has written where it
// must not be, and how often it has written the marker where it may. A file made
// where the home directory says that copies are to be counts, too: it may be gone
// before anything is in it, or not.
func traced(t *testing.T, editor string, drive func(*session)) (leaks []string, inMemory int) {
	t.Helper()
	trace := filepath.Join(t.TempDir(), "trace")
	s := newSession(t, editor, hostileHome(), testtool.Tracing(trace)...)
	s.start(t)
	drive(s)
	if code := s.Wait(); code != 42 {
		t.Errorf("exit code %d, want that something was added\n%q", code, s.Screen())
	}
	var copies []string
	for _, place := range []string{"/swap/", "/bk/", "/undo/", "/viminfo"} {
		copies = append(copies, s.home+place)
	}
	leaks, inMemory = testtool.JudgeTrace(t, trace, s.memory, copies...)
	return append(testtool.PlaintextFiles(t, s.home), leaks...), inMemory
}

// driven is an editor and what a user types into it. One that the tests do not
// need may be missing.
type driven struct {
	name, editor string
	needed       bool
	add, save    string // adds text; saves it and ends
}

func drivenEditors() []driven {
	// The changed line is in the undo file, the copied one in viminfo.
	const vimAdd = "A added\x1byyp:preserve\r"
	const vimSave = ":silent! mksession! $HOME/s\r:w\r:wq\r"
	return []driven{
		{"vim", "vim", true, vimAdd, vimSave},
		{"vi", "vi", true, vimAdd, vimSave},
		{"nano", "nano", false, "added", "\x0f\r\x18"},
		{"nvim", "nvim", false, vimAdd, vimSave},
		{"nvi", "nvi", false, "A added\x1b", ":wq\r"},
		{"micro", "micro", false, "added \x0b\x16", "\x13\x11"},
		{"emacs", "emacs -nw", false, "added ", "\x18\x13\x18\x03"},
		{"joe", "joe", false, "added ", "\x0bx"},
		{"kak", "kak", false, "A added\x1b", ":wq\r"},
		{"mcedit", "mcedit", false, "added", "\x1bOQ\r\x1b[21~"},
		{"vim.tiny", "vim.tiny", false, "A added\x1byyp:preserve\r", ":wq\r"},
	}
}

// TestTraced has editors write what was added, with everything turned on that
// they can keep elsewhere, and looks at each call that writes.
func TestTraced(t *testing.T) {
	for _, test := range drivenEditors() {
		t.Run(test.name, func(t *testing.T) {
			skipMissing(t, test)
			leaks, inMemory := traced(t, test.editor, func(s *session) {
				s.See(marker)
				s.Type(test.add)
				s.See("added")
				s.Type(test.save)
			})
			for _, leak := range leaks {
				t.Errorf("plaintext goes elsewhere: %s", leak)
			}
			if inMemory == 0 {
				t.Error("no call was seen that writes to memory")
			}
		})
	}
}

// The same in the batch mode of vim, where the file is never shown.
func TestTracedBatch(t *testing.T) {
	leaks, inMemory := traced(t, `vim -es -u ~/.vimrc -c 'normal oadded' -c 'w' -c 'normal oadded again' -c 'wq'`, func(*session) {})
	if len(leaks) != 0 || inMemory == 0 {
		t.Errorf("leaks %q, written to memory %d times", leaks, inMemory)
	}
}

// TestTracedSees proves that the tests above could fail: without its flags vim
// writes everywhere.
func TestTracedSees(t *testing.T) {
	leaks, _ := traced(t, "env vim", func(s *session) {
		s.See(marker)
		s.Type("A added\x1byyp:w\r:wq\r")
	})
	for _, want := range []string{"/swap/", "/bk/", "/undo/", "/viminfo"} {
		if !slices.ContainsFunc(leaks, func(leak string) bool { return strings.Contains(leak, want) }) {
			t.Errorf("nothing was seen of %s: %q", want, leaks)
		}
	}
}

func skipMissing(t *testing.T, test driven) {
	t.Helper()
	program, _, _ := strings.Cut(test.editor, " ")
	if _, err := exec.LookPath(program); err != nil && !test.needed {
		t.Skipf("%s is not installed", program)
	}
}

// TestKilled kills an editor with unsaved text, its parent, or both.
func TestKilled(t *testing.T) {
	editors := drivenEditors()
	editors = append(editors, driven{name: "ed", editor: "ed"})
	for _, test := range editors {
		for _, kill := range []struct {
			name   string
			target func(s *session) int
			signal syscall.Signal
			codes  []int // of edit
		}{
			{"TERM to the parent", (*session).parent, syscall.SIGTERM, []int{10}},
			{"HUP to the parent", (*session).parent, syscall.SIGHUP, []int{10}},
			{"KILL to the parent", (*session).parent, syscall.SIGKILL, []int{-1}},
			{"KILL to the editor", (*session).editor, syscall.SIGKILL, []int{11}},
			{"KILL to both", (*session).group, syscall.SIGKILL, []int{-1}},
			// The editor may have ended before its parent knows why.
			{"HUP to both", (*session).group, syscall.SIGHUP, []int{10, 11, 43}},
		} {
			t.Run(test.name+", "+kill.name, func(t *testing.T) {
				skipMissing(t, test)
				testtool.NeedSignal(t, kill.signal)
				t.Parallel()
				s := newSession(t, test.editor, hostileHome())
				s.start(t)
				if test.name == "ed" {
					s.Type("p\na\nadded\n.\n")
					s.See(marker)
				} else {
					s.See(marker)
					s.Type(test.add)
				}
				s.See("added")
				if err := syscall.Kill(kill.target(s), kill.signal); err != nil {
					t.Fatal(err)
				}
				if code := s.Wait(); !slices.Contains(kill.codes, code) {
					t.Errorf("exit code %d, want one of %d\n%q", code, kill.codes, s.Screen())
				}
				s.checkGone(t)
			})
		}
	}
}

func (s *session) parent() int { return s.PID() }
func (s *session) group() int  { return -s.PID() }
func (s *session) editor() int { return s.Child() }

// Keys that make signals are for the editor alone: here a script that knows what
// to do with them.
func TestInterruptKey(t *testing.T) {
	s := newSession(t, `sh -c 'trap "echo got" INT QUIT; echo ready; read x; read x; read x; echo added >> "$0"'`, fstest.MapFS{})
	s.start(t)
	s.See("ready\r\n")
	for _, key := range []string{"\x03", "\x1c"} {
		before := strings.Count(s.Screen(), "got\r\n")
		s.Type(key)
		eventually(t, "the editor has got it", func() bool { return strings.Count(s.Screen(), "got\r\n") > before })
	}
	s.Type("\n\n\n")
	if code := s.Wait(); code != 42 {
		t.Errorf("exit code %d\n%q", code, s.Screen())
	}
	s.checkGone(t)
}

// emacs is not told what to do by the text, nor by a file that another user may
// have put into the directory above: it would ask about both.
func TestEmacsLocalVariables(t *testing.T) {
	emacs := driven{name: "emacs", editor: "emacs -nw"}
	skipMissing(t, emacs)
	for _, test := range []struct{ name, directory, text string }{
		{"of the text", "", "# Local Variables:\n# eval: (setq inhibit-read-only nil)\n# End:\n"},
		{"of the directory", "((nil . ((eval . (setq inhibit-read-only nil)))))\n", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSession(t, emacs.editor, fstest.MapFS{})
			locals := filepath.Join(s.memory, ".dir-locals.el")
			if err := os.WriteFile(locals, []byte(test.directory), 0o600); err != nil {
				t.Fatal(err)
			}
			s.cmd.Env = append(s.cmd.Env, moreVariable+"="+test.text)
			s.start(t)
			eventually(t, "emacs shows the text or asks", func() bool {
				return strings.Contains(s.Screen(), marker) || strings.Contains(s.Screen(), "safe")
			})
			if strings.Contains(s.Screen(), "safe") {
				t.Fatalf("emacs asks about local variables:\n%q", s.Screen())
			}
			s.Type("added ")
			s.See("added")
			s.Type("\x18\x13\x18\x03")
			if code := s.Wait(); code != 42 {
				t.Errorf("exit code %d\n%q", code, s.Screen())
			}
			if err := os.Remove(locals); err != nil {
				t.Fatal(err)
			}
			s.checkGone(t)
		})
	}
}

// An editor that is killed leaves the terminal as it has set it.
func TestTerminalIsRestored(t *testing.T) {
	s := newSession(t, `sh -c 'echo ready; read x; stty raw -echo; echo raw; read x; kill -9 $$'`, fstest.MapFS{})
	s.start(t)
	s.See("ready\r\n")
	before := terminalState(t, s)
	s.Type("\n")
	s.See("raw\n")
	if terminalState(t, s) == before {
		t.Fatal("the terminal was not changed")
	}
	s.Type("\n")
	s.See("sh ended with signal: killed")
	if after := terminalState(t, s); after != before {
		t.Errorf("state %s, want %s", after, before)
	}
}

func terminalState(t *testing.T, s *session) string {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(s.Master().Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x %x %x", state.Iflag, state.Oflag, state.Lflag)
}
