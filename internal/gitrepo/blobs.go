// SPDX-License-Identifier: Apache-2.0

package gitrepo

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"sync"
)

// Errors of BlobReader.Read, to be tested with errors.Is.
var (
	// ErrMissing says that the repository has no such content. That of a clone
	// without all content is not fetched; before version 2.44 git ends when it is
	// asked for it, which is another error, as is all that is read afterwards.
	ErrMissing = errors.New("is not in this clone of the repository")
	// ErrTooLarge says that content has more bytes than was allowed.
	ErrTooLarge = errors.New("is too large")
)

// BlobReader reads the content of files of the index and of revisions, through
// one process for all. It is safe for concurrent use.
type BlobReader struct {
	mu     sync.Mutex
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr *bytes.Buffer
	failed error // after which nothing more can be read
}

// Blobs starts a BlobReader, which ends with ctx, or with Close.
func (r *Repo) Blobs(ctx context.Context) (*BlobReader, error) {
	b := &BlobReader{cmd: r.Command(ctx, "cat-file", "--batch"), stderr: new(bytes.Buffer)}
	var err error
	if b.in, err = b.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := b.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	b.out = bufio.NewReaderSize(out, 64<<10)
	b.cmd.Stderr = b.stderr
	if err := b.cmd.Start(); err != nil {
		return nil, fmt.Errorf("git cat-file: %w", err)
	}
	return b, nil
}

// Read returns the content with the given name, of at most limit bytes, as it is
// stored: no filter is run. Errors are ErrMissing, ErrTooLarge, or that git ended.
func (b *BlobReader) Read(oid string, limit int64) ([]byte, error) {
	if !isOID(oid) {
		return nil, ErrMissing
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failed != nil {
		return nil, b.failed
	}
	text, err := b.read(oid, limit)
	if err != nil && !errors.Is(err, ErrMissing) && !errors.Is(err, ErrTooLarge) {
		err = fmt.Errorf("git cat-file: %w", err)
		b.failed = err
	}
	return text, err
}

func (b *BlobReader) read(oid string, limit int64) ([]byte, error) {
	if _, err := io.WriteString(b.in, oid+"\n"); err != nil {
		return nil, err
	}
	header, err := b.out.ReadString('\n')
	if err != nil {
		return nil, err
	}
	kind, size, err := parseHeader(header, oid)
	if err != nil {
		return nil, err
	}
	if kind != "blob" || size > limit {
		if _, err := io.CopyN(io.Discard, b.out, size+1); err != nil {
			return nil, err
		}
		if kind != "blob" {
			return nil, ErrMissing
		}
		return nil, ErrTooLarge
	}
	text := make([]byte, size+1) // and a line feed
	if _, err := io.ReadFull(b.out, text); err != nil {
		return nil, err
	}
	return text[:size:size], nil
}

// parseHeader reads "<oid> <type> <size>" or "<oid> missing".
func parseHeader(line, oid string) (kind string, size int64, err error) {
	rest, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), oid+" ")
	if !ok {
		return "", 0, unexpected("cat-file")
	}
	if rest == "missing" {
		return "", 0, ErrMissing
	}
	kind, text, _ := strings.Cut(rest, " ")
	size, err = strconv.ParseInt(text, 10, 62) // so that one more fits, too
	if err != nil || size < 0 {
		return "", 0, unexpected("cat-file")
	}
	return kind, size, nil
}

// Close ends the process. The error tells what went wrong with it, if anything.
func (b *BlobReader) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if errors.Is(b.failed, errClosed) {
		return nil
	}
	b.in.Close()
	if b.failed != nil { // it may have more to say
		_ = b.cmd.Process.Kill() // an error means that it has ended
	}
	b.failed = errClosed
	if err := b.cmd.Wait(); err != nil {
		return failure("cat-file", err, b.stderr.String())
	}
	return nil
}

var errClosed = errors.New("git cat-file: closed")

// IsLFSPointer reports whether content stands for a file that Git LFS keeps
// elsewhere (git-lfs: docs/spec.md). All of its lines must be those of a pointer:
// the first line alone could stand above anything.
func IsLFSPointer(text []byte) bool {
	if len(text) >= 1024 || !bytes.HasPrefix(text, []byte("version https://git-lfs.github.com/spec/")) {
		return false
	}
	hasOID := false
	for line := range strings.Lines(string(text)) {
		key, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		if !ok || value == "" || strings.ContainsAny(value, " \t") || strings.Trim(key, "abcdefghijklmnopqrstuvwxyz0123456789.-") != "" || key == "" {
			return false
		}
		hasOID = hasOID || key == "oid" && strings.HasPrefix(value, "sha256:")
	}
	return hasOID
}
