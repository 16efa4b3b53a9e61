// SPDX-License-Identifier: Apache-2.0

package testtool

import (
	"encoding/base64"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Plaintext is a text that must not reach a disk. It is one word, which editors
// write to a terminal in one piece.
const Plaintext = "correct-horse-battery-staple"

// plaintextPart is what of it is looked for, so that a change at either end does
// not hide it.
const plaintextPart = "horse-battery"

// HoldsPlaintext reports whether Plaintext is in data, also in base64 at any
// offset, in hexadecimal, or backwards.
func HoldsPlaintext(data []byte) bool { return disguised().Match(data) }

var disguised = sync.OnceValue(func() *regexp.Regexp {
	reversed := []byte(Plaintext)
	slices.Reverse(reversed)
	forms := []string{plaintextPart, string(reversed), fmt.Sprintf("%x", plaintextPart), fmt.Sprintf("%X", plaintextPart)}
	for offset := range 3 {
		encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", offset) + plaintextPart))
		forms = append(forms, encoded[(offset*8+5)/6:len(encoded)-1])
	}
	for i := range forms {
		forms[i] = regexp.QuoteMeta(forms[i])
	}
	return regexp.MustCompile(strings.Join(forms, "|"))
})

// PlaintextFiles returns the regular files below dir that hold Plaintext.
func PlaintextFiles(tb testing.TB, dir string) []string {
	tb.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if HoldsPlaintext(data) {
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return all
}

// Tracing returns what stands before a command to write its system calls by which
// text can reach a disk into a file, with those of all that it starts.
func Tracing(file string) []string {
	return []string{"strace", "-f", "-y", "-s", "1048576", "-e", "signal=none", "-o", file, "-e",
		"trace=open,openat,write,pwrite64,writev,pwritev,pwritev2,sendfile,copy_file_range,splice,mmap"}
}

// JudgeTrace reads what Tracing has written. leaks are the calls that took
// Plaintext, or what could be it, elsewhere than to the directory memory, to
// terminals and to pipes, and those that made a file in one of the places copies;
// inMemory counts those that took it to memory.
func JudgeTrace(tb testing.TB, file, memory string, copies ...string) (leaks []string, inMemory int) {
	tb.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		leak, toMemory := judgeCall(line, memory)
		makes := strings.Contains(line, "O_CREAT") && slices.ContainsFunc(copies, func(place string) bool { return strings.Contains(line, place) })
		if leak || makes {
			leaks = append(leaks, line)
		}
		if toMemory {
			inMemory++
		}
	}
	return leaks, inMemory
}

// tracedCall matches a system call with its name, the protection and flags of
// mmap, and the path of its first descriptor.
var tracedCall = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^\d+ +(\w+)\((?:NULL, \d+, ([A-Z_|]+), ([A-Z_|]+), )?\d+<([^>]*)>`)
})

func judgeCall(line, memory string) (leak, inMemory bool) {
	m := tracedCall().FindStringSubmatch(line)
	if m == nil {
		return false, false
	}
	name, protection, flags, path := m[1], m[2], m[3], m[4]
	harmless := slices.ContainsFunc([]string{memory + "/", "/dev/pts/", "/dev/tty", "pipe:[", "socket:[", "UNIX", "/dev/null", "/memfd:"},
		func(prefix string) bool { return strings.HasPrefix(path, prefix) })
	switch name {
	case "mmap":
		return strings.Contains(protection, "PROT_WRITE") && strings.Contains(flags, "MAP_SHARED") && !harmless, false
	case "sendfile", "copy_file_range", "splice":
		return strings.Contains(line, "<"+memory+"/") && strings.Count(line, "<"+memory+"/") < 2, false
	}
	if !HoldsPlaintext([]byte(line)) {
		return false, false
	}
	return !harmless, strings.HasPrefix(path, memory+"/")
}
