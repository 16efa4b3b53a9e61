// SPDX-License-Identifier: Apache-2.0

package fingerprint

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// TestMark protects what a diff shows: equal values look equal, others do not,
// and no value can be found out of it.
func TestMark(t *testing.T) {
	k, other := New(), New()
	form := regexp.MustCompile(`^[0-9a-f]{10}$`)
	seen := map[string]string{}
	for _, value := range []string{"a", "b", "a ", "A", "\x00", "\x00\x00", "correct horse battery staple", strings.Repeat("x", 1<<20), "empty"} {
		mark := k.Mark("prod/db", []byte(value))
		if !form.MatchString(mark) || mark != k.Mark("prod/db", []byte(value)) {
			t.Errorf("%.20q: %q", value, mark)
		}
		if old, ok := seen[mark]; ok {
			t.Errorf("%.20q and %.20q look alike", old, value)
		}
		seen[mark] = value
		if mark == other.Mark("prod/db", []byte(value)) {
			t.Errorf("%.20q: the same mark under another key", value)
		}
	}
	if k.Mark("prod/db", nil) != Empty || k.Mark("prod/db", []byte{}) != Empty {
		t.Error("an empty value is not called so")
	}
}

// TestMarkOfTwoPlaces protects values whose marks are printed beside those of a
// document of guesses.
func TestMarkOfTwoPlaces(t *testing.T) {
	k := New()
	seen := map[string]string{}
	for _, of := range [][2]string{{"prod/db", "4711"}, {"prod/other", "4711"}, {"/db", "4711"}, {"", "4711"}, {"prod/db4", "711"}, {"", "prod/db4711"}} {
		mark := k.Mark(of[0], []byte(of[1]))
		if other, ok := seen[mark]; ok {
			t.Errorf("%q looks like %s", of, other)
		}
		seen[mark] = fmt.Sprintf("%q", of)
	}
}

// TestMarkIsStable protects diffs in which one side was marked by an older signet.
func TestMarkIsStable(t *testing.T) {
	k := Key{func() []byte { return []byte("0123456789abcdef0123456789abcdef") }}
	if got, want := k.Mark("prod/db", []byte("correct horse battery staple")), "c432726abc"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestKeyIsNotPrinted(t *testing.T) {
	secret := []byte("0123456789abcdef0123456789abcdef")
	k := Key{func() []byte { return secret }}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q"} {
		for _, v := range []any{k, &k, struct{ K Key }{k}, []Key{k}} {
			if text := fmt.Sprintf(format, v); strings.Contains(text, "0123456789") || strings.Contains(text, "3031323334") {
				t.Errorf("%s: %s", format, text)
			}
		}
	}
}

func TestLoad(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "git", "signet")
	var wg sync.WaitGroup
	marks := make([]string, 16)
	for i := range marks { // `git log -p` starts several
		wg.Go(func() {
			k, err := Load(folder)
			if err != nil {
				t.Error(err)
				return
			}
			marks[i] = k.Mark("prod/db", []byte("x"))
		})
	}
	wg.Wait()
	for _, mark := range marks {
		if mark != marks[0] || mark == "" {
			t.Fatalf("several keys: %q", marks)
		}
	}
	info, err := os.Stat(filepath.Join(folder, fileName))
	if err != nil || info.Mode() != 0o600 || info.Size() != keyBytes {
		t.Errorf("%v, %v", info, err)
	}
	if info, err := os.Stat(folder); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestLoadRefuses(t *testing.T) {
	key := bytes.Repeat([]byte("k"), keyBytes)
	tests := []struct {
		name string
		make func(folder, file string) error
	}{
		{"too short", func(_, file string) error { return os.WriteFile(file, key[1:], 0o600) }},
		{"too long", func(_, file string) error { return os.WriteFile(file, append(key, 'k'), 0o600) }},
		{"a link", func(folder, file string) error {
			target := filepath.Join(folder, "target")
			return errors.Join(os.WriteFile(target, key, 0o600), os.Symlink(target, file))
		}},
		{"a folder", func(_, file string) error { return os.Mkdir(file, 0o700) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			folder := t.TempDir()
			file := filepath.Join(folder, fileName)
			if err := tt.make(folder, file); err != nil {
				t.Fatal(err)
			}
			_, err := Load(folder)
			if !errors.Is(err, errMalformed) || !strings.Contains(err.Error(), file) || strings.Contains(err.Error(), "kkkk") {
				t.Errorf("got %v", err)
			}
		})
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(filepath.Join(file, "signet")); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("below a file: %v", err)
	}
}
