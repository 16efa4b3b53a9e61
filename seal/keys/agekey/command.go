// SPDX-License-Identifier: Apache-2.0

package agekey

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"sync"
	"time"

	"github.com/google/shlex"
)

// commands runs the commands of the environment, once for each recipient.
type commands struct {
	src  Sources
	mu   sync.Mutex
	runs map[commandRun]*commandResult
}

type commandRun struct{ variable, recipient string }

type commandResult struct {
	done  chan struct{} // closed when the rest is set
	found found
	retry bool // the run ended because its context did
}

// maxRuns is how many commands are run, for as many recipients: documents name
// those, and must not be able to start any number of programs.
const maxRuns = 64

func tooManyRuns(variable string) (f found) {
	f.note(variable, fmt.Sprintf("not run for more than %d recipients", maxRuns))
	return f
}

// get returns what the command in variable gives for the recipient: from an
// earlier run, or from one that is on its way, or by running it. A failed run
// counts, so that a user is not asked again for each document.
func (c *commands) get(ctx context.Context, variable string, r Recipient) (found, error) {
	key := commandRun{variable, r.text}
	for {
		c.mu.Lock()
		res, running := c.runs[key]
		if !running && len(c.runs) >= maxRuns {
			c.mu.Unlock()
			return tooManyRuns(variable), nil
		}
		if !running {
			res = &commandResult{done: make(chan struct{})}
			c.runs[key] = res
		}
		c.mu.Unlock()
		if !running {
			c.run(ctx, key, res)
		}
		select {
		case <-res.done:
			if !res.retry {
				return res.found, nil
			}
			if err := ctx.Err(); err != nil {
				return found{}, err
			}
		case <-ctx.Done():
			return found{}, ctx.Err()
		}
	}
}

func (c *commands) run(ctx context.Context, key commandRun, res *commandResult) {
	defer close(res.done)
	line := c.src.lookup(key.variable)
	if line == "" {
		res.found.note(key.variable, c.src.unset(key.variable))
		return
	}
	out, err := runCommand(ctx, line, append(slices.Clone(c.src.CommandEnv), RecipientVariable+"="+key.recipient), c.src.Stderr)
	if ctx.Err() != nil {
		res.retry = true
		c.mu.Lock()
		delete(c.runs, key)
		c.mu.Unlock()
		return
	}
	if err != nil {
		res.found.note(key.variable, err.Error())
		return
	}
	ids, notes, err := c.src.parseFile(variable(key.variable), out)
	res.found.add(key.variable, ids, notes, err)
}

// runCommand runs line, with env added, and returns its output. Errors hold nothing of line, in
// which keys have been seen, nor of the output.
func runCommand(ctx context.Context, line string, env []string, stderr io.Writer) ([]byte, error) {
	args, err := shlex.Split(line)
	if err != nil || len(args) == 0 {
		return nil, errors.New("the command cannot be split into words")
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(cmd.Environ(), env...)
	cmd.Stderr = stderr
	cmd.WaitDelay = time.Second // for grandchildren that hold the pipes open
	out := limitedBuffer{limit: maxKeyFileBytes}
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil {
		return nil, commandCause(err)
	}
	if out.over {
		return nil, fmt.Errorf("the command prints more than %d bytes", maxKeyFileBytes)
	}
	return out.data, nil
}

func commandCause(err error) error {
	exit := new(exec.ExitError)
	switch {
	case errors.As(err, &exit):
		return fmt.Errorf("the command ended with %s", exit.ProcessState)
	case errors.Is(err, exec.ErrNotFound):
		return errors.New("the program to run is not in PATH")
	case errors.Is(err, exec.ErrDot):
		return errors.New("the program to run is in the current directory, which does not count")
	}
	return fmt.Errorf("the command cannot be run: %w", fileCause(err))
}

// limitedBuffer keeps the first limit bytes and takes the rest.
type limitedBuffer struct {
	data  []byte
	limit int
	over  bool
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	keep := min(len(p), b.limit-len(b.data))
	b.data = append(b.data, p[:keep]...)
	b.over = b.over || keep < len(p)
	return len(p), nil
}
