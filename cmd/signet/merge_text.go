// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/signet-secrets/signet/internal/gitrepo"
	"github.com/signet-secrets/signet/internal/merge3"
	"github.com/signet-secrets/signet/internal/report"
)

// errTextConflict says that the text around sealed documents is in conflict, or that
// one is gone on one side and changed on the other.
var errTextConflict = errors.New("conflict in the text around the sealed documents, or in which of them are there")

// plain merges files without sealed documents as Git would without a driver.
func (m *mergeDriver) plain(ctx context.Context, f *mergedFiles) error {
	cmd, err := m.mergeFile(ctx, "", f.names[1], f.names[0], f.names[2])
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = m.err, m.err
	return m.merged(cmd.Run(), errPlainConflict)
}

// errPlainConflict says that a file without sealed documents is in conflict.
var errPlainConflict = errors.New("conflict, marked in the file")

// text merges the text around sealed documents.
func (m *mergeDriver) text(ctx context.Context, s *merge3.Streams) ([]byte, error) {
	dir, err := os.MkdirTemp("", "signet-merge-")
	if err != nil {
		return nil, m.place(report.Cause(err))
	}
	defer os.RemoveAll(dir)
	names := []string{"ours", "base", "theirs"}
	for i, text := range [][]byte{s.Ours, s.Base, s.Theirs} {
		if err := os.WriteFile(filepath.Join(dir, names[i]), text, 0o600); err != nil {
			return nil, m.place(report.Cause(err))
		}
		names[i] = filepath.Join(dir, names[i])
	}
	cmd, err := m.mergeFile(ctx, "-p", names...)
	if err != nil {
		return nil, err
	}
	cmd.Stderr = m.err
	out, err := cmd.Output()
	return out, m.merged(err, errTextConflict)
}

// mergeFile returns the command that merges lines. first may be an option.
func (m *mergeDriver) mergeFile(ctx context.Context, first string, names ...string) (*exec.Cmd, error) {
	program, err := exec.LookPath("git")
	if err != nil {
		return nil, m.place(gitrepo.ErrNoGit)
	}
	args := []string{"--no-optional-locks", "merge-file"}
	if first != "" {
		args = append(args, first)
	}
	if m.side != "" {
		args = append(args, "--"+m.side)
	}
	args = append(args, "--marker-size="+strconv.Itoa(m.markerSize), "-L", "ours", "-L", "base", "-L", "theirs", "--")
	cmd := exec.CommandContext(ctx, program, append(args, names...)...)
	cmd.WaitDelay = time.Second
	return cmd, nil
}

// merged returns the error of a merge of lines, which ends with the number of
// conflicts.
func (m *mergeDriver) merged(err, conflict error) error {
	var ended *exec.ExitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ended) && ended.ExitCode() > 0 && ended.ExitCode() < 128:
		return m.place(conflict)
	case errors.As(err, &ended):
		return m.place(fmt.Errorf("git merge-file: exit code %d", ended.ExitCode()))
	}
	return m.place(fmt.Errorf("git merge-file: %w", report.Cause(err)))
}
