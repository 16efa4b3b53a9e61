// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/internal/tree"
	"github.com/signet-secrets/signet/seal/manifest"
)

// unreadError says that an entry leads to what is not read. Nobody knows which
// Secrets that makes.
type unreadError struct {
	entry  string // for the flag, without credentials
	reason string
}

func (e *unreadError) Error() string {
	return e.entry + " " + e.reason + " and cannot be looked into"
}

// entryError says that a path in a kustomization, or in the configuration of a
// function, cannot be read.
type entryError struct {
	entry string
	err   error
}

func (e *entryError) Error() string { return report.Visible(e.entry) + ": " + e.err.Error() }
func (e *entryError) Unwrap() error { return e.err }

// resolve finds the file or directory that an entry of a kustomization names; ""
// is one that is allowed to be passed over, with a note.
func (r *buildReader) resolve(file, entry string) (target string, isDir bool, err error) {
	target = path.Join(path.Dir(file), filepath.ToSlash(entry))
	info, err := os.Stat(filepath.Join(r.root.Name(), filepath.FromSlash(target)))
	switch {
	case path.IsAbs(entry), filepath.IsAbs(entry):
		return "", false, r.fail(file, fmt.Errorf("%s: %w", report.Visible(entry), errAbsolute))
	case err != nil && remote(entry):
		return "", false, r.pass(file, entry, "is not in this repository")
	case err != nil:
		return "", false, r.fail(file, &entryError{entry, tree.Cause(err)})
	case !info.IsDir():
		return target, false, nil
	}
	target, err = r.inside(filepath.Join(r.root.Name(), filepath.FromSlash(target)))
	if errors.Is(err, tree.ErrOutside) {
		return "", false, r.pass(file, entry, "is outside of the repository")
	}
	if err != nil {
		return "", false, r.fail(file, &entryError{entry, tree.Cause(err)})
	}
	return target, true, nil
}

// pass passes over what cannot be read, if that is allowed.
func (r *buildReader) pass(file, entry, reason string) error {
	e := &unreadError{entry: withRevision(entry), reason: reason}
	if !slices.Contains(r.allowed, entry) && !slices.Contains(r.allowed, e.entry) {
		return r.fail(file, e)
	}
	r.unread = true
	note(r.stderr, r.shown(file), withoutCredentials(entry)+" "+reason+" and was not looked into, as --allow-unread permits")
	return nil
}

// remote reports whether an entry that is no file could be what kustomize
// fetches: a URL, or HOST/PATH as git and go-getter take it.
func remote(entry string) bool {
	host, rest, _ := strings.Cut(entry, "/")
	return strings.Contains(entry, "://") || strings.Contains(host, ":") || strings.Contains(entry, "?ref=") ||
		rest != "" && strings.Contains(strings.TrimLeft(host, "."), ".") && !manifest.IsFile("x"+path.Ext(entry))
}

// withRevision leaves credentials out of a URL, and of its query all but what
// says which revision is meant.
func withRevision(entry string) string {
	_, text, _ := strings.Cut(entry, "?")
	query, err := url.ParseQuery(text)
	if ref := query.Get("ref"); err == nil && ref != "" {
		return withoutCredentials(entry) + "?ref=" + ref
	}
	return withoutCredentials(entry)
}

// withoutCredentials leaves out of a URL what could be a password: what stands
// before the host, and the query.
func withoutCredentials(entry string) string {
	entry, _, _ = strings.Cut(entry, "?")
	scheme, rest, ok := strings.Cut(entry, "://")
	if !ok {
		return entry
	}
	authority, tail, _ := strings.Cut(rest, "/")
	return scheme + "://" + authority[strings.LastIndex(authority, "@")+1:] + "/" + tail
}
