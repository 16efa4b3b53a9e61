// SPDX-License-Identifier: Apache-2.0

package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// TestBlobs reads content of every kind through one process.
func TestBlobs(t *testing.T) {
	r := newRepo(t)
	big := strings.Repeat("0123456789abcde\n", 1<<16)
	texts := map[string]string{"empty": "", "line": "x\n", "nul": "a\x00b", "header": strings.Repeat("a", 40) + " blob 5\nx", "big": big, "crlf": "a\r\n"}
	for name, text := range texts {
		write(t, r, name, text)
	}
	write(t, r, ".gitattributes", "* text=auto eol=lf\nbig filter=x\n")
	head := commit(t, r)
	index, err := r.Index(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	oids := map[string]string{}
	for _, b := range index {
		oids[b.Path] = b.OID
	}
	b, err := r.Blobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for name, want := range texts {
				if name == "crlf" {
					want = "a\n"
				}
				got, err := b.Read(oids[name], 1<<20)
				if err != nil || string(got) != want {
					t.Errorf("%s: %d bytes, %v", name, len(got), err)
				}
			}
			for oid, want := range map[string]error{oids["big"]: ErrTooLarge, strings.Repeat("1", 40): ErrMissing, head: ErrMissing, "HEAD": ErrMissing, "--help": ErrMissing, "": ErrMissing} {
				if _, err := b.Read(oid, 1<<20-1); !errors.Is(err, want) {
					t.Errorf("%s: %v, want %v", oid, err, want)
				}
			}
		})
	}
	wg.Wait()
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if _, err := b.Read(oids["line"], 10); err == nil {
		t.Error("reads after it was closed")
	}
	if err := b.Close(); err != nil {
		t.Errorf("closed again: %v", err)
	}
}

// TestBlobsEnd protects against a wait for a process that is gone.
func TestBlobsEnd(t *testing.T) {
	r := newRepo(t)
	commit(t, r, "a", "x")
	index, err := r.Index(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	b, err := r.Blobs(ctx)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	for err == nil { // it may take a moment until the process has ended
		_, err = b.Read(index[0].OID, 10)
	}
	if err := b.Close(); err == nil {
		t.Error("Close does not tell that the process was killed")
	}
}

// TestReplacedObjects protects against content that stands in for what will be
// pushed.
func TestReplacedObjects(t *testing.T) {
	r := newRepo(t)
	commit(t, r, "secret", "password: hunter2", "harmless", "nothing")
	index, err := r.Index(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	git(t, r.Root(), "replace", index[1].OID, index[0].OID)
	if got := git(t, r.Root(), "cat-file", "-p", index[1].OID); got != "nothing" {
		t.Fatalf("git itself gives %q", got)
	}
	if got := contents(t, r, index[1:]); got[0] != "secret=password: hunter2" {
		t.Errorf("got %q", got)
	}
}

func TestIsLFSPointer(t *testing.T) {
	pointer := "version https://git-lfs.github.com/spec/v1\noid sha256:" + strings.Repeat("a", 64) + "\nsize 12345\n"
	const head = "version https://git-lfs.github.com/spec/v1\n"
	for text, want := range map[string]bool{
		pointer: true, strings.ReplaceAll(pointer, "\n", "\r\n"): true, "": false, "version: 1\n": false, " " + pointer: false,
		pointer + "x-" + strings.Repeat("x", 1024) + " 1\n": false, head: false, head + "size 1\n": false,
		head + "---\nkind: Secret\n": false, pointer + "---\nkind: Secret\n": false, pointer + "\n": false,
	} {
		if got := IsLFSPointer([]byte(text)); got != want {
			t.Errorf("%.40q: %v", text, got)
		}
	}
}

// FuzzParse protects against what is no output of git.
func FuzzParse(f *testing.F) {
	oid := strings.Repeat("a", 40)
	for _, seed := range []string{oid + " blob 12\n", oid + " missing\n", oid + " blob -1\n", ":100644 100644 " + oid + " " + oid + " M", "@" + oid + " 1", "", " "} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if kind, size, err := parseHeader(line, oid); err == nil && (size < 0 || !strings.HasPrefix(line, fmt.Sprintf("%s %s ", oid, kind))) {
			t.Errorf("header %q, %d", kind, size)
		}
		if c, err := parseRaw(line); err == nil && !isOID(c.oid) {
			t.Errorf("raw %+v", c)
		}
		if v, err := parseCommit(line); err == nil && !isOID(v.Commit) {
			t.Errorf("commit %+v", v)
		}
	})
}
