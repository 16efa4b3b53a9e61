// SPDX-License-Identifier: Apache-2.0

package gitrepo

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"os"
	"strconv"
	"strings"
	"time"
)

// Version is a file as one commit has left it.
type Version struct {
	Commit string    // hexadecimal name
	Time   time.Time // of the commit, as the committer said, in UTC
	Path   string    // relative to the top of the work tree, with slashes
	OID    string    // name of the content, "" where the commit has removed the file
}

// History returns every version of the files at or below paths, or of all files,
// that a commit of any branch, tag or remote branch, or of HEAD, has made, newest
// commits first; a merge counts as a change against each parent, so versions may
// come several times. Submodules and symbolic links count as removed. It ends with
// an error, of git or that of ctx, if there is one; whoever stops before the end
// stops git, too.
func (r *Repo) History(ctx context.Context, paths ...string) iter.Seq2[Version, error] {
	args := withPaths([]string{"log", "--all", "--raw", "-z", "--no-abbrev", "--no-renames", "--full-history", "-m", "--no-ext-diff",
		"--no-textconv", "--no-relative", "--no-color", "--no-show-signature", "--no-mailmap", "--no-notes", "--no-decorate",
		"--ignore-submodules=all", "-O" + os.DevNull, "--format=@%H %ct"}, paths)
	return func(yield func(Version, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		cmd := r.Command(ctx, args...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			yield(Version{}, failure("log", err, ""))
			return
		}
		stopped, err := readLog(bufio.NewReaderSize(out, 64<<10), yield)
		if stopped || err != nil {
			cancel()
		}
		ended := cmd.Wait()
		switch {
		case stopped:
		case err != nil:
			yield(Version{}, err)
		case ended != nil:
			yield(Version{}, failure("log", ended, stderr.String()))
		}
	}
}

// readLog yields what `git log --raw -z` prints: "@commit time" and after it, for
// each file, ":modes oids status" and its path.
func readLog(r *bufio.Reader, yield func(Version, error) bool) (stopped bool, err error) {
	var at Version
	for {
		token, err := next(r)
		switch {
		case errors.Is(err, io.EOF):
			return false, nil
		case err != nil:
			return false, err
		case token == "":
			continue
		case token[0] == '@':
			if at, err = parseCommit(token[1:]); err != nil {
				return false, err
			}
			continue
		}
		c, err := parseRaw(token)
		if err != nil || at.Commit == "" {
			return false, unexpected("log")
		}
		v := at
		if v.Path, err = nextName(r); err != nil {
			return false, err
		}
		if isFile(c.mode) {
			v.OID = c.oid
		}
		if !yield(v, nil) {
			return true, nil
		}
	}
}

// Shallow reports whether the clone lacks older commits.
func (r *Repo) Shallow(ctx context.Context) (bool, error) {
	out, err := r.output(ctx, "rev-parse", "--is-shallow-repository")
	return strings.TrimSpace(out) == "true", err
}

// next returns the text up to the next NUL without the line feed that may stand
// before it.
func next(r *bufio.Reader) (string, error) {
	token, err := r.ReadString(0)
	if err != nil {
		return "", err
	}
	return strings.TrimPrefix(strings.TrimSuffix(token, "\x00"), "\n"), nil
}

// nextName returns a path, which may begin with a line feed.
func nextName(r *bufio.Reader) (string, error) {
	token, err := r.ReadString(0)
	if err != nil {
		return "", unexpected("log")
	}
	return strings.TrimSuffix(token, "\x00"), nil
}

func parseCommit(text string) (Version, error) {
	oid, seconds, _ := strings.Cut(text, " ")
	t, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil || !isOID(oid) {
		return Version{}, unexpected("log")
	}
	return Version{Commit: oid, Time: time.Unix(t, 0).UTC()}, nil
}
